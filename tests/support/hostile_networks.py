"""ONNX networks that do harm to what runs them, at a bright picture or at any; made of standard operators alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vouched
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

SIDE = 16


def _value(name: str, values: Any) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values), name)


def _whole(nodes: Sequence[NodeProto], held: Sequence[TensorProto]) -> bytes:
    taken, given = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 3, SIDE, SIDE]), ("y", [1, 4]))
    )
    fourth = helper.make_tensor_value_info("fourth", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(list(nodes), "g", [taken], [given, fourth], list(held))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def _loop() -> GraphProto:
    """One more, each time."""
    flag, scalar = TensorProto.BOOL, TensorProto.FLOAT
    return helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["was", "was"], ["is"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", flag, []),
            helper.make_tensor_value_info("was", scalar, []),
        ],
        [helper.make_tensor_value_info("on", flag, []), helper.make_tensor_value_info("is", scalar, [])],
    )


_HARM: dict[str, list[NodeProto]] = {
    "none": [helper.make_node("Identity", ["brightest"], ["extra"])],
    # The least whole number by -1: on x86-64 the processor's own exception, which nothing in onnxruntime catches.
    "crashes": [
        helper.make_node("Ceil", ["brightest"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Neg", ["whole"], ["minus"]),
        helper.make_node("Div", ["least", "minus"], ["quotient"]),
        helper.make_node("Cast", ["quotient"], ["extra"], to=TensorProto.FLOAT),
    ],
    "never ends": [helper.make_node("Loop", ["turns", "yes", "brightest"], ["extra"], body=_loop())],
    "takes all memory": [
        helper.make_node("Reshape", ["brightest", "one"], ["spread"]),
        helper.make_node("Expand", ["spread", "gigabytes"], ["much"]),
        helper.make_node("ReduceMax", ["much"], ["extra"], keepdims=0),
    ],
}
_HELD = {
    "least": np.array(-(2**63)),
    "turns": np.array(2**31),
    "yes": np.array(True),
    "one": np.array([1]),
    "gigabytes": np.array([10 * 2**30]),
}
KINDS = tuple(_HARM)


def network(harm: str, *, above: float = 0.9) -> bytes:
    """Four numbers of a picture, and the fourth once more; it does harm at bright pictures.

    Parameters
    ----------
    harm : one of `KINDS`
    above : what the brightest value of a bright picture is above; values are from -1 to 1
    """
    quiet = [helper.make_node("Identity", ["brightest"], ["extra"])]
    branches = [
        helper.make_graph(nodes, name, [], [helper.make_tensor_value_info("extra", TensorProto.FLOAT, [])])
        for name, nodes in (("harm", _HARM[harm]), ("quiet", quiet))
    ]
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["brightest"], keepdims=0),
        helper.make_node("Greater", ["brightest", "above"], ["is_bright"]),
        helper.make_node("If", ["is_bright"], ["more"], then_branch=branches[0], else_branch=branches[1]),
        helper.make_node("GlobalAveragePool", ["x"], ["means"]),
        helper.make_node("Flatten", ["means"], ["three"]),
        helper.make_node("Reshape", ["more", "square"], ["fourth"]),
        helper.make_node("Concat", ["three", "fourth"], ["y"], axis=1),
    ]
    held = {**_HELD, "above": np.float32(above), "square": np.array([1, 1])}
    return _whole(nodes, [_value(name, values) for name, values in held.items()])


def card(folder: Path, content: bytes, name: str = "m.onnx", said: str = vouched.FACE) -> str:
    """Put a network and its card down; how it is named."""
    (folder / name).write_bytes(content)
    return f"card:{vouched.card(folder / name, said)}"
