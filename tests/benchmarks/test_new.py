"""An own benchmark from images and a table: nothing is guessed, what is left is said, and what is whole is audited."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audit import cli
from audit.benchmarks import load
from audit.errors import AuditError, Refused

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = {
    "title": "Our people",
    "organisation": "We Ltd",
    "consent": "I agree that my pictures are used to test face models.",
    "consent-source": "form 3, January 2026",
    "signed-off-by": "A. Person, data protection officer",
    "signed-off-on": "2026-02-03",
    "evaluation": "allowed",
    "biometric": "allowed",
    "commercial": "forbidden",
    "minors": "no",
    "withdrawal": "A mail; within 30 days",
    "licence": "Inside the company",
    "collection": "Volunteers of the office, photographed twice",
    "url": "privacy@example.org",
    "citation": "internal",
    "published": "2026",
}
ASKED = list(ANSWERS)
run = partial(CliRunner().invoke, cli.app)


@pytest.fixture
def mine(tmp_path: Path) -> Callable[..., Result]:
    """Images of six rendered people with a table; call it with options to make a benchmark of them."""
    source = ROOT / "benchmarks" / "synthetic"
    with (source / "subjects.csv").open(encoding="utf-8", newline="") as stream:
        people = {row["subject_id"]: row for row in csv.DictReader(stream)}
    chosen = [name for name, row in people.items() if row["gender"] == "female"][:3]
    chosen += [name for name, row in people.items() if row["gender"] == "male"][:3]
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    rows = []
    for name in chosen:
        for view, folder in (("studio", ""), ("indoors", "more/")):
            path = f"{folder}{name}-{view}.webp"
            shutil.copyfile(source / "images" / f"{name}-{view}.webp", tmp_path / "pictures" / path)
            rows.append([path, name, people[name]["gender"], people[name]["age"], view, "x"])
    header = ["filename", "person", "sex", "age", "view", "remarks"]
    table(tmp_path / "table.csv", [header, *rows])

    def make(*options: str, answers: dict[str, str] | None = None, **more: Any) -> Result:
        given = [f"--{key}={text}" for key, text in (ANSWERS if answers is None else answers).items()]
        fixed = ["--images", str(tmp_path / "pictures"), "--table", str(tmp_path / "table.csv")]
        return run(["benchmarks", "new", str(tmp_path / "ours"), *fixed, *given, *options], **more)

    return make


LABELS = ("--attribute", "sex=self-reported", "--attribute", "age=self-reported", "--edges", "age=35,50")


def table(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def error(result: Result) -> str:
    assert isinstance(result.exception, AuditError), result.output
    return str(result.exception)


def test_what_is_told_is_written_and_can_be_checked_and_loaded(mine: Callable[..., Result], tmp_path: Path) -> None:
    result = mine(*LABELS, "--condition", "view", "--by", "sex")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "ours")
    assert "12 images of 6 people" in result.stderr
    assert "sex (self-reported): female 3, male 3" in result.stderr
    assert "age (self-reported): 6 numbers, " in result.stderr
    assert "Columns left out: remarks." in result.stderr
    assert "Checked: 0 defect(s)" in result.stderr
    described = json.loads((tmp_path / "ours" / "croissant.json").read_text(encoding="utf-8"))
    files = {file["@id"]: file["sha256"] for file in described["distribution"]}
    on_disk = {
        path.relative_to(tmp_path / "ours").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "ours").rglob("*.*")
    }
    del on_disk["croissant.json"]
    assert files == on_disk
    assert len(files) == 14
    made = load(str(tmp_path / "ours"))
    assert (made.name, made.title, made.consent.tier, made.default_by) == ("ours", "Our people", "own", ("sex",))
    assert made.consent.statement == ANSWERS["consent"]
    assert made.attributes["sex"].values == ("female", "male")
    assert made.attributes["age"].edges == (35, 50)
    assert {sample.conditions["view"] for sample in made.samples} == {"studio", "indoors"}
    assert "Self-declared: signed off by A. Person, data protection officer on 2026-02-03." in made.consent.notices
    assert run(["benchmarks", "check", str(tmp_path / "ours")]).exit_code == 0


def test_it_can_be_audited(mine: Callable[..., Result], tmp_path: Path) -> None:
    """With 30 non-mated comparisons of six people a target of 0.1 can be estimated."""
    assert mine(*LABELS).exit_code == 0
    made, results = str(tmp_path / "ours"), str(tmp_path / "results")
    options = ["--model", "dlib", "--by", "sex", "--fmr", "0.1", "--json", "--out", results]
    result = run(["run", "--benchmark", made, *options])
    assert result.exit_code == 0, result.output
    (evaluation,) = json.loads(result.stdout)["evaluations"]
    record = json.loads(Path(evaluation["record"]).read_text(encoding="utf-8"))
    assert record["benchmark"]["consent_tier"] == "own"
    assert record["benchmark"]["attributes"]["sex"]["provenance"] == "self-reported"
    assert (record["samples"]["subjects"], record["samples"]["total"]) == (6, 12)


def test_what_nobody_says_is_left_to_write_and_nothing_is_measured(mine: Callable[..., Result], tmp_path: Path) -> None:
    result = mine("--attribute", "sex", "--no-ask", answers={})
    assert result.exit_code == 1
    assert "sex (nobody said who assigned it)" in result.stderr
    for key in ("faceaudit:consentStatement", "faceaudit:attribute/0/faceaudit:provenance", "faceaudit:minors"):
        assert f"  {key}\n" in result.stderr
    assert run(["benchmarks", "check", str(tmp_path / "ours")]).exit_code == 1
    with pytest.raises(AuditError):
        load(str(tmp_path / "ours"))
    assert "is there already" in error(mine(*LABELS))


def test_it_asks_until_it_can_be_written(mine: Callable[..., Result], tmp_path: Path) -> None:
    typed = ["self-taught", "self-reported"]
    for key in ASKED:
        typed += ["perhaps"] if key in ("minors", "evaluation") else []
        typed += ["tomorrow"] if key == "signed-off-on" else []
        typed.append(ANSWERS[key])
    result = mine("--attribute", "sex", "--ask", answers={}, input="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert "'tomorrow' is no day" in result.stderr
    assert load(str(tmp_path / "ours")).consent.statement == ANSWERS["consent"]


def test_a_table_of_people_and_a_consent_in_a_file(mine: Callable[..., Result], tmp_path: Path) -> None:
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as stream:
        people = {row["person"]: row["sex"] for row in csv.DictReader(stream)}
    table(
        tmp_path / "people.csv",
        [["person", "origin of parents", "sex"], *([who, "a|b", sex] for who, sex in people.items())],
    )
    (tmp_path / "consent.txt").write_text("I agree.\n\nTo all of it.\n", encoding="utf-8")
    answers = ANSWERS | {"consent": f"@{tmp_path / 'consent.txt'}"}
    result = mine(
        "--people", str(tmp_path / "people.csv"), "--attribute", "origin of parents=annotated", answers=answers
    )
    assert result.exit_code == 0, result.output
    made = load(str(tmp_path / "ours"))
    assert made.attributes["origin_of_parents"].values == ("a", "b")
    assert made.subjects[0].attributes["origin_of_parents"] == ("a", "b")
    assert made.consent.statement == "I agree.\n\nTo all of it."


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "no column was named as an attribute"),
        (("--attribute", "sex=guessed"), "'guessed' says not who assigned it"),
        (("--attribute", "age=self-reported", "--edges", "age=50,35"), "'50,35' are no increasing numbers"),
        (("--attribute", "sex=self-reported", "--edges", "age=35"), "is of no attribute that was named"),
        (("--attribute", "height=measured"), "the column 'height' is missing"),
        (("--attribute", "sex=measured", "--attribute", "sex=measured"), "stands twice"),
        ((*LABELS, "--path-column", "file"), "has no column 'file'"),
        ((*LABELS, "--subject-column", "who"), "has no column 'who'"),
        ((*LABELS, "--condition", "weather"), "has no column 'weather'"),
        ((*LABELS, "--name", "Our People"), "is no short name"),
        ((*LABELS, "--name", "london"), "is the name of Face Research Lab London Set v5"),
        ((*LABELS, "--minors", "some"), "found 'some'"),
        ((*LABELS, "--signed-off-on", "2026-02-30"), "'2026-02-30' is no day"),
        ((*LABELS, "--consent", "@nothing.txt"), "cannot be read"),
        ((*LABELS, "--by", "height"), "'height' is not described"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    mine: Callable[..., Result], tmp_path: Path, options: tuple[str, ...], text: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert text in error(mine(*options, "--no-ask"))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_mistake_in_the_table_is_named_by_its_row(mine: Callable[..., Result], tmp_path: Path) -> None:
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = list(csv.reader(stream))

    def wrong(row: int, column: int, value: str) -> str:
        changed = [list(cells) for cells in rows]
        changed[row][column] = value
        table(tmp_path / "table.csv", [header, *changed])
        return error(mine(*LABELS))

    assert "row 3: no such image: 'nothing.webp'" in wrong(1, 0, "nothing.webp")
    assert "does not stay inside the folder" in wrong(1, 0, "../table.csv")
    assert "stands in row 2 too" in wrong(1, 0, rows[0][0])
    assert "has 'male' here and 'female' in row 2" in wrong(1, 2, "male")
    assert "is no number" in wrong(1, 3, "old")
    assert "is empty" in wrong(1, 1, "")
    (tmp_path / "pictures" / "notes.txt").write_text("x")
    assert "has no image's name" in wrong(1, 0, "notes.txt")
    table(tmp_path / "table.csv", [["a", "b", *header[2:]], *rows])
    assert "has none of the usual names" in error(mine(*LABELS))
    (tmp_path / "table.csv").write_text("filename;person;sex\na.webp;1;x\n", encoding="utf-8")
    assert "row 1: cells are parted by ';'. Save the table with commas" in error(mine(*LABELS))
    table(tmp_path / "table.csv", [["path", "file", *header[2:]], *rows])
    assert "could be any of path, file" in error(mine(*LABELS))
    many = [["path", "subject", "score"], *([cells[0], f"p{k}", str(k)] for k, cells in enumerate(rows))]
    for k in range(3):
        shutil.copyfile(tmp_path / "pictures" / rows[0][0], tmp_path / "pictures" / f"copy{k}.webp")
        many.append([f"copy{k}.webp", f"q{k}", str(k + 100)])
    table(tmp_path / "table.csv", many)
    assert "holds 15 different numbers. Give bin edges" in error(mine("--attribute", "score=measured"))


def test_a_refused_set_is_not_described_anew(mine: Callable[..., Result], tmp_path: Path) -> None:
    assert isinstance(mine(*LABELS, "--title", "Faces of LFW").exception, Refused)
    assert isinstance(mine(*LABELS, "--minors", "yes").exception, Refused)
    refused = tmp_path / "CelebA"
    shutil.copytree(tmp_path / "pictures", refused)
    assert isinstance(mine(*LABELS, "--images", str(refused)).exception, Refused)
    (tmp_path / "plain").symlink_to(refused)
    assert isinstance(mine(*LABELS, "--images", str(tmp_path / "plain")).exception, Refused)
    shutil.copyfile(tmp_path / "table.csv", tmp_path / "fairface_label_val.csv")
    assert isinstance(mine(*LABELS, "--table", str(tmp_path / "fairface_label_val.csv")).exception, Refused)
    assert not (tmp_path / "ours").exists()
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = list(csv.reader(stream))
    for who, cells in zip(("Ann_Other", "Bo_Dy"), rows, strict=False):
        (tmp_path / "pictures" / who).mkdir()
        shutil.copyfile(tmp_path / "pictures" / cells[0], tmp_path / "pictures" / who / f"{who}_0001.jpg")
        cells[0] = f"{who}/{who}_0001.jpg"
    table(tmp_path / "table.csv", [header, *rows])
    assert isinstance(mine(*LABELS).exception, Refused)
    assert not (tmp_path / "ours").exists()
