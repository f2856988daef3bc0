"""Two detectors on a few pictures of the London Set: faces are found as they were taken, and not in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import recipe
from audit.inputs import silent
from audit.plan import RunOptions, make
from audit.record import EvaluationRecord

pytestmark = pytest.mark.london


@pytest.fixture(scope="module", params=["mtcnn", "dlib-hog"])
def record(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRecord:
    folder = tmp_path_factory.mktemp(request.param)
    plan = make({
        "task": "detection", "benchmark": "london", "model": request.param, "images": 10, "working_size": 320,
        "smallest_face": 80, "degradations": ["brightness", "jpeg"], "severities": [1, 5], "by": ["gender"],
    })  # fmt: skip
    options = RunOptions(data=(shared / "benchmarks",), out=folder / "out", cache=folder / "cache")
    return recipe._job(plan, options, silent).measure()


def test_every_face_is_found_once_in_pictures_as_they_were_taken(record: EvaluationRecord) -> None:
    for metric in ("MISS", "FDET"):
        rate = next(r for r in record.rates if r.metric == metric and r.operating_point == "as-taken" and not r.group)
        assert (rate.errors, rate.trials, rate.subjects) == (0, 10, 10), metric


def test_landmarks_lie_where_the_set_marks_them(record: EvaluationRecord) -> None:
    """Within a tenth of the distance of the pupils: the marks are webmorph's, the detectors' own are another's."""
    assert record.detection is not None
    truth = record.detection.truth
    assert truth.box + truth.present == 10
    assert truth.box > 0
    mean = next(one for one in record.detection.landmarks if not one.group and one.severity == 0)
    assert mean.faces == truth.box
    assert mean.mean is not None
    assert 0.005 < mean.mean < 0.1


def test_the_dark_takes_faces_away_and_a_mild_compression_none(record: EvaluationRecord) -> None:
    assert record.detection is not None
    cells = {
        (c.degradation, c.severity): c.misses for c in record.detection.cells if not c.group
    }  # fmt: skip
    assert cells["brightness", 5] >= 8
    assert cells["jpeg", 1] == 0
    assert cells["brightness", 1] <= cells["brightness", 5]
