"""Comparisons on a Ray cluster: squares of tiles as tasks, parts merged by tree.

What travels are templates, block by block, and parts: a score matrix never exists, in the object store or elsewhere. A
task that dies with its worker is run again somewhere else; as a part is the same integers and scores whoever counts it,
retries, stragglers and the order of arrival change nothing but the time. A branch of the tree that has arrived is kept
in the checkpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audit import cluster
from audit.compare import bfloat16, threads
from audit.compare.blocks import Blocks, Scores, Similarity
from audit.compare.counts import Grid, Ints
from audit.compare.parts import Part, merged, pack, unpack
from audit.compare.tiles import SQUARE, Counter, Wanted

BRANCH = 8
"""Squares of tiles that are merged before they come back."""

_LAYOUTS: dict[str, Blocks] = {}


@dataclass(frozen=True, eq=False)
class Job:
    """What every task needs to know; the templates come with the task.

    Parameters
    ----------
    token : of this job among others
    subject : (samples,) sorted as in `Blocks`
    atom_of, atoms, similarity, side, grid, wanted, by_terms : as there
    """

    token: str
    subject: Ints
    atom_of: Ints
    atoms: int
    similarity: Similarity
    side: int
    grid: Grid
    wanted: Wanted
    by_terms: bool


class _Sent:
    """Templates of the blocks that came with a task, by their place in the sorted order."""

    def __init__(self, total: int, blocks: dict[int, Scores]) -> None:
        self._blocks = blocks
        self.shape: tuple[int, int] = (total, next(iter(blocks.values())).shape[1])

    def take(self, index: Ints) -> Scores:
        """Read the templates of a block, by the place of its first sample."""
        return np.ascontiguousarray(self._blocks[int(index[0])])


def count_square(job: Job, pairs: Sequence[tuple[int, int]], starts: Sequence[int], *sent: Scores) -> bytes:
    """Count tiles on this machine with one thread; the part, packed.

    Parameters
    ----------
    pairs : row and column block of each tile
    starts : place of the first sample of each block sent
    """
    rows = _Sent(len(job.subject), dict(zip(starts, sent, strict=True)))
    if job.token not in _LAYOUTS:  # sorting and cutting are done once in every worker
        _LAYOUTS.clear()
        _LAYOUTS[job.token] = Blocks(rows, job.subject, job.atom_of, job.similarity, job.side)
    blocks = _LAYOUTS[job.token].reading(rows)
    with threads.one_thread_each():
        counter = Counter(blocks, job.atoms, job.grid, by_terms=job.by_terms)
        held = [counter.count(blocks.cut[one], blocks.cut[two], job.wanted) for one, two in pairs]
    found = tuple(one for one in held if one.size)
    return pack(Part(np.array(pairs, dtype=np.int64).reshape(-1, 2), counter.finish(), found))


def merge_packed(*packed: bytes) -> bytes:
    """Merge parts, packed."""
    found = [unpack(one) for one in packed]
    return pack(merged(found, (found[0].histogram.shape[0], found[0].histogram.shape[1])))


def sweep(
    address: str,
    blocks: Blocks,
    job: Job,
    done: set[tuple[int, int]],
    keep: Callable[[Part], None],
) -> list[Part]:
    """Count every tile that is not done yet.

    Parameters
    ----------
    address : `ray` or `ray://HOST:PORT`
    keep : called with every branch that has arrived
    """
    with cluster.connected(address) as ray:
        count = ray.remote(num_cpus=1, max_retries=-1)(count_square)
        merge = ray.remote(num_cpus=0.1, max_retries=-1)(merge_packed)
        known = ray.put(job)
        sent = [ray.put(blocks.raw(block)) for block in blocks.cut]
        starts = [block.samples.start for block in blocks.cut]
        waiting = []
        for branch in _batches(squares(len(blocks.cut), done), BRANCH):
            made = []
            for pairs in branch:
                numbers = sorted({number for pair in pairs for number in pair})
                made.append(count.remote(known, pairs, [starts[k] for k in numbers], *(sent[k] for k in numbers)))
            waiting.append(merge.remote(*made))
        parts = []
        while waiting:
            (ready, *_), waiting = ray.wait(waiting, num_returns=1)
            parts.append(unpack(ray.get(ready)))
            keep(parts[-1])
        return parts


def have_matrix_units(address: str) -> bool:
    """Whether every machine of a cluster multiplies in terms as fast as `audit.compare.bfloat16` says."""
    if address == cluster.LOCAL:
        return bfloat16.available()
    with cluster.connected(address) as ray:
        return all(on_every_machine(ray, bfloat16.available))


def on_every_machine(ray: Any, ask: Callable[[], bool]) -> list[bool]:
    """What a question is answered on each machine of a cluster."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - an extra

    def answer() -> bool:  # Ray takes functions alone
        return ask()

    task = ray.remote(num_cpus=0)(answer)
    there = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in ray.nodes() if node["Alive"]]
    answers: list[bool] = ray.get([task.options(scheduling_strategy=one).remote() for one in there])
    return answers


def squares(count: int, done: set[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Tiles of each square that are not done."""
    for top in range(0, count, SQUARE):
        for left in range(top, count, SQUARE):
            rows, columns = range(top, min(top + SQUARE, count)), range(left, min(left + SQUARE, count))
            pairs = [(one, two) for one in rows for two in columns if one <= two and (one, two) not in done]
            if pairs:
                yield pairs


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(items, size)):
        yield batch
