"""Sixteen scores or thirty-two bins at once: steps that compiled code cannot be made to take from a loop.

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
"""Scores that become bins together."""
WIDE = 2 * LANES
"""Bins that are looked at together."""
_FLOAT, _INT, _SHORT = ir.FloatType(), ir.IntType(32), ir.IntType(16)


@intrinsic
def bins_of(_: Any, row: Any, at: Any, scale: Any, low: Any, top: Any, made: Any) -> Any:
    """Bins of `LANES` float32 scores of a row from a place on, uint16, into the same place of another; as `Grid.bins`.

    They are read and written wherever the two end. Scales are powers of two and bins small whole numbers: all of it is
    exact in float32.
    """

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        many = ir.VectorType(_FLOAT, LANES)
        score = _load(context, builder, signature.args[0], given[:2], many)
        scale, low, top = (_spread(builder, one, LANES) for one in given[2:5])
        name = f"llvm.floor.v{LANES}f32"
        floor = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(many, [many]), name)
        number = builder.fsub(builder.call(floor, [builder.fmul(score, scale)]), low)
        zero = ir.Constant(many, [0.0] * LANES)
        number = builder.select(builder.fcmp_ordered(">", number, zero), number, zero)
        number = builder.select(builder.fcmp_ordered("<", number, top), number, top)
        short = ir.VectorType(_SHORT, LANES)
        bins = builder.trunc(builder.fptosi(number, ir.VectorType(_INT, LANES)), short)
        there = _place(context, builder, signature.args[5], (given[5], given[1]), short)
        builder.store(bins, there, align=2)
        return context.get_dummy_value()

    return types.void(row, at, scale, low, top, made), build


@intrinsic
def reached(_: Any, row: Any, at: Any, limit: Any) -> Any:
    """Which of the `WIDE` uint16 bins of a row from a place on are not below a limit: bits, the first lowest.

    They are read wherever the row ends.
    """

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        bins = _load(context, builder, signature.args[0], given[:2], ir.VectorType(_SHORT, WIDE))
        return builder.bitcast(builder.icmp_unsigned(">=", bins, _spread(builder, given[2], WIDE)), _INT)

    return types.uint32(row, at, limit), build


@intrinsic
def lowest_bit(_: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set; one must be."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

    return bits(bits), build


def _place(context: Any, builder: Any, kind: Any, row_and_at: Any, many: Any) -> Any:
    """Pointer to several numbers of an array from a place on."""
    array = context.make_array(kind)(context, builder, row_and_at[0])
    return builder.bitcast(builder.gep(array.data, [row_and_at[1]]), many.as_pointer())


def _load(context: Any, builder: Any, kind: Any, row_and_at: Any, many: Any) -> Any:
    """Several numbers of an array from a place on, wherever it lies in memory."""
    align = 4 if many.element == _FLOAT else 2
    return builder.load(_place(context, builder, kind, row_and_at, many), align=align)


def _spread(builder: Any, number: Any, lanes: int) -> Any:
    """One number in all lanes."""
    many = ir.VectorType(number.type, lanes)
    first = builder.insert_element(ir.Constant(many, ir.Undefined), number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_INT, lanes), [0] * lanes))
