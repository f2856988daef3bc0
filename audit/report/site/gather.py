"""Read a folder of results: evaluations, and what could not be read.

Of each record only what the site shows is kept: a thousand of them fit into memory, and their reports are copied.

A record is validated as a whole before anything of it is shown, unless the report beside it carries the stamp of these
very bytes: it was drawn from the whole record, and then only what is shown is validated.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from audit.errors import AuditError
from audit.record import EvaluationRecord, OperatingPoint, read
from audit.report import html, stamp
from audit.report.site.names import slug
from audit.report.view.findings import HEADLINE_MEASURE
from audit.report.view.source import Source, headline_point

RECORD, REPORT, MARKER = "record.json", "report.html", "superseded.json"
UNSHOWN = (
    "covariance", "det", "score_shifts", "label_noise", "annotators", "curves", "experimental", "counterfactuals",
    "conditions", "identification", "scenario",
    "distributions", "global_tests", "acquisition",
)  # fmt: skip
"""Parts of a record that stand in its report alone."""
MANY_SETTINGS = ("attributes",)
"""Tasks whose record holds several kinds of decision, each at a setting of its own."""
REQUIRED = ("distributions", "acquisition")
"""Of these, parts that no record may lack."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a marker beside a record says: since when it is superseded, why, and by which folder of results."""

    on: str
    reason: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One record of the folder.

    `place` is its folder relative to the results, with '/'; `name` the folder of its pages; `record` is as it was read
    (names untouched: they identify), `source` is cleaned (for showing); both without the parts in `UNSHOWN`.
    """

    place: str
    folder: Path
    name: str
    digest: str
    created: datetime
    record: EvaluationRecord
    source: Source
    marked: Marked | None
    seal: str
    report: str | None
    """SHA-256 of the report beside the record, if this version made it from these bytes: it is copied as it is."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be shown: where it is, and in one line why; nothing of its content."""

    place: str
    reason: str


SHOWN = frozenset({"FMR", "FNMR", "MISS"})
"""Rates that the site speaks of."""


def gather(results: Path, *, without: Path) -> tuple[list[Evaluation], list[Unreadable]]:
    """Read every record.json below a folder, at any depth; links to folders are not followed.

    Parameters
    ----------
    without : a folder that is left out (the site itself, where it lies among the results)
    """
    found: list[Evaluation] = []
    unreadable: list[Unreadable] = []
    left_out = without.resolve()
    for folder, inner, files in os.walk(results):
        here = Path(folder)
        inner[:] = sorted(name for name in inner if Path(os.path.realpath(here / name)) != left_out)
        if RECORD not in files:
            continue
        place = here.relative_to(results).as_posix()
        try:
            found.append(_read(here, place))
        except AuditError as error:
            unreadable.append(Unreadable(place, _why(error)))
        except (ValueError, ArithmeticError, LookupError, TypeError, OSError, RecursionError) as error:
            # A document can fit the schema and still make no sense, such as a target of 0.
            unreadable.append(Unreadable(place, f"cannot be shown ({type(error).__name__})"))
        if MARKER in files and found and found[-1].place == place and found[-1].marked == _UNREADABLE_MARK:
            unreadable.append(Unreadable(f"{place}/{MARKER}", "is no marker; the evaluation is shown as superseded"))
    found.sort(key=lambda e: (e.created, e.place), reverse=True)
    return found, unreadable


def _shown_part(said: Any) -> Any:
    """Of a document, what the site speaks of: within groups, given acquisition, at the headline's threshold.

    Of a task whose decisions have a setting each, none comes first: all but the parts of `UNSHOWN`.
    """
    plan = said["plan"]
    if isinstance(plan, dict) and plan.get("task") in MANY_SETTINGS:
        return {name: value for name, value in said.items() if name not in UNSHOWN or name in REQUIRED}
    shared = [p for p in said["operating_points"] if p["policy"] != "per-group"]
    point = headline_point([OperatingPoint.model_validate(p) for p in shared])
    at = None if point is None else point.id
    kept = {name: value for name, value in said.items() if name not in UNSHOWN}
    kept |= {"distributions": [], "acquisition": [], "operating_points": shared}
    kept["rates"] = [
        r
        for r in said["rates"]
        if r["operating_point"] == at
        and r.get("reference_group") is None
        and r["view"] == "conditional"
        and r["metric"] in SHOWN
    ]
    kept["contrasts"] = [c for c in said["contrasts"] if c["operating_point"] == at]
    spreads = [d for d in said["differentials"] if d["operating_point"] == at]
    kept["differentials"] = [d for d in spreads if d["measure"] == HEADLINE_MEASURE]
    return kept


def _why(error: AuditError) -> str:
    """Only the kind of fault: a validator's message may quote the document."""
    return "is no record that this version reads" if "#" in error.place else " ".join(error.found.split())


def _read(folder: Path, place: str) -> Evaluation:
    path = folder / RECORD
    data = path.read_bytes()
    report = _true_report(folder / REPORT, data)
    if report is None:
        read(path)
    slim = EvaluationRecord.model_validate(_shown_part(from_json(data, allow_inf_nan=False)))
    model, benchmark = slim.model, slim.benchmark
    return Evaluation(
        place=place,
        folder=folder,
        name=f"{slug(f'{benchmark.name} {model.name}')[:-9]}-{hashlib.sha256(place.encode()).hexdigest()[:10]}",
        digest=hashlib.sha256(data).hexdigest(),
        created=moment(slim.created),
        record=slim,
        source=Source.of(slim),
        marked=_marker(folder / MARKER),
        seal="unsigned",
        report=report,
    )


def _true_report(path: Path, record: bytes) -> str | None:
    """The digest of a report that this version made from these bytes; None: there is none such."""
    try:
        page = path.read_bytes()
        made = stamp.is_made_here(page.decode("utf-8"), html.source_hash(html.style()), stamp.stamp(record))
    except (OSError, UnicodeDecodeError):
        return None
    return hashlib.sha256(page).hexdigest() if made else None


_UNREADABLE_MARK = Marked("", "", None)


def _marker(path: Path) -> Marked | None:
    """Read a marker; one that cannot be read marks all the same, since somebody meant to mark."""
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_bytes())
        on, reason, by = str(said["on"]), str(said["reason"]), said.get("by")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _UNREADABLE_MARK
    return Marked(on, reason, by if isinstance(by, str) else None)


def moment(created: str) -> datetime:
    """When a record was made; a time without a zone is UTC.

    Raises
    ------
    ValueError
        If it is no time of ISO 8601.
    """
    when = datetime.fromisoformat(created)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
