"""One against many, inside a benchmark: from templates to counts, never to names.

Probes are compared with everybody on a list in strips of matrix products. Of a strip four numbers a probe remain
(`audit.compare.ranking`), and those stay in here: what leaves is counts of outcomes by the person who was tested, and
by groups of candidates. Nothing says which candidate belongs to which probe.

A person on the list with several references has the highest of their scores. A mate's rank is 1 + the number of other
people whose score is not below hers: ties take the worst rank, as in bob.measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.compare import ranking
from audit.compare.blocks import Blocks, Rows, Similarity
from audit.compare.counts import Floats, Ints, weigh
from audit.compare.kernel import to_distances
from audit.compare.threads import cores, counted, each, one_thread_each
from audit.compare.tiles import NEAR

CMC_DEPTH = 20
"""Ranks that a cumulative match characteristic is followed to."""
ROWS = 512
"""Probes in a strip."""
PARTS = (8, 4, 2, 1)
"""False positives are also counted against the first eighth, quarter and half of the list, to see how they grow."""


@dataclass(frozen=True, eq=False)
class ListCounts:
    """What probes against a list leave behind, by the person tested; n subjects, A atoms, T thresholds, R ranks.

    Parameters
    ----------
    thresholds : (T,) ascending; a candidate is returned iff score >= threshold
    sizes : (S,) people on the parts of the list that false positives are counted against; the last is all of it
    nonmated : (n,) probes of people who are not on the list
    false_positives : (S, T, n) those with somebody at or above the threshold
    caused : (T, n, A) by person on the list: probes of each atom that nobody else would have made false positives
    caused_squares : (T, A) sums over pairs (person tested, person on the list) of the squares of these numbers
    mated : (n,) probes of people on the list
    ranks : (R,) ranks of `misses`
    misses : (T, R, n) mated probes whose mate is below the threshold or beyond the rank
    beyond : (depth, n) mated probes whose mate is beyond rank 1, 2, ..., whatever its score
    wrong_first : (A, A) mated probes with another person at rank 1: atom of the probe, atom of that person
    alerts : (T, A, A) false positives: atom of the probe, atom of the highest candidate
    """

    thresholds: Floats
    sizes: Ints
    nonmated: Ints
    false_positives: Ints
    caused: Ints
    caused_squares: Ints
    mated: Ints
    ranks: Ints
    misses: Ints
    beyond: Ints
    wrong_first: Ints
    alerts: Ints


class AgainstList:
    """Probes and a list of references, by their rows.

    Parameters
    ----------
    rows : templates
    subject : (templates,) subject of each
    probes : (P,) which templates are probes
    references : (G,) which are on the list, those of a person beside each other; the order of people is that in which
        `PARTS` of the list are taken
    atom_of, atoms : (subjects,) atom of each subject, and how many there are
    """

    def __init__(
        self,
        rows: Rows,
        subject: Ints,
        probes: Ints,
        references: Ints,
        atom_of: Ints,
        atoms: int,
        similarity: Similarity,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        nobody = np.zeros(len(atom_of), dtype=np.int64)
        self._blocks = Blocks(rows, subject, nobody, similarity)
        self._tested = Blocks(rows, subject, nobody, similarity, ROWS)
        self._probes, self._references = probes, references
        self._atom_of, self._atoms, self._progress = atom_of, atoms, progress
        owner = subject[references]
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        self.people = owner[starts]
        if len(self.people) < 2 or len(np.unique(self.people)) < len(self.people):
            raise ValueError("a list needs two people, each with their references beside each other")
        self._first = np.r_[starts, len(references)].astype(np.int64)
        place = np.full(len(atom_of), -1, dtype=np.int64)
        place[self.people] = np.arange(len(self.people))
        self._person = subject[probes]
        self._own = place[self._person]
        self._sizes = np.unique([max(1, len(self.people) // part) for part in PARTS])
        self._ranked: _Ranked | None = None

    def highest(self) -> tuple[Floats, Ints]:
        """Highest scores of the non-mated probes, ascending and distinct, and how many probes have each."""
        found = self._found()
        scores = found.best[-1][self._own < 0].astype(np.float64)
        return weigh(scores, np.ones(len(scores), dtype=np.int64))

    def at(self, thresholds: Floats, ranks: Sequence[int]) -> ListCounts:
        """Count outcomes at ascending thresholds and at ranks."""
        found, size = self._found(), len(self._atom_of)
        mated = self._own >= 0
        person, other = self._person[mated], self._person[~mated]
        rank, wanted = found.rank[mated], np.asarray(ranks, dtype=np.int64)
        depth = 1 + np.arange(min(CMC_DEPTH, len(self.people)))
        low = found.mate[mated] < thresholds[:, None]
        best, second = found.best[:, ~mated], found.second[~mated]
        caused, squares, alerts = self._causes(thresholds, best[-1], second, other, found.candidate[~mated])
        wrong = rank > 1
        return ListCounts(
            thresholds=np.asarray(thresholds, dtype=np.float64),
            sizes=self._sizes,
            nonmated=np.bincount(other, minlength=size),
            false_positives=_by_person(best[:, None, :] >= thresholds[:, None], other, size),
            caused=caused,
            caused_squares=squares,
            mated=np.bincount(person, minlength=size),
            ranks=wanted,
            misses=_by_person(low[:, None, :] | (rank > wanted[:, None]), person, size),
            beyond=_by_person((rank > depth[:, None])[None], person, size)[0],
            wrong_first=self._between(person[wrong], found.candidate[mated][wrong]),
            alerts=alerts,
        )

    def _causes(
        self, thresholds: Floats, best: Floats, second: Floats, tested: Ints, candidate: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Sums over false positives by who stands first, and by who alone is at or above the threshold."""
        shape = (len(thresholds), len(self._atom_of), self._atoms)
        caused = np.zeros(shape, dtype=np.int64)
        squares = np.zeros((len(thresholds), self._atoms), dtype=np.int64)
        alerts = np.zeros((len(thresholds), self._atoms, self._atoms), dtype=np.int64)
        for t, threshold in enumerate(thresholds):
            alerts[t] = self._between(tested[best >= threshold], candidate[best >= threshold])
            alone = (best >= threshold) & (second < threshold)
            one, two = tested[alone], self.people[candidate[alone]]
            np.add.at(caused[t], (two, self._atom_of[one]), 1)
            pair, times = np.unique(one * shape[1] + two, return_counts=True)
            np.add.at(squares[t], self._atom_of[pair // shape[1]], times**2)
        return caused, squares, alerts

    def _between(self, tested: Ints, candidate: Ints) -> Ints:
        """How often a person of one atom met a candidate of another, (atoms, atoms)."""
        made = np.zeros((self._atoms, self._atoms), dtype=np.int64)
        np.add.at(made, (self._atom_of[tested], self._atom_of[self.people[candidate]]), 1)
        return made

    def _found(self) -> _Ranked:
        if self._ranked is None:
            made, begins = _Ranked.empty(len(self._probes), len(self._sizes)), range(0, len(self._probes), ROWS)
            columns = self._columns()
            done = counted(len(begins), self._progress)

            def step(strip: Any, begin: int) -> None:
                self._fill(strip, begin, columns)
                made.fill(begin, strip.numpy(), self._first, self._own[begin : begin + ROWS], self._sizes)
                done()

            with one_thread_each():
                each(begins, min(cores(), len(begins)), lambda: self._strip(len(columns)), step)
            self._ranked = made
        return self._ranked

    def _strip(self, columns: int) -> Any:
        """Room for the scores of some probes with the whole list, used again and again: it stays near the processor."""
        import torch  # noqa: PLC0415 - loads in seconds

        return torch.empty((columns, ROWS, self._blocks.side), dtype=torch.float32)

    def _columns(self) -> list[tuple[Any, Any, int]]:
        side = self._blocks.side
        starts = range(0, len(self._references), side)
        return [self._prepared(self._blocks, self._references[start : start + side]) for start in starts]

    def _fill(self, strip: Any, begin: int, columns: Sequence[tuple[Any, Any, int]]) -> None:
        """Scores of the probes from `begin` on."""
        import torch  # noqa: PLC0415 - loads in seconds

        left = self._prepared(self._tested, self._probes[begin : begin + ROWS])
        for number, right in enumerate(columns):
            torch.mm(left[0], right[0].T, out=strip[number])
            if self._blocks.similarity == "euclidean":
                self._as_distances(strip[number].numpy(), left, right)

    @staticmethod
    def _prepared(blocks: Blocks, index: Ints) -> tuple[Any, Any, int]:
        tensor, norms = blocks.prepared(index)
        return tensor, norms, len(index)

    @staticmethod
    def _as_distances(product: Any, left: tuple[Any, Any, int], right: tuple[Any, Any, int]) -> None:
        sizes = np.array([left[2], right[2]], dtype=np.int64)
        to_distances(product, left[0].numpy(), right[0].numpy(), left[1], right[1], sizes, np.float32(NEAR))


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Of every probe: its mate's score and rank, other people's highest scores (by part of the list), and whose."""

    mate: Any
    rank: Ints
    best: Any
    second: Any
    candidate: Ints

    @classmethod
    def empty(cls, probes: int, parts: int) -> _Ranked:
        whole = (np.zeros(probes, dtype=np.int64) for _ in range(2))
        mate, second = (np.full(probes, -np.inf, dtype=np.float32) for _ in range(2))
        return cls(mate, next(whole), np.full((parts, probes), -np.inf, dtype=np.float32), second, next(whole))

    def fill(self, begin: int, strip: Any, first: Ints, own: Ints, sizes: Ints) -> None:
        """Rank the list for the probes from `begin` on."""
        some = slice(begin, begin + len(own))
        ranking.rank_rows(
            strip, first, own, sizes, self.mate[some], self.rank[some], self.best[:, some], self.second[some],
            self.candidate[some],
        )  # fmt: skip


def _by_person(outcomes: NDArray[np.bool_], person: Ints, size: int) -> Ints:
    """Sum outcomes of probes, (rows, columns, probes), by person."""
    made = np.zeros((*outcomes.shape[:2], size), dtype=np.int64)
    for i, j in np.ndindex(outcomes.shape[:2]):
        made[i, j] = np.bincount(person[outcomes[i, j]], minlength=size)
    return made
