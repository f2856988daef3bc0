"""Marked boxes in place of a detector: read, used, part of every key, and refused where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import describe
from PIL import Image

from audit import benchmarks, models
from audit.domain import FaceModel, FailureToAcquire, Picture, Sample, Template
from audit.errors import DataError, PlanError
from audit.extract import extract, hash_samples
from audit.inputs import admit
from audit.models import align
from audit.models.detect import Detector, Face, Marked, finder
from audit.plan import RunOptions, make
from audit.store import TemplateStore

PLAN = make({"benchmark": "b", "model": "dlib", "detector": "truth"})
HEAD = "sample_id,path,subject_id,box_left,box_top,box_width,box_height\n"


@pytest.fixture
def own(tmp_path: Path, shared: Path) -> Callable[[str], Path]:
    """A benchmark of two pictures of one person, with the cells of both boxes as given."""

    def collection(table: str) -> Path:
        folder = tmp_path / "own"
        (folder / "images").mkdir(parents=True)
        for k in (1, 2):
            source = shared / "benchmarks/cc0_fixture" / f"lisa_lisa{k}.jpg"
            (folder / "images" / f"{k}.jpg").write_bytes(source.read_bytes())
        (folder / "samples.csv").write_text(table)
        (folder / "subjects.csv").write_text("subject_id,gender,origin,age\np,female,NA,30\n")
        (folder / "croissant.json").write_text(json.dumps(describe(folder)))
        return folder

    return collection


def rows(first: str, second: str) -> str:
    return f"{HEAD}a,images/1.jpg,p,{first}\nb,images/2.jpg,p,{second}\n"


def test_a_box_is_read_and_may_be_missing(own: Callable[[str], Path]) -> None:
    one, two = benchmarks.load(str(own(rows("10,20.5,100,120", ",,,")))).samples
    assert one.box == (10.0, 20.5, 110.0, 140.5)
    assert two.box is None
    assert one.conditions == {}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows("10,20,0,120", ",,,"), "row 2, column 'box_width': '0' is no side of a box"),
        (rows("10,20,5,120", "x,1,1,1"), "row 3, column 'box_left': 'x' is no side of a box"),
        (rows("10,20,5,120", "1,,1,1"), "row 3, column 'box_top': '' is no side of a box"),
        ("sample_id,path,subject_id,box_left\na,images/1.jpg,p,1\n", "has no column box_top, box_width, box_height"),
    ],
)
def test_half_a_box_is_refused(own: Callable[[str], Path], table: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        benchmarks.load(str(own(table)))


def test_a_benchmark_without_boxes_is_refused_before_an_image_is_read(
    own: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = own(rows(",,,", ",,,"))
    plan = PLAN.model_copy(update={"benchmark": str(folder)})
    with pytest.raises(PlanError, match="has no marked boxes"):
        admit(plan, RunOptions(out=tmp_path / "out"))


def test_a_model_that_needs_landmarks_is_refused_where_only_boxes_are_marked(
    own: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = own(rows("10,20,100,120", ",,,"))
    plan = PLAN.model_copy(update={"benchmark": str(folder), "alignment": "arcface"})
    with pytest.raises(PlanError, match=r'landmarks, and .* marked boxes alone. Add alignment = "box"'):
        admit(plan, RunOptions(out=tmp_path / "out"))


def test_marks_count_where_they_are_asked_for_alone(own: Callable[[str], Path], tmp_path: Path) -> None:
    """A detector's templates and digests are the same whether or not a box is marked."""
    folder = own(rows("10,20,100,120", ",,,"))
    seen = {}
    for name in ("mtcnn", "truth"):
        plan = PLAN.model_copy(update={"benchmark": str(folder), "detector": name})
        seen[name] = [sample.box for sample in admit(plan, RunOptions(out=tmp_path / "out"))[0].samples]
    assert seen == {"mtcnn": [None, None], "truth": [(10.0, 20.0, 110.0, 140.0), None]}


def test_a_face_with_a_box_and_without_the_landmarks_that_are_needed_is_a_failure() -> None:
    picture = Picture(np.zeros((50, 50, 3), np.uint8), box=(5.0, 5.0, 40.0, 40.0))
    assert isinstance(Marked().find(picture), Face)
    assert Marked(landmarks=True).find(picture) == FailureToAcquire("detect", "no landmarks are marked")


def test_mtcnns_own_box_given_as_the_truth_gives_the_same_template(shared: Path, tmp_path: Path) -> None:
    """And another box another one, from the same cache; no box is a failure."""
    path = shared / "benchmarks/cc0_fixture/lisa_lisa1.jpg"
    cards = [models.describe("dlib", plan=PLAN.model_copy(update={"detector": name})) for name in ("mtcnn", "truth")]
    assert cards[0].preprocessing != cards[1].preprocessing
    face = Detector(cards[0].detection).find(Picture(np.asarray(Image.open(path).convert("RGB"))))
    assert isinstance(face, Face)
    box = tuple(face.box.tolist())
    third = (box[3] - box[1]) / 3
    lower = (box[0], box[1] + third, box[2], box[3] + third)
    sample = Sample("a", "p", path)
    samples = [replace(sample, sample_id=f"{k}", box=one) for k, one in enumerate((box, lower, None))]
    wanted = models.load(cards[0]).extract([np.asarray(Image.open(path).convert("RGB"))])[0]
    assert isinstance(wanted, Template)
    loaded = []

    def load() -> FaceModel:
        loaded.append(models.load(cards[1]))
        return loaded[-1]

    for _ in range(2):  # computed, then out of the cache
        found = extract(
            samples, cards[1], load, TemplateStore(tmp_path),
            digests=hash_samples(samples),
        )  # fmt: skip
        assert len(loaded) == 1
        assert found.template_index.tolist() == [0, 1]
        assert np.abs(found.templates[0] - wanted.vector).max() < 0.02
        assert np.abs(found.templates[1] - wanted.vector).max() > 0.02
        assert found.failures == {"2": FailureToAcquire("detect", "no box is marked")}


def test_it_is_cut_at_the_box(shared: Path) -> None:
    card = models.describe("dlib", plan=PLAN.model_copy(update={"alignment": "box"}))
    image = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    picture = Picture(image, box=(40.0, 50.0, 240.0, 300.0))
    face = finder(card).find(picture)
    assert isinstance(face, Face)
    crop, _ = models.load(card).crop(picture)
    assert np.array_equal(crop, align.box_crop(image[50:300, 40:240], np.array([0.0, 0, 200, 250]), 150))


@pytest.mark.london
def test_londons_landmarks_lie_where_mtcnn_sees_the_face(london: Path) -> None:
    """Two ways to the same faces: boxes share most of their area, points lie within an eighth of the eyes' distance."""
    marked = [sample for sample in benchmarks.load(str(london)).samples if sample.box][::20]
    detector = Detector(models.describe("dlib", plan=PLAN).detection)
    assert len(marked) == 6
    for sample in marked:
        assert sample.box is not None
        face = detector.find(Picture(np.asarray(Image.open(sample.path).convert("RGB"))))
        assert isinstance(face, Face)
        box = np.array(sample.box)
        common = np.minimum(face.box[2:], box[2:]) - np.maximum(face.box[:2], box[:2])
        both = np.prod(face.box[2:] - face.box[:2]) + np.prod(box[2:] - box[:2]) - np.prod(common)
        assert np.prod(common) / both > 0.8
        points = np.array(sample.points)
        apart = np.linalg.norm(points - face.points, axis=1) / np.linalg.norm(points[1] - points[0])
        assert apart.max() < 1 / 8


@pytest.mark.london
def test_londons_landmarks_align_and_pictures_without_them_are_counted(
    london: Path, shared: Path, tmp_path: Path
) -> None:
    settings = {"benchmark": str(london), "model": "onnx:mobilefacenet.onnx", "limit": 3}
    options = RunOptions(out=tmp_path / "out", data=(shared / "models",))
    vectors = {}
    for detector in ("mtcnn", "truth"):
        benchmark, card, _ = admit(make({**settings, "detector": detector}), options)
        samples = benchmark.samples[:6]
        found = extract(
            samples, card, lambda card=card: models.load(card), TemplateStore(tmp_path), digests=hash_samples(samples)
        )
        vectors[detector] = dict(
            zip([samples[k].sample_id for k in found.template_index], found.templates, strict=True)
        )
    assert found.failures == {f"00{k}_08": FailureToAcquire("detect", "no box is marked") for k in (1, 2, 3)}
    for name, vector in vectors["truth"].items():
        other = vectors["mtcnn"][name]
        assert vector @ other / np.linalg.norm(vector) / np.linalg.norm(other) > 0.9
