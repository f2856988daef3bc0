"""Files of tensors, read so that nothing in them can run: torch's zip with tensors alone, or safetensors."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.errors import ModelError
from audit.models import weights

if TYPE_CHECKING:
    import torch

_TYPES = {"F32": "float32", "I64": "int64"}
_OWN_FORMATS = (b"PK", b"\x80")
"""How torch's files begin, today's and older ones."""


def read_state(path: Path, content: bytes) -> Mapping[str, torch.Tensor]:
    """Read the tensors of a network, by their names.

    Parameters
    ----------
    path : Path
        For its suffix (`.safetensors`, or else torch's own format) and for messages.
    content : bytes
        The checked bytes of the file.

    Raises
    ------
    ModelError
        If the file is damaged, or holds anything that is not a tensor.
    """
    import torch  # noqa: PLC0415 - heavy

    what = "" if content.startswith(_OWN_FORMATS) else weights.seems(content[:64])
    found = f"is damaged, or holds more than tensors; nothing in it was run{': ' * bool(what)}{what}"
    refused = ModelError(str(path), found, "Put the published file in its place")
    try:
        if path.suffix == ".safetensors":
            return _safetensors(content)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that mean harm raise errors of any kind
        raise refused from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise refused
    return state


def _safetensors(content: bytes) -> dict[str, torch.Tensor]:
    import torch  # noqa: PLC0415 - heavy

    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    body = memoryview(content)[8 + length :]
    state = {}
    for key, entry in header.items():
        if key == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(body[begin:end], np.dtype(_TYPES[entry["dtype"]]).newbyteorder("<"))
        state[key] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return state
