"""input.data, the frames of n2p2 and RuNNer: lengths, energies and forces in units that the file does not name.

One frame is `begin`, up to one `comment`, three `lattice` vectors or none, a line
`atom x y z element charge unused fx fy fz` for each atom, `energy`, `charge`, `end`.
Source: https://compphysvienna.github.io/n2p2/topics/cfg_file.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers

from bpstudy.config.datasets import Units
from bpstudy.data.errors import TrajectoryError
from bpstudy.data.units import energy_ev, length_angstrom
from bpstudy.files import atomic_path


def read(file: TextIO, name: str) -> Iterator[Atoms]:
    """The frames, in the units of the file.

    Raises:
        TrajectoryError: a line that does not belong there; the message names the frame and the line.
    """
    frame: dict[str, list] | None = None
    number = 0
    for place, line in enumerate(file, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{name}, frame {number}, line {place}"
        try:
            if words[0] == "begin" and frame is None:
                frame = {"lattice": [], "atom": [], "energy": [], "charge": [], "comment": []}
            elif words[0] == "end" and frame is not None:
                yield _atoms(frame)
                frame, number = None, number + 1
            elif frame is None or words[0] not in frame:
                raise ValueError(f"{words[0]!r} does not belong here")
            elif words[0] == "comment":
                frame["comment"].append(line.split(maxsplit=1)[1].strip() if len(words) > 1 else "")
            elif words[0] == "atom":
                if len(words) != 10 or words[4] not in atomic_numbers:
                    raise ValueError("an atom is: x y z element charge unused fx fy fz")
                frame["atom"].append((words[4], [float(w) for w in (*words[1:4], *words[7:10])]))
            else:
                frame[words[0]].append([float(word) for word in words[1:]])
        except ValueError as error:
            raise TrajectoryError(f"{where}: {error}") from None
    if frame is not None:
        raise TrajectoryError(f"{name}, frame {number}: ends early, without `end`")


def _atoms(frame: dict[str, list]) -> Atoms:
    if len(frame["lattice"]) not in (0, 3) or any(len(vector) != 3 for vector in frame["lattice"]):
        raise ValueError("a frame has three lattice vectors of three numbers, or none")
    if not frame["atom"]:
        raise ValueError("a frame without atoms")
    if any(len(value) != 1 for value in frame["energy"]) or len(frame["energy"]) > 1:
        raise ValueError("a frame has one energy")
    numbers = np.array([values for _, values in frame["atom"]])
    periodic = bool(frame["lattice"])
    atoms = Atoms(
        [element for element, _ in frame["atom"]],
        positions=numbers[:, :3],
        cell=np.array(frame["lattice"]) if periodic else None,
        pbc=periodic,
    )
    if frame["comment"]:
        atoms.info["comment"] = " ".join(frame["comment"])
    found = {"energy": frame["energy"][0][0]} if frame["energy"] else {}
    atoms.calc = SinglePointCalculator(atoms, **found, forces=numbers[:, 3:])
    return atoms


def write(path: str | Path, frames: Iterable[Atoms], units: Units) -> None:
    """Write frames (eV, Å, with energies; free energies where there are) to input.data in `units`.

    Raises:
        TrajectoryError: a frame is periodic along some axes only, which the format cannot say, or has no energy.
    """
    per_length, per_energy = 1 / length_angstrom(units), 1 / energy_ev(units)
    with atomic_path(path) as temporary, temporary.open("w") as file:
        for number, atoms in enumerate(frames):
            results = atoms.calc.results if atoms.calc is not None else {}
            energy = results.get("free_energy", results.get("energy"))
            if energy is None:
                raise TrajectoryError(f"{path}, frame {number}: has no energy")
            if atoms.pbc.any() and not atoms.pbc.all():
                raise TrajectoryError(
                    f"{path}, frame {number}: input.data holds crystals and molecules, no slabs or wires"
                )
            forces = results.get("forces", np.zeros((len(atoms), 3))) * (per_energy / per_length)
            file.write("begin\n")
            file.write(f"comment energy in {units.energy}, lengths in {units.length}\n")
            for vector in atoms.cell.array * per_length if atoms.pbc.all() else ():
                file.write("lattice {:.17g} {:.17g} {:.17g}\n".format(*vector))
            for symbol, position, force in zip(atoms.symbols, atoms.positions * per_length, forces, strict=True):
                xyz, f = (" ".join(f"{value:.17g}" for value in row) for row in (position, force))
                file.write(f"atom {xyz} {symbol} 0 0 {f}\n")
            file.write(f"energy {energy * per_energy:.17g}\ncharge 0\nend\n")
