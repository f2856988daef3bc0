"""A release, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import ROOT, build, commit


@pytest.fixture(scope="session")
def source() -> str:
    if not (ROOT / ".git").exists():
        pytest.skip("no clone: a release is built from what is committed")
    return commit()


@pytest.fixture(scope="session")
def released(source: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("release") / "dist", source)
