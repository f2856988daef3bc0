"""Messages between an audit and a process that it does not believe: arrays arrive as they were, nothing else does."""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sandbox import channel

MOST = 1 << 20
KINDS = ("?", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", ">f4", ">i8")


def received(message: bytes) -> list[np.ndarray]:
    """As one end reads it; AssertionError if it asks for more than there is."""
    at = 0

    def take(size: int) -> bytearray:
        nonlocal at
        assert size <= MOST
        at += size
        if at > len(message):
            raise EOFError
        return bytearray(message[at - size : at])

    return channel.arrays(*channel.receive(take, MOST))


ARRAYS = st.tuples(st.sampled_from(KINDS), st.lists(st.integers(0, 4), max_size=3), st.integers(0, 1000))


@given(st.lists(ARRAYS, max_size=4))
def test_arrays_arrive_as_they_were(drawn: list[tuple[str, list[int], int]]) -> None:
    sent = [
        np.random.default_rng(seed).integers(0, 100, shape).astype(kind).reshape(shape) for kind, shape, seed in drawn
    ]
    found = received(channel.pack_arrays({"wanted": [0]}, sent))
    assert len(found) == len(sent)
    for one, other in zip(found, sent, strict=True):
        assert one.shape == other.shape
        assert one.tobytes() == other.astype(other.dtype.newbyteorder("<")).tobytes()
        assert one.flags.owndata or not one.size


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    with contextlib.suppress(channel.GarbageError, EOFError, struct.error):
        received(noise)


SIDES = st.one_of(st.integers(-(2**70), 2**70), st.none(), st.just("2"), st.booleans(), st.floats())


@given(
    st.lists(st.fixed_dictionaries({"type": st.sampled_from((*KINDS, "|O", "|S9", "", None)),
                                    "shape": st.lists(SIDES, max_size=40)}), max_size=3),
    st.binary(max_size=64),
)  # fmt: skip
def test_shapes_that_do_not_fit_are_garbage_and_take_no_memory(said: list[Any], body: bytes) -> None:
    with contextlib.suppress(channel.GarbageError):
        found = channel.arrays({"arrays": said}, bytearray(body))
        assert sum(one.nbytes for one in found) == len(body)


@pytest.mark.parametrize(
    "header",
    [{}, {"arrays": None}, {"arrays": [1]}, {"arrays": [{"type": "<f4", "shape": 3}]},
     {"arrays": [{"type": [], "shape": []}]}, {"arrays": [{"type": "<f4", "shape": [0, 1 << 39, 1 << 39]}]}],
    ids=json.dumps,
)  # fmt: skip
def test_a_header_that_makes_no_sense_is_garbage(header: dict[str, Any]) -> None:
    with pytest.raises(channel.GarbageError):
        channel.arrays(header, bytearray())


def test_what_cannot_be_sent_says_so() -> None:
    with pytest.raises(channel.GarbageError, match="an array of object"):
        channel.pack_arrays({}, [np.array(["a", None], object)])
    with pytest.raises(channel.GarbageError, match="a header of 200"):
        channel.pack({"names": "a" * 20_000})
