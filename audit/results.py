"""Where results lie, and whether one is finished: `<benchmark>/<model>@<revision>/<plan digest>/`, written once."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from audit.errors import DataError
from audit.record import Digests, EvaluationRecord


def folder(benchmark: str, model: str, revision: str, plan_digest: str) -> Path:
    """`<benchmark>/<model>@<revision>/<plan digest>`, safe as a path."""
    return Path(_safe(benchmark)) / _safe(f"{model}@{revision}") / plan_digest[:12]


def records_of(out: Path, benchmark: str) -> Iterator[Path]:
    """Records of a benchmark below `out`, whatever the model and the plan."""
    return (out / _safe(benchmark)).glob("*/*/record.json")


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._+-]", "_", name).strip(".") or "_"


def require_writable(out: Path) -> None:
    """Find out before the work, not after it, that results cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):  # without a name: two runs at once do not meet in it
            pass
    except OSError as error:
        raise DataError(str(out), f"cannot be written: {error.strerror}", "Give a writable folder with --out") from None


def finished(path: Path, digests: Digests) -> EvaluationRecord | None:
    """The record of an earlier run with the same digests, unless it counts failures that lay with the machine."""
    try:
        found = json.loads(path.read_bytes())
        if found["digests"] != digests.model_dump():
            return None
        record = EvaluationRecord.model_validate(found)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if record.passing else record
