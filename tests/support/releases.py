"""How tests build a release: from what is committed or at least added, as `.ci/release` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def commit() -> str:
    """Name the tree as it stands: the last commit, or one on no branch that holds what was changed since."""
    who = {f"GIT_{role}_{what}": "test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_OPTIONAL_LOCKS": "0"}

    def git(*command: str) -> str:
        run = subprocess.run(["git", *command], cwd=ROOT, env=env, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("stash", "create") if changed else "") or "HEAD"


def build(folder: Path, source: str, **env: str) -> Path:
    run = subprocess.run(
        [ROOT / ".ci" / "release", folder, source],
        env={**os.environ, "PYTHON": sys.executable, **env},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder
