"""Which evaluations still stand.

An evaluation is **superseded** if a marker lies beside its record, or if there is a later one of the same benchmark
(name), the same model (name and revision) and the same plan: later is a newer version of the benchmark or, of the same
version, a later `created`. Two that are equal in both supersede neither. It is **stale** if it is not superseded, but
some evaluation in the folder used a newer version of the same benchmark: nothing replaced it, and it rests on old data.
Everything else is **current**. Both follow from the folder alone, never from today's date, so that the same results
always give the same site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audit.report.site.gather import Evaluation

State = Literal["current", "superseded", "stale"]
Version = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an evaluation, and which one replaced it (None: none, or not on this site)."""

    state: State
    by: Evaluation | None = None


def statuses(evaluations: Sequence[Evaluation]) -> dict[str, Status]:
    """Find the state of every evaluation, by its place."""
    series: dict[str, list[Evaluation]] = {}
    newest: dict[str, Version] = {}
    places = {e.place: e for e in evaluations}
    for e in evaluations:
        series.setdefault(_series(e), []).append(e)
        version = version_key(e.record.benchmark.version)
        newest[e.record.benchmark.name] = max(newest.get(e.record.benchmark.name, ()), version)
    found = {}
    for e in evaluations:
        latest = max(series[_series(e)], key=_age)
        if e.marked is not None:
            by = places.get((e.marked.by or "").strip("/").removesuffix("/record.json"))
            found[e.place] = Status("superseded", by if by is not e else None)
        elif _age(latest) > _age(e):
            found[e.place] = Status("superseded", latest)
        elif version_key(e.record.benchmark.version) < newest[e.record.benchmark.name]:
            found[e.place] = Status("stale")
        else:
            found[e.place] = Status("current")
    return found


def version_key(version: str) -> Version:
    """Order versions as people do: numbers by value.

    >>> version_key("1.10.0") > version_key("1.9") > version_key("1.9-beta") > version_key("")
    True
    """
    parts = re.findall(r"\d+|[A-Za-z]+", version[:200])
    # A word comes before the end, and the end before a number: 1.9-beta < 1.9 < 1.9.1.
    return (*((2, int(p), "") if p.isdigit() else (0, 0, p.lower()) for p in parts), (1, 0, "")) if parts else ()


def _series(e: Evaluation) -> str:
    record = e.record
    return json.dumps([record.benchmark.name, record.model.name, record.model.revision, record.plan], sort_keys=True)


def _age(e: Evaluation) -> tuple[Version, datetime]:
    return version_key(e.record.benchmark.version), e.created
