"""Candidates for the next DFT: the structures of a run on which a committee disagrees most."""

from __future__ import annotations

import heapq
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import write_extxyz

from bpstudy.files import atomic_path
from bpstudy.potential.committee import Committee, force_uncertainty

UNCERTAINTY = "uncertainty_ev_per_angstrom"  # the key of each candidate's `info`


class Candidates:
    """The `count` structures of the largest uncertainty among those offered, in the order of the run.

    The uncertainty of a structure is that of its most uncertain atom (`committee.force_uncertainty`), eV/Å.
    """

    def __init__(self, committee: Committee, count: int) -> None:
        if count < 0:
            raise ValueError(f"--collect {count}: it must be 0 or more")
        self.committee, self.count = committee, count
        self.largest = 0.0
        self._kept: list[tuple[float, int, Atoms]] = []
        self._offered = 0

    def offer(self, atoms: Atoms) -> None:
        """A structure that the committee has just computed."""
        uncertainty = float(force_uncertainty(self.committee.results["forces_std"]).max())
        self.largest = max(self.largest, uncertainty)
        self._offered += 1
        if not self.count:
            return
        bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)  # nothing that a fit may take
        bare.info = {UNCERTAINTY: uncertainty}
        heapq.heappush(self._kept, (uncertainty, self._offered, bare))
        if len(self._kept) > self.count:
            heapq.heappop(self._kept)

    def offer_refused(self) -> None:
        """The structure at which the committee stopped the run, which is in none of its frames."""
        if self.committee.atoms is not None:
            self.offer(self.committee.atoms)

    @property
    def frames(self) -> list[Atoms]:
        """The candidates so far: positions, cell and uncertainty, without energies."""
        return [atoms for _, _, atoms in sorted(self._kept, key=lambda kept: kept[1])]

    def write(self, path: Path) -> None:
        """As extended XYZ."""
        with atomic_path(path) as temporary, temporary.open("w") as file:
            for frame in self.frames:
                write_extxyz(file, [frame])


def candidates_of(frames: Path) -> Path:
    """The file of candidates beside the frames of a run."""
    return frames.with_name(f"{frames.stem}.candidates.extxyz")
