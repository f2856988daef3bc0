"""A release, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import build, repository


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose last commit is the tree as it stands."""
    return repository(tmp_path_factory.mktemp("source") / "clone")


@pytest.fixture(scope="session")
def released(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("release") / "dist", source)
