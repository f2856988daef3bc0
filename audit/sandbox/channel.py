"""Messages of the sandbox: a length, a header in JSON, and the bytes of arrays; nothing is ever unpickled."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 1 << 14
"""Bytes of a header at most."""
_LENGTHS = struct.Struct("<IQ")
_TYPES = {
    each.str: each
    for each in map(np.dtype, ("?", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"))
}
"""Kinds of numbers that an array may hold, by the names that they have in a header."""


class GarbageError(Exception):
    """What arrived, or is to be sent, is no message of this channel."""


def pack(header: dict[str, Any], size: int = 0) -> bytes:
    """The beginning of a message; `size` bytes of body follow it.

    Raises
    ------
    GarbageError
        If the header is too long.
    """
    text = json.dumps(header).encode()
    if len(text) > HEADER:
        raise GarbageError(f"a header of {len(text)} bytes")
    return _LENGTHS.pack(len(text), size) + text


def receive(take: Callable[[int], bytearray], largest: int) -> tuple[dict[str, Any], bytearray]:
    """Read one message.

    Parameters
    ----------
    take : callable
        Given a number of bytes, returns exactly as many or raises.
    largest : int
        Bytes of body at most.

    Raises
    ------
    GarbageError
        Before anything large is read.
    """
    text_size, size = _LENGTHS.unpack(take(_LENGTHS.size))
    if text_size > HEADER or size > largest:
        raise GarbageError(f"a message of {text_size} + {size} bytes")
    try:
        header = json.loads(take(text_size))
    except (ValueError, RecursionError):
        raise GarbageError("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise GarbageError("a header that is no object")
    return header, take(size)


def pack_arrays(header: dict[str, Any], arrays: Sequence[NDArray[Any]]) -> bytes:
    """A whole message that carries arrays of numbers.

    Raises
    ------
    GarbageError
        If one of them holds something else.
    """
    plain = [np.ascontiguousarray(each, each.dtype.newbyteorder("<")) for each in arrays]
    for each in plain:
        if each.dtype.str not in _TYPES:
            raise GarbageError(f"an array of {each.dtype}")
    said = [{"type": each.dtype.str, "shape": list(was.shape)} for each, was in zip(plain, arrays, strict=True)]
    return pack(header | {"arrays": said}, sum(each.nbytes for each in plain)) + b"".join(each.data for each in plain)


def arrays(header: dict[str, Any], body: bytearray) -> list[NDArray[Any]]:
    """The arrays of a message, in memory of their own.

    Raises
    ------
    GarbageError
        If header and body do not fit together.
    """
    said, found, at = header.get("arrays"), [], 0
    if not isinstance(said, list):
        raise GarbageError("no arrays")
    for one in said:
        kind, shape = (one.get("type"), one.get("shape")) if isinstance(one, dict) else (None, None)
        if not isinstance(kind, str) or kind not in _TYPES or not isinstance(shape, list) or not _is_shape(shape):
            raise GarbageError("something that is no array")
        count = math.prod(shape)
        size = count * _TYPES[kind].itemsize
        if size > len(body) - at:
            raise GarbageError("less than its arrays")
        try:
            flat = np.frombuffer(body, _TYPES[kind], count, at) if count else np.zeros(0, _TYPES[kind])
            found.append(flat.reshape(shape).copy())
        except ValueError:  # sides that no array has
            raise GarbageError("something that is no array") from None
        at += size
    if at != len(body):
        raise GarbageError("more than its arrays")
    return found


def _is_shape(sides: list[Any]) -> bool:
    """At most as many axes as numpy has had in all versions, none so long that a product takes time."""
    return len(sides) <= 32 and all(type(side) is int and 0 <= side < 1 << 40 for side in sides)
