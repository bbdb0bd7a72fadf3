"""A project folder that git does not trust: results say that their commit is not known, the audit is not OK."""

import shutil
import subprocess

import pytest

from bpstudy.provenance import commit as commits
from bpstudy.provenance import record as records
from bpstudy.provenance.audit import Auditor
from bpstudy.provenance.edges import Verdict
from bpstudy.running.doctor import check_git

git = shutil.which("git")
pytestmark = pytest.mark.skipif(git is None, reason="needs git")


@pytest.fixture
def distrusted(tmp_path, monkeypatch):
    """A repository that git takes for another user's."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    (tmp_path / "Snakefile").write_text("rule all:\n")
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([git, "-C", tmp_path, *identity, *arguments], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    return tmp_path


@pytest.mark.fault(
    "a project folder that git does not trust",
    "records and audit say that the commit is not known; `doctor` says what to do",
)
def test_dubious_ownership_is_said(distrusted, monkeypatch, now):
    monkeypatch.setattr(records.bpstudy, "__file__", str(distrusted / "src/bpstudy/__init__.py"))
    monkeypatch.chdir(distrusted)
    statement = records.statement("table", {}, {}, [], records.now(), packages={"python": "3", "bpstudy": "0"})
    reason = statement["predicate"]["buildDefinition"]["internalParameters"]["commitUnknown"]
    assert "dubious ownership" in reason
    assert "safe.directory" in reason
    assert not any(
        "gitCommit" in d["digest"] for d in statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    )
    store = records_store(distrusted, statement)
    (edge,) = [edge for edge in store.job(store.store.records[0]).edges if edge.kind == "commit"]
    assert edge.verdict is Verdict.UNVERIFIABLE
    assert "dubious ownership" in now(edge.detail)
    assert check_git(distrusted).status == "problem"
    assert "safe.directory" in check_git(distrusted).advice


def records_store(folder, statement):
    auditor = Auditor(folder / "results")
    auditor.store.add(statement)
    return Auditor(folder / "results")


def test_a_known_commit_that_git_does_not_tell(distrusted, monkeypatch):
    assert "dubious ownership" in commits.refusal(distrusted)
    assert commits.repository(distrusted) == []
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
    assert commits.refusal(distrusted) == ""
    (known,) = commits.repository(distrusted)
    assert commits.has_commit(known["digest"]["gitCommit"], distrusted)
    assert not commits.has_commit("0" * 40, distrusted)
    monkeypatch.setenv("PATH", "")
    assert commits.refusal(distrusted) == "git is not installed"


def test_without_a_repository_nothing_is_refused(tmp_path):
    if not any((folder / ".git").exists() for folder in tmp_path.parents):
        assert commits.refusal(tmp_path) == ""
