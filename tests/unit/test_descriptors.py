"""Blocks on the disk: what was computed, of what; alloys; and blocks that do not fit together."""

import json

import numpy as np
import pytest
from ase.build import bulk

from bpstudy.config.functions import Block
from bpstudy.descriptors.blocks import block_functions, compute_blocks
from bpstudy.descriptors.compute import compute_features
from bpstudy.descriptors.features import FeatureError, read_blocks

G2 = Block(type="G2", count=4, cutoff_angstrom=5.0, grid="fortnet")
G5 = Block(type="G5", count=2, cutoff_angstrom=5.0, grid="fortnet", pairs="unordered")


def frames(alloy=False, n=6):
    made = []
    for seed in range(n):
        atoms = bulk("Cu", cubic=True)
        if alloy:
            atoms.symbols[1] = "Al"
        atoms.rattle(0.1, seed=seed)
        made.append(atoms)
    return made


def test_blocks_are_read_side_by_side(tmp_path):
    moved = frames()
    files = {tmp_path / f"{block.slug}.npy": block for block in (G2, G5)}
    compute_blocks(files, moved, range(1, 6, 2), tolerance=1e-12, threads=2)
    features = read_blocks(list(files))
    assert features.rows["Cu"].values.shape == (12, 6)
    assert features.rows["Cu"].frame.tolist() == 4 * [0] + 4 * [1] + 4 * [2]
    assert features.rows["Cu"].atom.tolist() == 3 * [0, 1, 2, 3]
    assert features.frames.tolist() == [1, 3, 5]
    expected = block_functions(G2, ["Cu"], 1e-12).compute(moved[3])
    assert np.array_equal(features.rows["Cu"].values[4:8, :4], expected)
    assert len(set(features.labels["Cu"])) == 6


def test_blocks_together_are_those_computed_alone(tmp_path):
    fewer = Block(type="G2", count=2, cutoff_angstrom=G2.cutoff_angstrom, grid=G2.grid)
    together = {tmp_path / f"together-{block.slug}.npy": block for block in (G2, G5, fewer)}
    compute_blocks(together, frames(), range(4), tolerance=1e-12, threads=1)
    for path, block in together.items():
        compute_blocks({tmp_path / "alone.npy": block}, frames(), range(4), tolerance=1e-12, threads=1)
        np.testing.assert_allclose(np.load(path), np.load(tmp_path / "alone.npy"), rtol=1e-11)
        assert path.with_suffix(".json").read_text() == (tmp_path / "alone.json").read_text()


def test_alloys_get_a_function_for_every_neighbour_element(tmp_path):
    assert len(block_functions(G2, ["Al", "Cu"], 1e-12)) == 8
    assert len(block_functions(G5, ["Al", "Cu"], 1e-12)) == 6
    compute_blocks({tmp_path / "a.npy": G2}, frames(alloy=True), range(6), tolerance=1e-12, threads=1)
    rows = read_blocks([tmp_path / "a.npy"]).rows
    assert {element: of.values.shape for element, of in rows.items()} == {"Al": (6, 8), "Cu": (18, 8)}


def test_frames_of_any_size_and_composition(tmp_path):
    mixed = [*frames(n=2), *frames(alloy=True, n=1), frames(n=1)[0] * (2, 1, 1), frames(n=3)[2]]
    compute_blocks({tmp_path / "a.npy": G2}, mixed, range(5), tolerance=1e-12, threads=2)
    features = read_blocks([tmp_path / "a.npy"])
    assert features.n_atoms.tolist() == [4, 4, 4, 8, 4]
    assert {e: n.tolist() for e, n in features.counts().items()} == {"Al": [0, 0, 1, 0, 0], "Cu": [4, 4, 3, 8, 4]}
    functions = block_functions(G2, ["Al", "Cu"], 1e-12)
    each = [functions.compute(atoms) for atoms in mixed]
    np.testing.assert_array_equal(features.rows["Al"].values, each[2][1:2])
    np.testing.assert_array_equal(features.rows["Cu"].values[8:11], each[2][[0, 2, 3]])
    assert features.rows["Cu"].atom[8:11].tolist() == [0, 2, 3]
    sums = np.array(
        [
            np.concatenate([x[a.numbers == 13].sum(axis=0), x[a.numbers == 29].sum(axis=0)])
            for x, a in zip(each, mixed, strict=True)
        ]
    )
    np.testing.assert_allclose(features.sums(), sums, rtol=1e-13, atol=1e-13)
    some = features.take([1, 2, 4])
    assert some.frames.tolist() == [1, 2, 4]
    np.testing.assert_allclose(some.sums(), sums[[1, 2, 4]], rtol=1e-13, atol=1e-13)
    with pytest.raises(ValueError, match="strictly increasing"):
        features.take([2, 1])


def test_each_element_may_have_functions_of_its_own():
    mixed = [*frames(n=1), *frames(alloy=True, n=2)]
    sets = {"Al": block_functions(G2, ["Cu"], 1e-12), "Cu": block_functions(G5, ["Cu"], 1e-12)}
    features = compute_features(sets, mixed, threads=2)
    np.testing.assert_array_equal(features.rows["Al"].values[1:], sets["Al"].compute(mixed[2])[1:2])
    np.testing.assert_array_equal(features.rows["Cu"].values[:4], sets["Cu"].compute(mixed[0]))
    assert len(features.labels["Al"]) == 4
    with pytest.raises(ValueError, match="none for Al"):
        compute_features({"Cu": sets["Cu"]}, mixed)
    mixed[1].positions[0] = np.nan
    with pytest.raises(ValueError, match="frame 1: the position of atom 0"):
        compute_features(sets, mixed)


def test_the_sum_over_elements_is_that_without(tmp_path):
    alloy = frames(alloy=True, n=1)[0]
    plain = block_functions(G2, ["Cu"], 1e-12).compute(alloy)
    split = block_functions(G2, ["Al", "Cu"], 1e-12).compute(alloy)
    assert np.allclose(split[:, :4] + split[:, 4:], plain, rtol=1e-12)


def test_blocks_of_other_frames_are_refused(tmp_path):
    compute_blocks({tmp_path / "a.npy": G2}, frames(), range(3), tolerance=1e-12, threads=1)
    compute_blocks({tmp_path / "b.npy": G5}, frames(), range(1, 4), tolerance=1e-12, threads=1)
    with pytest.raises(FeatureError, match=r"b\.npy: other frames than .*a\.npy"):
        read_blocks([tmp_path / "a.npy", tmp_path / "b.npy"])


@pytest.mark.parametrize("damage", ["truncated", "empty", "description", "shape", "pickle"])
def test_a_damaged_block_is_named(tmp_path, damage):
    path = tmp_path / "a.npy"
    compute_blocks({path: G2}, frames(), range(3), tolerance=1e-12, threads=1)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "description":
        path.with_suffix(".json").write_text("{")
    elif damage == "shape":
        description = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps(description | {"labels": ["one"]}))
    else:  # an array of objects would run code when read
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FeatureError, match=r"a\.npy"):
        read_blocks([path])
