"""An ONNX file is looked at before any runtime sees it: it reaches beyond itself neither for data nor for libraries."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import stand_in_weights
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from stand_in_weights import network

from audit import models
from audit.errors import ModelError
from audit.models import onnx_read
from audit.plan import make

PLACE = Path("model.onnx")
PLAIN = network(112, 112, 128)


def external(location: str) -> bytes:
    """The plain network with its numbers in another file, as `onnx` itself writes that down."""
    model = onnx.load_model_from_string(PLAIN)
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    return model.SerializeToString()


def with_node(operator: str, domain: str, *, within: bool = False, functions: bool = False) -> bytes:
    model = onnx.load_model_from_string(PLAIN)
    node = helper.make_node(operator, ["template"], ["more"], domain=domain)
    if within:
        inner = helper.make_graph([node], "inner", [], [helper.make_tensor_value_info("more", TensorProto.FLOAT, None)])
        node = helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner)
    model.graph.node.append(node)
    model.opset_import.append(helper.make_opsetid(domain, 1))
    if functions:
        body = [helper.make_node("Identity", ["x"], ["y"])]
        opsets = [helper.make_opsetid("", 13)]
        model.functions.append(helper.make_function(domain, operator, ["x"], ["y"], body, opsets))
    return model.SerializeToString()


def test_a_plain_model_passes() -> None:
    onnx_read.checked(PLAIN, PLACE)
    onnx_read.checked(with_node("FusedMatMul", "com.microsoft"), PLACE)
    onnx_read.checked(with_node("Mine", "of.the.file", functions=True), PLACE)


@pytest.mark.london
@pytest.mark.parametrize("name", ["mobilefacenet", "faceplugin_feature"])
def test_real_models_pass_and_are_written_anew_as_they_are(shared: Path, name: str) -> None:
    content = (shared / "models" / f"{name}.onnx").read_bytes()
    assert onnx.load_model_from_string(onnx_read.checked(content, PLACE)) == onnx.load_model_from_string(content)


@pytest.mark.parametrize(
    ("location", "outside"),
    [("weights.bin", False), ("../../etc/passwd", True), ("/etc/passwd", True), ("C:\\secrets", True)],
)
def test_tensors_in_another_file_are_refused(location: str, outside: bool) -> None:
    with pytest.raises(ModelError, match="which its digest does not cover") as caught:
        onnx_read.checked(external(location), PLACE)
    assert repr(location) in str(caught.value)
    assert ("outside its folder" in str(caught.value)) == outside


def test_external_tensors_are_found_wherever_they_hide() -> None:
    hidden = numpy_helper.from_array(np.zeros(3, np.float32), "hidden")
    onnx.external_data_helper.set_external_data(hidden, "../hidden.bin")
    model = onnx.load_model_from_string(PLAIN)
    constant = helper.make_node("Constant", [], ["hidden"], value=hidden)
    inner = helper.make_graph([constant], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner))
    with pytest.raises(ModelError, match=r"\.\./hidden\.bin"):
        onnx_read.checked(model.SerializeToString(), PLACE)


def test_a_default_of_a_function_hides_nothing() -> None:
    hidden = numpy_helper.from_array(np.zeros(3, np.float32), "hidden")
    onnx.external_data_helper.set_external_data(hidden, "../hidden.bin")
    model = onnx.load_model_from_string(with_node("Mine", "of.the.file", functions=True))
    model.functions[0].attribute_proto.append(helper.make_attribute("value", hidden))
    with pytest.raises(ModelError, match=r"\.\./hidden\.bin"):
        onnx_read.checked(model.SerializeToString(), PLACE)


def test_a_key_of_more_than_32_bits_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime drops what lies above, and takes such a field for the one with the lower bits."""
    monkeypatch.chdir(tmp_path)
    np.arange(12, dtype=np.float32).tofile("hidden.bin")
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 4]).SerializeToString()
    entry = wrapped(b"location", 1) + wrapped(b"hidden.bin", 2)
    tensor += above(13 << 3 | 2) + bytes([len(entry)]) + entry + above(14 << 3) + bytes([TensorProto.EXTERNAL])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", 3), ("y", 4))]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "graph", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.ClearField("graph")
    content = model.SerializeToString() + wrapped(graph.SerializeToString() + wrapped(tensor, 5), 7)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.ones((1, 3), np.float32)})[0].tolist() == [[12, 15, 18, 21]]
    try:
        session = onnxruntime.InferenceSession(onnx_read.checked(content, PLACE), providers=["CPUExecutionProvider"])
    except (ModelError, onnxruntime.capi.onnxruntime_pybind11_state.Fail):
        return
    assert session.run(None, {"x": np.ones((1, 3), np.float32)})[0].tolist() == [[0, 0, 0, 0]]


def above(key: int) -> bytes:
    """A key below 128, as a number of five bytes with a bit above the 32 that keys have."""
    return bytes([key | 128, 128, 128, 128, 16])


@pytest.mark.parametrize("within", [False, True])
def test_an_operator_of_somebodys_library_is_refused(within: bool) -> None:
    with pytest.raises(ModelError, match=r"needs the operator 'evil\.ops\.Run' from a library of somebody's own"):
        onnx_read.checked(with_node("Run", "evil.ops", within=within), PLACE)


def test_a_compiled_part_is_refused() -> None:
    with pytest.raises(ModelError, match="'EPContext'"):
        onnx_read.checked(with_node("EPContext", "com.microsoft"), PLACE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"<html><body>404", "it is a web page"),
        (b"PK\x03\x04" + bytes(100), "it is a ZIP archive"),
        (pickle.dumps({"a": 1}, protocol=4), "it is a pickle"),
        (PLAIN[: len(PLAIN) // 2], "is no ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (bytes(1000), "is no ONNX model"),
    ],
)
def test_what_is_no_onnx_model_is_refused_by_what_it_is(content: bytes, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        onnx_read.checked(content, PLACE)


@given(st.binary(max_size=300), st.integers(0, len(PLAIN) - 1))
def test_hostile_bytes_are_refused_or_read_and_never_crash(noise: bytes, at: int) -> None:
    for content in (noise, PLAIN[:at] + noise + PLAIN[at + len(noise) :]):
        with contextlib.suppress(ModelError):
            onnx_read.checked(content, PLACE)


def wrapped(content: bytes, *fields: int) -> bytes:
    """A message within messages: each field number has the one before as its value."""
    for field in fields:
        size, length = len(content), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        content = bytes([field << 3 | 2]) + length + bytes([size]) + content
    return content


def test_graphs_within_graphs_without_end_are_refused() -> None:
    node, attribute, graph = 1, 5, 6
    with pytest.raises(ModelError, match="is no ONNX model"):
        onnx_read.checked(wrapped(b"", *(graph, attribute, node) * 500, 7), PLACE)
    onnx_read.checked(wrapped(b"", *(graph, attribute, node) * 5, 7), PLACE)


def test_a_refused_file_never_reaches_the_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime  # noqa: PLC0415

    def session(*_: object, **__: object) -> None:
        raise AssertionError("a session was made")

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    (tmp_path / "own.onnx").write_bytes(with_node("Run", "evil.ops"))
    own = stand_in_weights.card(tmp_path, "own", "own.onnx", "sface")
    card = models.describe(f"card:{own}", plan=make({"benchmark": "b", "model": "m"}))
    with pytest.raises(ModelError, match=r"evil\.ops\.Run"):
        models.load(card)
