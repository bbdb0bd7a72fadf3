"""Large files are hashed once, and again as soon as they are touched."""

import os
from pathlib import Path

import pytest

from bpstudy.checksums import sha256
from bpstudy.provenance import digests


@pytest.fixture
def counted(monkeypatch):
    """The files that were hashed."""
    hashed = []
    monkeypatch.setattr(digests, "sha256", lambda path: hashed.append(path) or sha256(path))
    return hashed


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.npy"
    path.write_bytes(os.urandom(digests.LARGE_BYTES))
    return path


def test_a_large_file_is_hashed_once(tmp_path, large, counted):
    for _ in range(3):  # each time as another job would
        assert digests.DigestCache(tmp_path / "kept")(large) == sha256(large)
    assert counted == [large]


def test_a_small_file_is_hashed_each_time(tmp_path, counted):
    small = tmp_path / "small.csv"
    small.write_text("1")
    digest = digests.DigestCache(tmp_path / "kept")
    assert digest(small) == digest(small) == sha256(small)
    assert counted == [small, small]
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("how", ["written", "replaced", "with its old dates"])
def test_a_changed_file_is_hashed_again(tmp_path, large, how):
    digest = digests.DigestCache(tmp_path / "kept")
    before, dates = digest(large), large.stat()
    other = bytes(reversed(large.read_bytes()))
    if how == "replaced":
        (tmp_path / "new").write_bytes(other)
        Path(tmp_path / "new").rename(large)
    else:
        large.write_bytes(other)
    if how == "with its old dates":
        os.utime(large, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert digest(large) == sha256(large) != before
