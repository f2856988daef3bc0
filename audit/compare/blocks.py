"""Templates in blocks: sorted by atom and subject, cut between subjects, padded to one shape.

Products are made in few shapes (`audit.compare.tiles.STEP`), and those of a tile never depend on threads, restarts or
machines: a score is then the same float32 number wherever its tile is computed. A block holds whole subjects, about
`BLOCK` samples; a subject with more takes several times the shape alone. Templates are read where they lie (an array,
or a file mapped into memory), block by block, and turned into float32 on the way.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from audit.compare import bfloat16, kernel, matrix_unit
from audit.compare.counts import Ints
from audit.compare.ready import Ready
from audit.errors import DataError

Similarity = Literal["cosine", "dot", "euclidean"]
Storage = Literal["float32", "float16", "bfloat16"]
Scores = NDArray[np.float32]
BLOCK = 1024
"""Samples in a block: a tile of scores is 4 MB."""
LANES = 16
"""Templates are padded with zeros to a multiple of so many numbers."""
HELD = 1 << 30
"""Bytes of blocks that are kept ready, and as many of their terms; beyond, the blocks used last."""
NOT_FINITE = "a template holds a number that is not finite"
NO_DIRECTION = "a template is the zero vector, which has no direction"
WAY_OUT = "Such a sample is a failure"


class Rows(Protocol):
    """Templates that can be read by number."""

    shape: tuple[int, int]

    def take(self, index: Ints) -> Scores:
        """Read templates as float32, shape (len(index), dimension)."""
        ...


class ArrayRows:
    """An array of float32 or float16, in memory or mapped from a file."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values
        self.shape: tuple[int, int] = (len(values), int(values.shape[1]) if values.ndim > 1 else 0)

    def take(self, index: Ints) -> Scores:
        """Read templates."""
        return np.ascontiguousarray(self._values[index], dtype=np.float32)


class Bfloat16Rows:
    """bfloat16 numbers as their 16 bits (numpy has no such type): the upper half of a float32."""

    def __init__(self, bits: NDArray[np.uint16]) -> None:
        self._bits = bits
        self.shape: tuple[int, int] = (len(bits), int(bits.shape[1]))

    def take(self, index: Ints) -> Scores:
        """Read templates."""
        return np.ascontiguousarray((self._bits[index].astype(np.uint32) << 16).view(np.float32))


class _Stored:
    """Templates as they are after having been kept in fewer bits."""

    def __init__(self, rows: Rows, storage: Storage) -> None:
        self._rows, self._storage = rows, storage
        self.shape: tuple[int, int] = rows.shape

    def take(self, index: Ints) -> Scores:
        """Read templates."""
        return rounded(self._rows.take(index), self._storage)


def stored(rows: Rows, storage: Storage) -> Rows:
    """Templates as a file of float16 or bfloat16 would give them back."""
    return rows if storage == "float32" else _Stored(rows, storage)


def rounded(values: Scores, storage: Storage) -> Scores:
    """Round to the nearest float16 or bfloat16, ties to even.

    >>> rounded(np.array([1.01], dtype=np.float32), "bfloat16").tolist()
    [1.0078125]
    """
    if storage == "float16":
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
            return values.astype(np.float16).astype(np.float32)
    bits = values.view(np.uint32)
    even = (bits >> 16) & 1
    return np.asarray(((bits + 0x7FFF + even) & np.uint32(0xFFFF0000)).view(np.float32))


class Chosen:
    """Some rows of others."""

    def __init__(self, rows: Rows, index: Ints) -> None:
        self._rows, self._index = rows, index
        self.shape: tuple[int, int] = (len(index), rows.shape[1])

    def take(self, index: Ints) -> Scores:
        """Read templates."""
        return self._rows.take(self._index[index])


@dataclass(frozen=True, eq=False)
class Block:
    """Samples that stand together.

    Parameters
    ----------
    number : of the block
    samples : where its samples stand in the sorted order
    offsets : where each subject's samples begin within the block, and the end
    subjects : subject of each range
    atom_of : (subjects of all,) atoms
    """

    number: int
    samples: slice
    offsets: Ints
    subjects: Ints
    atom_of: Ints

    @property
    def size(self) -> int:
        """Number of samples."""
        return int(self.offsets[-1])

    @cached_property
    def owner(self) -> Ints:
        """For each sample the number of its subject within the block."""
        return np.repeat(np.arange(len(self.subjects)), np.diff(self.offsets))

    @cached_property
    def atoms(self) -> Ints:
        """Atom of each sample."""
        return self.atom_of[self.subjects][self.owner]

    @cached_property
    def ends(self) -> Ints:
        """For each sample the end of its subject's samples."""
        return self.offsets[1:][self.owner]

    def mated(self, rows: slice) -> int:
        """Mated comparisons of some samples with those that come after them."""
        return int((self.ends[rows] - np.arange(self.size)[rows] - 1).sum())

    @cached_property
    def runs(self) -> tuple[Ints, Ints]:
        """Stretches of samples of one atom: starts and the end; atoms."""
        starts = np.flatnonzero(np.r_[True, self.atoms[1:] != self.atoms[:-1]])
        return np.r_[starts, self.size], self.atoms[starts]


class Blocks:
    """All templates, in blocks.

    Parameters
    ----------
    rows : templates
    subject : (samples,) subject of each
    atom_of : (subjects,) atom of each subject
    side : samples in a block; 0 takes `BLOCK`
    """

    def __init__(self, rows: Rows, subject: Ints, atom_of: Ints, similarity: Similarity, side: int = 0) -> None:
        self._rows = rows
        self.order = np.lexsort((subject, atom_of[subject]))
        self.subject = subject[self.order]
        self.atom_of = atom_of
        self.similarity = similarity
        self.side = side or BLOCK
        self.dimension = -(-max(rows.shape[1], 1) // LANES) * LANES
        self.cut = _cut(self.subject, atom_of, self.side)
        self._empty()

    def _empty(self) -> None:
        each = 4 * self.side * -(-self.dimension // matrix_unit.DEPTH) * matrix_unit.DEPTH
        self._ready: Ready[tuple[Any, Scores]] = Ready(max(4, HELD // each))
        self._terms: Ready[bfloat16.Terms] = Ready(max(4, HELD // (matrix_unit.TERMS * each)))

    def load(self, block: Block) -> tuple[Any, Scores]:
        """Templates of a block as a padded torch tensor, and their squared lengths.

        Raises
        ------
        DataError
            For a number that is not finite, or a zero vector where a direction is needed.
        """
        return self._ready.get(block.number, lambda: self.prepared(self.order[block.samples]))

    def terms(self, block: Block) -> bfloat16.Terms:
        """Templates of a block, padded, as the processor's matrix unit wants them.

        Raises
        ------
        DataError
            As for `load`.
        """
        return self._terms.get(block.number, lambda: bfloat16.terms_of(self._numbers(block)))

    def _numbers(self, block: Block) -> Scores:
        # Of cosines nothing is needed beside the terms, and nothing else is kept.
        made = self.prepared(self.order[block.samples]) if self.similarity == "cosine" else self.load(block)
        numbers: Scores = made[0].numpy()
        return numbers

    def reading(self, rows: Rows) -> Blocks:
        """The same blocks, with templates from elsewhere."""
        made = copy.copy(self)
        made.__dict__.update(_rows=rows)
        made._empty()  # noqa: SLF001 - its own kind
        return made

    def raw(self, block: Block) -> Scores:
        """Templates of a block as they are."""
        return self._rows.take(self.order[block.samples])

    def prepared(self, index: Ints) -> tuple[Any, Scores]:
        """Templates by number, padded and scaled as the similarity wants them, and their squared lengths."""
        import torch  # noqa: PLC0415 - loads in seconds, and listed pairs never need it

        values = self._rows.take(index)
        tall = max(1, -(-len(index) // self.side)) * self.side
        made = np.empty((tall, self.dimension), dtype=np.float32)
        made[len(index) :], made[:, values.shape[1] :] = 0, 0
        wrong = kernel.scaled(values, self.similarity == "cosine", made)
        if wrong:
            raise DataError("templates", NOT_FINITE if wrong == 1 else NO_DIRECTION, WAY_OUT)
        if self.similarity == "cosine":
            return torch.from_numpy(made), np.ones(tall, dtype=np.float32)
        norms = np.einsum("ij,ij->i", made, made, dtype=np.float32)
        if not np.isfinite(norms).all():
            raise DataError("templates", "a template is too long to be squared in float32", "Scale the templates down")
        return torch.from_numpy(made), norms

    def part(self, index: Ints) -> Blocks:
        """Some of the samples, by their place in the sorted order, in blocks of their own."""
        return Blocks(Chosen(self._rows, self.order[index]), self.subject[index], self.atom_of, self.similarity)

    def longest(self) -> float:
        """Largest squared length, for the reach of scores that are not cosines."""
        return max((float(self.load(block)[1].max()) for block in self.cut), default=0.0)


def unit(vectors: NDArray[np.float32]) -> Scores:
    """Scale templates to length 1, in float64.

    Raises
    ------
    DataError
        For a zero vector, which has no direction.
    """
    made = np.empty(vectors.shape, dtype=np.float32)
    if kernel.scaled(np.ascontiguousarray(vectors, dtype=np.float32), True, made):
        raise DataError("templates", NO_DIRECTION, WAY_OUT)
    return made


def _cut(subject: Ints, atom_of: Ints, side: int) -> list[Block]:
    """Cut sorted samples into blocks of whole subjects, at most `side` samples each but where one subject has more."""
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]]) if len(subject) else np.zeros(0, dtype=np.int64)
    ends = np.r_[starts[1:], len(subject)].astype(np.int64)
    blocks: list[Block] = []
    first = 0
    while first < len(starts):
        last = max(first, int(np.searchsorted(ends, starts[first] + side, side="right")) - 1)
        offsets = np.r_[starts[first : last + 1], ends[last]] - starts[first]
        if offsets[-1] > kernel.LARGEST:
            raise DataError(
                "templates", f"{offsets[-1]:,} samples belong to one subject", f"At most {kernel.LARGEST:,} can"
            )
        samples = slice(int(starts[first]), int(ends[last]))
        owners = subject[starts[first : last + 1]]
        blocks.append(Block(len(blocks), samples, offsets.astype(np.int64), owners, atom_of))
        first = last + 1
    return blocks
