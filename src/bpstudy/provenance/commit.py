"""The commit at which results were made, or why it is unknown."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

WORKFLOW_FILES = ("src", "workflow", "Snakefile")  # the part of the repository that results depend on


class GitError(ValueError):
    """Git fails for a folder; the message is the first line of git's own, with advice."""


def repository(root: Path) -> list[dict[str, Any]]:
    """The commit checked out in `root`, with a hash of uncommitted changes to the workflow; empty if unknown."""
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
    """Why git does not give the commit of `root`; empty if it does, or if there is no repository."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ""  # installed, or copied, without its repository
    try:
        git(root, "rev-parse", "HEAD")
    except GitError as error:
        return str(error)
    return ""


@cache
def has_commit(commit: str, root: Path = Path()) -> bool:
    """Whether the repository in `root` contains the commit."""
    try:
        git(root, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def git(folder: Path, *arguments: str) -> bytes:
    """Output of a git command; messages are in English.

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
