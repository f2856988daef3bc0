"""The gate: every tier, purposes, minors, freshness, acknowledgements."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.benchmarks import catalogue, clock, consent, descriptor, load
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


def gate_of(folder: Path, **more: object) -> consent.Consent:
    return consent.gate(descriptor.read(folder / "croissant.json").dataset, place="here", **more)  # type: ignore[arg-type]


ALL = ("evaluation", "biometric", "commercial")


@pytest.mark.parametrize(
    ("licence", "open_"),
    [
        ("CC BY 4.0", True),
        ("CC BY-NC 4.0", False),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/", False),
        ("Own terms: non-commercial research", False),
        ("NCSA", True),
    ],
)
def test_a_licence_is_asked_only_where_the_purpose_is_commercial(collection: Make, licence: str, open_: bool) -> None:
    folder = collection(license=licence, faceaudit__commercialUse="allowed")
    assert gate_of(folder).licence == licence
    if open_:
        assert "The auditor declared a commercial purpose in the plan." in gate_of(folder, purposes=ALL).notices
    else:
        with pytest.raises(Refused, match="excludes commercial use"):
            gate_of(folder, purposes=ALL)


def test_terms_in_the_usage_info_count_as_the_licence_does(collection: Make) -> None:
    folder = collection(usageInfo=[{"@type": "CreativeWork", "url": "duo:0000046"}], faceaudit__commercialUse="allowed")
    with pytest.raises(Refused, match=r"its licence \(duo:0000046\) excludes"):
        gate_of(folder, purposes=ALL)


def test_the_catalogue_forbids_what_a_descriptor_does_not(collection: Make) -> None:
    folder = collection(faceaudit__name="kdef", faceaudit__commercialUse="allowed")
    known = [catalogue.entries()["kdef"]]
    assert gate_of(folder, known=known).tier == "T2"
    with pytest.raises(Refused, match=r"whatever the descriptor says .catalogue: NO"):
        gate_of(folder, known=known, purposes=ALL)


def test_a_fact_from_memory_refuses_nothing(collection: Make) -> None:
    radiate = catalogue.entries()["radiate"]
    assert radiate.mark("commercial") == "M"
    assert radiate.commercial.startswith("no")
    folder = collection(faceaudit__commercialUse="not-named")
    assert gate_of(folder, known=[radiate], purposes=ALL).tier == "T2"


def test_a_descriptor_beside_the_data_cannot_be_milder_than_the_shipped_one(collection: Make) -> None:
    strict = collection(
        name="strict", faceaudit__biometricUse="forbidden", faceaudit__commercialUse="not-named",
        faceaudit__consentStatement="Only to look at.", faceaudit__consentTier="T2",
    )  # fmt: skip
    shipped = [descriptor.read(strict / "croissant.json").dataset]
    mild = collection(faceaudit__consentTier="T1")
    with pytest.raises(Refused, match="the terms forbid biometric use"):
        gate_of(mild, shipped=shipped)
    agreed = gate_of(mild, shipped=shipped, purposes=["evaluation"])
    assert agreed.tier == "T2"
    assert agreed.statement == "Only to look at."
    assert agreed.purposes == {"evaluation": "allowed", "biometric": "forbidden", "commercial": "not-named"}
    assert "The descriptor beside the data words the consent differently; this is the known wording." in agreed.notices


def test_a_live_set_stays_live_and_its_copy_no_older_than_its_publisher_allows(collection: Make) -> None:
    live = {"isLiveDataset": True, "faceaudit__lastChecked": "2026-03-01"}
    shipped = [descriptor.read(collection(name="s", **live, faceaudit__maximumAgeDays=31) / "croissant.json").dataset]
    with pytest.raises(Refused, match="says that it is no live data set"):
        gate_of(collection(name="fixed"), shipped=shipped)
    older = collection(name="older", **live, faceaudit__maximumAgeDays=9999)
    assert gate_of(older, shipped=shipped, today=dt.date(2026, 4, 1)).live
    with pytest.raises(Refused, match="at most 31 days old"):
        gate_of(older, shipped=shipped, today=dt.date(2026, 4, 2))


def test_a_set_that_the_catalogue_knows_people_to_leave_is_live(collection: Make) -> None:
    with pytest.raises(Refused, match=r"people may withdraw from FHIBE .* says that it is no live data set"):
        gate_of(collection(faceaudit__consentTier="T1"), known=[catalogue.entries()["fhibe"]])


def test_a_clock_that_was_turned_back_is_noticed(collection: Make) -> None:
    folder = collection(isLiveDataset=True, faceaudit__lastChecked="2026-03-01", faceaudit__maximumAgeDays=31)
    today = dt.date(2026, 3, 2)
    assert gate_of(folder, today=today, seen=dt.date(2026, 3, 3)).live
    with pytest.raises(Refused, match="the clock says 2026-03-02, but files here are of 2026-05-01"):
        gate_of(folder, today=today, seen=dt.date(2026, 5, 1))
    with pytest.raises(Refused, match="2026-03-01, which is still to come"):
        gate_of(folder, today=dt.date(2026, 2, 27))


def test_the_clock_is_measured_by_files_and_by_what_the_cache_remembers(
    collection: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = dt.datetime.now(tz=dt.UTC).date()
    folder = collection(isLiveDataset=True, faceaudit__lastChecked=f"{checked}", faceaudit__maximumAgeDays=31)
    assert load(str(folder)).consent.live
    mark = clock._mark()
    assert mark.read_text() == f"{checked}\n"
    mark.write_text(f"{checked + dt.timedelta(40)}\n")
    with pytest.raises(Refused, match="the clock says"):
        load(str(folder))
    mark.write_text("no day")
    assert load(str(folder)).consent.live
    later = dt.datetime.now(tz=dt.UTC).timestamp() + 40 * 86400
    os.utime(folder / "croissant.json", (later, later))
    with pytest.raises(Refused, match="the clock says"):
        load(str(folder))
    monkeypatch.setenv("FACEAUDIT_CACHE", "/dev/null/no")
    clock.keep(checked)


def test_a_sign_off_that_is_still_to_come_is_none(collection: Make) -> None:
    folder = collection(faceaudit__signedOffOn="2026-03-05")
    with pytest.raises(Refused, match="signed off on 2026-03-05, which is still to come"):
        gate_of(folder, today=dt.date(2026, 3, 3))
    assert gate_of(folder, today=dt.date(2026, 3, 4)).tier == "own"


def test_annotated_labels_are_said_to_be_perceived(collection: Make) -> None:
    assert "Perceived by others, not the people's own statement: origin." in gate_of(collection()).notices


def test_minors_that_the_catalogue_knows_of_are_printed(collection: Make) -> None:
    canada = catalogue.entries()["frl_canada"]
    agreed = gate_of(collection(faceaudit__consentTier="T3"), known=[canada], acknowledge=["T3"])
    assert any("people under 18: YES: 3 subjects aged 17" in notice for notice in agreed.notices)


def test_every_reason_of_the_table_refuses_and_says_what_to_do(collection: Make) -> None:
    for kind in consent.REFUSALS:
        made = consent.refused(
            kind, "here", what="X", tier="T3", meaning="m", purpose="p", why=" (w)", day="d", age=1, seen="s", url="u"
        )
        assert made.exit_code == 3
        assert made.way_out
        assert "{" not in str(made)


def test_the_page_on_governance_has_every_tier_and_every_reason() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "governance.md").read_text(encoding="utf-8")
    for tier, rule in consent.POLICY.items():
        assert f"| `{tier}` | {rule.meaning} |" in page
    for kind in consent.REFUSALS:
        assert f"| `{kind}` |" in page
