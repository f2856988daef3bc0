"""One real record for all tests of this room: made by the recipe from made-up scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from policy_records import made_record

from audit.record import EvaluationRecord


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EvaluationRecord]:
    return made_record(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="session")
def record(made: tuple[Path, EvaluationRecord]) -> EvaluationRecord:
    return made[1]
