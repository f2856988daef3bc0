"""Bad input is normal: a collection with every kind of broken image is audited; each is a counted outcome."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from london_run import Run, faceaudit
from made_up import describe
from PIL import Image

from audit.record import EvaluationRecord, read

pytestmark = pytest.mark.london
WOMEN, MEN = ("001", "002", "003"), ("004", "005", "018")


def truncated(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:60_000])


def text(source: Path, target: Path) -> None:
    target.write_text("<html>404 Not Found</html>")


def empty(source: Path, target: Path) -> None:
    target.write_bytes(b"")


def bomb(source: Path, target: Path) -> None:
    Image.new("L", (20_000, 20_000)).save(target, "PNG")


def faceless(source: Path, target: Path) -> None:
    noise = np.random.default_rng(0).integers(90, 160, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(target, "JPEG")


def cmyk(source: Path, target: Path) -> None:
    Image.open(source).convert("CMYK").save(target, "JPEG", quality=95)


def grey16(source: Path, target: Path) -> None:
    grey = np.asarray(Image.open(source).convert("L"), dtype=np.uint16) * 257
    Image.fromarray(grey).save(target, "PNG")


def rotated(source: Path, target: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    Image.open(source).transpose(Image.Transpose.ROTATE_90).save(target, "JPEG", quality=95, exif=exif)


def two_faces(source: Path, target: Path) -> None:
    image = Image.open(source)
    wide = Image.new("RGB", (image.width + image.width // 2, image.height), "white")
    wide.paste(image, (0, 0))
    wide.paste(image.resize((image.width // 2, image.height // 2)), (image.width, 0))
    wide.save(target, "JPEG", quality=95)


def missing(source: Path, target: Path) -> None:
    """No file is written."""


FAIL: dict[Callable[[Path, Path], None], tuple[str, str]] = {
    truncated: ("decode", "trunc"),
    text: ("decode", ""),
    empty: ("decode", ""),
    bomb: ("decode", "large"),
    faceless: ("detect", "no face"),
    missing: ("read", "missing"),
}
WORK = (cmyk, grey16, rotated, two_faces)


@pytest.fixture(scope="module")
def folder(london: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people with two good images each; further images of them broken in every way."""
    root = tmp_path_factory.mktemp("hostile") / "own"
    (root / "images").mkdir(parents=True)
    rows = ["sample_id,path,subject_id"]
    people = [*WOMEN, *MEN]
    for person in people:
        for kind, suffix in (("neutral_front", "03"), ("smiling_front", "08")):
            name = f"{person}_{suffix}.jpg"
            shutil.copy(london / kind / name, root / "images" / name)
            rows.append(f"s{person}{suffix},images/{name},{person}")
    for number, spoil in enumerate([*FAIL, *WORK]):
        person = people[number % 6]
        spoil(london / "neutral_front" / f"{person}_03.jpg", root / "images" / f"{spoil.__name__}.jpg")
        rows.append(f"x{number},images/{spoil.__name__}.jpg,{person}")
    (root / "images" / "nobody_in_the_table.jpg").write_bytes(b"extra")
    (root / "samples.csv").write_text("\n".join(rows) + "\n")
    lines = [f"{person},{'female' if person in WOMEN else 'male'},NA,30" for person in reversed(people)]
    lines.insert(0, "nobody,female,NA,30")
    (root / "subjects.csv").write_text("subject_id,gender,origin,age\n" + "\n".join(lines) + "\n")
    descriptor = describe(root)
    for spoil in (missing,):
        descriptor["distribution"].append(
            {
                "@type": "cr:FileObject",
                "@id": f"images/{spoil.__name__}.jpg",
                "name": f"{spoil.__name__}.jpg",
                "contentUrl": f"images/{spoil.__name__}.jpg",
                "encodingFormat": "image/jpeg",
                "sha256": "0" * 64,
            }
        )
    (root / "croissant.json").write_text(json.dumps(descriptor))
    return root


@pytest.fixture(scope="module")
def audited(folder: Path, london_env: dict[str, str]) -> tuple[Run, EvaluationRecord]:
    run = faceaudit(
        "run", "--benchmark", folder, "--model", "dlib", "--by", "gender", "--fmr", "0.05", "--json",
        "--out", folder.parent / "results", env=london_env, cwd=folder.parent,
    )  # fmt: skip
    assert run.code == 0, run.stderr
    return run, read(Path(run.evaluations[0]["record"]))


def test_every_image_is_a_template_or_a_counted_failure(audited: tuple[Run, EvaluationRecord]) -> None:
    _, record = audited
    assert record.samples.total == 12 + len(FAIL) + len(WORK)
    whole = next(row for row in record.acquisition if not row.group and row.stage is None)
    assert (whole.failures, whole.samples) == (len(FAIL), record.samples.total)
    assert whole.value == pytest.approx(len(FAIL) / record.samples.total)
    kinds = [row for row in record.acquisition if not row.group and row.stage]
    assert sum(row.failures for row in kinds) == len(FAIL)
    for stage, word in FAIL.values():
        assert any(row.stage == stage and word in row.reason.lower() for row in kinds), (stage, word, kinds)


def test_failures_enter_the_generalised_rates_and_the_warnings(audited: tuple[Run, EvaluationRecord]) -> None:
    run, record = audited
    at = {r.metric: r for r in record.rates if not r.group and r.operating_point in (None, "global-fmr-0.05")}
    fta = at["FTA"].value
    assert at["FRR"].value == pytest.approx(fta + at["FNMR"].value * (1 - fta))
    assert at["FAR"].value == pytest.approx(at["FMR"].value * (1 - fta))
    assert any(f"{len(FAIL)} of {record.samples.total} images could not be processed" in w for w in record.warnings)
    assert record.samples.several_faces == 1
    assert run.evaluations[0]["failures"] == len(FAIL)


def test_unusual_but_sound_images_are_recognised_as_their_person(audited: tuple[Run, EvaluationRecord]) -> None:
    """CMYK, 16-bit grey, EXIF rotation, a second face: every mated comparison of these is accepted at the threshold."""
    _, record = audited
    fnmr = next(r for r in record.rates if r.metric == "FNMR" and not r.group and r.view == "conditional")
    assert fnmr.trials > 6
    assert fnmr.errors == 0


def test_a_person_without_a_sample_is_noted_and_not_counted(audited: tuple[Run, EvaluationRecord]) -> None:
    """Rows of people stand in another order than their samples, and one has none."""
    _, record = audited
    assert record.samples.subjects == 6
    assert "1 people of the table have no sample; they are not counted." in record.warnings
    by = {row.group.get("gender"): (row.subjects, row.samples) for row in record.samples.by_group}
    assert by == {None: (6, 22), "female": (3, 12), "male": (3, 10)}


def test_another_label_is_another_evaluation(folder: Path, london_env: dict[str, str], tmp_path: Path) -> None:
    """The same images and plan with one label changed: the finished record does not answer."""
    other = tmp_path / "own"
    shutil.copytree(folder, other)
    command = ["run", "--benchmark", other, "--model", "dlib", "--by", "gender", "--fmr", "0.05", "--json"]
    first = faceaudit(*command, env=london_env, cwd=tmp_path)
    table = other / "subjects.csv"
    table.write_text(table.read_text().replace("001,female", "001,male"))
    second = faceaudit(*command, env=london_env, cwd=tmp_path)
    assert [run.evaluations[0]["reused"] for run in (first, second)] == [False, False], second.stderr
    women = [read(tmp_path / run.evaluations[0]["record"]).samples.by_group[1] for run in (first, second)]
    assert women[1].subjects == 2


def test_an_extra_file_is_noted_without_its_name(audited: tuple[Run, EvaluationRecord]) -> None:
    _, record = audited
    assert any("file" in note and "row" in note for note in record.warnings), record.warnings
    assert not any("nobody_in_the_table" in note for note in record.warnings)


def test_a_changed_image_is_refused_by_its_digest(folder: Path, london_env: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "own"
    shutil.copytree(folder, other)
    with (other / "images" / "001_03.jpg").open("ab") as stream:
        stream.write(b"x")
    run = faceaudit("run", "--benchmark", other, "--model", "dlib", env=london_env, cwd=tmp_path)
    assert run.code == 2
    assert "001_03.jpg" in run.stderr
    assert "SHA-256" in run.stderr
    assert run.stderr.count("\n") == 1
