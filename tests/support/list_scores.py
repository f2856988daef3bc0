"""A list whose scores are given, for tests: everything but the matrix products is that of the product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.compare.blocks import ArrayRows
from audit.compare.identify import ROWS, AgainstList

NOBODY = -1e30
Probe = tuple[Sequence[float], float | None]
"""Scores of other people on the list, and the mate's, or None where the person is not on it."""


class GivenScores(AgainstList):
    """Every probe is of a person of their own; the first on the list is the mate of those who have one."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._given = probes
        others = max(len(scores) for scores, _ in probes)
        people = 1 + others + len(probes)
        subject = np.r_[np.arange(1 + others), np.arange(len(probes)) + 1 + others]
        rows = ArrayRows(np.ones((len(subject), 2), dtype=np.float32))
        super().__init__(
            rows, subject, np.arange(1 + others, people), np.arange(1 + others), np.zeros(people, dtype=np.int64), 1,
            "dot",
        )  # fmt: skip
        self._own = np.array([-1 if mate is None else 0 for _, mate in probes])

    def _fill(self, strip, begin, columns):  # type: ignore[no-untyped-def]  # noqa: ARG002 - scores are given
        scores = np.full((ROWS, strip.shape[2]), NOBODY, dtype=np.float32)
        for row, (others, mate) in enumerate(self._given[begin : begin + ROWS]):
            scores[row, 0] = NOBODY if mate is None else mate
            scores[row, 1 : 1 + len(others)] = others
        strip.numpy()[0] = scores
