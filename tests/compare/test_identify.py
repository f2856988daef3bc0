"""Counts of one against many: what a plain loop over a whole score matrix gives, and what is worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from list_scores import GivenScores

from audit.compare.blocks import ArrayRows, Similarity
from audit.compare.identify import CMC_DEPTH, AgainstList, ListCounts
from audit.plan import DEEPEST_RANK

RANKS = (1, 5)


@dataclass
class World:
    """People, part of them on a list with `images` references each; everybody is tested three times."""

    vectors: np.ndarray
    subject: np.ndarray
    listed: np.ndarray
    images: int
    atom_of: np.ndarray

    @classmethod
    def made(cls, images: int, people: int = 300, on_list: int = 120) -> World:
        rng = np.random.default_rng(images)
        listed = rng.permutation(people)[:on_list]
        subject = np.r_[np.repeat(listed, images), np.repeat(np.arange(people), 3)]
        middle = rng.standard_normal((people, 16), dtype=np.float32)
        vectors = middle[subject] + np.float32(0.9) * rng.standard_normal((len(subject), 16), dtype=np.float32)
        return cls(vectors, subject, listed, images, rng.integers(0, 3, people))

    @property
    def references(self) -> int:
        return len(self.listed) * self.images

    def against(self, similarity: Similarity) -> AgainstList:
        probes = np.arange(self.references, len(self.subject))
        return AgainstList(
            ArrayRows(self.vectors), self.subject, probes, np.arange(self.references), self.atom_of, 3, similarity
        )

    def scores(self, similarity: Similarity) -> np.ndarray:
        """Best score of every probe with every person on the list, in float64."""
        v = self.vectors.astype(np.float64)
        if similarity == "cosine":
            v /= np.linalg.norm(v, axis=1)[:, None]
        probes, references = v[self.references :], v[: self.references]
        if similarity == "euclidean":
            every = -np.sqrt(((probes[:, None] - references[None]) ** 2).sum(axis=2))
        else:
            every = probes @ references.T
        return every.reshape(len(probes), len(self.listed), self.images).max(axis=2)


def plain_loop(world: World, scores: np.ndarray, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    """Every outcome by itself: one probe, one threshold, one rank after the other."""
    people, t_count = len(world.atom_of), len(thresholds)
    place = {int(person): k for k, person in enumerate(world.listed)}
    made = {
        "false_positives": np.zeros((t_count, people)), "half": np.zeros((t_count, people)),
        "misses": np.zeros((t_count, 2, people)), "beyond": np.zeros((CMC_DEPTH, people)),
        "wrong_first": np.zeros((3, 3)), "alerts": np.zeros((t_count, 3, 3)), "caused": np.zeros((t_count, people, 3)),
    }  # fmt: skip
    pairs: dict[tuple[int, int, int], int] = {}
    for probe, row in enumerate(scores):
        person = int(world.subject[world.references + probe])
        atom = world.atom_of[person]
        if person in place:
            mate, others = row[place[person]], np.delete(row, place[person])
            rank = 1 + int((others >= mate).sum())
            for t, threshold in enumerate(thresholds):
                for r, limit in enumerate(RANKS):
                    made["misses"][t, r, person] += mate < threshold or rank > limit
            made["beyond"][:, person] += rank > np.arange(1, CMC_DEPTH + 1)
            if rank > 1:
                best = np.where(np.arange(len(row)) == place[person], -np.inf, row).argmax()
                made["wrong_first"][atom, world.atom_of[world.listed[best]]] += 1
            continue
        for t, threshold in enumerate(thresholds):
            above = np.flatnonzero(row >= threshold)
            made["false_positives"][t, person] += len(above) > 0
            made["half"][t, person] += bool((above < len(row) // 2).any())
            if len(above):
                made["alerts"][t, atom, world.atom_of[world.listed[row.argmax()]]] += 1
            if len(above) == 1:
                made["caused"][t, world.listed[above[0]], atom] += 1
                pair = (t, person, int(above[0]))
                pairs[pair] = pairs.get(pair, 0) + 1
    made["caused_squares"] = np.zeros((t_count, 3))
    for (t, person, _), times in pairs.items():
        made["caused_squares"][t, world.atom_of[person]] += times**2
    return made


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("similarity", ["cosine", "euclidean", "dot"])
def test_a_plain_loop_over_every_score_gives_the_same(similarity: Similarity, images: int) -> None:
    world = World.made(images)
    against = world.against(similarity)
    scores, numbers = against.highest()
    thresholds = np.quantile(scores, [0.5, 0.95]) + 1e-5  # between scores: float32 and float64 agree there
    counts, plain = against.at(thresholds, RANKS), plain_loop(world, world.scores(similarity), thresholds)
    assert numbers.sum() == counts.nonmated.sum() == 3 * (300 - 120)
    assert counts.sizes.tolist() == [15, 30, 60, 120]
    np.testing.assert_array_equal(counts.false_positives[-1], plain["false_positives"])
    np.testing.assert_array_equal(counts.false_positives[-2], plain["half"])
    for name in ("misses", "beyond", "wrong_first", "alerts", "caused", "caused_squares"):
        np.testing.assert_array_equal(getattr(counts, name), plain[name], err_msg=name)
    assert counts.misses.any()
    assert counts.wrong_first.any()


def by_hand() -> ListCounts:
    """Four on the list. Mated: first, tied with another, third. Non-mated: 0.7 and 0.6 above 0.5, or 0.5 alone."""
    probes = [([0.1, 0.2, 0.3], 0.9), ([0.4, 0.1, 0.0], 0.4), ([0.8, 0.7, 0.1], 0.6), ([0.7, 0.6, 0.1], None),
              ([0.5, 0.2, 0.1], None), ([0.4, 0.4, 0.4], None)]  # fmt: skip
    return GivenScores(probes).at(np.array([0.5, 0.65]), (1, 3))


def test_counted_by_hand_ties_take_the_worst_rank() -> None:
    counts = by_hand()
    assert counts.mated.sum() == counts.nonmated.sum() == 3
    assert counts.beyond.sum(axis=1).tolist() == [2, 1, 0, 0]
    assert counts.misses.sum(axis=2).tolist() == [[2, 1], [2, 2]]
    assert counts.false_positives[-1].sum(axis=1).tolist() == [2, 1]
    assert counts.caused.sum(axis=(1, 2)).tolist() == [1, 1], "at 0.5 the first alarm has two causes"
    assert counts.wrong_first.tolist() == [[2]]


def test_ranks_that_can_be_asked_for_are_followed() -> None:
    assert DEEPEST_RANK == CMC_DEPTH


def test_the_list_is_the_same_whatever_the_block_of_probes() -> None:
    """More probes than a strip holds, and more references than a block."""
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((2500, 8), dtype=np.float32)
    subject = np.arange(2500)
    atoms = np.zeros(2500, dtype=np.int64)
    whole = AgainstList(ArrayRows(vectors), subject, np.arange(1100, 2500), np.arange(1100), atoms, 1, "dot")
    wanted = (vectors[1100:].astype(np.float64) @ vectors[:1100].T.astype(np.float64)).max(axis=1)
    scores, numbers = whole.highest()
    np.testing.assert_allclose(np.repeat(scores, numbers), np.sort(wanted), rtol=1e-5)


def test_a_list_needs_two_people() -> None:
    rows = ArrayRows(np.ones((3, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="two people"):
        AgainstList(rows, np.array([0, 0, 1]), np.array([2]), np.array([0, 1]), np.zeros(2, dtype=np.int64), 1, "dot")
