"""Consent tiers, and every reason for which the gate refuses a run: two tables, and their words.

Tiers are a technical classification, not legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from audit.benchmarks import catalogue
from audit.errors import DataError, Refused

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

REFUSALS: dict[str, tuple[str, str]] = {
    "tier": ("{what} is refused: tier {tier}, {meaning}{why}", "{alternatives}"),
    "arrangement": ("files are arranged as in {what}, which is refused: tier {tier}, {meaning}{why}", "{alternatives}"),
    "acknowledgement": (
        "tier {tier} ({meaning}) needs an acknowledgement in the plan",
        'Write acknowledge = ["{tier}"] in the plan (or --acknowledge {tier}); every report will say so',
    ),
    "purpose": ("the terms forbid {purpose} use", "{alternatives}"),
    "catalogue": (
        "the terms of {what} forbid commercial use, whatever the descriptor says (catalogue: {why})",
        "{alternatives}",
    ),
    "licence": (
        "its licence ({why}) excludes commercial use",
        "Leave 'commercial' out of the purposes if that is not what the run is for; else ask the publisher for terms",
    ),
    "minors": (
        "people under 18 are in this set",
        (
            "Remove their rows and images from your copy, then state that in copy.toml beside it: "
            "people_under_18 = \"removed\"; or describe the copy with faceaudit:minors 'no'"
        ),
    ),
    "unchecked": (
        "people may withdraw from this set, and nobody says when this copy was last checked",
        (
            "Compare it with the publisher's latest version ({url}), replace it if it is older, "
            "then write last_checked = {day} into copy.toml beside it"
        ),
    ),
    "stale": (
        "people may withdraw from this set, and this copy was last checked on {day}",
        (
            "Take the publisher's latest version (at most {age} days old), "
            "then set last_checked in copy.toml beside it, or faceaudit:lastChecked"
        ),
    ),
    "future": (
        "people may withdraw from this set, and this copy claims to be last checked on {day}, which is still to come",
        "Correct faceaudit:lastChecked, or the clock of this machine",
    ),
    "clock": (
        "how old this copy of a live set is cannot be told: the clock says {day}, but files here are of {seen}",
        "Set the clock of this machine",
    ),
    "live": (
        "people may withdraw from {what}, and this descriptor says that it is no live data set",
        "Take the shipped descriptor, and set faceaudit:lastChecked to the day on which you took the latest version",
    ),
    "sending": (
        "its images may not be sent to {what}: {why}",
        "Ask for the model itself, or for a copy of the service on this machine; {alternatives}",
    ),
    "sign-off": (
        "the consent statement is signed off on {day}, which is still to come",
        "Correct faceaudit:signedOffOn, or wait until it is signed off",
    ),
}
"""Every reason of the gate: what it says, and the way out. None of them is a question of flags."""

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
    if POLICY[strictest([entry.tier], place=place)].verdict == "refused":
        raise refused("tier", place, **about(entry))


def refused(kind: str, place: str, **values: object) -> Refused:
    """Make the refusal of a kind of `REFUSALS`."""
    found, way_out = REFUSALS[kind]
    made = {"alternatives": alternatives(), "why": "", **values}
    return Refused(place, found.format(**made), way_out.format(**made))


def about(entry: catalogue.Entry) -> dict[str, str]:
    """What a refusal says of a set of the catalogue, with the mark of how far that was checked."""
    tier, known = strictest([entry.tier], place=entry.id), catalogue.MARKS[entry.mark("consent")]
    why = f" ({entry.consent}; {known})"
    return {
        "what": entry.name, "tier": entry.tier, "meaning": POLICY[tier].meaning, "why": why,
        "alternatives": alternatives(entry),
    }  # fmt: skip


def refusal(entry: catalogue.Entry) -> str:
    """Say why a set is refused."""
    return REFUSALS["tier"][0].format(**about(entry))


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
