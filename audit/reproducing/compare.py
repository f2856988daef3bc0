"""Two records in, their differences out."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, get_args

from audit.environment import Environment
from audit.record import EvaluationRecord
from audit.reproducing.judge import ROUNDING, judge, kind_of
from audit.reproducing.places import ABSENT, pairs
from audit.reproduction import Changed, Difference, Digest, Judgement, Kind, Outcome, Reproduction, Tally, Value

LONGEST = 2000
"""Differences that are kept; all of them are counted."""
_NOT_COMPARED = {"schema", "created", "software", "hardware", "timing", "digests", "plan", "preregistration"}
_INPUTS = ("benchmark", "samples", "weights")
_GRAVITY: dict[Judgement, int] = {"beyond": 0, "unjudged": 1, "interval": 2, "rounding": 3, "identical": 4}


def compare(
    recorded: EvaluationRecord,
    again: EvaluationRecord,
    environments: tuple[Environment | None, Environment | None] = (None, None),
    how: Literal["measured again", "templates from the cache", "compared"] = "compared",
) -> Reproduction:
    """Hold a record against another one.

    Parameters
    ----------
    environments : of both, as they lie beside the records; where one is missing, what the records say is compared
    how : where the other record comes from
    """
    digests = [
        Digest(name=name, recorded=value, again=getattr(again.digests, name))
        for name, value in recorded.digests.model_dump().items()
    ]
    settings = _settings(recorded.plan, again.plan)
    tallies, differences = _differences(recorded, again)
    source, parts = _environments(recorded, again, environments)
    changed = [Changed(name=n, recorded=a, again=b) for n, (a, b) in parts.items() if a != b]
    inputs = not settings and all(one.same for one in digests if one.name in _INPUTS)
    return Reproduction(
        software=again.software.get("faceaudit", ""),
        benchmark=recorded.benchmark.name,
        model=recorded.model.name,
        revision=recorded.model.revision,
        recorded=recorded.created,
        again=again.created,
        how=how,
        outcome=_outcome(inputs, tallies),
        rounding=ROUNDING,
        digests=digests,
        settings=settings,
        environment=changed,
        environment_from=source,
        environment_compared=len(parts),
        tallies=tallies,
        differences=differences[:LONGEST],
        left_out=max(0, len(differences) - LONGEST),
    )


def _outcome(inputs: bool, tallies: list[Tally]) -> Outcome:
    if not inputs:
        return "other inputs"
    if any(one.beyond for one in tallies):
        return "not reproduced"
    if any(one.interval or one.unjudged for one in tallies):
        return "within intervals"
    return "within rounding" if any(one.rounding for one in tallies) else "identical"


def _settings(recorded: dict[str, Any], again: dict[str, Any]) -> list[Changed]:
    """Settings that are not the same; one that only a later version knows was at its default, and is no change.

    Consent tiers that somebody acknowledged decide no number: each auditor acknowledges for themselves.
    """
    return [
        Changed(name=name, recorded=value, again=again.get(name))
        for name, value in recorded.items()
        if name != "acknowledge" and (name not in again or again[name] != value)
    ]


def _differences(recorded: EvaluationRecord, again: EvaluationRecord) -> tuple[list[Tally], list[Difference]]:
    one, two = (
        r.model_dump(mode="json", by_alias=True, exclude=_NOT_COMPARED | {"schema_"}) for r in (recorded, again)
    )
    counted: dict[Kind, Counter[Judgement]] = {kind: Counter() for kind in get_args(Kind)}
    found = []
    for place, before, after in pairs(one, two):
        kind, word = kind_of(place), judge(place, before, after)
        counted[kind][word] += 1
        if word not in ("identical", "rounding"):
            found.append(
                Difference(
                    kind=kind, place=str(place), recorded=_shown(before), again=_shown(after), judgement=word
                )
            )  # fmt: skip
    tallies = [
        Tally(kind=kind, compared=words.total(), **{word: words[word] for word in get_args(Judgement)})
        for kind, words in counted.items()
    ]
    found.sort(key=lambda row: (_GRAVITY[row.judgement], row.kind != "verdicts"))
    return tallies, found


def _shown(value: Any) -> Value:
    """A value in a line; of a list or an object, how large it is."""
    if value is ABSENT:
        return "not there"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "there" if isinstance(value, dict) else value


def _environments(
    recorded: EvaluationRecord, again: EvaluationRecord, beside: tuple[Environment | None, Environment | None]
) -> tuple[Literal["environment.json", "record"], dict[str, tuple[str, str]]]:
    """Pieces of both environments by name."""
    one, two = beside
    if one is None or two is None:
        flat = [{**record.software, **record.hardware} for record in (recorded, again)]
        return "record", _joined(flat)
    return "environment.json", _joined([_flat(one), _flat(two)])


def _flat(environment: Environment) -> dict[str, str]:
    said = environment.model_dump(exclude={"schema_", "code", "packages", "blas", "threads"})
    named = {
        f"{part} {name}": text for part in ("blas", "threads") for name, text in getattr(environment, part).items()
    }
    return {**said, **named, **environment.packages}


def _joined(sides: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys((*sides[0], *sides[1]))
    return {name: (sides[0].get(name, "not there"), sides[1].get(name, "not there")) for name in names}
