"""Cards of face detectors: the table, plug-ins, mistakes, and OpenCV's class for YuNet on a file of its form."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import squares
from onnx import TensorProto, helper, numpy_helper

from audit import plugins
from audit.domain import FaceDetector
from audit.errors import ModelError
from audit.models import detection
from audit.models.detection import networks
from audit.models.detection.card import DetectorInput, DetectorOutput
from audit.models.detection.onnx_boxes import fitted, found
from audit.plan import make

PLAN = make({"benchmark": "b", "model": "mtcnn", "task": "detection", "working_size": 160, "smallest_face": 80})
HERE = [name for name in detection.DETECTION_MODELS if name != "yunet"]


@pytest.mark.parametrize("name", HERE)
def test_every_detector_of_the_table_keeps_the_contract(name: str) -> None:
    card = detection.describe(name, plan=PLAN)
    assert card.name == name
    assert card.training_sets or (card.training_data and card.training_consent)
    assert card.confidence >= card.lowest
    detector = detection.load(card)
    assert isinstance(detector, FaceDetector)
    nothing = detector.detect(np.zeros((160, 120, 3), np.uint8))
    assert nothing.boxes.shape == (0, 5)
    assert (nothing.points is not None) == card.landmarks


def test_two_plans_of_one_detector_have_ids_of_their_own() -> None:
    other = detection.describe("mtcnn", plan=PLAN.model_copy(update={"working_size": 320}))
    assert other.preprocessing != detection.describe("mtcnn", plan=PLAN).preprocessing


def test_weights_that_are_not_here_are_named_with_the_way_to_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="faceaudit models obtain yunet"):
        detection.describe("yunet", data=[tmp_path], plan=PLAN)
    (tmp_path / "face_detection_yunet_2023mar.onnx").write_bytes(b"another file")
    with pytest.raises(ModelError, match="SHA-256"):
        detection.describe("yunet", data=[tmp_path], plan=PLAN)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (('name = "squares"', 'name = "mtcnn"'), "name of a published model"),
        (("confidence = 0.4", "confidence = 0.05"), "lies below lowest"),
        (('training_consent = "nobody is shown"', ""), "training_sets is missing"),
        (("size = [64, 64]", "size = [64]"), "input.size"),
        (("[output]", "[elsewhere]"), "unknown key"),
    ],
)
def test_a_card_with_a_mistake_is_refused_in_one_line(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    name = squares.card(tmp_path)
    path = Path(name.removeprefix("card:"))
    path.write_text(path.read_text().replace(*changed))
    with pytest.raises(ModelError, match=said) as caught:
        detection.describe(name, plan=PLAN)
    assert "\n" not in str(caught.value)


def test_a_detector_of_another_package_is_known_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squares.card(tmp_path)
    site = tmp_path / "site"
    info = site / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "theirs.py").write_text(f"from pathlib import Path\nCARD = Path({str(tmp_path / 'squares.toml')!r})\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.DETECTORS}]\nsquares = theirs:CARD\nmtcnn = theirs:CARD\n")
    monkeypatch.syspath_prepend(str(site))
    assert list(detection.added().entries) == ["squares"]
    assert "'mtcnn'" in detection.added().left_out[0]
    detector = detection.load(detection.describe("squares", plan=PLAN))
    seen = detector.detect(squares.picture(squares.BRIGHT))
    assert seen.boxes[0].tolist() == pytest.approx([16, 16, 32, 32, 1.0])


def test_pictures_of_another_shape_are_padded_or_stretched_and_boxes_go_back() -> None:
    image = np.full((50, 100, 3), 200, np.uint8)
    padded, scale = fitted(image, DetectorInput(size=(64, 64)))
    assert padded.shape == (1, 3, 64, 64)
    assert scale.tolist() == [0.64, 0.64]
    assert (padded[0, 0, :32] == 200).all()
    assert (padded[0, 0, 32:] == 0).all()
    stretched, scale = fitted(image, DetectorInput(size=(64, 64), fit="stretch", layout="NHWC", mean=(200,) * 3))
    assert stretched.shape == (1, 64, 64, 3)
    assert scale.tolist() == [0.64, 1.28]
    assert (stretched == 0).all()


def test_forms_and_units_of_boxes_mean_the_same() -> None:
    fed = DetectorInput(size=(100, 50))
    ways = {
        ("corners", "share"): [[0.1, 0.2, 0.3, 0.6]],
        ("corner-size", "share"): [[0.1, 0.2, 0.2, 0.4]],
        ("centre-size", "share"): [[0.2, 0.4, 0.2, 0.4]],
        ("corners", "pixels"): [[10, 10, 30, 30]],
    }
    for (form, unit), boxes in ways.items():
        said = DetectorOutput(boxes="b", scores="s", column=1, form=form, unit=unit)  # type: ignore[arg-type]
        seen = found({"b": np.array([boxes]), "s": np.array([[[0.1, 0.9]]])}, said, fed, 0.5)
        assert seen.boxes.tolist() == [pytest.approx([10, 10, 30, 30, 0.9])]


def test_doubles_are_suppressed_and_what_is_below_the_lowest_is_not_reported() -> None:
    fed, said = DetectorInput(size=(100, 100)), DetectorOutput(boxes="b", scores="s", unit="pixels")
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 11], [50, 50, 60, 60], [80, 80, 90, 90]], float)
    outputs = {"b": boxes, "s": np.array([0.6, 0.9, 0.7, 0.2])}
    assert found(outputs, said, fed, 0.5).boxes[:, 4].tolist() == [0.9, 0.7]
    both = said.model_copy(update={"suppress": 0.0})
    assert found(outputs, both, fed, 0.5).boxes[:, 4].tolist() == [0.9, 0.7, 0.6]


def yunet_like(path: Path) -> None:
    """A network with the input and outputs of YuNet, which sees one face in the cell at (80, 40), whatever it is shown.

    Its outputs are, at strides 8, 16 and 32, a class score, an objectness, a box and five points a cell.
    """
    width, height = 320, 320
    values, outputs = [], []
    for stride in (8, 16, 32):
        cells = (width // stride) * (height // stride)
        held = {"cls": np.zeros((1, cells, 1)), "obj": np.zeros((1, cells, 1))}
        held |= {"bbox": np.zeros((1, cells, 4)), "kps": np.zeros((1, cells, 10))}
        if stride == 8:
            at = 40 // stride * (width // stride) + 80 // stride
            held["cls"][0, at], held["obj"][0, at] = 1.0, 0.81
            held["bbox"][0, at, 2:] = np.log(4.0)  # four cells wide and tall
        for name, value in held.items():
            values.append((f"{name}_{stride}", value.astype(np.float32)))
    names = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)]
    of = dict(values)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    for name in names:
        nodes.append(helper.make_node("Add", [f"held_{name}", "nothing"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(of[name].shape)))
    held_all = [numpy_helper.from_array(of[name], f"held_{name}") for name in names]
    graph = helper.make_graph(
        nodes,
        "yunet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, height, width])],
        outputs,
        [*held_all, numpy_helper.from_array(np.zeros(1, np.float32), "zero")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def test_yunet_is_read_by_opencvs_class_and_its_numbers_are_taken_apart(tmp_path: Path) -> None:
    from audit.models import weights  # noqa: PLC0415

    path = tmp_path / "yunet.onnx"
    yunet_like(path)
    shipped = detection.published("yunet")
    card = detection.FaceDetectorCard(
        **shipped.model_dump(exclude={"adapter", "revision", "weights", "parts"}),
        revision="made up",
        weights_sha256=weights.digest(path),
        digest_source="the test",
        settings={"working_size": 320, "smallest_face": 40},  # type: ignore[arg-type]
        packages=("pillow",),
        loader="",
        weights=path,
    )
    seen = networks.yunet(card).detect(np.full((320, 320, 3), 90, np.uint8))
    assert seen.boxes.shape == (1, 5)
    left, top, right, bottom, confidence = seen.boxes[0]
    assert (right - left, bottom - top) == pytest.approx((32, 32), abs=0.5)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((80, 40), abs=0.5)
    assert confidence == pytest.approx(0.9, abs=1e-4)
    assert seen.points is not None
    assert seen.points.shape == (1, 5, 2)
    assert dataclasses.is_dataclass(seen)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError):
        networks.yunet(card)
