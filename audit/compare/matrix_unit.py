"""Instructions of a processor's matrix unit (AMX), for compiled code, and whether this process may use them.

The unit holds eight tiles of 16 rows of 64 bytes. Its product adds to every float32 of one tile the products of 32
pairs of bfloat16: those at even places from the first to the last, those at odd places likewise, then their sum, each
step rounded to the nearest float32 (Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBF16PS).
"""

# numba and llvmlite have no types of their own.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import config, types
from numba.extending import intrinsic

SIDE = 16
"""Rows of a tile; float32 numbers in one."""
DEPTH = 32
"""bfloat16 numbers in a row of a tile: so many of a template are multiplied at once."""
TILE = SIDE * DEPTH
"""bfloat16 numbers in a tile."""
TERMS = 3
"""bfloat16 numbers whose sum is a float32."""
ORDER = ((0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0))
"""Terms of the left and of the right number that are multiplied; between neighbours only one has to be loaded."""
_PERMIT, _REQUEST, _DATA = 158, 0x1023, 18
"""arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) of Linux on x86-64."""
_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_POINTER = _BYTE.as_pointer()
_SUMS, _LEFT, _RIGHT = (0, 1, 2, 3), (4, 5), (6, 7)


def shape() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Shapes of the tiles, as `begin` wants them: eight of 16 rows of 64 bytes."""
    made = np.zeros(64, dtype=np.uint8)
    made[0] = 1
    made[16:32].view(np.uint16)[:] = 2 * DEPTH
    made[48:56] = SIDE
    return made


@functools.cache
def permitted() -> bool:
    """Whether this machine has such a unit, and the system lets this process use it; asks it to, once.

    The system says no where a thread takes signals on a stack too small for the tiles, and from a yes on it refuses
    such a stack.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    # Who has compiled code made for another processor has set one of these.
    features = binding.get_host_cpu_features()
    if config.CPU_NAME or config.CPU_FEATURES or not (features.get("amx-bf16") and features.get("amx-tile")):
        return False
    system = ctypes.CDLL(None)
    system.syscall.restype, system.syscall.argtypes = ctypes.c_long, (ctypes.c_long,) * 3
    return bool(system.syscall(_PERMIT, _REQUEST, _DATA) == 0)


@intrinsic
def begin(_: Any, shapes: Any) -> Any:
    """Give the tiles their shapes."""

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        there = _place(context, builder, signature.args[0], given[0], ir.Constant(_WORD, 0))
        _call(builder, "ldtilecfg", there)
        return context.get_dummy_value()

    return types.void(shapes), build


@intrinsic
def end(_: Any) -> Any:
    """Give the unit back."""

    def build(context: Any, builder: Any, _signature: Any, _given: Any) -> Any:
        _call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def zeros(_: Any) -> Any:
    """Begin sums of 32 x 32 products."""

    def build(context: Any, builder: Any, _signature: Any, _given: Any) -> Any:
        for tile in _SUMS:
            _call(builder, "tilezero", _number(tile))
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def fetch(_: Any, sums: Any, at: Any, width: Any) -> Any:
    """Take up sums from a place in rows of `width` float32 numbers."""
    return types.void(sums, at, width), _moved("tileloadd64")


@intrinsic
def keep(_: Any, sums: Any, at: Any, width: Any) -> Any:
    """Put sums down, as `fetch` takes them up."""
    return types.void(sums, at, width), _moved("tilestored64")


@intrinsic
def add_products(_: Any, left: Any, right: Any, one: Any, two: Any, three: Any, four: Any) -> Any:
    """Add to the sums the products of `DEPTH` numbers of 32 templates with as many of 32 others.

    Parameters
    ----------
    left, right : flat, of which each place begins `TERMS` tiles
    one, two : places in `left`, of the first and the second 16 templates
    three, four : places in `right`
    """

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        def load(tiles: Any, which: int, places: Any, term: int) -> None:
            for tile, at in zip(tiles, places, strict=True):
                start = builder.add(at, ir.Constant(_WORD, term * TILE))
                there = _place(context, builder, signature.args[which], given[which], start)
                _call(builder, "tileloadd64", _number(tile), there, ir.Constant(_WORD, 2 * DEPTH))

        before = (TERMS, TERMS)
        for pair in ORDER:
            if pair[0] != before[0]:
                load(_LEFT, 0, given[2:4], pair[0])
            if pair[1] != before[1]:
                load(_RIGHT, 1, given[4:6], pair[1])
            before = pair
            for tile in _SUMS:
                _call(builder, "tdpbf16ps", _number(tile), _number(_LEFT[tile // 2]), _number(_RIGHT[tile % 2]))
        return context.get_dummy_value()

    return types.void(left, right, one, two, three, four), build


def _moved(name: str) -> Any:
    """Move the sums between tiles and rows of float32 numbers."""

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        sums, at, width = given
        for tile in _SUMS:
            down, right = builder.mul(width, ir.Constant(_WORD, SIDE * (tile // 2))), SIDE * (tile % 2)
            place = builder.add(builder.add(at, down), ir.Constant(_WORD, right))
            there = _place(context, builder, signature.args[0], sums, place)
            _call(builder, name, _number(tile), there, builder.mul(width, ir.Constant(_WORD, 4)))
        return context.get_dummy_value()

    return build


def _number(tile: int) -> Any:
    return ir.Constant(_BYTE, tile)


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Pointer to a number of a flat array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _POINTER)


def _call(builder: Any, name: str, *given: Any) -> None:
    """Call an instruction by the compiler's name for it."""
    name = f"llvm.x86.{name}"
    kind = ir.FunctionType(ir.VoidType(), [one.type for one in given])
    builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), given)
