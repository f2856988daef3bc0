"""The gate: every tier, purposes, minors, freshness, acknowledgements."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.benchmarks import catalogue, consent, descriptor, load
from audit.errors import DataError, PlanError, Refused

Make = Callable[..., Path]
REFUSED = ["T4", "T5", "T6", "T7", "T7d"]


@pytest.mark.parametrize("tier", [*REFUSED, "T6/T7d", "T3/T6", "T4/n.a.", "T1/T7"])
@pytest.mark.parametrize("acknowledge", [(), ("T3",), ("T6",), ("T3", "S2", "T7")])
def test_refused_tiers_never_open(collection: Make, tier: str, acknowledge: tuple[str, ...]) -> None:
    folder = collection(faceaudit__consentTier=tier)
    with pytest.raises(Refused) as caught:
        load(str(folder), acknowledge=acknowledge)
    assert caught.value.exit_code == 3
    assert "london" in str(caught.value)
    assert "fhibe" in str(caught.value)


@pytest.mark.parametrize(
    ("tier", "needed"), [("T3", "T3"), ("S2", "S2"), ("T1*", "T3"), ("T2*", "T3"), ("T2/T3", "T3")]
)
def test_some_tiers_need_an_acknowledgement(collection: Make, tier: str, needed: str) -> None:
    folder = collection(faceaudit__consentTier=tier)
    with pytest.raises(Refused, match="needs an acknowledgement"):
        load(str(folder))
    with pytest.raises(Refused, match="needs an acknowledgement"):
        load(str(folder), acknowledge=["S2" if needed == "T3" else "T3"])
    agreed = load(str(folder), acknowledge=[needed]).consent
    assert agreed.acknowledged == (needed,)
    assert agreed.tier == needed
    assert f"The auditor acknowledged tier {needed} in the plan." in agreed.notices


@pytest.mark.parametrize("tier", ["T1", "T2", "S1", "own"])
def test_allowed_tiers_run_with_their_notice(collection: Make, tier: str) -> None:
    agreed = load(str(collection(faceaudit__consentTier=tier))).consent
    assert agreed.tier == tier
    text = " ".join(agreed.notices)
    assert consent.POLICY[tier].meaning in text
    assert "I agree that my photographs" in text
    assert consent.NOT_LEGAL_ADVICE in text
    assert ("not evidence about people" in text) == (tier == "S1")
    assert ("Self-declared: signed off by A. Person" in text) == (tier == "own")


def test_only_what_can_be_acknowledged_can_be(collection: Make) -> None:
    with pytest.raises(PlanError, match="'T6' cannot be acknowledged"):
        load(str(collection()), acknowledge=["T6"])


def test_an_unknown_tier_is_an_error_not_an_opening(collection: Make) -> None:
    with pytest.raises(DataError, match="'T9' is no consent tier"):
        load(str(collection(faceaudit__consentTier="T9")))
    with pytest.raises(DataError, match="no consent tier is given"):
        consent.strictest([], place="here")


def test_forbidden_purposes_refuse_and_unnamed_ones_are_printed(collection: Make) -> None:
    folder = collection(faceaudit__biometricUse="forbidden", faceaudit__commercialUse="not-named")
    with pytest.raises(Refused, match="the terms forbid biometric use"):
        load(str(folder))
    agreed = load(str(folder), purposes=["evaluation"]).consent
    assert "The terms do not name commercial use." in agreed.notices
    assert "The terms forbid biometric use." in agreed.notices
    with pytest.raises(Refused, match="the terms forbid commercial use"):
        load(str(collection(name="b", faceaudit__commercialUse="forbidden")), purposes=["evaluation", "commercial"])


def test_minors(collection: Make) -> None:
    with pytest.raises(Refused, match="people under 18"):
        load(str(collection(faceaudit__minors="yes")))
    unknown = load(str(collection(name="b", faceaudit__minors="unknown"))).consent
    assert "It is not known whether people under 18 are in this set." in unknown.notices


@pytest.mark.parametrize(("days", "fresh"), [(0, True), (31, True), (32, False), (-1, False)])
def test_a_live_set_is_refused_when_it_is_too_old(collection: Make, days: int, fresh: bool) -> None:
    folder = collection(isLiveDataset=True, faceaudit__lastChecked="2026-03-01", faceaudit__maximumAgeDays=31)
    dataset = descriptor.read(folder / "croissant.json").dataset
    today = dt.date(2026, 3, 1) + dt.timedelta(days)
    if fresh:
        agreed = consent.gate(dataset, place="here", today=today)
        assert agreed.live
        assert any("last checked on 2026-03-01" in notice for notice in agreed.notices)
    else:
        with pytest.raises(Refused, match="last checked on 2026-03-01"):
            consent.gate(dataset, place="here", today=today)


def test_a_descriptor_cannot_claim_a_milder_tier_than_the_catalogue(collection: Make) -> None:
    renamed = collection(name="mine", faceaudit__name="frl_canada", faceaudit__consentTier="T1")
    with pytest.raises(Refused, match=r"\(recognised as Young Adult White Faces .*: tier T3"):
        load(str(renamed))
    assert load(str(renamed), acknowledge=["T3"]).consent.tier == "T3"


@pytest.mark.parametrize(
    "change",
    [
        {"faceaudit__name": "lfw"},
        {"name": "Labeled Faces in the Wild"},
        {"name": "Our clean copy of VGGFace2 (cropped)"},
        {"alternateName": ["something", "MS-Celeb-1M"]},
    ],
)
def test_a_doctored_descriptor_that_names_a_refused_set_is_refused(collection: Make, change: dict[str, object]) -> None:
    folder = collection()
    path = folder / "croissant.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw |= {key.replace("__", ":"): value for key, value in change.items()}
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(Refused):
        load(str(folder))


def test_every_tier_of_the_catalogue_has_a_rule() -> None:
    verdicts = {
        entry.id: consent.POLICY[consent.strictest([entry.tier], place=entry.id)].verdict
        for entry in catalogue.entries().values()
    }
    assert sum(verdict == "refused" for verdict in verdicts.values()) == 22
    assert verdicts["iiscifd"] == "refused"
    assert verdicts["columbia_megastudy"] == "acknowledge"
    assert verdicts["frl_london"] == "allowed"
