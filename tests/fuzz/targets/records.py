"""Plans, policies, records, and what is made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .base import ROOT, Target, home

PLAN = b"""benchmark = "london"
models = ["dlib", "onnx:mobilefacenet.onnx"]
by = ["gender", "ethnicity"]
fmr = [1e-3, 0.01]
thresholds = [0.6]
reference = {gender = "male"}
calibration = 0.5
seed = 20260101
margin_fmr = 1.25
"""
SCENARIO = b"""benchmark = "synthetic"
model = "dlib"
task = "identification"
[scenario]
"""


def _plan(path: Path) -> object:
    from audit import plan

    return plan.read(path)


def _policy(path: Path) -> object:
    from audit.policy import rules

    return rules.read(path)


def _policies() -> list[bytes]:
    return [(ROOT / "docs/examples/policy.toml").read_bytes()]


def evaluated() -> Path:
    """Folder of a small evaluation by the real recipe, made once, with its tables and its page."""
    folder = home() / "scores"
    if not folder.exists():
        from policy_records import write_scores

        from audit.plan import RunOptions
        from audit.scoring import Given, evaluate

        folder.mkdir()
        write_scores(folder, people=6)
        given = Given(folder / "scores.csv", folder / "subjects.csv")
        evaluate(given, {"by": ["grp"], "fmr": [0.05]}, RunOptions(out=folder / "out", cache=folder / "cache"))
    return next((folder / "out").rglob("record.json")).parent


def sound_record() -> bytes:
    """Its record."""
    return (evaluated() / "record.json").read_bytes()


def _records() -> list[bytes]:
    return [sound_record()]


def _record(path: Path) -> object:
    from audit import record

    return record.read(path)


def _reported(path: Path) -> object:
    """The page and the terminal's table of whatever passes as a record."""
    from audit import record, report
    from audit.report import html, stamp, view

    found = record.read(path)
    html.page(view.make(found), stamp.stamp(record.dumps(found).encode()))
    return report.terminal_table(found)


def _judged(path: Path) -> object:
    from audit import policy, record
    from audit.policy import show

    outcome = policy.judge(policy.read(path.with_name("policy.toml")), record.read(path), path=path)
    return show.table(outcome), list(show.lines(outcome)), show.junit(outcome)


def _with_policy(folder: Path) -> None:
    (folder / "policy.toml").write_bytes(_policies()[0].replace(b"0.01", b"0.05"))


def _compared(path: Path) -> object:
    from audit import record, report
    from audit.report import html
    from audit.report.view.side_by_side import make_comparison
    from audit.side_by_side import compare

    sound = record.read(path.with_name("sound.json"))
    made = compare([sound, record.read(path)], cache=path.with_name("none"), names=["a", "b"])
    return report.comparison_table(made), html.page(make_comparison(made))


def _with_sound(folder: Path) -> None:
    said = json.loads(sound_record())
    said["created"] = said["created"].replace("20", "19", 1)  # the same record twice is not compared
    (folder / "sound.json").write_text(json.dumps(said))


def _published_site(path: Path) -> object:
    from audit.report.site import publish

    out = path.parents[1] / "site"
    try:
        return publish(path.parent, out)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _finished(path: Path) -> object:
    from audit import results, superseded
    from audit.record import EvaluationRecord

    digests = EvaluationRecord.model_validate(json.loads(sound_record())).digests
    return results.finished(path, digests), superseded.said(path)


def _locks() -> list[bytes]:
    from audit.preregistration import LockedPlan, make

    plan = {"benchmark": "london", "model": "dlib", "fmr": [0.001], "by": ["gender"]}
    locked = make([LockedPlan(plan=plan, benchmark_digest="a" * 64, weights="b" * 64, results=0)], "0.1.0")
    return [locked.model_dump_json(by_alias=True, indent=1).encode()]


def _lock(path: Path) -> object:
    from audit import preregistration

    return preregistration.read(path)


def _environments() -> list[bytes]:
    from audit import environment

    return [environment.now("cpu").model_dump_json(by_alias=True, indent=1).encode()]


def _environment(path: Path) -> object:
    from audit import environment

    found = environment.read(path.parent)
    return found and environment.requirements(found.packages, str(path))


def _reproduced(path: Path) -> object:
    from audit import record
    from audit.reproducing import compare

    return compare(record.read(path), record.read(path.with_name("sound.json")))


TARGETS = (
    Target("plan", "plan.toml", "toml", lambda: [PLAN, SCENARIO], _plan),
    Target("policy", "policy.toml", "toml", _policies, _policy),
    Target("record", "record.json", "json", _records, _record),
    Target("report", "record.json", "json", _records, _reported),
    Target("gate", "record.json", "json", _records, _judged, _with_policy),
    Target("compare", "record.json", "json", _records, _compared, _with_sound),
    Target("publish", "results/record.json", "json", _records, _published_site),
    Target("lock", "plan.lock.json", "json", _locks, _lock),
    Target("environment", "environment.json", "json", _environments, _environment),
    Target("finished", "record.json", "json", _records, _finished),
    Target("reproduce", "record.json", "json", _records, _reproduced, _with_sound),
)
