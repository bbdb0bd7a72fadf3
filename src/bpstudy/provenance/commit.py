"""The commit that results were made at, and why it is not known where it is not."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

WORKFLOW_FILES = ("src", "workflow", "Snakefile")  # what of the repository a result depends on


class GitError(ValueError):
    """Git does not answer for a folder; the message is git's own first line, and what to do."""


def repository(root: Path) -> list[dict[str, Any]]:
    """The commit that `root` stands at, and the hash of what of the workflow is not committed; empty if not known."""
    try:
        commit = git(root, "rev-parse", "HEAD").decode().strip()
        state = git(root, "status", "--porcelain", "--untracked-files=all", "--", *WORKFLOW_FILES)
        difference = state + git(root, "diff", "HEAD", "--", *WORKFLOW_FILES) if state else b""
    except GitError:
        return []
    digest = {"gitCommit": commit}
    if difference:
        digest["uncommittedSha256"] = hashlib.sha256(difference).hexdigest()
    return [{"name": "bpstudy", "digest": digest}]


def refusal(root: Path) -> str:
    """Why git does not tell the commit of `root`; empty if it does, or where there is no repository."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ""  # installed, or copied, without its repository
    try:
        git(root, "rev-parse", "HEAD")
    except GitError as error:
        return str(error)
    return ""


@cache
def has_commit(commit: str, root: Path = Path()) -> bool:
    """Does the repository in `root` hold the commit?"""
    try:
        git(root, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def git(folder: Path, *arguments: str) -> bytes:
    """What git says, in English.

    Raises:
        GitError: it fails, or is not installed.
    """
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    except OSError:
        raise GitError("git is not installed") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        first = (said.splitlines() or [f"git ended with {done.returncode}"])[0].removeprefix("fatal: ")
        if "dubious ownership" in said:
            first += f"; trust it with: git config --global --add safe.directory {folder.resolve()}"
        raise GitError(first)
    return done.stdout
