"""deepface's networks: made by its own builders from checked tensors, and their numbers are the library's own."""

from __future__ import annotations

import json
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import deepface_files
import numpy as np
import pytest
import stand_in_weights
import torch
from deepface.modules import detection
from deepface_says import by_deepface
from PIL import Image

from audit.errors import ModelError
from audit.models import deepface_family, deepface_networks
from audit.models.card import InputSpec
from audit.models.deepface_networks import ANALYSERS, NETWORKS
from audit.models.detect import Face

COMPARED = ["DeepID", "DeepFace", "OpenFace", "ArcFace", "GhostFaceNet", "Facenet512", "VGG-Face", "Race"]


def base(name: str, **changes: object) -> InputSpec:
    width, height = {**NETWORKS, **ANALYSERS}[name].shape
    values = {
        "size": (width, height),
        "colour": "BGR",
        "mean": (0, 0, 0),
        "deviation": (255, 255, 255),
        "layout": "NHWC",
        "alignment": "box",
    }
    return InputSpec.model_validate({**values, **changes})


def by_us(name: str, path: Path, crops: np.ndarray, **changes: object) -> np.ndarray:
    torch.set_num_threads(1)
    client = deepface_networks.build({**NETWORKS, **ANALYSERS}[name], path, path.read_bytes())
    prepare = deepface_family.preparer(base(name, **changes))
    say = client.predict if name in ANALYSERS else client.forward
    return np.array([np.atleast_1d(say(prepare(crop))) for crop in crops], np.float64).reshape(len(crops), -1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """deepface's home folder, with weights under the names that it looks for."""
    folder = tmp_path_factory.mktemp("deepface-home")
    (folder / ".deepface" / "weights").mkdir(parents=True)
    return folder


def placed(home: Path, name: str, which: int = 0) -> Path:
    path = home / ".deepface" / "weights" / {**NETWORKS, **ANALYSERS}[name].files[which]
    return path if path.exists() else deepface_files.write(name, path)


@pytest.fixture(scope="module")
def crops(shared: Path) -> np.ndarray:
    """Two people, not square."""
    folder = shared / "benchmarks" / "london" / "neutral_front"
    boxes = (400, 300, 950, 1010)
    found = [Image.open(folder / f"{one}_03.jpg").convert("RGB").crop(boxes) for one in ("001", "004")]
    return np.stack([np.asarray(one) for one in found])


def test_templates_are_the_librarys_own(home: Path, crops: np.ndarray) -> None:
    paths = {name: placed(home, name) for name in COMPARED}
    wanted = by_deepface("pytorch", home, crops[:1], *COMPARED)
    for name, path in paths.items():
        found = by_us(name, path, crops[:1])
        scale = np.abs(wanted[name]).max()
        assert np.abs(found - wanted[name]).max() <= 1e-5 * max(1, scale), name
        assert found.std() > 1e-4 * scale, name


@pytest.mark.parametrize(
    ("normalization", "mean", "deviation"),
    [
        ("raw", (0, 0, 0), (1, 1, 1)),
        ("Facenet2018", (127.5,) * 3, (127.5,) * 3),
        ("ArcFace", (127.5,) * 3, (128,) * 3),
        ("VGGFace", (93.5940, 104.7624, 129.1863), (1, 1, 1)),
        ("VGGFace2", (91.4953, 103.8827, 131.0912), (1, 1, 1)),
    ],
)
def test_a_card_states_deepfaces_normalisations_in_numbers(
    crops: np.ndarray, normalization: str, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> None:
    from deepface.modules import preprocessing  # noqa: PLC0415 - the reference

    bgr = np.ascontiguousarray(crops[0][..., ::-1])
    wanted = preprocessing.normalize_input(preprocessing.resize_image(bgr, (55, 47)), normalization)
    found = deepface_family.preparer(base("DeepID", mean=mean, deviation=deviation))(crops[0])
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() <= 1e-4


def test_keras_file_of_deepid_fills_the_same_network(home: Path, crops: np.ndarray) -> None:
    by_torch = by_us("DeepID", placed(home, "DeepID"), crops)
    by_keras = by_us("DeepID", placed(home, "DeepID", 1), crops)
    assert np.array_equal(by_torch, by_keras)


def test_keras_file_of_deepid_gives_what_tensorflow_gives(home: Path, crops: np.ndarray) -> None:
    if find_spec("tensorflow") is None:
        pytest.skip("a third witness, where TensorFlow is installed")
    path = placed(home, "DeepID", 1)
    wanted = by_deepface("tensorflow", home, crops, "DeepID")["DeepID"]
    assert np.abs(by_us("DeepID", path, crops) - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_keras_file_of_deepid_by_hand(home: Path, crops: np.ndarray) -> None:
    """The network as its figure has it, channels last as in Keras, in numpy: a witness that no library shares."""
    import h5py  # noqa: PLC0415

    path = placed(home, "DeepID", 1)
    with h5py.File(path) as file:
        held = {name: (file[name][name]["kernel:0"][()], file[name][name]["bias:0"][()]) for name in _LAYERS}
    fed = deepface_family.preparer(base("DeepID"))(crops[0])[0].astype(np.float64)
    assert np.abs(by_us("DeepID", path, crops[:1])[0] - _deepid(fed, held)).max() <= 1e-5 * 10


_LAYERS = ("Conv1", "Conv2", "Conv3", "Conv4", "fc11", "fc12")


def _deepid(picture: np.ndarray, held: dict[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    def convolved(x: np.ndarray, layer: str) -> np.ndarray:
        kernel, bias = held[layer]
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(0, 1))
        return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel.astype(np.float64)) + bias, 0)

    def pooled(x: np.ndarray) -> np.ndarray:
        height, width = x.shape[0] // 2, x.shape[1] // 2
        return x[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).max(axis=(1, 3))

    x = picture
    for layer in ("Conv1", "Conv2", "Conv3"):
        x = pooled(convolved(x, layer))
    sums = [values.reshape(-1) @ held[layer][0] + held[layer][1] for layer, values in
            (("fc11", x), ("fc12", convolved(x, "Conv4")))]  # fmt: skip
    return np.maximum(sums[0] + sums[1], 0)


def test_building_reaches_no_network_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise AssertionError("deepface reached for the network")

    path = deepface_files.write("DeepID", tmp_path / "own.pth")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path / "deepface-home"))
    monkeypatch.setattr(socket, "socket", unreachable)
    before, random, loaded = dict(os.environ), torch.random.get_rng_state(), set(sys.modules)
    deepface_networks.build(NETWORKS["DeepID"], path, path.read_bytes())
    assert dict(os.environ) == before
    assert torch.equal(torch.random.get_rng_state(), random)
    assert [one.name for one in tmp_path.iterdir()] == ["own.pth"]
    assert "tensorflow" not in set(sys.modules) - loaded
    assert capfd.readouterr() == ("", "")


def test_a_downloader_that_a_builder_would_call_is_never_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import gdown  # noqa: PLC0415 - what deepface downloads with

    monkeypatch.setattr(gdown, "download", lambda *_, **__: pytest.fail("a download"))
    path = tmp_path / "own.pth"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="does not hold the weights of deepface's DeepId"):
        deepface_networks.build(NETWORKS["DeepID"], path, path.read_bytes())


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89HDF\r\n\x1a\n" + bytes(100)])
@pytest.mark.parametrize("suffix", [".pth", ".h5"])
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"own{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        deepface_networks.build(NETWORKS["DeepID"], path, content)


def test_a_keras_file_of_another_network_is_refused(tmp_path: Path) -> None:
    import h5py  # noqa: PLC0415

    path = tmp_path / "own.h5"
    with h5py.File(path, "w") as file:
        file.create_group("Conv1").create_dataset("Conv1/kernel:0", data=np.zeros((4, 4, 3, 20), np.float32))
    with pytest.raises(ModelError, match="has no kernel of the layer Conv2"):
        deepface_networks.build(NETWORKS["DeepID"], path, path.read_bytes())


def test_a_keras_file_reads_nothing_from_other_files(tmp_path: Path) -> None:
    """Links and external storage of HDF5 reach beyond the bytes whose digest was checked."""
    import h5py  # noqa: PLC0415

    other = deepface_files.write("DeepID", tmp_path / "other.h5")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        for layer in _LAYERS:
            file[layer] = h5py.ExternalLink(str(other), f"/{layer}")
    shapes = {"Conv1": (4, 4, 3, 20)}
    with h5py.File(tmp_path / "stored.h5", "w") as file, h5py.File(other) as held:
        for layer in _LAYERS:
            if layer not in shapes:
                held.copy(layer, file)
        group = file.create_group("Conv1/Conv1")
        group["bias:0"] = held["Conv1/Conv1/bias:0"][()]
        raw = tmp_path / "raw"
        held["Conv1/Conv1/kernel:0"][()].tofile(raw)
        size = raw.stat().st_size
        group.create_dataset("kernel:0", shape=shapes["Conv1"], dtype="f4", external=[(str(raw), 0, size)])
    for name in ("linked.h5", "stored.h5"):
        path = tmp_path / name
        with pytest.raises(ModelError, match="has no kernel of the layer Conv1"):
            deepface_networks.build(NETWORKS["DeepID"], path, path.read_bytes())


def test_safetensors_hold_the_same_names(tmp_path: Path, crops: np.ndarray) -> None:
    made = deepface_files.state("DeepID")
    header, body = {}, b""
    for key, value in made.items():
        raw = value.contiguous().numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    (tmp_path / "own.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)
    deepface_files.write("DeepID", tmp_path / "own.pth")
    found = [by_us("DeepID", tmp_path / f"own.{suffix}", crops[:1]) for suffix in ("safetensors", "pth")]
    assert np.array_equal(*found)


def test_sface_is_its_onnx_file_fed_by_deepface(tmp_path: Path, crops: np.ndarray) -> None:
    """What OpenCV feeds it with: RGB, 0 to 255, channels first; deepface cuts fractions off on the way."""
    import onnxruntime  # noqa: PLC0415

    path = tmp_path / "own.onnx"
    path.write_bytes(stand_in_weights.network(112, 112, 128))
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    square = np.asarray(Image.fromarray(crops[0]).resize((112, 112)))
    (wanted,) = session.run(None, {"face": square.transpose(2, 0, 1)[np.newaxis].astype(np.float32)})
    found = by_us("SFace", path, square[np.newaxis])
    assert found.shape == (1, 128)
    assert np.abs(found - wanted).max() < 0.01 * np.abs(wanted).max()


def test_deepfaces_own_way_to_cut_out_a_face_levels_the_eyes(crops: np.ndarray) -> None:
    picture = np.asarray(Image.fromarray(crops[0]).rotate(20, resample=Image.Resampling.BICUBIC))
    points = np.array([[180.0, 380], [370, 311], [275, 420], [250, 520], [370, 480]])
    face = Face(np.array([90.0, 150, 470, 640]), points, 1.0, 1)
    cut = deepface_family.level_eyes()(picture, face)
    region = deepface_networks.library("deepface.models.Detector").FacialAreaRegion(
        x=90, y=150, w=380, h=490, left_eye=(370, 311), right_eye=(180, 380)
    )
    wanted = detection.extract_face(region, picture, True, 0, 0, 0, "any").img
    assert np.array_equal(cut, wanted)
    assert not np.array_equal(cut, picture[150:640, 90:470])


def test_a_box_outside_the_picture_gives_no_crop() -> None:
    face = Face(np.array([-50.0, -50, -10, -10]), np.zeros((5, 2)), 1.0, 1)
    with pytest.raises(ValueError, match="outside"):
        deepface_family.level_eyes()(np.zeros((20, 20, 3), np.uint8), face)
