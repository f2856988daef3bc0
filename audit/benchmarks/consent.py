"""The gate: which benchmarks may be measured on, and what has to be said about them.

`tiers` holds the tables: `POLICY`, a rule for every consent tier, and `REFUSALS`, every reason for which a run is
refused (exit code 3). Refused means that no image of the set is loaded, fetched or scored; no flag changes that. A
tier of several parts counts as its strictest part, one with an asterisk as T3. Consent, licence, purpose, minors,
freshness and withdrawal are separate facts: none is inferred from another.

A descriptor that lies beside the data is believed where it is stricter than what is known of the set (the catalogue,
and the descriptor that is shipped with the package), and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence

from audit.benchmarks import catalogue
from audit.benchmarks.schema import Answer, Dataset
from audit.benchmarks.tiers import (
    NOT_LEGAL_ADVICE,
    POLICY,
    REFUSALS,
    Purpose,
    about,
    alternatives,
    check_entry,
    refusal,
    refused,
    strictest,
)
from audit.domain import Consent
from audit.errors import PlanError

__all__ = [
    "NOT_LEGAL_ADVICE",
    "POLICY",
    "PURPOSES",
    "REFUSALS",
    "Purpose",
    "about",
    "alternatives",
    "check_entry",
    "gate",
    "refusal",
    "refused",
    "strictest",
]

PURPOSES: tuple[Purpose, ...] = ("evaluation", "biometric", "commercial")
_ANSWERS: tuple[Answer, ...] = ("allowed", "not-named", "forbidden")
_OPEN = re.compile(
    r"((CC0|CC BY)( \d\.\d)?( \(https://creativecommons\.org/[^ )]*\))?"
    r"|https://creativecommons\.org/(publicdomain/zero|licenses/by)/\S*)",
    re.IGNORECASE,
)
"""Licences under which anybody may pass a picture on."""
_NONCOMMERCIAL = re.compile(r"non-?commercial|\bNC\b|/by-nc|\bBY-NC|DUO[_:]0000046|DUO[_:]0000018", re.IGNORECASE)


def gate(
    dataset: Dataset,
    *,
    place: str,
    known: Sequence[catalogue.Entry] = (),
    shipped: Sequence[Dataset] = (),
    acknowledge: Sequence[str] = (),
    purposes: Sequence[Purpose] = ("evaluation", "biometric"),
    today: dt.date | None = None,
    seen: dt.date | None = None,
) -> Consent:
    """Decide whether a described benchmark may be measured on.

    Parameters
    ----------
    dataset : Dataset
        The validated descriptor.
    place : str
        What the user named, for messages.
    known : sequence of Entry
        Sets of the catalogue that the benchmark was recognised as; the strictest tier of all counts.
    shipped : sequence of Dataset
        Descriptors of these sets that are shipped; of each fact the stricter one counts.
    acknowledge : sequence of str
        Tiers that the plan knowingly accepts.
    purposes : sequence of str
        What the run is for; a purpose that the terms forbid is refused, one that they do not name is printed.
    today : date, optional
        For the age of a live data set, and for days of signing.
    seen : date, optional
        Latest day that something on this machine was written, see `clock.latest`.

    Returns
    -------
    Consent
        With everything that has to be printed in `notices`.

    Raises
    ------
    Refused
        With the reason and a way out.
    PlanError
        If the plan acknowledges what cannot be acknowledged.
    """
    day = today or dt.datetime.now(tz=dt.UTC).date()
    for entry in known:
        check_entry(entry, place=place)
    tier = strictest([dataset.tier, *(other.tier for other in shipped), *(entry.tier for entry in known)], place=place)
    if POLICY[tier].verdict == "refused":
        raise refused("tier", place, what="this set", tier=tier, meaning=POLICY[tier].meaning)
    stricter = [entry.name for entry in known if strictest([entry.tier, dataset.tier], place=place) != dataset.tier]
    as_known = f"{place} (recognised as {', '.join(stricter)})" if stricter else place
    used = _acknowledged(tier, place=as_known, acknowledge=acknowledge)
    terms = {
        purpose: max((d.purposes[purpose] for d in (dataset, *shipped)), key=_ANSWERS.index) for purpose in PURPOSES
    }
    _check_purposes(terms, dataset, known, place=place, purposes=purposes)
    if dataset.minors == "yes":
        raise refused("minors", place)
    if dataset.signed_off_on is not None and (dataset.signed_off_on - day).days > 1:
        raise refused("sign-off", place, day=dataset.signed_off_on)
    leaving = next((entry for entry in known if entry.withdrawal.startswith("YES") and not dataset.live), None)
    if leaving is not None:
        raise refused("live", place, what=leaving.name)
    age = _check_freshness(dataset, shipped, place=place, today=day, seen=seen)
    wording = next((other for other in shipped if other.statement != dataset.statement), dataset)
    return Consent(
        tier=tier,
        statement=wording.statement,
        statement_source=wording.statement_source,
        licence=dataset.licence,
        purposes=terms,
        minors=dataset.minors,
        live=dataset.live,
        withdrawal=dataset.withdrawal,
        notices=(*_notices(dataset, wording, tier, used, terms, purposes), *_known_otherwise(dataset, known), *age),
        acknowledged=used,
        sending=_sending(tier, dataset, shipped, known),
    )


def _sending(tier: str, dataset: Dataset, shipped: Sequence[Dataset], known: Sequence[catalogue.Entry]) -> str:
    """Why pictures may not be passed on to a service; empty where they may.

    Nothing else is known of what terms say about it. So an open licence has to allow it, in every place that states
    one; an organisation decides about its own collection itself.
    """
    if any(other.live for other in (dataset, *shipped)):
        return "people may withdraw from this set, and what was sent cannot be called back"
    if tier == "own":
        return ""
    stated = [str(licence) for other in (dataset, *shipped) for licence in other.licences]
    for licence in (*stated, *(entry.licence for entry in known)):
        if not _OPEN.fullmatch(licence):
            return f"its licence ({licence}) does not say that they may be passed on"
    return ""


def _acknowledged(tier: str, *, place: str, acknowledge: Sequence[str]) -> tuple[str, ...]:
    """Which acknowledgements of the plan were needed; those of what never opens are errors."""
    able = [tier for tier, rule in POLICY.items() if rule.verdict == "acknowledge"]
    for name in acknowledge:
        if name not in able:
            raise PlanError(
                "acknowledge", f"{name!r} cannot be acknowledged", f"Only {' and '.join(able)} can; T4 to T7 never open"
            )
    if tier not in able:
        return ()
    if tier not in acknowledge:
        raise refused("acknowledgement", place, tier=tier, meaning=POLICY[tier].meaning)
    return (tier,)


def _check_purposes(
    terms: Mapping[Purpose, Answer],
    dataset: Dataset,
    known: Sequence[catalogue.Entry],
    *,
    place: str,
    purposes: Sequence[Purpose],
) -> None:
    for purpose in purposes:
        if terms[purpose] == "forbidden":
            raise refused("purpose", place, purpose=purpose)
    if "commercial" not in purposes:
        return
    for entry in known:
        if entry.mark("commercial") != "M" and re.match(r"no\b", entry.commercial, re.IGNORECASE):
            raise refused("catalogue", place, what=entry.name, why=entry.fact("commercial"))
    for text in (dataset.licence, json.dumps(dataset.usage_info)):
        found = _NONCOMMERCIAL.search(text)
        if found is not None:
            raise refused("licence", place, why=dataset.licence if text is dataset.licence else found.group())


def _check_freshness(
    dataset: Dataset, shipped: Sequence[Dataset], *, place: str, today: dt.date, seen: dt.date | None
) -> tuple[str, ...]:
    fixed = next((other for other in shipped if other.live and not dataset.live), None)
    if fixed is not None:
        raise refused("live", place, what=fixed.title)
    if not dataset.live or dataset.maximum_age_days is None:
        return ()
    if dataset.last_checked is None:
        raise refused("unchecked", place, url=dataset.url, day=today)
    if seen is not None and (seen - today).days > 1:  # a day is what time zones may make of it
        raise refused("clock", place, day=today, seen=seen)
    most = min(d.maximum_age_days for d in (dataset, *shipped) if d.maximum_age_days is not None)
    age = (today - dataset.last_checked).days
    if age < 0:
        raise refused("future", place, day=dataset.last_checked)
    if age > most:
        raise refused("stale", place, day=dataset.last_checked, age=most)
    checked = f"its copy was last checked on {dataset.last_checked}, and is used for {most} days from then"
    return (f"People may withdraw from this set: {checked}.",)


def _notices(
    dataset: Dataset,
    wording: Dataset,
    tier: str,
    used: tuple[str, ...],
    terms: Mapping[Purpose, Answer],
    purposes: Sequence[Purpose],
) -> tuple[str, ...]:
    notices = [f"Consent tier {tier}: {POLICY[tier].meaning}."]
    if used:
        notices.append(f"The auditor acknowledged tier {tier} in the plan.")
    if tier == "own":
        notices.append(f"Self-declared: signed off by {dataset.signed_off_by} on {dataset.signed_off_on}.")
    notices.append(f"Consent wording: {wording.statement} (Source: {wording.statement_source}.)")
    if wording is not dataset:
        notices.append("The descriptor beside the data words the consent differently; this is the known wording.")
    if "commercial" in purposes:
        notices.append("The auditor declared a commercial purpose in the plan.")
    for answer, verb in (("not-named", "do not name"), ("forbidden", "forbid")):
        found = [purpose for purpose in PURPOSES if terms[purpose] == answer]
        if found:
            notices.append(f"The terms {verb} {(' or ' if answer == 'not-named' else ' and ').join(found)} use.")
    if dataset.minors == "unknown":
        notices.append("It is not known whether people under 18 are in this set.")
    if dataset.minors_note:
        notices.append(f"{dataset.minors_note}.")
    perceived = [a.name for a in dataset.attributes if a.provenance in ("annotated", "derived-by-model")]
    if perceived:
        notices.append(f"Perceived by others, not the people's own statement: {', '.join(perceived)}.")
    notices.append(NOT_LEGAL_ADVICE)
    return tuple(notices)


def _known_otherwise(dataset: Dataset, known: Sequence[catalogue.Entry]) -> tuple[str, ...]:
    """What the catalogue says and the descriptor does not."""
    return tuple(
        f"The catalogue says of {entry.name}: people under 18: {entry.fact('minors')}; "
        "the descriptor says that they are not in this copy."
        for entry in known
        if dataset.minors == "no" and entry.minors.lower().startswith("yes")
    )
