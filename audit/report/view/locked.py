"""Whether the plan was locked before data were touched, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from audit.record import EvaluationRecord, Preregistration
from audit.report.parts import Block, Facts, Listing
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.clean import clean


def lock_blocks(record: EvaluationRecord) -> tuple[Block, ...]:
    """All that is known of a lock: what was done, what was changed, what it proves."""
    found = record.preregistration
    if found is None:
        return ()
    said = [unlocked(record)] if not found.locked else [_kept(found)]
    said += [*_doubts(found), *_others(found)]
    if found.locked:
        said.append(say("lock.worth", digest=(found.digest or "")[:16]))
    changed = tuple(
        (
            words.plain(one.setting),
            say("lock.changed_from", locked=words.setting(one.locked), used=words.setting(one.used)),
        )
        for one in found.differences
    )
    return (Listing(tuple(text for text in said if text)), *((Facts(changed),) if changed else ()))


def lock_alerts(record: EvaluationRecord) -> Iterator[str]:
    """What has to be said first: a lock that was not kept to, or that came after results."""
    found = record.preregistration
    if found is None or not found.locked:
        return
    if found.differences:
        yield _kept(found)
    if found.results_before:
        yield _counted("lock.after", found.results_before)


def unlocked(record: EvaluationRecord) -> str:
    """That nothing was locked; empty where something was, or where the record does not say."""
    found = record.preregistration
    return say("lock.none") if found is not None and not found.locked else ""


def lock_line(record: EvaluationRecord) -> str:
    """The alerts in one line, for a terminal; empty where there is none."""
    return clean(" ".join(lock_alerts(record)))


def _kept(found: Preregistration) -> str:
    day = (found.created or "")[:10]
    if not found.differences:
        return say("lock.kept", day=day)
    return say(
        "lock.changed", day=day, settings=words.join((words.plain(d.setting) for d in found.differences), most=12)
    )


def _doubts(found: Preregistration) -> Iterator[str]:
    if found.results_before:
        yield _counted("lock.after", found.results_before)
    if found.same_code is False:
        yield say("lock.code")


def _others(found: Preregistration) -> Iterator[str]:
    if found.other_plans:
        yield _counted("lock.others", found.other_plans)


def _counted(key: str, n: int) -> str:
    return say(f"{key}_one") if n == 1 else say(key, n=words.number(n))
