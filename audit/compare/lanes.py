"""Sixteen scores beside a limit at once: two steps that compiled code cannot be made to take from a loop.

Written in the compiler's own language, not in a processor's: it knows how each processor does it best.
"""

# numba and llvmlite have no types of their own.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
"""Scores that are looked at together."""


@intrinsic
def reached(_: Any, row: Any, at: Any, limit: Any) -> Any:
    """Which of the `LANES` float32 numbers of a row from a place on are not below a limit: bits, the first lowest.

    They are read wherever the row ends.
    """

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, given[0])
        many = ir.VectorType(ir.FloatType(), LANES)
        there = builder.bitcast(builder.gep(array.data, [given[1]]), many.as_pointer())
        numbers = builder.load(there, align=4)
        first = builder.insert_element(ir.Constant(many, ir.Undefined), given[2], ir.Constant(ir.IntType(32), 0))
        limits = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
        bits = builder.bitcast(builder.fcmp_ordered(">=", numbers, limits), ir.IntType(LANES))
        return builder.zext(bits, ir.IntType(32))

    return types.uint32(row, at, limit), build


@intrinsic
def lowest_bit(_: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set; one must be."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

    return bits(bits), build
