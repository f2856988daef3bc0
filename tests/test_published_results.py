"""The evaluations in `results/` are whole, safe to publish, and what the documents quote."""

from __future__ import annotations

import csv
import getpass
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from markupsafe import escape

from audit import record as records
from audit import results
from audit.bundle import verify
from audit.bundle.folder import KNOWN, STATEMENT
from audit.record import EvaluationRecord, Group, Rate
from audit.report.view import make

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "results").rglob("record.json"))
PATHS = re.compile(r"(?<![\w.:])/(?:home|root|tmp|opt|usr|var|work|mnt|srv|Users)\b|[A-Za-z]:\\|file://")
MOST = 3 * 2**20
HEADLINE = "global-fmr-0.001"

pytestmark = pytest.mark.skipif(not FOLDERS, reason="no evaluation is published in results/")
each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(ROOT / "results").as_posix())


def read(folder: Path) -> EvaluationRecord:
    return records.read(folder / "record.json")


def texts(value: Any) -> Iterator[str]:
    """Every text of a document, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def rate(record: EvaluationRecord, group: Group, metric: str = "FMR") -> Rate:
    return next(
        r
        for r in record.rates
        if (r.metric, r.view, r.operating_point, r.reference_group) == (metric, "conditional", HEADLINE, None)
        and r.group == group
    )


@pytest.fixture(scope="module")
def dlib_on_london() -> EvaluationRecord:
    (folder,) = [f for f in FOLDERS if f.parts[-3] == "london" and f.parts[-2].startswith("dlib@")]
    return read(folder)


def test_they_are_those_that_the_project_promises() -> None:
    found = {(f.parts[-3], f.parts[-2].split("@")[0]) for f in FOLDERS}
    assert found == {
        ("synthetic", "dlib"), ("london", "dlib"), ("london", "mobilefacenet"), ("london", "faceplugin_feature"),
    }  # fmt: skip


@each
def test_record_is_valid_and_lies_where_it_belongs(folder: Path) -> None:
    said = json.loads((folder / "record.json").read_bytes())
    jsonschema.validate(said, records.schema())
    made = read(folder)
    place = results.folder(made.benchmark.name, made.model.name, made.model.revision, made.digests.plan)
    assert folder.relative_to(ROOT / "results") == place
    assert made.plan["limit"] is None, "a trial is not published"


@each
def test_report_says_what_the_record_says(folder: Path) -> None:
    """Numbers, not looks: the headline, the counts behind it, and every cell of the table of groups."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    view = make(read(folder))
    for text in (view.title, view.headline, view.evidence, view.verdict_label):
        assert escape(text) in page
    table = next(b for s in view.sections if s.id == "groups" for b in s.blocks if getattr(b, "id", "") == "groups")
    cells = [cell for row in table.rows for cell in row]
    assert len(cells) > 30
    for cell in cells:
        assert f">{escape(cell.text)}<" in page
        assert not cell.note or f">{escape(cell.note)}<" in page


@each
def test_nothing_of_the_machine_and_of_no_person_leaks(folder: Path) -> None:
    said = json.loads((folder / "record.json").read_bytes())
    page = (folder / "report.html").read_text(encoding="utf-8")
    own = {socket.gethostname(), getpass.getuser()} - {"root", "localhost"}
    for text in (*texts(said), page):
        assert not PATHS.search(text)
        assert not any(re.search(rf"\b{re.escape(name)}\b", text) for name in own if len(name) > 3)
    assert not re.search(r"@|\.local\b|\.lan\b", " ".join(texts(said["hardware"])))
    assert set(texts(said)).isdisjoint(ids(said["benchmark"]["name"]))
    assert not re.search(r"\b\d{3}_0[38]\b|\bp\d{3}-(?:studio|indoors|outdoors|turned)\b", json.dumps(said) + page)


def ids(benchmark: str) -> set[str]:
    """Ids of people: London's from its own numbering, the rendered ones from the table that is shipped."""
    if benchmark == "london":
        return {f"{n:03}" for n in range(1, 200)}
    with (ROOT / "benchmarks" / benchmark / "subjects.csv").open(encoding="utf-8") as stream:
        return {row["subject_id"] for row in csv.DictReader(stream)}


@each
def test_size_is_modest(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST
    names = {path.name for path in folder.iterdir()}
    assert names >= {"record.json", "report.html"}
    assert all(KNOWN.fullmatch(name) or name == STATEMENT for name in names)


@pytest.mark.parametrize("folder", [f for f in FOLDERS if (f / STATEMENT).exists()], ids=lambda f: f.parts[-2])
def test_it_is_sealed_and_nothing_in_it_fails(folder: Path) -> None:
    findings = verify(folder)
    assert [one for one in findings if one.outcome == "failed"] == []
    assert len([one for one in findings if one.outcome == "established"]) > 15


NAMES = {
    "Black women": {"gender": "female", "ethnicity": "black"},
    "Black men": {"gender": "male", "ethnicity": "black"},
    "white women": {"gender": "female", "ethnicity": "white"},
    "white men": {"gender": "male", "ethnicity": "white"},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_quotes_the_record(name: str, dlib_on_london: EvaluationRecord) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {name} \| .*$", readme, re.M)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    found = rate(dlib_on_london, NAMES[name])
    assert cells[1] == str(found.subjects)
    assert cells[2] == f"{found.errors} of {found.trials:,}"
    assert found.interval is not None
    percents = [float(x) for x in re.findall(r"([\d.]+) ?%", cells[3])]
    seen = [found.value, found.interval.low, found.interval.high]
    expected = seen if found.errors else [found.upper_bound]
    assert percents == pytest.approx([100 * x for x in expected if x is not None], rel=0.05)
    assert cells[4] == {"count-only": "counts only"}[found.support]


def test_the_reviewers_guide_quotes_the_record(dlib_on_london: EvaluationRecord) -> None:
    guide = " ".join((ROOT / "docs" / "reviewers.md").read_text(encoding="utf-8").split())
    black, white = rate(dlib_on_london, {"ethnicity": "black"}), rate(dlib_on_london, {"ethnicity": "white"})
    counts = f"{black.errors} of {black.trials} comparisons of {black.subjects} people against "
    assert f"{counts}{white.errors} of {white.trials:,}" in guide
    women = rate(dlib_on_london, NAMES["Black women"])
    assert f"`{women.errors} of {women.trials}` is ten errors in forty comparisons" in guide
    assert (women.errors, women.trials, women.subjects) == (10, 40, 5)
