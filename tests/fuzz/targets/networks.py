"""Model files that are opened and run as the product does, in the sandbox: ONNX networks, and exported programs.

A process that aborts or is ended there is a refusal in one line, or a picture's failure, like any other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vouched

from .base import Target, home


def _graph(nodes: Sequence[Any], held: Sequence[Any], out: Sequence[int]) -> bytes:
    from onnx import TensorProto, helper

    one, other = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 3, 16, 16]), ("y", out))
    )
    graph = helper.make_graph(list(nodes), "g", [one], [other], list(held))
    made: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return made


def _networks() -> list[bytes]:
    """A convolution with everything round it, a product, and shapes that are computed."""
    import numpy as np
    from onnx import helper, numpy_helper

    def held(name: str, values: Any) -> Any:
        return numpy_helper.from_array(values, name)

    rng = np.random.default_rng(3)
    kernel, scale = rng.normal(size=(4, 3, 3, 3)).astype(np.float32), np.ones(4, np.float32)
    convolution = [
        helper.make_node("Conv", ["x", "k"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "s", "z", "z", "s"], ["b"]),
        helper.make_node("PRelu", ["b", "p"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["m"]),
        helper.make_node("Flatten", ["m"], ["y"]),
    ]
    product = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["g"]),
        helper.make_node("LpNormalization", ["g"], ["y"], axis=1, p=2),
    ]
    shapes = [
        helper.make_node("Resize", ["x", "", "h"], ["small"], mode="nearest"),
        helper.make_node("Shape", ["small"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"]),
        helper.make_node("Concat", ["batch", "four"], ["wanted"], axis=0),
        helper.make_node("ReduceMean", ["small"], ["means"], axes=[1], keepdims=0),
        helper.make_node("Slice", ["means", "from", "to"], ["cut"]),
        helper.make_node("Reshape", ["cut", "wanted"], ["plain"]),
        helper.make_node("Expand", ["plain", "wanted"], ["y"]),
    ]
    zero, slope = np.zeros(4, np.float32), np.full((4, 1, 1), 0.25, np.float32)
    return [
        _graph(convolution, [held("k", kernel), held("s", scale), held("z", zero), held("p", slope)], [1, 4]),
        _graph(product, [held("w", rng.normal(size=(768, 4)).astype(np.float32))], [1, 4]),
        _graph(
            shapes,
            [
                held("h", np.array([1, 1, 0.125, 0.125], np.float32)), held("first", np.array([0])),
                held("four", np.array([4])), held("from", np.array([0, 0, 0])), held("to", np.array([1, 2, 2])),
            ],
            [1, 4],
        ),
    ]  # fmt: skip


ANSWER_S = 4.0
"""Less than in the product: what goes on for longer, at the black picture and two others, must not be called slow."""


@contextmanager
def in_sandbox(path: Path) -> Iterator[None]:
    """The folder of a sandbox lies below that of the target, and it has less time."""
    from audit.models import onnx_network
    from audit.sandbox.lane import Limits

    before = tempfile.tempdir, onnx_network.LIMITS
    tempfile.tempdir = str(path.parents[1])
    onnx_network.LIMITS = Limits(start_s=60, answer_s=ANSWER_S, answer=onnx_network.LIMITS.answer)
    try:
        yield
    finally:
        tempfile.tempdir, onnx_network.LIMITS = before


def _pictures() -> Any:
    import numpy as np

    from audit.domain import Picture

    rng = np.random.default_rng(3)
    return [
        Picture(rng.integers(0, 256, (40, 40, 3), np.uint8), box=(4.0, 4.0, 34.0, 34.0)),
        Picture(np.zeros((40, 40, 3), np.uint8), box=(0.0, 0.0, 40.0, 40.0)),
    ]


def _face(path: Path) -> object:
    """From the card to templates of two pictures, whose faces are marked."""
    from audit import models
    from audit.models.guard import outcomes
    from audit.plan import make

    plan = make({"benchmark": "b", "model": "m", "detector": "truth"})
    described = models.describe(f"card:{vouched.card(path)}", plan=plan)
    with in_sandbox(path):
        one, other = outcomes(models.load(described, workers=1), _pictures(), described.dimension)
    return one, other


def _box_card() -> str:
    import squares

    return squares.CARD.format(more="", output="", sha256="{sha256}").replace("squares.onnx", "m.onnx")


def _boxes_seeds() -> list[bytes]:
    import squares

    place = home() / "squares.onnx"
    squares.network(place)
    return [place.read_bytes()]


def _detector(path: Path) -> object:
    import numpy as np

    from audit.models import detection
    from audit.models.guard import NoTemplateError
    from audit.plan import make

    plan = make({"benchmark": "b", "model": "m", "task": "detection"})
    described = detection.describe(f"card:{vouched.card(path, _box_card())}", plan=plan)
    with in_sandbox(path):
        looking = detection.load(described)
        try:
            return looking.detect(np.full((64, 64, 3), 200, np.uint8))
        except NoTemplateError as error:
            return error.failure


def classifiers() -> list[bytes]:
    from onnx import helper

    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["m"]), helper.make_node("Flatten", ["m"], ["y"])]
    return [_graph(nodes, [], [1, 3])]


CLASSIFIER = """name = "colours"
licence = "any"
training_data = "nobody"
training_consent = "nobody is shown"
[[says]]
attribute = "gender"
labels = ["Woman", "Man"]
meaning = "made up"
scale = "logits"
[[says]]
attribute = "age"
meaning = "made up"
first = 2
times = 100
[input]
size = 16
mean = [0, 0, 0]
deviation = [255, 255, 255]
alignment = "box"
[weights]
file = "m.onnx"
sha256 = "{sha256}"
"""


def _classifier(path: Path) -> object:
    from audit.domain import FailureToAcquire
    from audit.models import attributes
    from audit.models.attributes.analyser import estimate
    from audit.models.guard import outcomes
    from audit.plan import make

    plan = make({"benchmark": "b", "model": "m", "task": "attributes", "detector": "truth"})
    described = attributes.describe(f"card:{vouched.card(path, CLASSIFIER)}", plan=plan)
    with in_sandbox(path):
        model = attributes.load(described, workers=1)
        found = outcomes(model.extractor, _pictures(), described.dimension)
    estimated = [one if isinstance(one, FailureToAcquire) else estimate(one, described.says) for one in found]
    return tuple(estimated)


def _programs() -> list[bytes]:
    from hostile_archives import Small, exported, scripted

    return [scripted(Small()), exported(Small())]


def _sandboxed(path: Path) -> object:
    """A process of its own for each, below the folder of this target."""
    import numpy as np

    from audit.errors import DataError
    from audit.sandbox import archive
    from audit.sandbox.lane import Limits, NoAnswerError
    from audit.sandbox.pool import Sandbox

    content = path.read_bytes()
    with in_sandbox(path):
        sandbox = Sandbox(
            content, archive.kind_of(content, path.name), path.name, limits=Limits(start_s=60, answer_s=10)
        )
        try:
            return sandbox.ask(np.zeros((1, 3, 32, 32), np.float32))
        except NoAnswerError as error:  # which the model's adapter counts
            raise DataError(path.name, f"no answer: {error}") from None
        finally:
            sandbox.close()


def starts(event: str, _: tuple[Any, ...]) -> bool:
    return event == "subprocess.Popen"


TARGETS = (
    Target("network", "m.onnx", "binary", _networks, _face, may=starts),
    Target("detector-network", "m.onnx", "binary", _boxes_seeds, _detector, may=starts),
    Target("attribute-network", "m.onnx", "binary", classifiers, _classifier, may=starts),
    Target("sandbox", "m.pt", "zip", _programs, _sandboxed, may=starts),
)
