"""The gate: which benchmarks may be measured on, and what has to be said about them.

One table, `POLICY`, holds a rule for every consent tier. Refused means that no image of the set is loaded, fetched or
scored; no flag changes that. A tier of several parts counts as its strictest part, one with an asterisk as T3.
Tiers are a technical classification, not legal advice. Consent, licence, purpose, minors, freshness and withdrawal are
separate facts: none is inferred from another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from audit.benchmarks import catalogue
from audit.benchmarks.schema import Dataset
from audit.domain import Consent
from audit.errors import DataError, PlanError, Refused

Purpose = Literal["evaluation", "biometric", "commercial"]
NOT_LEGAL_ADVICE = "Consent tiers are a technical classification, not legal advice."


@dataclass(frozen=True, slots=True)
class Rule:
    """What the gate does with a tier, and what the tier means."""

    verdict: Literal["allowed", "acknowledge", "refused"]
    meaning: str


POLICY: dict[str, Rule] = {
    "T1": Rule("allowed", "explicit informed consent to the evaluation of AI systems"),
    "own": Rule("allowed", "an organisation's own collection; consent is self-declared, nobody else has seen it"),
    "S1": Rule("allowed", "synthetic, rendered from assets: no real person, not evidence about people"),
    "T2": Rule("allowed", "recruited people who consented to research use and distribution, biometric use not named"),
    "S2": Rule("acknowledge", "synthetic, made by a generator that was trained on scraped faces: no real person shown"),
    "T3": Rule("acknowledge", "volunteers or a legacy laboratory collection; the consent wording was not seen"),
    "T4": Rule("refused", "public photographs of public officials; nobody consented"),
    "T5": Rule("refused", "custodial or public records; nobody consented"),
    "T6": Rule("refused", "scraped from the web; nobody was asked"),
    "T7d": Rule("refused", "derived from a set that was withdrawn"),
    "T7": Rule("refused", "withdrawn"),
}
"""Every tier, from the mildest to the strictest."""

_STRICTNESS = list(POLICY)


def strictest(tiers: Iterable[str], *, place: str) -> str:
    """Reduce tiers, each possibly of several parts, to the one that gates.

    Raises
    ------
    DataError
        If a part is no tier, or none is given.

    Examples
    --------
    >>> strictest(["T6/T7d"], place="here"), strictest(["T1*"], place="here"), strictest(["T4/n.a."], place="here")
    ('T7d', 'T3', 'T4')
    """
    found = []
    for text in tiers:
        for part in text.split("/"):
            name = part.strip()
            if name == "n.a.":
                continue
            if name.endswith("*") and name[:-1] in POLICY:
                name = max("T3", name[:-1], key=_STRICTNESS.index)
            if name not in POLICY:
                raise DataError(place, f"{name!r} is no consent tier", f"Tiers are {', '.join(POLICY)}")
            found.append(name)
    if not found:
        raise DataError(place, "no consent tier is given", f"Tiers are {', '.join(POLICY)}")
    return max(found, key=_STRICTNESS.index)


def check_entry(entry: catalogue.Entry, *, place: str) -> None:
    """Refuse a set of the catalogue by its tier, before anything of it is touched.

    Raises
    ------
    Refused
        With the reason and consented alternatives.
    """
    tier = strictest([entry.tier], place=place)
    if POLICY[tier].verdict == "refused":
        raise Refused(place, refusal(entry), alternatives(entry))


def refusal(entry: catalogue.Entry) -> str:
    """Say why a set is refused, with the mark of how far that was checked."""
    tier = strictest([entry.tier], place=entry.id)
    known = catalogue.MARKS[entry.mark("consent")]
    return f"{entry.name} is refused: tier {entry.tier}, {POLICY[tier].meaning} ({entry.consent}; {known})"


def alternatives(entry: catalogue.Entry | None = None) -> str:
    """Name consented sets for the task of a refused one."""
    tasks = entry.tasks if entry else "verification"
    if "verification" in tasks or "identification" in tasks or "training" in tasks or "re-id" in tasks:
        named = ["london", "fhibe"]
    else:
        named = ["london", "ccv2"]
    texts = []
    for name in named:
        other = catalogue.find(name)
        if other is not None:
            texts.append(f"{name} ({other.name}: {other.subjects} people, tier {other.tier}, {other.access})")
    return f"No flag opens it. Consented alternatives: {'; '.join(texts)}"


def gate(
    dataset: Dataset,
    *,
    place: str,
    known: Sequence[catalogue.Entry] = (),
    acknowledge: Sequence[str] = (),
    purposes: Sequence[Purpose] = ("evaluation", "biometric"),
    today: dt.date | None = None,
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
    acknowledge : sequence of str
        Tiers that the plan knowingly accepts.
    purposes : sequence of str
        What the run does; a purpose that the terms forbid is refused, one that they do not name is printed.
    today : date, optional
        For the age of a live data set.

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
    for entry in known:
        check_entry(entry, place=place)
    tier = strictest([dataset.tier, *(entry.tier for entry in known)], place=place)
    if POLICY[tier].verdict == "refused":
        raise Refused(place, f"refused: tier {tier}, {POLICY[tier].meaning}", alternatives())
    stricter = [entry.name for entry in known if strictest([entry.tier, dataset.tier], place=place) != dataset.tier]
    seen = f"{place} (recognised as {', '.join(stricter)})" if stricter else place
    used = _acknowledged(tier, place=seen, acknowledge=acknowledge)
    _check_purposes(dataset, place=place, purposes=purposes)
    if dataset.minors == "yes":
        raise Refused(
            place,
            "people under 18 are in this set",
            "Remove their rows and images from your copy, then state that in copy.toml beside it "
            "(people_under_18 = \"removed\"), or describe the copy with faceaudit:minors 'no'",
        )
    age = _check_freshness(dataset, place=place, today=today or dt.datetime.now(tz=dt.UTC).date())
    return Consent(
        tier=tier,
        statement=dataset.statement,
        statement_source=dataset.statement_source,
        licence=dataset.licence,
        purposes=dict(dataset.purposes),
        minors=dataset.minors,
        live=dataset.live,
        withdrawal=dataset.withdrawal,
        notices=(*_notices(dataset, tier, used), *age),
        acknowledged=used,
    )


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
        raise Refused(
            place,
            f"tier {tier} ({POLICY[tier].meaning}) needs an acknowledgement in the plan",
            f'If you accept that knowingly, write acknowledge = ["{tier}"] in the plan; every report will say so',
        )
    return (tier,)


def _check_purposes(dataset: Dataset, *, place: str, purposes: Sequence[Purpose]) -> None:
    for purpose in purposes:
        if dataset.purposes[purpose] == "forbidden":
            raise Refused(place, f"the terms forbid {purpose} use", alternatives())


def _check_freshness(dataset: Dataset, *, place: str, today: dt.date) -> tuple[str, ...]:
    if not dataset.live or dataset.maximum_age_days is None:
        return ()
    if dataset.last_checked is None:
        raise Refused(
            place,
            "people may withdraw from this set, and nobody says when this copy was last checked",
            f"Compare it with the publisher's latest version ({dataset.url}), replace it if it is older, "
            f"then write last_checked = {today} into copy.toml beside it",
        )
    age = (today - dataset.last_checked).days
    if not 0 <= age <= dataset.maximum_age_days:
        raise Refused(
            place,
            f"people may withdraw from this set, and this copy was last checked on {dataset.last_checked}",
            f"Take the publisher's latest version (at most {dataset.maximum_age_days} days old), "
            "then set last_checked in copy.toml beside it, or faceaudit:lastChecked",
        )
    return (f"People may withdraw from this set: its copy was last checked on {dataset.last_checked}.",)


def _notices(dataset: Dataset, tier: str, used: tuple[str, ...]) -> tuple[str, ...]:
    notices = [f"Consent tier {tier}: {POLICY[tier].meaning}."]
    if used:
        notices.append(f"The auditor acknowledged tier {tier} in the plan.")
    if tier == "own":
        notices.append(f"Self-declared: signed off by {dataset.signed_off_by} on {dataset.signed_off_on}.")
    notices.append(f"Consent wording: {dataset.statement} (Source: {dataset.statement_source}.)")
    unnamed = [purpose for purpose, answer in dataset.purposes.items() if answer == "not-named"]
    if unnamed:
        notices.append(f"The terms do not name {' or '.join(unnamed)} use.")
    forbidden = [purpose for purpose, answer in dataset.purposes.items() if answer == "forbidden"]
    if forbidden:
        notices.append(f"The terms forbid {' and '.join(forbidden)} use.")
    if dataset.minors == "unknown":
        notices.append("It is not known whether people under 18 are in this set.")
    if dataset.minors_note:
        notices.append(f"{dataset.minors_note}.")
    notices.append(NOT_LEGAL_ADVICE)
    return tuple(notices)
