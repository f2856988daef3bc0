"""Messages of the sandbox: a length, a header in JSON, and the bytes of one array; nothing is ever unpickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

HEADER = 1 << 14
"""Bytes of a header at most."""
_LENGTHS = struct.Struct("<IQ")


class GarbageError(Exception):
    """What arrived is no message of this channel."""


def pack(header: dict[str, Any], size: int = 0) -> bytes:
    """The beginning of a message; `size` bytes of body follow it."""
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), size) + text


def receive(take: Callable[[int], bytes], largest: int) -> tuple[dict[str, Any], bytes]:
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
