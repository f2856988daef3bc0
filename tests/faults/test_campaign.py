"""The campaign, shortened: every command is disturbed, and nothing is lost. `FACEAUDIT_LONG=1` disturbs longer.

`python tests/faults/disturb.py` is the whole of it; docs/faults.md holds what it showed.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import campaign as engine
import disturb as command

pytestmark = pytest.mark.faults

LONG = os.environ.get("FACEAUDIT_LONG", "") == "1"
TRIALS = 200 if LONG else 16
QUICK = ("score", "unpack an archive", "obtain weights", "withdraw a person")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> engine.Campaign:
    if engine.compiled(tmp_path_factory.mktemp("shim")) is None:
        pytest.skip("the layer that fails as told needs Linux and a C compiler")
    return command.conduct(
        TRIALS, int(os.environ.get("FACEAUDIT_SEED", "20260101")), tmp_path_factory.mktemp("faults"),
        names=() if LONG else QUICK, every=True,
    )  # fmt: skip


def test_nothing_is_lost(made: engine.Campaign) -> None:
    assert made.losses == []
    assert sum(row.trials for row in made.rows.values()) >= TRIALS


def test_faults_were_met_and_said(made: engine.Campaign) -> None:
    """A campaign in which nothing happens would show nothing."""
    assert sum(row.met for row in made.rows.values()) >= TRIALS // 2
    ends = sum((row.ends for row in made.rows.values()), engine.Counter())
    assert ends["killed"] > 0
    assert ends["said"] > 0
    assert all(line.split(" | ")[2].startswith("faceaudit: ") for line in made.lines)


def test_a_result_that_is_wrong_is_a_loss(made: engine.Campaign, tmp_path: Path) -> None:
    """The judge itself: a record that differs, a traceback, and half a record are all told from a good end."""
    work = engine.works.BY_NAME["score"]
    judge = engine.Campaign(tmp_path, random.Random(1), [], None, calm=dict(made.calm))
    good = engine.Ended(0, "", 1.0, ())
    assert judge._word(work, "any", engine.works.calm("score"), good)[0] == "same"
    (tmp_path / "other").mkdir()
    assert judge._word(work, "any", tmp_path / "other", good)[0] == "loss"
    assert judge._word(work, "any", tmp_path / "other", engine.Ended(1, "Traceback\nE: x", 1.0, ()))[0] == "unclear"
    assert judge._word(work, "any", tmp_path / "other", engine.Ended(2, "faceaudit: a: b", 1.0, ()))[0] == "said"
    (tmp_path / "other" / "out").mkdir()
    (tmp_path / "other" / "out" / "record.json").write_text('{"warn')
    assert judge._word(work, "any", tmp_path / "other", engine.Ended(-9, "", 1.0, ()))[0] == "loss"
