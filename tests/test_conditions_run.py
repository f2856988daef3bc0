"""Capture conditions through the whole product: measured once, weighed, refused where they cannot be, and cleared."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from audit import assemble_conditions, captured, cli, groups, inputs, recipe
from audit.domain import Attribute, FailureToAcquire, Subject
from audit.errors import ModelError, PlanError
from audit.extract import hash_samples
from audit.models import capture_meter, tone
from audit.models.card import Detection
from audit.plan import AuditPlan, RunOptions, make
from audit.record import EvaluationRecord, read
from audit.report import render

run = partial(CliRunner(env={"COLUMNS": "120"}).invoke, cli.app)
ASKED = ("size", "sharpness", "brightness", "yaw")
PEOPLE = 60


def planned(**more: object) -> AuditPlan:
    return make({"benchmark": "synthetic", "model": "dlib", "by": ("gender",), "fmr": (0.1,), "limit": PEOPLE, **more})


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def record(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRecord:
    """60 rendered people with a plan from a file, and the flag of the command line over it."""
    folder = tmp_path_factory.mktemp("conditions")
    file = folder / "plan.toml"
    file.write_text(
        'benchmark = "synthetic"\nmodels = ["dlib"]\nby = ["gender"]\nfmr = [0.1]\n'
        f'limit = {PEOPLE}\ncovariates = ["yaw"]\n',
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEAUDIT_CACHE", str(cache))
        made = run(["run", str(file), "--covariates", ",".join(ASKED), "--json", "--out", str(folder / "results")])
    assert made.exit_code == 0, made.output
    return read(Path(json.loads(made.stdout)["evaluations"][0]["record"]))


def test_a_record_holds_measures_and_gaps(record: EvaluationRecord) -> None:
    part = record.conditions
    assert part is not None
    assert record.plan["covariates"] == ["sharpness", "brightness", "yaw", "size"]
    assert [one.measure for one in part.measures] == record.plan["covariates"]
    for one in part.measures:
        everyone = one.groups[0]
        assert everyone.group == {}
        assert (everyone.people, everyone.samples) == (PEOPLE, record.samples.total)
        assert everyone.missing == sum(one.failures.values())
        assert everyone.quantiles == tuple(sorted(everyone.quantiles or (1, 0)))
        assert sum(row.samples for row in one.groups[1:]) == everyone.samples
    assert {(gap.quantity, gap.operating_point) for gap in part.gaps} >= {
        ("FMR", "global-fmr-0.1"), ("FNMR", "global-fmr-0.1"), ("mated score", None), ("non-mated score", None)
    }  # fmt: skip
    for gap in part.gaps:
        assert (gap.after is None) == (gap.reason is not None)
    assert part.every
    assert any(gap.after is not None for gap in part.gaps)


def test_before_is_the_ratio_of_the_rates_of_the_record(record: EvaluationRecord) -> None:
    """Nothing is missing here, so the comparisons are those that the rates count."""
    part = record.conditions
    assert part is not None
    rates = {
        (rate.metric, rate.group["gender"]): rate
        for rate in record.rates
        if rate.view == "conditional"
        and rate.operating_point == "global-fmr-0.1"
        and set(rate.group) == {"gender"}
        and rate.reference_group is None
    }
    checked = 0
    for gap in part.gaps:
        if gap.operating_point != "global-fmr-0.1" or gap.missing:
            continue
        one, two = rates[gap.quantity, gap.group["gender"]], rates[gap.quantity, gap.against["gender"]]
        assert gap.errors == (one.errors, two.errors)
        assert gap.comparisons == (one.trials, two.trials)
        if gap.before is not None and one.value and two.value:
            assert gap.before == pytest.approx(one.value / two.value)
            checked += 1
    assert checked


def test_it_is_measured_on_the_way_and_as_it_would_be_alone(
    record: EvaluationRecord, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the model's own pass noted answers without another look; a pass of its own says the same, bit by bit."""
    asked = planned(covariates=ASKED)
    samples = inputs.prepare(asked, RunOptions(out=tmp_path), inputs.silent).judged.samples
    files = hash_samples(samples)
    alone = captured.measure(samples, files, asked, RunOptions(cache=tmp_path / "cache"))
    looked: list[int] = []
    monkeypatch.setattr(capture_meter.CaptureMeter, "extract_pictures", lambda _, pictures: looked.extend(pictures))
    noted = captured.measure(samples, files, asked, RunOptions(cache=cache))
    assert looked == []
    for name in ASKED:
        np.testing.assert_array_equal(alone.values[name], noted.values[name])
    assert record.conditions is not None
    assert record.conditions.found == alone.found


def test_a_plan_without_them_measures_nothing(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured, "measure", lambda *_: pytest.fail("nothing was asked for"))
    done = recipe.run(planned(), RunOptions(cache=cache, out=tmp_path))
    assert done.record.conditions is None
    page = render(done.record, tmp_path / "page")[0].read_text(encoding="utf-8")
    assert 'id="conditions"' not in page


def test_pictures_that_cannot_be_measured_are_counted(cache: Path, tmp_path: Path) -> None:
    """A picture that is gone has no measure; the others keep theirs, and the reason is counted."""
    asked = planned(covariates=("brightness",))
    samples = inputs.prepare(asked, RunOptions(out=tmp_path), inputs.silent).judged.samples[:6]
    files = {**hash_samples(samples), samples[2].sample_id: FailureToAcquire("read", "no such file")}
    found = captured.measure(samples, files, asked, RunOptions(cache=cache))
    assert np.isnan(found.values["brightness"]).tolist() == [k == 2 for k in range(6)]
    assert found.failures["brightness"] == {"read: no such file": 1}


def test_names_are_checked_and_their_order_decides_nothing() -> None:
    assert planned(covariates=("yaw", "size")).digest() == planned(covariates=("size", "yaw", "size")).digest()
    with pytest.raises(PlanError, match=r"covariates.*'sharpness', 'brightness'.*found 'sharpnes'"):
        planned(covariates=("sharpnes",))


def test_what_cannot_be_measured_is_refused_before_an_image_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    compares = SimpleNamespace(name="vendor", service=SimpleNamespace(compares=True))
    with pytest.raises(PlanError, match="vendor compares pictures itself"):
        inputs._require_samples(planned(covariates=("yaw",)), compares)  # type: ignore[arg-type]
    inputs._require_samples(planned(), compares)  # type: ignore[arg-type]

    def absent(name: str) -> str:
        raise tone.PackageNotFoundError(name)

    monkeypatch.setattr(tone, "version", absent)
    with pytest.raises(ModelError, match=r"faceaudit\[skin\]"):
        captured.require(planned(covariates=("skin_tone",)))
    captured.require(planned(covariates=("yaw",)))
    result = run(["run", "--model", "templates:none.npz", "--subjects", "none.csv", "--covariates", "yaw"])
    assert "the setting 'covariates' needs a benchmark's pictures" in str(result.exception)


def test_errors_of_single_samples_are_weighed_like_comparisons() -> None:
    """What tasks without comparisons call: a size that makes the misses is found; who was not tried is left out."""
    rng = np.random.default_rng(3)
    size, people = 400, 100
    subject = np.repeat(np.arange(people), 4)
    group_of = np.arange(people) % 2
    described = SimpleNamespace(
        name="b", attributes={"gender": Attribute("gender", "self-reported", values=("f", "m"))}
    )
    subjects = [Subject(str(k), {"gender": (("f", "m")[k % 2],)}) for k in range(people)]
    grouping = groups.make(described, ["gender"], subjects)
    size_px = np.exp2(6 - group_of[subject] + 0.5 * rng.normal(size=size))
    missed = (rng.random(size) < 1 / (1 + np.exp(1.5 * (np.log2(size_px) - 4.5)))).astype(float)
    missed[::50] = np.nan
    found = captured.Captured({"size": size_px}, {"size": {}}, "boxes")
    part = assemble_conditions.of_samples(found, {"miss": missed}, subject, grouping, planned())
    (gap,) = part.gaps
    assert (gap.quantity, gap.operating_point, sum(gap.comparisons), part.rows) == ("miss", None, 392, 392)
    assert gap.before is not None
    assert gap.after_interval is not None
    ratio = max(gap.before, 1 / gap.before)
    assert ratio > 1.5
    assert gap.after_interval.low < 1 < gap.after_interval.high
    (effect,) = part.effects
    assert effect.column == "value"
    assert effect.value < 0.5
    assert json.loads(part.model_dump_json())["measures"][0]["scale"] == "log2"


def test_skin_tone_is_measured_a_picture_at_a_time(cache: Path, tmp_path: Path) -> None:
    asked = planned(covariates=("skin_tone",), limit=4)
    samples = inputs.prepare(asked, RunOptions(out=tmp_path), inputs.silent).judged.samples
    found = captured.measure(samples, hash_samples(samples), asked, RunOptions(cache=cache))
    known = found.values["skin_tone"][np.isfinite(found.values["skin_tone"])]
    assert len(known) + sum(found.failures["skin_tone"].values()) == len(samples)
    assert (np.abs(known) <= 90).all()
    assert found.found == tone.meter(Detection.of(asked)).words
