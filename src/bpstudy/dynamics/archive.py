"""Archived trajectories: finished chunks of DFT dynamics, compact, checksummed, readable with ASE alone.

A chunk is three files: `NNNN.traj.xz` (an ASE trajectory: positions and both energies to the last bit, momenta and
forces in single precision), `NNNN.state.json` (the next chunk starts from it) and `NNNN.record.json` (how it was made).
Chunks of strained cells (`bpstudy.dynamics.strained`) hold the stress and have no state. `SHA256SUMS` holds the
checksum of each, in the format of sha256sum. A chunk is written once and never changed.
"""

from __future__ import annotations

import json
import lzma
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.checksums import sha256
from bpstudy.config.systems import Simulated, Simulation, Strained
from bpstudy.data.archived import MANIFEST, SUFFIXES
from bpstudy.data.columns import Columns, ColumnsError, joined, parse
from bpstudy.data.trajectory import StoredFrames, read_frames, snapshot, write_frames
from bpstudy.files import atomic_path

STRAINED = (SUFFIXES[0], SUFFIXES[2])  # files of a chunk of strained cells
RESULTS = ("energy", "free_energy", "forces", "stress")
# Contexts of eight bytes, the size of most numbers: a sixth smaller than the default.
COMPRESSION = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 3, "pb": 3}]


class ArchiveError(ValueError):
    """The archive is damaged, too short or from another study; the message names the file."""


def add(chunks: Path, archive: Path) -> list[str]:
    """Archive the finished chunks of `chunks` (results/dynamics/<system>/chunks) that `archive` does not hold yet.

    Returns:
        The numbers of the chunks added.

    Raises:
        ArchiveError: a chunk does not continue the archived one before it.
    """
    finished = {path.name.split(".")[0] for path in chunks.glob("*.record.json")}
    added = sorted(finished - set(archived(archive)))
    for number in added:
        record = json.loads((chunks / f"{number}.record.json").read_text())
        suffixes = _suffixes(record)
        if suffixes == SUFFIXES:
            _check_continues(record, archive, number)
            small = map(_single_precision, read_frames(chunks / f"{number}.traj"))
        else:
            small = map(_with_stress, StoredFrames(chunks / f"{number}.traj"))
        with atomic_path(archive / f"{number}{SUFFIXES[0]}") as temporary:
            write_frames(temporary, small)
            temporary.write_bytes(lzma.compress(temporary.read_bytes(), filters=COMPRESSION))
        _copy(chunks, archive, number, suffixes[1:])
        _extend_manifest(archive, [f"{number}{suffix}" for suffix in suffixes])
    return added


def restore(archive: Path, chunks: Path) -> list[str]:
    """Put archived chunks that `chunks` lacks back into a results folder; the dynamics continues from the last.

    Returns:
        The numbers of the chunks restored.

    Raises:
        ArchiveError: a file is missing or damaged.
    """
    restored = [number for number in archived(archive) if not (chunks / f"{number}.record.json").exists()]
    for number in restored:
        suffixes = _suffixes(_record(archive, number))
        verify(archive, number, suffixes)
        frames = _frames(archive, number) if suffixes == SUFFIXES else _strained(archive, number)
        write_frames(chunks / f"{number}.traj", frames)
        _copy(archive, chunks, number, suffixes[1:])
    return restored


def archived(archive: Path) -> list[str]:
    """Numbers of the chunks in the manifest, in order."""
    return sorted(name.split(".")[0] for name in _manifest(archive) if name.endswith(SUFFIXES[0]))


def read_system(archive: Path, system: Simulated) -> Columns:
    """All verified frames of a system, in order.

    Raises:
        ArchiveError: a file is missing or damaged, or was made otherwise.
    """
    simulation = system.simulation()
    chunks = [
        read_chunk(archive, f"{chunk:04d}", simulation, system.chunk_range(chunk)) for chunk in range(system.chunks)
    ]
    try:
        return joined(chunks)
    except ColumnsError as error:
        raise ArchiveError(f"{archive}: {error}") from None


def read_strained(archive: Path, system: Strained) -> list[Atoms]:
    """All verified strained cells of a system, in order.

    Raises:
        ArchiveError: a file is missing or damaged, or was made otherwise.
    """
    cells = []
    for chunk in range(system.chunks):
        number = f"{chunk:04d}"
        verify(archive, number, STRAINED)
        made = _made(archive, number, system.recipe(), "recipe")
        first, last = system.chunk_range(chunk)
        found = _strained(archive, number)
        if made["cells"][0] != first or made["cells"][1] < last or len(found) < last - first:
            raise ArchiveError(f"{archive / number}: covers cells {made['cells']}, {[first, last]} are needed")
        cells += found[: last - first]
    return cells


def _strained(archive: Path, number: str) -> list[Atoms]:
    path = archive / f"{number}{SUFFIXES[0]}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder, "chunk.traj")
            raw.write_bytes(lzma.decompress(path.read_bytes()))
            return list(StoredFrames(raw))
    except (ValueError, lzma.LZMAError) as error:
        raise ArchiveError(f"{path}: {error}") from None


def _record(archive: Path, number: str) -> dict:
    path = archive / f"{number}{SUFFIXES[2]}"
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path}: cannot be read ({error}); restore it (git checkout -- {archive})") from None


def _made(archive: Path, number: str, settings: dict, key: str) -> dict:
    """The parameters of a chunk's record, which must be those of the configuration."""
    made: dict = _record(archive, number)["predicate"]["buildDefinition"]["externalParameters"]
    if made[key] != settings:
        raise ArchiveError(
            f"{archive / number}.record.json: was made with other settings than the configuration's; "
            "an archive belongs to one study: restore the configuration, or compute the cells again"
        )
    return made


def suffixes_of(rule: str) -> tuple[str, ...]:
    """Of the files of a chunk that this rule of the workflow made."""
    return STRAINED if rule == "strained_chunk" else SUFFIXES


def _suffixes(record: dict) -> tuple[str, ...]:
    return suffixes_of(record["predicate"]["buildDefinition"]["buildType"].removeprefix("bpstudy/"))


def read_chunk(archive: Path, number: str, simulation: Simulation, steps: tuple[int, int]) -> Columns:
    """The verified frames of a chunk.

    Args:
        simulation: crystal, calculator and dynamics that the chunk must have been made with.
        steps: first and last step that it must cover.

    Raises:
        ArchiveError: a file is missing or damaged, or was made with other settings.
    """
    verify(archive, number)
    made = _record(archive, number)["predicate"]["buildDefinition"]["externalParameters"]
    if Simulation.model_validate(made["simulation"]) != simulation:
        raise ArchiveError(
            f"{archive / number}.record.json: was made with other settings than the configuration's; "
            "an archive belongs to one study: restore the configuration, or compute the dynamics again"
        )
    if tuple(made["steps"]) != steps:
        raise ArchiveError(f"{archive / number}: covers steps {made['steps']}, {list(steps)} are needed")
    frames = _frames(archive, number)
    expected = steps[1] - steps[0] + (steps[0] == 0)  # the first chunk holds frame 0 as well
    if len(frames) != expected:
        raise ArchiveError(f"{archive / number}{SUFFIXES[0]}: holds {len(frames)} frames, {expected} are needed")
    return frames


def _frames(archive: Path, number: str) -> Columns:
    path = archive / f"{number}{SUFFIXES[0]}"
    try:
        return parse(lzma.decompress(path.read_bytes()))
    except (ColumnsError, lzma.LZMAError) as error:
        raise ArchiveError(f"{path}: {error}") from None


def verify(archive: Path, number: str, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Compare the files of a chunk with the manifest.

    Raises:
        ArchiveError: one is missing, not in the manifest, or not what was archived.
    """
    manifest = _manifest(archive)
    for path in (archive / f"{number}{suffix}" for suffix in suffixes):
        expected = manifest.get(path.name)
        if expected is None:
            raise ArchiveError(f"{path}: is not in {archive / MANIFEST}; the archive does not hold this chunk")
        try:
            found = sha256(path)
        except FileNotFoundError:
            raise ArchiveError(f"{path}: is missing; restore it (git checkout -- {archive})") from None
        if found != expected:
            raise ArchiveError(
                f"{path}: is damaged (sha256 {found[:12]}…, archived as {expected[:12]}…); "
                f"restore it (git checkout -- {archive})"
            )


def _copy(source: Path, target: Path, number: str, suffixes: Iterable[str]) -> None:
    for suffix in suffixes:
        with atomic_path(target / f"{number}{suffix}") as temporary:
            temporary.write_bytes((source / f"{number}{suffix}").read_bytes())


def _manifest(archive: Path) -> dict[str, str]:
    """{file: sha256}; empty where there is no archive yet."""
    path = archive / MANIFEST
    if not path.exists():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _extend_manifest(archive: Path, names: Iterable[str]) -> None:
    entries = _manifest(archive) | {name: sha256(archive / name) for name in names}
    with atomic_path(archive / MANIFEST) as temporary:
        temporary.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(entries.items())))


def _check_continues(record: dict, archive: Path, number: str) -> None:
    """The chunk must have started from the archived state before it."""
    if int(number) == 0:
        return
    before = f"{int(number) - 1:04d}.state.json"
    inputs = record["predicate"]["buildDefinition"]["resolvedDependencies"]
    started_from = [entry["digest"].get("sha256") for entry in inputs if entry["name"].endswith(".state.json")]
    if started_from != [_manifest(archive).get(before)]:
        raise ArchiveError(
            f"chunk {number} does not continue the archived {archive / before}; it belongs to another run"
        )


def _single_precision(frame: Atoms) -> Atoms:
    """A copy with momenta and forces in float32; positions and energies keep their precision."""
    small = snapshot(frame)
    small.arrays["momenta"] = small.arrays["momenta"].astype(np.float32)
    small.calc.results["forces"] = small.calc.results["forces"].astype(np.float32)
    return small


def _with_stress(frame: Atoms) -> Atoms:
    """A copy with forces in float32; the rest keeps its precision, and what the cell was drawn as."""
    small = frame.copy()
    results = {name: frame.calc.results[name] for name in RESULTS}
    small.calc = SinglePointCalculator(small, **results | {"forces": results["forces"].astype(np.float32)})
    return small
