"""Measured skin tone through the whole product: against what was rendered, and on real people."""

from __future__ import annotations

import csv
import dataclasses
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from audit import benchmarks, cli, measured
from audit.domain import Benchmark, Withdrawals
from audit.errors import ModelError
from audit.models.card import Detection
from audit.plan import RunOptions
from audit.record import read
from audit.report import render

ROOT = Path(__file__).resolve().parents[1]
USUAL = Detection(working_size=682, smallest_face=40, several_faces="largest")
run = partial(CliRunner(env={"COLUMNS": "120"}).invoke, cli.app)


def some(loaded: Benchmark, people: int, kept: object) -> Benchmark:
    """Every so many-th person, and the samples that `kept` takes."""
    subjects = loaded.subjects[:: len(loaded.subjects) // people][:people]
    names = {subject.subject_id for subject in subjects}
    samples = tuple(one for one in loaded.samples if one.subject_id in names and kept(one))  # type: ignore[operator]
    return dataclasses.replace(loaded, subjects=subjects, samples=samples)


def test_it_finds_the_tone_that_people_were_rendered_with() -> None:
    """Studio light shows the chosen angle, and hard light does not: that is what the spread is for."""
    loaded = benchmarks.load("synthetic")

    def found(view: str) -> tuple[np.ndarray, measured.Tones]:
        part = some(loaded, 16, lambda sample: sample.conditions["view"] == view)
        tones = measured.measure(part, part.subjects, USUAL, RunOptions())
        chosen = {one.subject_id: float(one.attributes["ita"][0]) for one in part.subjects}
        return np.array([[chosen[one.subject_id], one.degrees] for one in tones.people]), tones

    studio, tones = found("studio")
    assert len(studio) == 16
    assert np.corrcoef(studio.T)[0, 1] > 0.995
    assert abs(studio[:, 1] - studio[:, 0]).max() < 7
    assert abs((studio[:, 1] - studio[:, 0]).mean()) < 3
    assert tones.summary().image_spread is None
    outdoors, _ = found("outdoors")
    assert np.std(outdoors[:, 1] - outdoors[:, 0]) > 3 * np.std(studio[:, 1] - studio[:, 0])


@pytest.mark.london
def test_neutral_landmarks_of_people_agree_with_those_of_the_detector(london: Path) -> None:
    """A second witness: faces aligned by the two pupils that people marked (points 0 and 1 of a .tem file)."""
    from PIL import Image  # noqa: PLC0415 - of this test alone

    from audit.models import align  # noqa: PLC0415 - as above
    from audit.models.tone import meter  # noqa: PLC0415 - as above
    from audit.skin import regions  # noqa: PLC0415 - as above

    find = meter(USUAL).make()
    pairs = []
    for path in sorted((london / "neutral_front").glob("*.tem"))[::26]:
        lines = path.read_text(encoding="ascii").splitlines()
        pupils = np.array([[float(number) for number in line.split()] for line in lines[1:3]])
        image = np.asarray(Image.open(path.with_suffix(".jpg")).convert("RGB"))
        # Two points fix a similarity transform: the other three follow from the template.
        template = align.ARCFACE
        matrix = align.similarity(template[:2], pupils)
        points = template @ matrix[:, :2].T + matrix[:, 2]
        by_hand = regions.measure(align.crop(image, points, regions.SIDE))
        assert isinstance(by_hand, regions.Tone)
        pairs.append((by_hand.degrees, float(np.asarray(find(image))[0])))
    hand, ours = np.array(pairs).T
    assert len(pairs) == 4
    assert abs(hand - ours).max() < 6
    assert np.corrcoef(hand, ours)[0, 1] > 0.99


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Eight rendered people, two pictures each, as a benchmark without the tone they were made with."""
    source = ROOT / "benchmarks" / "synthetic"
    with (source / "subjects.csv").open(encoding="utf-8", newline="") as stream:
        people = sorted(csv.DictReader(stream), key=lambda row: float(row["ita"]))
    rows = [["file", "person", "gender"]]
    for person in people[::46]:
        rows += [
            [f"{person['subject_id']}-{view}.webp", person["subject_id"], person["gender"]]
            for view in ("studio", "indoors")
        ]
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    answers = {
        "title": "Eight", "organisation": "We", "consent": "Nobody real.", "consent-source": "here",
        "signed-off-by": "A", "signed-off-on": "2026-01-01", "evaluation": "allowed",
        "biometric": "allowed", "commercial": "allowed",
        "minors": "no", "withdrawal": "none", "licence": "CC0", "collection": "rendered", "url": "here",
        "citation": "none", "published": "2026",
    }  # fmt: skip
    given = [f"--{key}={text}" for key, text in answers.items()]
    inputs = ["--images", str(source / "images"), "--table", str(tmp_path / "table.csv")]
    made = run(
        ["benchmarks", "new", str(tmp_path / "eight"), *inputs, "--attribute", "gender=assigned-by-design", *given]
    )
    assert made.exit_code == 0, made.output
    return tmp_path / "eight"


def test_an_audit_groups_by_what_it_measured_and_says_how_sure_it_is(small: Path, tmp_path: Path) -> None:
    options = ["--model", "dlib", "--by", "measured_ita", "--fmr", "0.1", "--json", "--out", str(tmp_path / "results")]
    result = run(["run", "--benchmark", str(small), *options])
    assert result.exit_code == 0, result.output
    (evaluation,) = json.loads(result.stdout)["evaluations"]
    record = read(Path(evaluation["record"]))
    part = record.benchmark.attributes["measured_ita"]
    assert part.provenance == "measured"
    assert "other light moves it" in part.note
    assert "not a person's race" in part.note
    assert measured.LIMIT in record.limits
    assert part.measurement is not None
    assert (part.measurement.people, part.measurement.without, part.measurement.images) == (8, 0, 16)
    assert part.measurement.image_spread is not None
    groups = {rate.group["measured_ita"] for rate in record.rates if set(rate.group) == {"measured_ita"}}
    assert {"under -30", "55 and over"} <= groups
    page = render(record, tmp_path / "page")[0].read_text(encoding="utf-8")
    assert "Measured of 8 people in 16 pictures" in page
    assert "other light moves it" in page
    assert "p001" not in page

    table = tmp_path / "tone.csv"
    result = run(["benchmarks", "measure", str(small), "--by", "gender", "--out", str(table)])
    assert result.exit_code == 0, result.output
    assert "Measured of 8 people in 16 pictures" in " ".join(result.stdout.split())
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    assert {row["band"] for row in rows} >= {"dark", "very light"}
    assert table.stat().st_mode & 0o077 == 0
    shown = json.loads(run(["benchmarks", "measure", str(small), "--json"]).stdout)
    assert sum(shown["bands"].values()) == 8
    assert rows[0]["subject_id"] not in json.dumps(shown)
    assert "has no such attribute" in str(run(["benchmarks", "measure", str(small), "--by", "age"]).exception)


def test_people_of_whom_nothing_was_measured_have_no_label(small: Path) -> None:
    loaded = benchmarks.load(str(small))
    gone = loaded.subjects[0].subject_id
    samples = tuple(
        dataclasses.replace(one, path=one.path.with_name("gone.webp")) if one.subject_id == gone else one
        for one in loaded.samples
    )
    broken = dataclasses.replace(loaded, samples=samples)
    tones = measured.measure(broken, broken.subjects, USUAL, RunOptions())
    assert (len(tones.people), tones.without, len(tones.failures)) == (7, 1, 2)


def _without(loaded: Benchmark, gone: str) -> Benchmark:
    """The benchmark once a person's rows and pictures are deleted and the list has her."""
    return dataclasses.replace(
        loaded,
        subjects=tuple(one for one in loaded.subjects if one.subject_id != gone),
        samples=tuple(one for one in loaded.samples if one.subject_id != gone),
        withdrawn=Withdrawals(1, "2026-03-01", "d"),
    )


def test_a_measurement_is_of_somebody_and_goes_with_her(small: Path, tmp_path: Path) -> None:
    """Also where nothing but the tone was ever asked for, and her rows are deleted by then."""
    loaded = benchmarks.load(str(small))
    options = RunOptions(cache=tmp_path / "cache")
    measured.measure(loaded, loaded.subjects, USUAL, options)

    def kept() -> set[str]:
        return {path.stem for path in (tmp_path / "cache").rglob("*.outcome")}

    assert len(kept()) == 16
    gone = loaded.subjects[3].subject_id
    theirs = {str(one.sha256) for one in loaded.samples if one.subject_id == gone}
    assert theirs < kept()
    tones = measured.measure(_without(loaded, gone), loaded.subjects[:1], USUAL, options)
    assert len(tones.people) == 1
    assert len(kept()) == 14
    assert not theirs & kept()


def test_it_is_deleted_at_once_where_the_terms_ask_for_it(small: Path, tmp_path: Path) -> None:
    loaded = dataclasses.replace(benchmarks.load(str(small)), delete_templates=True)
    options = RunOptions(cache=tmp_path / "cache")
    assert len(measured.measure(loaded, loaded.subjects[:2], USUAL, options).people) == 2
    assert len(list((tmp_path / "cache").rglob("*.outcome"))) == 4, "a run deletes at its end"
    assert len(measured.measure(loaded, loaded.subjects[:2], USUAL, options, last=True).people) == 2
    assert list((tmp_path / "cache").rglob("*.outcome")) == []


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.models import tone  # noqa: PLC0415 - of this test alone

    def absent(name: str) -> str:
        raise tone.PackageNotFoundError(name)

    monkeypatch.setattr(tone, "version", absent)
    with pytest.raises(ModelError, match=r"scikit-image is not installed. pip install 'faceaudit\[skin\]'"):
        tone.meter(USUAL)
