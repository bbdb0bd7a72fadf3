"""The archive: nothing lost that is promised, nothing damaged accepted, nothing of another run joined on."""

import json
import subprocess

import numpy as np
import pytest
from ase.io import read

from bpstudy.config.systems import Simulated
from bpstudy.data.trajectory import read_frames
from bpstudy.dynamics.archive import ArchiveError, add, archived, read_chunk, restore
from bpstudy.dynamics.chunks import run_chunk
from bpstudy.dynamics.datapackage import describe
from bpstudy.provenance import record

SYSTEM = Simulated.model_validate(
    {
        "crystal": {
            "lattice": "fcc",
            "element": "Cu",
            "lattice_constant_angstrom": 3.61,
            "cell": "cubic",
            "repeat": [1, 1, 1],
        },
        "calculator": {"name": "emt"},
        "dynamics": {"temperature_kelvin": 300.0, "timestep_fs": 1.0, "friction_per_fs": 0.01, "seed": 1},
        "steps": 12,
        "chunk_steps": 4,
    }
)
SIMULATION = SYSTEM.simulation()


def compute(folder, chunk, simulation=SIMULATION):
    """What the workflow's job does."""
    before = folder / f"{chunk - 1:04d}.state.json" if chunk else None
    frames, state = folder / f"{chunk:04d}.traj", folder / f"{chunk:04d}.state.json"
    steps = SYSTEM.chunk_range(chunk)
    run_chunk(simulation, *steps, before, frames, state)
    parameters = {"steps": steps, "simulation": simulation.model_dump(mode="json")}
    inputs = record.hashes([before] if before else [])
    made = record.statement("dynamics_chunk", parameters, inputs, [frames, state], record.now())
    record.write(folder / f"{chunk:04d}.record.json", made)


@pytest.fixture(scope="module")
def chunks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chunks")
    for chunk in range(3):
        compute(folder, chunk)
    return folder


@pytest.fixture
def archive(chunks, tmp_path):
    add(chunks, tmp_path / "cu4")
    return tmp_path / "cu4"


def test_positions_and_energies_come_back_to_the_bit(chunks, archive):
    assert archived(archive) == ["0000", "0001", "0002"]
    for number in range(3):
        kept = read_chunk(archive, f"{number:04d}", SIMULATION, SYSTEM.chunk_range(number))
        for a, b in zip(read_frames(chunks / f"{number:04d}.traj"), kept, strict=True):
            assert np.array_equal(a.positions, b.positions)
            assert np.array_equal(a.cell, b.cell)
            assert a.get_potential_energy() == b.get_potential_energy()
            assert a.get_potential_energy(force_consistent=True) == b.get_potential_energy(force_consistent=True)
            assert np.array_equal(a.get_momenta().astype(np.float32), b.get_momenta())
            assert np.array_equal(a.get_forces().astype(np.float32), b.get_forces())


def test_ase_alone_reads_it(archive):
    assert len(read(archive / "0000.traj.xz", ":")) == 5


def test_coreutils_alone_check_it(archive):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=archive, check=True)


def test_what_is_archived_is_never_written_again(chunks, archive):
    before = {path: path.stat().st_mtime_ns for path in archive.iterdir()}
    assert add(chunks, archive) == []
    assert {path: path.stat().st_mtime_ns for path in archive.iterdir()} == before


def test_the_dynamics_goes_on_from_restored_chunks(chunks, archive, tmp_path):
    (archive / "SHA256SUMS").write_text(
        "".join(line for line in (archive / "SHA256SUMS").read_text().splitlines(True) if " 0002" not in line)
    )
    assert restore(archive, tmp_path / "again") == ["0000", "0001"]
    assert restore(archive, tmp_path / "again") == []
    compute(tmp_path / "again", 2)
    assert (tmp_path / "again/0002.traj").read_bytes() == (chunks / "0002.traj").read_bytes()
    assert add(tmp_path / "again", archive) == ["0002"]


def test_an_interrupted_archiving_is_completed(chunks, tmp_path):
    archive = tmp_path / "cu4"
    add(chunks, archive)
    manifest = archive / "SHA256SUMS"
    manifest.write_text("".join(line for line in manifest.read_text().splitlines(True) if " 0002" not in line))
    assert add(chunks, archive) == ["0002"]


def test_a_chunk_of_another_run_is_refused(chunks, tmp_path):
    other = tmp_path / "other"
    dynamics = SIMULATION.dynamics.model_copy(update={"seed": 2})
    for chunk in range(2):
        compute(other, chunk, SIMULATION.model_copy(update={"dynamics": dynamics}))
    (other / "0000.record.json").unlink()
    archive = tmp_path / "cu4"
    for path in chunks.glob("0000.*"):
        (tmp_path / "first").mkdir(exist_ok=True)
        (tmp_path / "first" / path.name).write_bytes(path.read_bytes())
    assert add(tmp_path / "first", archive) == ["0000"]
    with pytest.raises(ArchiveError, match="chunk 0001 does not continue"):
        add(other, archive)
    assert archived(archive) == ["0000"]


@pytest.mark.parametrize("name", ["0001.traj.xz", "0001.state.json", "0001.record.json"])
def test_a_flipped_byte_is_found_and_the_file_named(archive, name):
    damaged = bytearray((archive / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (archive / name).write_bytes(damaged)
    with pytest.raises(ArchiveError, match=rf"{name}: is damaged"):
        read_chunk(archive, "0001", SIMULATION, (4, 8))


def test_a_missing_file_is_named(archive):
    (archive / "0001.traj.xz").unlink()
    with pytest.raises(ArchiveError, match=r"0001\.traj\.xz: is missing"):
        read_chunk(archive, "0001", SIMULATION, (4, 8))


def test_a_chunk_that_was_never_archived_is_named(archive):
    with pytest.raises(ArchiveError, match=r"0007\.traj\.xz: is not in"):
        read_chunk(archive, "0007", SIMULATION, (28, 32))


def test_other_settings_are_refused(archive):
    other = SIMULATION.model_copy(update={"dynamics": SIMULATION.dynamics.model_copy(update={"friction_per_fs": 0.02})})
    with pytest.raises(ArchiveError, match="made with other settings"):
        read_chunk(archive, "0001", other, (4, 8))


def test_other_steps_are_refused(archive):
    with pytest.raises(ArchiveError, match=r"covers steps \[4, 8\], \[4, 9\] are needed"):
        read_chunk(archive, "0001", SIMULATION, (4, 9))


def test_the_record_tells_how_the_chunk_was_made(archive):
    made = json.loads((archive / "0002.record.json").read_text())
    build = made["predicate"]["buildDefinition"]
    assert build["externalParameters"]["simulation"]["dynamics"]["seed"] == 1
    assert build["internalParameters"]["machine"]["processor"]
    assert made["predicate"]["runDetails"]["builder"]["version"]["ase"]
    metadata = made["predicate"]["runDetails"]["metadata"]
    assert metadata["startedOn"] <= metadata["finishedOn"]


def test_the_archive_describes_itself(archive):
    describe(archive.parent)
    package = json.loads((archive.parent / "datapackage.json").read_text())
    (resource,) = package["resources"]
    assert resource["name"] == archive.name
    assert [archive.parent / path for path in resource["path"]] == sorted(archive.glob("*.traj.xz"))
    assert resource["bytes"] == sum(path.stat().st_size for path in archive.glob("*.traj.xz"))
    assert set(resource["made"]) == {"simulation", "steps"}
