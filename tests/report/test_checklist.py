"""The list of quantities: each status follows from the record, and no conformance is claimed."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from audit import record as r
from audit.record import EvaluationRecord
from audit.report.view import make


def rows(record: EvaluationRecord) -> dict[str, tuple[str, str]]:
    section = next(s for s in make(record).sections if s.id == "checklist")
    (table,) = section.blocks
    return {row[0].text: (row[1].text, row[2].text) for row in table.rows}  # type: ignore[union-attr]


def status(record: EvaluationRecord, quantity: str) -> str:
    return next(found[0] for name, found in rows(record).items() if name.startswith(quantity))


def test_it_claims_no_conformance(any_record: EvaluationRecord) -> None:
    section = next(s for s in make(any_record).sections if s.id == "checklist")
    assert "no conformance is claimed" in section.lead
    text = " ".join(" ".join((name, *said)) for name, said in rows(any_record).items())
    assert not re.search(r"\b(conform|compl(y|ies|iant))", text)
    assert {said[0] for said in rows(any_record).values()} <= {"✓ reported", "◐ partly", "– not reported"}


def test_a_full_record(builder: ModuleType) -> None:
    record = builder.beside()
    assert status(record, "Shifts of comparison scores") == "✓ reported"
    assert status(record, "False match rate") == "◐ partly", "a group of one person has none"
    assert status(record, "Intersections") == "✓ reported"
    assert status(record, "Operational thresholds") == "◐ partly", "one in a million could not be set"
    assert status(record, "How membership") == "– not reported", "nobody says who assigned the labels"
    assert status(record, "Failure to acquire") == "✓ reported"
    assert rows(record)["Failure to acquire"][1].startswith("0 of 204 failed")
    assert status(record, "Statistical uncertainty") == "✓ reported"


def test_it_follows_the_record(builder: ModuleType) -> None:
    def changed(**changes: Any) -> EvaluationRecord:
        return builder.london_like(**changes)

    assert status(changed(), "Shifts of comparison scores") == "– not reported"
    assert status(changed(acquisition=[]), "Failure to acquire") == "– not reported"
    assert status(changed(contrasts=[]), "Equitability") == "– not reported"
    assert status(builder.equivalent(), "Equitability") == "✓ reported"
    assert status(builder.ungrouped(), "The demographic groups") == "– not reported"
    assert status(builder.ungrouped(), "False match rate") == "✓ reported"
    assert status(builder.empty(), "False match rate") == "– not reported"
    assert status(builder.empty(), "Operational thresholds") == "– not reported"
    assert status(builder.empty(), "Statistical uncertainty") == "– not reported"
    whole = [rate.model_copy(update={"interval": None}) if n == 0 else rate for n, rate in enumerate(changed().rates)]
    assert status(changed(rates=whole), "Statistical uncertainty") == "◐ partly"
    within = [rate for rate in changed().rates if rate.reference_group is None]
    assert status(changed(rates=within), "False matches between people") == "– not reported"


def test_who_assigned_labels_decides_two_rows(builder: ModuleType) -> None:
    def labelled(**kinds: Any) -> EvaluationRecord:
        record = builder.london_like()
        attributes = {
            name: r.AttributePart(provenance=kinds.get(name, "undocumented"), values=part.values)
            for name, part in record.benchmark.attributes.items()
        }
        return record.model_copy(update={"benchmark": record.benchmark.model_copy(update={"attributes": attributes})})

    both = labelled(gender="self-reported", ethnicity="measured")
    assert status(both, "How membership") == "✓ reported"
    assert status(both, "Phenotypic measures") == "✓ reported"
    one = labelled(gender="self-reported")
    assert status(one, "How membership") == "◐ partly"
    assert status(one, "Phenotypic measures") == "– not reported"


def test_times_and_enrolment_are_never_reported(any_record: EvaluationRecord) -> None:
    assert status(any_record, "Response and processing") == "– not reported"
    assert status(any_record, "Failure to enrol") == "– not reported"
