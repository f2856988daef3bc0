"""A folder of results of known content: several models, versions, marks, hostile names, and broken records."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from audit.record import EvaluationRecord, dumps

HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>", "\u202egnorw\u202c", "x" * 10_000, "👩🏽‍🦱 net",
    "../../../etc/passwd", "..", "CON", "Dlib", "dlib",
    "a/b\\c", "Unbiased & bias-free net", "{{ 7*7 }}", 'q" onload="x', "مدل چهره",
)  # fmt: skip


def builder() -> ModuleType:
    """The records of the report's tests."""
    if "report_builder" in sys.modules:
        return sys.modules["report_builder"]
    spec = importlib.util.spec_from_file_location(
        "report_builder", Path(__file__).parents[1] / "report" / "report_builder.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["report_builder"] = module
    spec.loader.exec_module(module)
    return module


def changed(
    record: EvaluationRecord,
    *,
    model: dict[str, Any] | None = None,
    benchmark: dict[str, Any] | None = None,
    **changes: Any,
) -> EvaluationRecord:
    """The same record with parts of it replaced."""
    parts = {
        "model": record.model.model_copy(update=model or {}),
        "benchmark": record.benchmark.model_copy(update=benchmark or {}),
    }
    return record.model_copy(update={**parts, **changes})


def put(results: Path, place: str, record: EvaluationRecord, report: str | None = None) -> Path:
    folder = results / place
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(dumps(record), encoding="utf-8")
    if report is not None:
        (folder / "report.html").write_text(report, encoding="utf-8")
    return folder


def small(**changes: Any) -> EvaluationRecord:
    """A record whose report is drawn quickly."""
    record = builder().ungrouped()
    return changed(record, **changes)


def mixed(results: Path) -> Path:
    """What a real folder holds after a year."""
    make = builder()
    london = make.london_like()
    put(results, "london/dlib@resnet-v1/aaa", changed(london, created="2026-03-01T12:00:00+00:00"))
    put(results, "london/dlib@resnet-v1/again/aaa", london)
    put(results, "london/dlib@resnet-v2/aaa", changed(make.equivalent(), model={"revision": "resnet-v2"}))
    old = changed(make.crossing(), model={"name": "old net"}, benchmark={"version": "4"})
    put(results, "london/old@1/aaa", old)
    synthetic = {"name": "synthetic", "title": "Rendered people", "consent_tier": "S1", "version": "1.0.0"}
    synthetic["consent_statement"] = "No real person is shown: there is nobody who could consent."
    put(results, "synthetic/dlib@resnet-v1/bbb", changed(london, benchmark=synthetic, created="2026-11-23T08:00:00Z"))
    put(results, "own/hostile/ccc", make.hostile())
    put(results, "own/nothing/ddd", changed(make.empty(), model={"name": "empty net"}))
    marked = put(results, "own/failing/eee", changed(make.failing(), model={"name": "marked net"}))
    said = {"on": "2026-11-20", "reason": "Two people withdrew <b>now</b>.", "by": "london/dlib@resnet-v1/again/aaa"}
    (marked / "superseded.json").write_text(json.dumps(said))
    for name, content in (("cut", '{"schema": "faceaudit/record-1"'), ("other", '{"secret": "s3cret-value"}')):
        (results / "broken" / name).mkdir(parents=True)
        (results / "broken" / name / "record.json").write_text(content)
    return results
