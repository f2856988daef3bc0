"""What an ONNX file asks for, looked at before any runtime sees it.

The format's own library reads it. Two things let a model reach beyond its file, and both are refused: tensors that lie
in other files, and operators that need somebody's own library. What a runtime is then given is written anew from what
was read, so that it cannot see anything else in the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from audit.errors import ModelError
from audit.models import weights

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import ModelProto, TensorProto

BUILT_IN = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc"}
"""Domains of operators that onnxruntime brings along."""


def checked(content: bytes, path: Path) -> bytes:
    """Refuse a file that is no ONNX model, or that reaches beyond itself.

    Parameters
    ----------
    content : bytes
        The file, whole.
    path : Path
        For messages.

    Returns
    -------
    the same model, for a runtime: what was looked at, and nothing else

    Raises
    ------
    ModelError
        If its tensors lie in other files, it needs an operator that onnxruntime does not bring along, or it is no ONNX.
    """
    import onnx  # noqa: PLC0415 - cards are made without it
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        model.Clear()
    if not model.HasField("graph"):
        what = weights.seems(content[:64])
        raise ModelError(str(path), f"is no ONNX model{': ' * bool(what)}{what}", "Give the .onnx file itself, whole")
    model.DiscardUnknownFields()
    _refuse(model, path)
    whole: bytes = model.SerializeToString()
    return whole


def _refuse(model: ModelProto, path: Path) -> None:
    """Texts become `str` here: one that is no UTF-8 is read as bytes."""
    used: set[tuple[str, str]] = set()
    for message in _within(model):
        if message.DESCRIPTOR.name == "TensorProto" and (where := _elsewhere(message)):
            raise ModelError(
                str(path),
                f"keeps tensors in another file, {where}, which its digest does not cover",
                "Save the model as one file",
            )
        if message.DESCRIPTOR.name == "NodeProto":
            used.add((str(message.domain), str(message.op_type)))
    custom = sorted(used - {(str(function.domain), str(function.name)) for function in model.functions})
    foreign = [f"{domain}.{operator}" for domain, operator in custom if domain not in BUILT_IN]
    compiled = [operator for _, operator in custom if operator == "EPContext"]
    if foreign or compiled:
        raise ModelError(
            str(path),
            f"needs the operator {(foreign or compiled)[0]!r} from a library of somebody's own, and none is loaded",
            "Export the model with standard operators",
        )


def _within(message: Message) -> Iterator[Message]:
    """A message and all that it holds, whatever the field; the numbers of tensors are not looked at."""
    yield message
    if message.DESCRIPTOR.name == "TensorProto":
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if hasattr(value, "DESCRIPTOR") else value:
                yield from _within(one)


def _elsewhere(tensor: TensorProto) -> str:
    """The other file that a tensor lies in; "" for none."""
    if tensor.data_location != tensor.EXTERNAL and not tensor.external_data:
        return ""
    location = str({entry.key: entry.value for entry in tensor.external_data}.get("location", "an unnamed one"))
    parts = (PurePosixPath(location), PureWindowsPath(location))
    outside = any(one.is_absolute() or one.drive or ".." in one.parts for one in parts)
    return f"{location!r}{' outside its folder' if outside else ''}"
