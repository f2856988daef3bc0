"""An audit of a protocol in folds from its files: the record beside a double loop, what is said, what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_up import describe
from typer.testing import CliRunner

from audit.benchmarks import load
from audit.bundle import seal, verify
from audit.cli import app
from audit.errors import AuditError, PlanError
from audit.inputs import require_protocol
from audit.plan import make
from audit.record import EvaluationRecord
from audit.report import view

PEOPLE, FOLDS, TARGET = 60, 4, 0.05
WHO = np.repeat(np.arange(PEOPLE), 2)


def templates() -> np.ndarray:
    rng = np.random.default_rng(2)
    return (rng.normal(size=(PEOPLE, 6))[WHO] + 0.7 * rng.normal(size=(len(WHO), 6))).astype(np.float32)


def listed() -> list[tuple[int, int, int]]:
    """Mated pairs of everybody and 80 non-mated ones a fold; the first ten people stand in every fold."""
    rng = np.random.default_rng(4)
    made = {(2 * k, 2 * k + 1): k % FOLDS for k in range(PEOPLE)}
    for fold in range(FOLDS):
        own = [k for k in range(PEOPLE) if k % FOLDS == fold or k < 10]
        count = 0
        while count < 80:
            one, two = sorted(int(2 * k + rng.integers(2)) for k in rng.choice(own, 2, replace=False))
            count += (one, two) not in made
            made.setdefault((one, two), fold)
    return [(one, two, fold) for (one, two), fold in made.items()]


def write(folder: Path, order: np.ndarray | None = None) -> Path:
    (folder / "images").mkdir(parents=True)
    rows = ["sample_id,path,subject_id"]
    for k, who in enumerate(WHO):
        (folder / "images" / f"s{k}.png").write_bytes(f"{k}".encode())
        rows.append(f"s{k},images/s{k}.png,p{who}")
    pairs = [f"s{one},s{two},part {fold}" for one, two, fold in listed()]
    pairs = pairs if order is None else [pairs[k] for k in order]
    people = [f"p{k},{('female', 'male')[k % 3 == 0]},x,30" for k in range(PEOPLE)]
    tables = {
        "samples": rows,
        "pairs": ["probe,reference,fold", *pairs],
        "subjects": ["subject_id,gender,origin,age", *people],
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "croissant.json").write_text(json.dumps(describe(folder)), encoding="utf-8")
    columns = {f"t{k}": templates()[:, k] for k in range(6)}
    names = {"sample_id": [f"s{k}" for k in range(len(WHO))], "subject_id": [f"p{k}" for k in WHO]}
    pq.write_table(pa.table(names | columns), folder.parent / f"{folder.name}.parquet")
    return folder


def run(folder: Path, *more: str) -> EvaluationRecord:
    model = f"templates:{folder.parent / folder.name}.parquet"
    command = ["run", "--model", model, "--benchmark", str(folder), "--by", "gender", "--fmr", str(TARGET)]
    made = CliRunner().invoke(app, [*command, "--out", str(folder.parent / "out"), "--json", "--quiet", *more])
    assert made.exit_code == 0, made.exception
    path = Path(json.loads(made.stdout)["evaluations"][0]["record"])
    return EvaluationRecord.model_validate_json(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRecord:
    return run(write(tmp_path_factory.mktemp("folds") / "made"))


def in_loop(gender: str | None) -> tuple[list[float], dict[str, tuple[int, int]]]:
    """Thresholds of the folds for everyone, and (errors, trials) of a group."""
    unit = templates().astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scored = [(float(unit[a] @ unit[b]), WHO[a], WHO[b], fold) for a, b, fold in listed()]
    limits = []
    for fold in range(FOLDS):
        others = sorted((s for s, a, b, f in scored if a != b and f != fold), reverse=True)
        limits.append(others[math.floor(TARGET * len(others) + 1e-9) - 1])
    tried, wrong = {"FMR": 0, "FNMR": 0}, {"FMR": 0, "FNMR": 0}
    for score, a, b, fold in scored:
        if gender is None or {("male", "female", "female")[k % 3] for k in (a, b)} == {gender}:
            metric = "FNMR" if a == b else "FMR"
            tried[metric] += 1
            # A threshold is a score of another fold: no score of this one is as near to it as the last bits of a sum.
            wrong[metric] += (score >= limits[fold]) != (a == b)
    return limits, {metric: (wrong[metric], tried[metric]) for metric in tried}


@pytest.mark.parametrize("gender", [None, "female", "male"])
def test_the_record_holds_what_a_double_loop_counts(record: EvaluationRecord, gender: str | None) -> None:
    limits, counts = in_loop(gender)
    point = next(p for p in record.operating_points if p.policy == "global")
    np.testing.assert_allclose(point.by_fold, limits, rtol=1e-6)
    assert len(set(point.by_fold)) > 1
    assert point.threshold == pytest.approx(np.mean(limits))
    group = {} if gender is None else {"gender": gender}
    for rate in record.rates:
        if (rate.group, rate.operating_point, rate.view, rate.reference_group) == (
            group,
            point.id,
            "conditional",
            None,
        ):
            assert (rate.errors, rate.trials) == counts[rate.metric]


def test_what_is_common_to_folds_is_said(record: EvaluationRecord) -> None:
    found = record.folds
    assert found is not None
    assert (found.number, found.people, found.several) == (FOLDS, PEOPLE, 10)
    assert sum(found.comparisons) == PEOPLE + 80 * FOLDS
    shares = np.array(found.right) / np.array(found.comparisons)
    assert (found.accuracy, found.standard_error) == (shares.mean(), shares.std(ddof=1) / 2)
    assert record.limits[0] == (
        "The threshold of each of the 4 folds was set on the other 3. 10 of 60 people stand in more than one fold: the "
        "comparisons that set a threshold are others than those judged, but not all of other people."
    )
    section = next(one for one in view.make(record).sections if one.id == "thresholds")
    text = str(section)
    assert "The threshold of each fold was set on the other 3 and decides in that fold alone" in text
    assert "10 of 60 people stand in more than one fold" in text
    assert f"{found.accuracy:.4f} of all decisions are right" in text
    assert "least and largest of the folds" in text


def test_the_order_of_rows_changes_nothing_but_the_digest_of_the_file(record: EvaluationRecord, tmp_path: Path) -> None:
    other = run(write(tmp_path / "made", np.random.default_rng(1).permutation(len(listed()))))
    ignored = {"created", "timing", "digests", "model"}
    assert other.model_dump(exclude=ignored) == record.model_dump(exclude=ignored)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"covariates": ["yaw"]}, "covariates: .*compares in folds .*weighed at one threshold only"),
        ({"calibration": 0.5}, "calibration: .*compares in folds .*set each other's thresholds"),
        ({"bootstrap": 100}, "bootstrap: .*thresholds by fold"),
        ({"storage": "float16"}, "storage: .*at one threshold only"),
        ({"task": "counterfactual"}, "task: .*belong to none"),
        ({"sample_nonmated": 1000}, r"sample_nonmated: .*lists its comparisons \(pairs.csv\)"),
        ({"precision": 0.2}, r"precision: .*lists its comparisons"),
    ],
)
def test_settings_that_folds_leave_no_room_for_are_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    benchmark = load(str(write(tmp_path / "made")))
    with pytest.raises(PlanError, match=message) as caught:
        require_protocol(make({"benchmark": "b", "model": "dlib", **settings}), benchmark)
    assert "\n" not in str(caught.value)


def test_a_target_that_folds_cannot_set_ends_the_run_in_one_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "made")
    model = f"templates:{tmp_path / 'made'}.parquet"
    made = CliRunner().invoke(app, ["run", "--model", model, "--benchmark", str(folder), "--fmr", "1e-4"])
    assert isinstance(made.exception, AuditError)
    assert made.exception.exit_code == 4
    assert "240 comparisons outside a fold, fewer than one error expected" in str(made.exception)


def test_impostors_of_one_group_and_a_given_threshold_go_with_folds(tmp_path: Path) -> None:
    folder = write(tmp_path / "made")
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f'benchmark = "{folder}"\nmodel = "templates:{tmp_path / "made"}.parquet"\nby = ["gender"]\nfmr = [{TARGET}]\n'
        'impostors = ["gender"]\nthresholds = [0.5]\n'
    )
    made = CliRunner().invoke(app, ["run", str(plan), "--out", str(tmp_path / "out"), "--json", "--quiet"])
    assert made.exit_code == 0, made.exception
    rates = json.loads(made.stdout)["evaluations"][0]["rates"]
    everyone = {
        r["operating_point"]: r for r in rates if (r["metric"], r["view"], r["group"]) == ("FMR", "conditional", {})
    }
    same = [(a, b) for a, b, _ in listed() if WHO[a] != WHO[b] and (WHO[a] % 3 == 0) == (WHO[b] % 3 == 0)]
    assert {rate["trials"] for rate in everyone.values()} == {len(same)}
    unit = templates().astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    assert everyone["given-0.5"]["errors"] == sum(float(unit[a] @ unit[b]) >= 0.5 for a, b in same)


def test_it_can_be_sealed_and_says_what_folds_leave_open(tmp_path: Path) -> None:
    run(write(tmp_path / "set"))
    (folder,) = [path.parent for path in (tmp_path / "out").rglob("record.json")]
    seal(folder)
    findings = verify(folder)
    assert [one for one in findings if one.outcome == "failed"] == []
    outcomes = {one.question: one.outcome for one in findings}
    assert outcomes["errors and comparisons are those of the scores"] == "not established"
    assert outcomes["rates and intervals within groups"] == "established"
    assert outcomes["rates and intervals across groups"] == "established"
    assert outcomes["rates at the groups' own thresholds"] == "established"
