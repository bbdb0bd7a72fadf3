"""Large files are hashed once, and again as soon as they are touched."""

import os
from pathlib import Path

import pytest

from bpstudy.checksums import sha256
from bpstudy.provenance import digests
from bpstudy.provenance.record import versions


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


def test_versions_are_kept_until_something_is_installed(tmp_path, monkeypatch):
    place, kept = tmp_path / "site-packages", tmp_path / "kept"
    monkeypatch.setattr("sys.path", [str(place)])

    def install(name):
        (place / f"{name}-1.0.dist-info").mkdir(parents=True)
        (place / f"{name}-1.0.dist-info/METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")

    install("one")
    assert set(versions(kept)) == {"python", "one", "bpstudy"}
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.distributions", None)
        assert versions(kept)["one"] == "1.0"
    install("two")
    assert versions(kept)["two"] == "1.0"
    assert versions()["two"] == "1.0"
