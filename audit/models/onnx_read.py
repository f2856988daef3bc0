"""What an ONNX file asks for, read from its bytes before any runtime sees it.

An ONNX file is a protocol buffer (github.com/onnx/onnx, onnx.proto). Of its fields only those are looked at by which a
file can reach beyond itself: tensors that lie in other files, and operators that need somebody's own library. Nothing
is built from the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from audit.errors import ModelError
from audit.models import weights

BUILT_IN = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc"}
"""Domains of operators that onnxruntime brings along."""
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_SPARSE_VALUES, _SPARSE_INDICES = 1, 2
_TENSOR_EXTERNAL, _TENSOR_LOCATION, _EXTERNAL = 13, 14, 1
_FUNCTION_NAME, _FUNCTION_NODE, _FUNCTION_DOMAIN, _FUNCTION_DEFAULT = 1, 7, 10, 11
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_WORD = 0xFFFFFFFF
"""Keys and enumerations have 32 bits: a runtime drops what lies above, and sees another field than stands there."""
_DEEPEST = 64
"""Graphs within graphs."""
_MOST_NODES = 1_000_000


class _NotONNXError(ValueError):
    """The bytes are not laid out as the format says."""


def check(content: bytes, path: Path) -> None:
    """Refuse a file that is no ONNX model, or that reaches beyond itself.

    Parameters
    ----------
    content : bytes
        The file, whole.
    path : Path
        For messages.

    Raises
    ------
    ModelError
        If its tensors lie in other files, it needs an operator that onnxruntime does not bring along, or it is no ONNX.
    """
    try:
        found = _Found(memoryview(content))
    except (_NotONNXError, RecursionError):
        what = weights.seems(content[:64])
        raise ModelError(
            str(path), f"is no ONNX model{': ' * bool(what)}{what}", "Give the .onnx file itself, whole"
        ) from None
    if found.external:
        raise ModelError(
            str(path),
            f"keeps tensors in another file, {_where(found.external[0])}, which its digest does not cover",
            "Save the model as one file",
        )
    custom = sorted(found.used - found.defined)
    foreign = [f"{domain}.{operator}" for domain, operator in custom if domain not in BUILT_IN]
    compiled = [operator for domain, operator in custom if operator == "EPContext"]
    if foreign or compiled:
        raise ModelError(
            str(path),
            f"needs the operator {(foreign or compiled)[0]!r} from a library of somebody's own, and none is loaded",
            "Export the model with standard operators",
        )


def _where(location: str) -> str:
    parts = (PurePosixPath(location), PureWindowsPath(location))
    outside = any(one.is_absolute() or one.drive or ".." in one.parts for one in parts)
    return f"{location!r}{' outside its folder' if outside else ''}"


class _Found:
    """External tensors, operators that are used, and operators that the file itself defines."""

    def __init__(self, model: memoryview) -> None:
        self.external: list[str] = []
        self.used: set[tuple[str, str]] = set()
        self.defined: set[tuple[str, str]] = set()
        self._nodes = 0
        graphs = 0
        for field, value in _fields(model):
            if field == _MODEL_GRAPH:
                self._graph(_bytes(value), 0)
                graphs += 1
            elif field == _MODEL_FUNCTIONS:
                self._function(_bytes(value))
        if graphs != 1:
            raise _NotONNXError

    def _graph(self, graph: memoryview, depth: int) -> None:
        if depth > _DEEPEST:
            raise _NotONNXError
        for field, value in _fields(graph):
            if field == _GRAPH_NODE:
                self._node(_bytes(value), depth)
            elif field == _GRAPH_INITIALIZER:
                self._tensor(_bytes(value))
            elif field == _GRAPH_SPARSE:
                self._sparse(_bytes(value))

    def _function(self, function: memoryview) -> None:
        name = domain = ""
        for field, value in _fields(function):
            if field == _FUNCTION_NAME:
                name = _text(value)
            elif field == _FUNCTION_DOMAIN:
                domain = _text(value)
            elif field == _FUNCTION_NODE:
                self._node(_bytes(value), 0)
            elif field == _FUNCTION_DEFAULT:
                self._attribute(_bytes(value), 0)
        self.defined.add((domain, name))

    def _node(self, node: memoryview, depth: int) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _NotONNXError
        operator = domain = ""
        for field, value in _fields(node):
            if field == _NODE_OPERATOR:
                operator = _text(value)
            elif field == _NODE_DOMAIN:
                domain = _text(value)
            elif field == _NODE_ATTRIBUTE:
                self._attribute(_bytes(value), depth)
        self.used.add((domain, operator))

    def _attribute(self, attribute: memoryview, depth: int) -> None:
        for field, value in _fields(attribute):
            if field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                self._tensor(_bytes(value))
            elif field in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
                self._sparse(_bytes(value))
            elif field in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                self._graph(_bytes(value), depth + 1)

    def _sparse(self, sparse: memoryview) -> None:
        for field, value in _fields(sparse):
            if field in (_SPARSE_VALUES, _SPARSE_INDICES):
                self._tensor(_bytes(value))

    def _tensor(self, tensor: memoryview) -> None:
        entries: dict[str, str] = {}
        elsewhere = False
        for field, value in _fields(tensor):
            if field == _TENSOR_LOCATION:
                elsewhere = isinstance(value, int) and value & _WORD == _EXTERNAL
            elif field == _TENSOR_EXTERNAL:
                pair = {key: _text(text) for key, text in _fields(_bytes(value)) if key in (_ENTRY_KEY, _ENTRY_VALUE)}
                entries[pair.get(_ENTRY_KEY, "")] = pair.get(_ENTRY_VALUE, "")
        if elsewhere or entries:
            self.external.append(entries.get("location", "an unnamed one"))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Number and value of every field of a message: bytes where it has a length, else a number."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if not number or key > _WORD:
            raise _NotONNXError
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise _NotONNXError
        if at + size > len(message):
            raise _NotONNXError
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise _NotONNXError
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _NotONNXError


def _bytes(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise _NotONNXError
    return value


def _text(value: memoryview | int) -> str:
    return bytes(_bytes(value)).decode("utf-8", "replace")
