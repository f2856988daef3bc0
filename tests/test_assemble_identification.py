"""One against many from templates to the record: what stands in it, what a small group hides, and that nobody does."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_list import COLOURS, IMAGES, base, inputs

import audit
from audit import assemble_identification
from audit import record as records
from audit.errors import NothingMeasured
from audit.record import EvaluationRecord
from audit.report import html, markdown, tables
from audit.report import parts as report_parts
from audit.report.view import make as view_of


@pytest.fixture(scope="module")
def record() -> EvaluationRecord:
    return assemble_identification.added(base(), inputs())[0]


def test_what_stands_in_the_record(record: EvaluationRecord) -> None:
    part = record.identification
    assert part is not None
    assert (part.people, part.references, part.images, part.unlistable) == (40, 40, 1, 0)
    assert part.mated + part.nonmated == 80 * IMAGES - 40 - 1, "all but those on the list and the one that failed"
    assert [point.id for point in part.operating_points] == ["fpir-0.1", "fpir-0.01"]
    assert all(point.achieved_fpir <= point.target_fpir for point in part.operating_points)
    shared = [p.id for p in record.operating_points if p.policy != "per-group" and p.threshold is not None]
    for point in ("fpir-0.1", "fpir-0.01", *shared):
        rates = [r for r in record.rates if r.operating_point == point and r.metric in {"FPIR", "FNIR"}]
        groups_ = [{}, {"colour": "red"}, {"colour": "blue"}, {"colour": "rare"}]
        assert [r.group for r in rates if r.metric == "FPIR" and r.view == "conditional"] == groups_
        assert [r.rank for r in rates if r.metric == "FNIR" and not r.group and r.view == "conditional"] == [1, 5]
    assert {c.operating_point for c in record.contrasts if c.metric == "FPIR"} == {"fpir-0.1", "fpir-0.01"}
    assert {d.operating_point for d in record.differentials if d.metric == "FNIR"} == {
        "fpir-0.1",
        "fpir-0.01",
        "rank-only",
    }
    assert [row.people for row in part.growth if row.operating_point == "fpir-0.1"] == [5, 10, 20, 40]


def test_rates_add_up(record: EvaluationRecord) -> None:
    part = record.identification
    assert part is not None
    everyone = next(
        r
        for r in record.rates
        if r.metric == "FNIR" and r.operating_point == "rank-only" and r.rank == 1 and not r.group
    )
    assert part.cmc[0].found[0] == 1 - everyone.errors / everyone.trials
    assert part.cmc[0].found == sorted(part.cmc[0].found)
    told = [row for row in part.confusion if row.operating_point == "rank-only" and row.errors is not None]
    assert {(row.group["colour"], row.candidate["colour"]) for row in told} == {
        (a, b) for a in ("red", "blue") for b in ("red", "blue")
    }
    assert sum(row.errors or 0 for row in told) <= everyone.errors
    largest = [row for row in part.growth if row.operating_point == "fpir-0.1"][-1]
    alarms = next(
        r
        for r in record.rates
        if r.metric == "FPIR" and r.operating_point == "fpir-0.1" and not r.group and r.view == "conditional"
    )
    assert (largest.errors, largest.trials) == (alarms.errors, alarms.trials)


def test_a_group_of_one_person_has_no_numbers(record: EvaluationRecord) -> None:
    part = record.identification
    assert part is not None
    rare = next(row for row in part.groups if row.group == {"colour": "rare"})
    assert (rare.people, rare.share, rare.mated, rare.nonmated) == (None, None, None, None)
    assert rare.reason
    assert not next(curve for curve in part.cmc if curve.group == {"colour": "rare"}).found
    assert not next(curve for curve in part.tradeoff if curve.group == {"colour": "rare"}).fpir
    touched = [row for row in part.confusion if {"colour": "rare"} in (row.group, row.candidate)]
    assert touched
    assert all(row.errors is None and row.of is None and row.share is None for row in touched)
    rates = [r for r in record.rates if r.group == {"colour": "rare"} and r.metric in {"FPIR", "FNIR"}]
    assert rates
    assert all(rate.value is None and rate.reason for rate in rates)


def test_the_record_survives_a_file_and_fits_its_schema(record: EvaluationRecord, tmp_path: Path) -> None:
    records.write(record, tmp_path / "record.json")
    assert records.read(tmp_path / "record.json") == record


def test_nobody_stands_in_any_artefact(record: EvaluationRecord) -> None:
    """No id, and no list as long as the probes, the references or the people: only groups, ranks and thresholds."""
    view = view_of(record)
    artefacts = {
        "record": records.dumps(record),
        "html": html.page(view),
        "markdown": markdown.page(view),
        **tables.files(record, view),
    }
    assert all("person-" not in text for text in artefacts.values())
    part = record.identification
    assert part is not None
    lengths = {len(found) for found in lists(json.loads(part.model_dump_json()))}
    assert max(lengths) <= max(len(part.confusion), assemble_identification.TRADEOFF_POINTS)
    assert not lengths & {part.mated, part.nonmated, part.mated + part.nonmated, len(COLOURS)}


def lists(value: Any) -> list[list[Any]]:
    if isinstance(value, dict):
        return [found for item in value.values() for found in lists(item)]
    return [value, *(found for item in value for found in lists(item))] if isinstance(value, list) else []


def test_candidates_stay_inside_the_comparison() -> None:
    """Which candidate belongs to which probe is held by one private class, and no public function returns it."""
    package = Path(audit.__file__).parent
    naming = [path for path in package.rglob("*.py") if "_Ranked" in path.read_text(encoding="utf-8")]
    assert [path.name for path in naming] == ["identify.py"]
    using = [path for path in package.rglob("*.py") if "rank_rows" in path.read_text(encoding="utf-8")]
    assert sorted(path.name for path in using) == ["identify.py", "ranking.py"]
    tree = ast.parse((package / "compare" / "identify.py").read_text(encoding="utf-8"))
    public = {
        function.name: ast.unparse(function.returns) if function.returns else ""
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef) and owner.name == "AgainstList"
        for function in owner.body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
    }
    assert public == {"highest": "tuple[Floats, Ints]", "at": "ListCounts"}
    assert not {"AgainstList", "ListCounts"} & set(audit.__all__)


def test_no_command_and_no_flag_asks_who_somebody_is() -> None:
    from typer.main import get_command  # noqa: PLC0415 - the command line is walked here alone

    from audit.cli import app  # noqa: PLC0415

    forbidden = ("identify", "search", "probe", "gallery", "candidate", "enrol", "whois", "lookup")
    for name, options in walked(get_command(app), "faceaudit"):
        assert not any(word in name for word in forbidden), name
        for option in options:
            assert not any(word in option for word in forbidden), (name, option)


def walked(command: Any, name: str) -> list[tuple[str, list[str]]]:
    own = [(name, [option for one in command.params for option in one.opts if option.startswith("--")])]
    return own + [
        row for part, one in getattr(command, "commands", {}).items() for row in walked(one, f"{name} {part}")
    ]


def test_a_closed_set_has_no_false_alarms_and_says_so() -> None:
    record = assemble_identification.added(base(), inputs(list_share=1))[0]
    part = record.identification
    assert part is not None
    assert (part.people + part.without_reference, part.nonmated) == (80, 0)
    assert all(point.threshold is None and point.reason for point in part.operating_points)
    assert any("how often a stranger raises an alarm (FPIR) is not measured" in line for line in record.warnings)
    assert any("Target FPIR 0.1 is not estimable" in line for line in record.warnings)
    alarms = [r for r in record.rates if r.metric == "FPIR"]
    assert all(r.value is None and r.reason for r in alarms)
    assert html.page(view_of(record))


def test_a_list_of_one_group_says_so() -> None:
    record = assemble_identification.added(base(), inputs(list_by="colour", list_groups={"red": 1.0}))[0]
    assert any("Everybody on the list is of one group (colour=red)" in line for line in record.warnings)
    blue = [r for r in record.rates if r.metric == "FNIR" and r.group == {"colour": "blue"}]
    assert {r.reason for r in blue} == {"nobody was tested who is on the list"}
    assert html.page(view_of(record))


def test_a_person_whose_reference_failed_is_missed_in_the_generalised_view() -> None:
    whole = inputs()
    row = whole.row.copy()
    lost = whole.drawn.references[:2]
    row[lost] = -1
    record = assemble_identification.added(base(), replace(whole, row=row))[0]
    part = record.identification
    assert part is not None
    assert (part.people, part.without_reference) == (38, 2)
    plain, general = (
        next(
            r
            for r in record.rates
            if r.metric == "FNIR" and r.operating_point == "rank-only" and r.rank == 1 and not r.group and r.view == v
        )
        for v in ("conditional", "generalised")
    )
    assert general.trials - plain.trials == general.errors - plain.errors >= 2 * (IMAGES - 1)
    assert any("2 people were to be on the list" in line for line in record.warnings)


def test_without_templates_nothing_is_measured() -> None:
    whole = inputs()
    with pytest.raises(NothingMeasured, match="0 people on the list"):
        assemble_identification.added(base(), replace(whole, row=np.full_like(whole.row, -1)))


def test_the_report_tells_it_in_words(record: EvaluationRecord) -> None:
    view = view_of(record)
    section = next(s for s in view.sections if s.id == "identification")
    (listing,) = (b for b in section.blocks if isinstance(b, report_parts.Listing))
    assert "40 people were on the list" in listing.items[0]
    assert "for at most 10% of strangers" in listing.items[1]
    assert any("Without a threshold" in line for line in listing.items)
    assert any("of the same colour as the person tested" in line for line in listing.items)
    assert [b.id for b in section.blocks if isinstance(b, report_parts.Figure)] == ["fpir", "fnir", "cmc", "dir"]
    assert view.answers[0].question == "What happens when faces are compared with a list of people?"
    assert not any("among many" in answer.answer for answer in view.answers)
    folded = [t for b in section.blocks if isinstance(b, report_parts.Fold) for t in b.blocks]
    people = next(t for t in folded if isinstance(t, report_parts.Table) and t.id == "list-people")
    rare = next(row for row in people.rows if row[0].text == "rare")
    assert [cell.text for cell in rare[1:]] == ["–"] * 4


def test_a_record_without_a_list_has_no_such_section() -> None:
    view = view_of(base())
    assert "identification" not in {section.id for section in view.sections}
