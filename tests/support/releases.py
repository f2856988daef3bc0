"""How tests build a release: from a repository of the tree as it stands, as `.ci/release` builds it from a clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOMENT = 1_790_000_000
"""When the tree was committed, in seconds since 1970: the same wherever tests run."""


def repository(folder: Path) -> Path:
    """Commit every file of the tree that git does not ignore in a new repository, and check it out in `folder`.

    Nothing is asked of the tree's own repository, and nothing is written to it: it may have no commit, other people's
    hooks or no right to write.
    """
    who = {f"GIT_{role}_{what}": "test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": f"{MOMENT} +0000" for role in ("AUTHOR", "COMMITTER")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*command: str | Path) -> None:
        env = {**kept, **who, **when, **alone}
        run = subprocess.run(["git", *command], cwd=ROOT, env=env, check=False, capture_output=True, text=True)
        assert run.returncode == 0, f"git {command}: {run.stderr}"

    git("init", "--quiet", folder)
    tree = (f"--git-dir={folder / '.git'}", f"--work-tree={ROOT}")
    git(*tree, "add", "--all")
    git(*tree, "commit", "--quiet", "--message", "the tree as it stands")
    git("-C", folder, "reset", "--quiet", "--hard")
    return folder


def build(folder: Path, source: Path, **env: str) -> Path:
    run = subprocess.run(
        [source / ".ci" / "release", folder],
        env={**os.environ, "PYTHON": sys.executable, **env},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder
