"""What can be computed again from a recorded rate: the size behind a rate of zero, and its logarithm for tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audit.record import Rate


class NotRecomputable(Exception):
    """The record does not carry what an interval at another confidence needs; the text says what."""


def zero_size(rate: Rate) -> float:
    """Effective trials N0 behind a rate: those of its recorded bound, or the floor, never fewer than one."""
    if rate.upper_bound is not None and 0 < rate.upper_bound < 1:
        return math.log(0.05) / math.log1p(-rate.upper_bound)
    return max(floor(rate), 1.0)


def floor(rate: Rate) -> float:
    """Least effective size: half the people for comparisons of two of them, else the people."""
    return rate.subjects / 2 if paired(rate) else float(rate.subjects)


def paired(rate: Rate) -> bool:
    """Whether trials belong to two people."""
    return rate.metric in {"FMR", "FAR"}


@dataclass(frozen=True, slots=True)
class LogRate:
    """Log of a rate for tests, its variance, and the people behind it."""

    log: float
    variance: float
    people: int

    @property
    def deviation(self) -> float:
        """Standard error of the log rate."""
        return math.sqrt(self.variance)


def log_rate(rate: Rate) -> LogRate:
    """Log rate for tests; what stands for rates of 0 and 1 is that of `audit.metrics.cells.log_rates`."""
    if rate.value is None or rate.variance is None:
        raise NotRecomputable("the record has no variance of this rate")
    n0 = zero_size(rate)
    tilde = 0.5 / (n0 + 1)
    if rate.value == 0:
        return LogRate(math.log(tilde), (1 - tilde) / (tilde * (n0 + 1)), rate.subjects)
    if rate.value == 1:
        return LogRate(0.0, tilde / ((1 - tilde) * (n0 + 1)), rate.subjects)
    return LogRate(math.log(rate.value), rate.variance / rate.value**2, rate.subjects)
