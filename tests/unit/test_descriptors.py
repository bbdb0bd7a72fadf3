"""Blocks on the disk: what was computed, of what; alloys; and blocks that do not fit together."""

import json

import numpy as np
import pytest
from ase.build import bulk

from bpstudy.config.functions import Block
from bpstudy.descriptors.blocks import block_functions, compute_block
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
    for block in (G2, G5):
        compute_block(tmp_path / f"{block.slug}.npy", block, moved, range(1, 6, 2), tolerance=1e-12, threads=2)
    features = read_blocks([tmp_path / f"{block.slug}.npy" for block in (G2, G5)])
    assert features.values.shape == (3, 4, 6)
    assert features.frames.tolist() == [1, 3, 5]
    expected = block_functions(G2, ["Cu"], 1e-12).compute(moved[3])
    assert np.array_equal(features.values[1, :, :4], expected)
    assert len(set(features.labels)) == 6


def test_alloys_get_a_function_for_every_neighbour_element(tmp_path):
    assert len(block_functions(G2, ["Al", "Cu"], 1e-12)) == 8
    assert len(block_functions(G5, ["Al", "Cu"], 1e-12)) == 6
    compute_block(tmp_path / "a.npy", G2, frames(alloy=True), range(6), tolerance=1e-12, threads=1)
    by_element = read_blocks([tmp_path / "a.npy"]).by_element()
    assert {element: values.shape for element, values in by_element.items()} == {"Al": (6, 1, 8), "Cu": (6, 3, 8)}


def test_the_sum_over_elements_is_that_without(tmp_path):
    alloy = frames(alloy=True, n=1)[0]
    plain = block_functions(G2, ["Cu"], 1e-12).compute(alloy)
    split = block_functions(G2, ["Al", "Cu"], 1e-12).compute(alloy)
    assert np.allclose(split[:, :4] + split[:, 4:], plain, rtol=1e-12)


def test_blocks_of_other_frames_are_refused(tmp_path):
    compute_block(tmp_path / "a.npy", G2, frames(), range(3), tolerance=1e-12, threads=1)
    compute_block(tmp_path / "b.npy", G5, frames(), range(1, 4), tolerance=1e-12, threads=1)
    with pytest.raises(FeatureError, match=r"b\.npy: other frames than .*a\.npy"):
        read_blocks([tmp_path / "a.npy", tmp_path / "b.npy"])


@pytest.mark.parametrize("damage", ["truncated", "empty", "description", "shape", "pickle"])
def test_a_damaged_block_is_named(tmp_path, damage):
    path = tmp_path / "a.npy"
    compute_block(path, G2, frames(), range(3), tolerance=1e-12, threads=1)
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
