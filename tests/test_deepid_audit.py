"""DeepID from end to end: a user's own card, its digest, the library's own numbers, and the whole audit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import deepface_files
import numpy as np
import pytest
from deepface_says import by_deepface
from london_run import faceaudit
from PIL import Image

from audit import models
from audit.domain import FailureToAcquire, Picture, Template
from audit.errors import ModelError
from audit.models.deepface_networks import NETWORKS
from audit.plan import make

FILES = dict(zip((".pth", ".h5"), NETWORKS["DeepID"].files, strict=True))


def own(folder: Path, suffix: str, **stated: str) -> Path:
    """A file of DeepID's weights in a published format, and a card of one's own for it."""
    file = deepface_files.write("DeepID", folder / FILES[suffix])
    sha256 = stated.get("sha256", hashlib.sha256(file.read_bytes()).hexdigest())
    name = stated.get("name", "my-deepid")
    card = folder / "my-deepid.toml"
    card.write_text(f'name = "{name}"\nlike = "deepid"\n\n[weights]\nfile = "{file.name}"\nsha256 = "{sha256}"\n')
    return card


def plan(card: Path, **more: str) -> object:
    return make({"benchmark": "b", "model": f"card:{card}", **more})


def test_templates_are_those_of_deepface_for_the_same_crop(tmp_path: Path, shared: Path) -> None:
    """Both published formats and two ways to cut out the face, against deepface's `represent` with torch."""
    home = tmp_path / ".deepface" / "weights"
    home.mkdir(parents=True)
    image = np.asarray(Image.open(shared / "benchmarks/london/neutral_front/001_03.jpg").convert("RGB"))
    templates, crops = [], []
    for suffix, alignment in ((".pth", "box"), (".h5", "box"), (".pth", "arcface")):
        card = own(home, suffix)
        model = models.load(models.describe(f"card:{card}", plan=plan(card, alignment=alignment)))
        (outcome,) = model.extract([image])
        assert isinstance(outcome, Template)
        templates.append(outcome.vector)
        crops.append(model.crop(Picture(image))[0])
    wanted = by_deepface("pytorch", tmp_path, np.stack(crops), "DeepID")["DeepID"]
    assert crops[0].shape == (55, 47, 3)
    assert np.abs(np.stack(templates) - wanted).max() <= 1e-5
    assert np.abs(wanted[0] - wanted[2]).max() > 0.01


@pytest.mark.london
def test_the_whole_audit_of_such_a_model(tmp_path: Path, london_env: dict[str, str], london: Path) -> None:
    card = own(tmp_path, ".h5")
    arguments = ("--benchmark", "london", "--model", f"card:{card.name}", "--limit", "6", "--fmr", "0.1")
    run = faceaudit("run", *arguments, "--by", "gender", "--out", "out", "--json", env=london_env, cwd=tmp_path)
    assert run.code == 0, run.stderr
    (folder,) = (tmp_path / "out" / "london").iterdir()
    sha256 = hashlib.sha256((tmp_path / FILES[".h5"]).read_bytes()).hexdigest()
    assert folder.name == f"my-deepid@{sha256[:12]}"
    (written,) = folder.glob("*/record.json")
    record = json.loads(written.read_text())["model"]
    assert (record["name"], record["weights_sha256"], record["self_declared"]) == ("my-deepid", sha256, True)
    assert record["digest_source"] == "stated in my-deepid.toml"
    assert "deepface" in record["preprocessing_text"]
    report = (written.parent / "report.html").read_text()
    assert "Self-declared weights" in report
    assert "Deep Learning Face Representation from Predicting 10,000 Classes" in report


def test_no_published_name_and_no_run_without_the_digest(tmp_path: Path) -> None:
    deepface_files.write("DeepID", tmp_path / "deepid_weights.pth")
    with pytest.raises(ModelError, match=r"no digest of its weights deepid_weights\.pth is published"):
        models.describe("deepid", data=[tmp_path], plan=make({"benchmark": "b", "model": "deepid"}))
    for stated, message in (
        ({"sha256": "0" * 64}, "SHA-256 is"),
        ({"sha256": "unknown"}, "the digest of deepid_weights.pth is unknown"),
        ({"name": "deepid"}, "is the name of a published model"),
    ):
        card = own(tmp_path, ".pth", **stated)
        with pytest.raises(ModelError, match=message):
            models.describe(f"card:{card}", plan=plan(card))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    card = own(tmp_path, ".pth")
    deepface_files.write("OpenFace", tmp_path / "deepid_weights.pth")
    text = card.read_text().rpartition("sha256")[0]
    sha256 = hashlib.sha256((tmp_path / "deepid_weights.pth").read_bytes()).hexdigest()
    card.write_text(f'{text}sha256 = "{sha256}"\n')
    with pytest.raises(ModelError, match="does not hold the weights of deepface's DeepId"):
        models.load(models.describe(f"card:{card}", plan=plan(card)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("colour", '"RGB"', "RGB is not what deepface's DeepID takes"),
        ("size", "[55, 47]", r"\(55, 47\) is not what deepface's DeepID takes"),
        ("layout", '"NCHW"', "NCHW is not"),
    ],
)
def test_a_card_that_contradicts_the_network_is_refused(tmp_path: Path, key: str, value: str, message: str) -> None:
    card = own(tmp_path, ".pth")
    given = {"size": "[47, 55]", "colour": '"BGR"', "layout": '"NHWC"', key: value}
    lines = [f"{name} = {text}" for name, text in given.items()]
    table = "\n".join(["[input]", *lines, "mean = [0, 0, 0]", "deviation = [255, 255, 255]", 'alignment = "deepface"'])
    card.write_text(f"{card.read_text()}\n{table}\n")
    with pytest.raises(ModelError, match=message):
        models.load(models.describe(f"card:{card}", plan=plan(card)))


def test_a_card_names_one_of_deepfaces_networks(tmp_path: Path) -> None:
    card = own(tmp_path, ".pth")
    card.write_text(f'{card.read_text()}\n[options]\nmodel = "DeepId"\n')
    with pytest.raises(ModelError, match=r"'DeepId' is not known to deepface.*VGG-Face"):
        models.load(models.describe(f"card:{card}", plan=plan(card)))


def test_boxes_that_a_benchmark_marks_have_no_eyes_to_level(tmp_path: Path) -> None:
    card = own(tmp_path, ".pth")
    levelled = """[input]
size = [47, 55]
colour = "BGR"
layout = "NHWC"
mean = [0, 0, 0]
deviation = [255, 255, 255]
alignment = "deepface"
"""
    card.write_text(f"{card.read_text()}\n{levelled}")
    model = models.load(models.describe(f"card:{card}", plan=plan(card, detector="truth")))
    picture = Picture(np.zeros((200, 200, 3), np.uint8), box=(10, 10, 150, 180))
    assert model.extract_pictures([picture]) == [FailureToAcquire("detect", "no landmarks are marked")]
