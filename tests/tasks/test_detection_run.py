"""The detection task on pictures of which every count is known: bright squares that are made darker."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import hostile_networks
import numpy as np
import pytest
import squares
from jsonschema import Draft202012Validator
from PIL import Image

from audit import recipe
from audit.errors import AuditError, DataError, ModelError, NothingMeasured, PlanError, StoppedError
from audit.inputs import silent
from audit.plan import RunOptions, make
from audit.record import DetectionCell, EvaluationRecord, Rate, schema

PLAN: dict[str, Any] = {
    "task": "detection", "working_size": 160, "smallest_face": 12, "degradations": ["brightness"], "by": ["gender"],
    "iou": 0.5, "splits": 2, "draws": 200,
}  # fmt: skip
FEMALE, MALE = {"gender": "female"}, {"gender": "male"}


class Set:
    """A benchmark of squares with its detector and a cache."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.benchmark = squares.benchmark(folder / "set", **more)
        self.model = squares.card(folder / "model")
        self.options = RunOptions(out=folder / "out", cache=folder / "cache", workers=2)

    def run(self, **changes: Any) -> EvaluationRecord:
        """The record, without the page about it."""
        plan = make({**PLAN, "benchmark": str(self.benchmark), "model": self.model, **changes})
        return recipe._job(plan, self.options, silent).measure().record


@pytest.fixture
def plain(tmp_path: Path) -> Set:
    return Set(tmp_path)


def rate(record: EvaluationRecord, metric: str, point: str, group: dict[str, str]) -> Rate:
    return next(r for r in record.rates if (r.metric, r.operating_point, r.group) == (metric, point, group))


def cell(record: EvaluationRecord, severity: int, group: dict[str, str]) -> DetectionCell:
    assert record.detection is not None
    return next(c for c in record.detection.cells if (c.severity, c.group) == (severity, group))


def test_counts_are_those_of_the_arithmetic_of_light(plain: Set) -> None:
    """Confidence is brightness: bright squares fall below 0.4 from 0.3 on, dim ones (0.5) from 0.25 on."""
    record = plain.run()
    for severity, factor in enumerate((1.0, 0.5, 0.3, 0.15, 0.08, 0.04)):
        for group, value in ((FEMALE, squares.BRIGHT), (MALE, squares.DIM)):
            missed = round(value * factor) / 255 < 0.4
            found = cell(record, severity, group)
            assert (found.misses, found.pictures, found.subjects) == (4 * missed, 4, 2), (severity, group)
            assert (found.false_detections, found.false_pictures) == (0, 0)
    assert [rate(record, "MISS", "degraded", group).errors for group in ({}, FEMALE, MALE)] == [36, 16, 20]
    assert [rate(record, "MISS", "as-taken", group).errors for group in ({}, FEMALE, MALE)] == [0, 0, 0]
    assert rate(record, "MISS", "brightness", {}).trials == 40
    assert rate(record, "FDET", "degraded", {}).errors == 0


def test_the_record_is_valid_and_holds_no_name_of_a_picture(plain: Set) -> None:
    record = plain.run()
    text = record.model_dump_json(by_alias=True)
    Draft202012Validator(schema()).validate(json.loads(text))
    assert "p0-0" not in text
    assert str(plain.folder) not in text
    assert record.model.self_declared
    assert (record.distributions, record.samples.mated, record.samples.nonmated) == ([], 0, 0)


def test_every_rate_has_an_interval_and_a_bound_where_nothing_was_seen(plain: Set) -> None:
    for one in plain.run().rates:
        assert one.value is not None
        assert one.interval is not None
        assert one.interval.low <= one.value <= one.interval.high
        assert (one.upper_bound is not None) == (one.errors == 0)
        assert one.support == "count-only"


def test_it_is_answered_from_the_record_and_only_new_steps_are_looked_at(
    plain: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.models.detection.networks import Looking  # noqa: PLC0415

    seen: list[int] = []
    look = Looking.detect
    monkeypatch.setattr(Looking, "detect", lambda self, image: (seen.append(1), look(self, image))[1])
    asked = make({**PLAN, "benchmark": str(plain.benchmark), "model": plain.model, "severities": [1, 2]})
    first = recipe.run(asked, plain.options)
    assert (first.reused, len(seen)) == (False, 8 * 3)
    again = recipe.run(asked, plain.options)
    assert (again.reused, again.record) == (True, first.record)
    plain.run(severities=[1, 2, 3])
    assert len(seen) == 8 * 4
    plain.run(severities=[1, 2], confidence=0.2)  # judged anew, not looked at anew
    assert len(seen) == 8 * 4


def test_severity_0_is_the_picture_as_it_was_taken(plain: Set) -> None:
    """Whatever is done to pictures, the unchanged one counts alike; and without any degradation, too."""
    taken = [
        [rate(record, "MISS", "as-taken", g).model_dump(exclude={"operating_point"}) for g in ({}, FEMALE, MALE)]
        for record in (plain.run(), plain.run(degradations=["blur", "jpeg"]), plain.run(degradations=[]))
    ]
    assert taken[0] == taken[1] == taken[2]


def test_a_second_square_is_a_false_detection(tmp_path: Path) -> None:
    two = squares.picture(squares.BRIGHT, (3, 3))
    record = Set(tmp_path, pictures={"p0-0": two}).run()
    found = rate(record, "FDET", "as-taken", {})
    assert (found.errors, found.trials) == (1, 8)
    assert [cell(record, s, FEMALE).false_detections for s in (0, 1, 2)] == [1, 1, 0]
    assert record.samples.several_faces == 1


def test_a_square_elsewhere_is_a_miss_where_its_place_is_marked_and_a_hit_where_it_is_not(tmp_path: Path) -> None:
    away = np.roll(squares.picture(squares.BRIGHT), 2 * squares.CELL, axis=1)
    marked = Set(tmp_path / "a", pictures={"p0-0": away}).run()
    assert rate(marked, "MISS", "as-taken", {}).errors == 1
    assert rate(marked, "FDET", "as-taken", {}).errors == 1
    unmarked = Set(tmp_path / "b", pictures={"p0-0": away}, marked=lambda person, _: person > 0).run()
    assert rate(unmarked, "MISS", "as-taken", {}).errors == 0
    assert unmarked.detection is not None
    assert (unmarked.detection.truth.box, unmarked.detection.truth.present) == (6, 2)
    assert any("In 2 of 8 pictures no face is marked" in warning for warning in unmarked.warnings)


def test_pictures_without_a_mark_are_left_out_where_the_plan_asks_for_marks(tmp_path: Path) -> None:
    some = Set(tmp_path, marked=lambda _, number: number == 0)
    record = some.run(truth="marked")
    assert rate(record, "MISS", "as-taken", {}).trials == 4
    assert any("4 of 8 pictures have no marked face; they were left out" in warning for warning in record.warnings)
    nothing = Set(tmp_path / "none", marked=lambda *_: False)
    with pytest.raises(NothingMeasured, match="no picture has a marked face"):
        nothing.run(truth="marked")


def test_pictures_that_cannot_be_shown_are_failures_to_acquire(tmp_path: Path) -> None:
    held = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 255, np.uint8)).save(held, "PNG")
    record = Set(tmp_path, pictures={"p0-0": b"no picture", "p3-1": held.getvalue()}).run()
    failed = {(row.stage, row.reason): row.failures for row in record.acquisition if not row.group and row.stage}
    assert failed == {
        ("decode", "not an image of a known format"): 1,
        ("detect", "image is smaller than the smallest face"): 1,
    }
    assert [rate(record, "MISS", "as-taken", g).trials for g in ({}, FEMALE, MALE)] == [6, 3, 3]
    assert next(r for r in record.rates if r.metric == "FTA" and not r.group).errors == 2
    assert "2 of 8 images could not be processed." in record.warnings


def test_too_many_failures_stop_the_run_and_keep_what_was_found(tmp_path: Path) -> None:
    some = Set(tmp_path, pictures={"p0-0": b"no", "p1-0": b"no"})
    some.options = replace(some.options, max_failures=1)
    with pytest.raises(DataError, match="2 samples failed, at most 1 are allowed"):
        some.run()
    some.options = replace(some.options, max_failures=2)
    assert rate(some.run(), "MISS", "as-taken", {}).trials == 6


def test_a_detector_that_gives_no_numbers_misses_everything_and_says_so(plain: Set) -> None:
    plain.model = squares.card(plain.folder / "spoilt", spoil=float("nan"))
    record = plain.run()
    assert rate(record, "MISS", "as-taken", {}).errors == 8
    assert record.detection is not None
    assert record.detection.broken == {"the detector gave what is no number": 48}
    assert "48 times, the detector gave what is no number." in record.warnings


CRASHES = """name = "crashes"
licence = "any"
training_data = "nothing"
training_consent = "nobody is shown"
confidence = 0.4
lowest = 0.1
meaning = "brightness"
box = "none"
[input]
size = [16, 16]
deviation = [255, 255, 255]
[output]
boxes = "y"
scores = "fourth"
[weights]
file = "m.onnx"
sha256 = "{sha256}"
"""


def test_a_detector_whose_process_crashes_misses_there_and_is_given_up_in_the_end(plain: Set) -> None:
    """At bright pictures, of which there are four, as they were taken; darker ones it lets pass."""
    hostile_networks.card(plain.folder, hostile_networks.network("crashes"), said=CRASHES)
    plain.model = f"card:{plain.folder / 'm.toml'}"
    record = plain.run()
    if record.detection is None or not record.detection.broken:
        pytest.skip("this processor divides on")
    assert record.detection.broken == {"the model failed in its sandbox": 4}
    assert [rate(record, "MISS", "as-taken", group).errors for group in (FEMALE, MALE)] == [4, 4]
    hostile_networks.card(plain.folder, hostile_networks.network("crashes", above=0.4), said=CRASHES)
    with pytest.raises(StoppedError, match=r"m\.onnx: stopped 5 times in its sandbox; the last time its process was"):
        plain.run()


def test_a_detector_that_fails_misses_and_says_so(plain: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.models.detection.networks import Looking  # noqa: PLC0415

    def refuse(self: Looking, image: np.ndarray) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Looking, "detect", refuse)
    record = plain.run()
    assert rate(record, "MISS", "degraded", {}).errors == 40
    assert any("the detector failed: RuntimeError" in warning for warning in record.warnings)
    monkeypatch.undo()
    assert (
        recipe.run(
            make({**PLAN, "benchmark": str(plain.benchmark), "model": plain.model}), replace(plain.options, fresh=True)
        ).record.detection.broken
        == {}
    )  # type: ignore[union-attr]


def test_pictures_are_drawn_with_the_seed_from_as_many_people_as_there_are(tmp_path: Path) -> None:
    some = Set(tmp_path, people=8)
    record = some.run(images=6)
    assert (record.samples.total, record.samples.subjects) == (6, 6)
    assert record.detection is not None
    assert record.detection.images_drawn == 6
    assert any("6 pictures were drawn" in warning for warning in record.warnings)
    more = some.run(images=10)
    assert (more.samples.total, more.samples.subjects) == (10, 8)
    assert some.run(images=400).samples.total == 16


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"degradations": ["fog"]}, "degradations.0"),
        ({"severities": [0]}, "a severity is a whole number from 1 to 5, found 0"),
        ({"severities": [6]}, "found 6"),
        ({"confidence": 0.05}, "squares reports nothing below 0.1"),
        ({"iou": 1.5}, "iou"),
        ({"impostors": ["gender"]}, "task detection compares nobody with anybody"),
        ({"covariates": ["size"]}, "conditions are measured on faces that a detector finds, and what detection misses"),
        ({"model": "mtcn"}, "Did you mean 'mtcnn'"),
        ({"by": ["colour"]}, "colour"),
    ],
)
def test_mistakes_are_one_line_before_an_image_is_read(plain: Set, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AuditError, match=said.replace("(", r"\(")) as caught:
        plain.run(**changes)
    assert "\n" not in str(caught.value)
    assert not list((plain.folder / "out").rglob("record.json"))


def test_a_card_that_names_what_the_file_lacks_is_refused(plain: Set) -> None:
    plain.model = squares.card(plain.folder / "wrong", output='points = "eyes"')
    with pytest.raises(ModelError, match="has no output 'eyes'"):
        plain.run()
    plain.model = squares.card(plain.folder / "low", more='landmarks = "perhaps"')
    with pytest.raises(ModelError, match="landmarks"):
        plain.run()
    with pytest.raises(PlanError):
        plain.run(severities=[])


def test_people_have_groups_of_two_at_least(tmp_path: Path) -> None:
    record = Set(tmp_path, people=3).run()  # one woman, two men
    alone = rate(record, "MISS", "degraded", FEMALE)
    assert (alone.value, alone.interval) == (None, None)
    assert "fewer than 2" in (alone.reason or "")
    hidden = cell(record, 1, FEMALE)
    assert (hidden.value, hidden.false_detections) == (None, None)


def test_what_a_detector_sees_does_not_depend_on_who_else_is_asked(tmp_path: Path) -> None:
    """A large JPEG is decoded at a part of its size, and at which depends on the working size alone."""
    from audit.degradations import conditions  # noqa: PLC0415
    from audit.domain import Detections, Sample  # noqa: PLC0415
    from audit.extract import hash_samples  # noqa: PLC0415
    from audit.models import detection  # noqa: PLC0415
    from audit.store import TemplateStore  # noqa: PLC0415
    from audit.tasks.detection.look import Job, look  # noqa: PLC0415

    path = tmp_path / "large.jpg"
    waves = np.sin(np.arange(1400)[:, None] / 11) * np.cos(np.arange(1400)[None] / 13)
    Image.fromarray((127 + 120 * waves).astype(np.uint8)).convert("RGB").save(path, quality=90)
    sample = Sample("a", "p", path)
    files = hash_samples([sample])
    model, jobs = squares.card(tmp_path / "model"), []
    for size in (480, 340):
        plan = make({**PLAN, "benchmark": "b", "model": model, "working_size": size})
        jobs.append(Job(detection.describe(model, plan=plan), [sample], conditions(("blur", "noise"), (1,)), plan.seed))
    both = look(jobs, files, TemplateStore(tmp_path / "both"))
    alone = [look([job], files, TemplateStore(tmp_path / f"{n}"))[0] for n, job in enumerate(jobs)]
    for one, two in zip(both, alone, strict=True):
        assert one.outcomes.keys() == two.outcomes.keys()
        for key, seen in one.outcomes.items():
            other = two.outcomes[key]
            assert isinstance(seen, Detections)
            assert isinstance(other, Detections)
            assert len(seen.boxes)
            assert np.array_equal(seen.boxes, other.boxes), key
