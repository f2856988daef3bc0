"""Products of float32 numbers by a processor's matrix unit, which multiplies bfloat16.

A float32 has 24 binary digits and a bfloat16 eight: every number is the sum of three, exactly. Of the nine products of
such terms the six largest are added up in float32; what is left out is below a part in 2^24 of the product of two
numbers (Henry, Tang and Heinecke, Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
Computations, 2019). Scores are as near to the exact ones as those of a product in float32, or nearer
(`tests/compare/test_bfloat16.py` measures both), and the same bits in whichever tile they are made; a score can differ
in its last bit from that of the same two templates the other way round. Where the processor has no such unit,
`_multiply_anywhere` goes through its steps to the same bits, a hundred times more slowly; only numbers and products
below 1e-38 count as zero in the unit alone.
"""

# numba compiles these with its own rules of mixed arithmetic, which numpy's stubs do not know.
# mypy: disable-error-code="arg-type,index,assignment,return-value"

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from audit.compare import matrix_unit
from audit.compare.matrix_unit import DEPTH, ORDER, SIDE, TERMS, TILE, add_products, begin, end, fetch, keep, zeros

Ints = NDArray[np.int64]
Scores = NDArray[np.float32]
Halves = NDArray[np.uint16]
"""bfloat16 numbers, by their bits."""
PANEL = 2 * SIDE
"""Templates that are multiplied with as many others at once: blocks and windows have multiples of so many."""
GAP = 16
"""Numbers between rows of scores: rows a power of two apart would push each other out of the first cache."""
LINE = 64
"""Bytes of a line of the cache; rows of tiles begin with one."""
CHUNK = 4
"""Steps of `DEPTH` numbers that are multiplied in one go: with them, 1,024 templates stay in the second cache."""
MANY = 4096
"""Templates from which on products take so long that it is worth it."""
LEAST = 2.0**-40
"""Square of a length: beside those of templates that are longer, numbers that count as zero do not show."""
_PAIRS = np.array(ORDER)


@dataclass(frozen=True, eq=False)
class Terms:
    """Templates as sums of bfloat16 numbers, in the order in which tiles are loaded.

    Parameters
    ----------
    rows : (templates / 16, steps, TERMS, 16, 32) for the left of a product: terms of 32 numbers of 16 templates
    columns : (templates / 16, steps, TERMS, 16, 16, 2) for the right: pairs of numbers, those of 16 templates together
    """

    rows: Halves
    columns: Halves


def terms_of(values: Scores) -> Terms:
    """Take templates apart, float32, (templates, dimension).

    Raises
    ------
    ValueError
        If the number of templates is no multiple of `PANEL`.
    """
    if len(values) % PANEL:
        raise ValueError(f"{len(values)} templates are no multiple of {PANEL}")
    groups, steps = len(values) // SIDE, -(-values.shape[1] // DEPTH)
    rows = aligned((groups, steps, TERMS, SIDE, DEPTH), np.uint16)
    columns = aligned((groups, steps, TERMS, DEPTH // 2, SIDE), np.uint32)
    _take_apart(values, rows, rows.view(np.uint32), columns)
    return Terms(rows, columns.view(np.uint16).reshape(groups, steps, TERMS, DEPTH // 2, SIDE, 2))


def multiply(left: Terms, right: Terms, window: tuple[int, int, int, int], made: Scores) -> None:
    """Scores of some templates with others.

    Parameters
    ----------
    window : first row, end of rows, first column, end of columns; multiples of `PANEL`
    made : filled; its rows can be longer

    Raises
    ------
    ValueError
        If the window is not within the templates, or `made` does not lie in one piece.
    """
    rows, columns = len(left.rows) * SIDE, len(right.columns) * SIDE
    inside = 0 <= window[0] <= window[1] <= rows and 0 <= window[2] <= window[3] <= columns
    room = made.flags.c_contiguous and made.shape[0] >= window[1] - window[0] and made.shape[1] >= window[3] - window[2]
    if not (inside and room) or any(edge % PANEL for edge in window):
        raise ValueError(f"window {window} of {rows} x {columns} templates does not fit {made.shape}")
    _multiply(_multiply_by_unit if available() else _multiply_anywhere, left, right, window, made)


def _multiply(how: Any, left: Terms, right: Terms, window: tuple[int, int, int, int], made: Scores) -> None:
    """In one of two ways, which are compiled, and take everything flat."""
    groups, steps = np.array(window, dtype=np.int64) // SIDE, left.rows.shape[1]
    how(left.rows.reshape(-1), right.columns.reshape(-1), groups, steps, _SHAPE, made.reshape(-1), made.shape[1])


@functools.cache
def available() -> bool:
    """Whether the processor does it: asked once, with numbers of which the outcome is known."""
    if not matrix_unit.permitted():
        return False
    rng = np.random.default_rng(1)
    terms = terms_of(rng.standard_normal((PANEL, DEPTH * CHUNK + 1), dtype=np.float32))
    made = [aligned((PANEL, PANEL + GAP), np.float32) for _ in range(2)]
    for how, one in zip((_multiply_by_unit, _multiply_anywhere), made, strict=True):
        _multiply(how, terms, terms, (0, PANEL, 0, PANEL), one)
    return bool((made[0] == made[1])[:, :PANEL].all())


def aligned(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    """An array that begins with a line of the cache."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    memory = np.empty(size + LINE, dtype=np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(kind).reshape(shape)


_SHAPE = aligned((64,), np.uint8)
_SHAPE[:] = matrix_unit.shape()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _take_apart(values: Scores, rows: Halves, pairs: NDArray[np.uint32], columns: NDArray[np.uint32]) -> None:
    """Write the terms of numbers into `rows`, of which `pairs` are two at a time, and turn these into `columns`."""
    for g in range(rows.shape[0]):
        for step in range(rows.shape[1]):
            first = step * DEPTH
            width = min(DEPTH, values.shape[1] - first)
            for s in range(SIDE):
                row = values[g * SIDE + s]
                one, two, three = rows[g, step, 0, s], rows[g, step, 1, s], rows[g, step, 2, s]
                for k in range(width):
                    left = row[first + k]
                    high = _nearest(left)
                    left = np.float32(left - _number(high))
                    middle = _nearest(left)
                    left = np.float32(left - _number(middle))
                    one[k], two[k], three[k] = high, middle, _nearest(left)
                for k in range(width, DEPTH):
                    one[k] = two[k] = three[k] = np.uint16(0)
            for p in range(TERMS):
                for k in range(DEPTH // 2):
                    for s in range(SIDE):
                        columns[g, step, p, k, s] = pairs[g, step, p, s, k]


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _nearest(value: np.float32) -> np.uint16:
    """The bfloat16 that is nearest to a float32, ties to even; it must not be near the largest one."""
    bits = np.float32(value).view(np.uint32)
    even = (bits >> np.uint32(16)) & np.uint32(1)
    return np.uint16((bits + np.uint32(0x7FFF) + even) >> np.uint32(16))


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _number(bits: np.uint16) -> np.float32:
    """A bfloat16 as a float32."""
    return np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _multiply_by_unit(
    rows: Halves, columns: Halves, window: Ints, steps: int, shape: NDArray[np.uint8], made: Scores, width: int
) -> None:
    """`window` in groups of 16 templates; everything flat."""
    here, group = TERMS * TILE, steps * TERMS * TILE
    begin(shape)
    for start in range(0, steps, CHUNK):
        stop = min(start + CHUNK, steps)
        for r in range(window[0], window[1], 2):
            for c in range(window[2], window[3], 2):
                at = (r - window[0]) * SIDE * width + (c - window[2]) * SIDE
                if start == 0:
                    zeros()
                else:
                    fetch(made, at, width)
                for step in range(start, stop):
                    one, two = r * group + step * here, c * group + step * here
                    add_products(rows, columns, one, one + group, two, two + group)
                keep(made, at, width)
    end()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _multiply_anywhere(
    rows: Halves, columns: Halves, window: Ints, steps: int, _: NDArray[np.uint8], made: Scores, width: int
) -> None:
    """The same numbers without the unit, step by step; all columns at once, which compilers know to do fast."""
    first, many = window[2], (window[3] - window[2]) * SIDE
    theirs = np.empty((steps * TERMS, DEPTH, many), dtype=np.float32)
    for c in range(many):
        for tile in range(steps * TERMS):
            at = ((first + c // SIDE) * steps * TERMS + tile) * TILE + c % SIDE * 2
            for k in range(DEPTH):
                theirs[tile, k, c] = _number(columns[at + k // 2 * 2 * SIDE + k % 2])
    even, odd = np.empty(many, dtype=np.float32), np.empty(many, dtype=np.float32)
    for r in range(window[0] * SIDE, window[1] * SIDE):
        start = (r - window[0] * SIDE) * width
        total = made[start : start + many]
        total[:] = np.float32(0)
        for step in range(steps):
            for i, j in _PAIRS:
                mine = ((r // SIDE * steps + step) * TERMS + i) * TILE + r % SIDE * DEPTH
                other = theirs[step * TERMS + j]
                even[:], odd[:] = np.float32(0), np.float32(0)
                for k in range(0, DEPTH, 2):
                    _add(even, other[k], _number(rows[mine + k]))
                    _add(odd, other[k + 1], _number(rows[mine + k + 1]))
                _add(even, odd, np.float32(1))
                _add(total, even, np.float32(1))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(sums: Scores, values: Scores, times: np.float32) -> None:
    """Add the product of each with a number; a product of two bfloat16 numbers is exact."""
    for n in range(len(sums)):
        sums[n] += times * values[n]
