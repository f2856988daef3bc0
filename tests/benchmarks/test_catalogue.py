"""The catalogue: every set of the survey and our own, found by any spelling, no fact from memory shown as certain."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from audit.benchmarks import catalogue


def test_every_row_of_the_source_is_here_with_its_tier_and_facts(shared: Path) -> None:
    with (shared / "catalogue.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    known = catalogue.entries()
    assert [*(row["id"] for row in rows), "synthetic"] == list(known)
    assert len(rows) == 58
    columns = {
        "consent": "consent_basis",
        "labels": "labels_provenance",
        "licence": "licence_terms",
        "commercial": "commercial_use",
        "biometric": "biometric_use",
        "withdrawal": "withdrawal_mechanism",
    }
    for row in rows:
        entry = known[row["id"]]
        assert entry.tier == row["consent_tier"]
        assert (entry.name, entry.source) == (row["name"], " ".join(row["source"].split()))
        assert entry.verified == row["verified"] or len(row["verified"]) > 1
        assert all(catalogue.find(name) is entry for name in entry.names)
        for fact in catalogue.FACTS:
            original = " ".join(row[columns.get(fact, fact)].split())
            shown = getattr(entry, fact)
            if "unverified" in original or "not verified" in original:
                assert entry.mark(fact) == "M", (entry.id, fact)
                assert shown == "not known" or original.startswith(shown), (entry.id, fact)
            else:
                assert shown == original, (entry.id, fact)
        if row["verified"] == "M":
            assert {entry.mark(fact) for fact in catalogue.FACTS} == {"M"}
        if row["verified"] != "V":
            assert entry.verified != "V", entry.id


def test_a_fact_from_memory_is_never_shown_without_its_mark() -> None:
    for entry in catalogue.entries().values():
        for fact in catalogue.FACTS:
            text = entry.fact(fact)
            assert text
            if entry.mark(fact) == "M":
                assert "unverified" in text, (entry.id, fact)
            assert entry.mark(fact) != "P" or "partly verified" in text, (entry.id, fact)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("london", "frl_london"),
        ("London", "frl_london"),
        ("cc0_fixture", "frl_cc0"),
        ("MS-Celeb-1M", "msceleb"),
        ("ms1mv3", "msceleb"),
        ("Labelled Faces in the Wild", "lfw"),
        ("VGG-Face2", "vggface2"),
        ("casual conversations v2", "ccv2"),
        ("webmorph", None),
        ("", None),
    ],
)
def test_names_are_found_in_any_spelling(name: str, found: str | None) -> None:
    entry = catalogue.find(name)
    assert (entry.id if entry else None) == found


def test_no_two_sets_share_a_name() -> None:
    names: dict[str, str] = {}
    for entry in catalogue.entries().values():
        for name in entry.names:
            assert names.setdefault(catalogue.normal(name), entry.id) == entry.id


def test_the_nearest_name_is_suggested() -> None:
    assert catalogue.near("londn") == "london"
    assert catalogue.near("qqqqqqqq") is None
