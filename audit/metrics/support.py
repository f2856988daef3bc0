"""What a group's data can bear: which claims prose may make, and which groups enter a spread."""

from __future__ import annotations

from audit.domain import Support

FEWEST_SUBJECTS = 30
FEWEST_EFFECTIVE_ERRORS = 10.0
MAX_MIN_GROUPS = 8
MAX_MIN_EFFECTIVE_ERRORS = 100.0


def support(subjects: int, effective_errors: float | None) -> Support:
    """Say what prose may claim about a rate.

    Below 30 subjects or 10 effective errors only counts and an upper bound; below 100 or 30 low precision. None, an
    unknown number of effective errors (a rate of 1), counts as few.

    >>> support(100, 30.0), support(99, 30.0), support(5000, 9.9)
    ('sufficient', 'low-precision', 'count-only')
    """
    errors = effective_errors or 0.0
    if subjects < FEWEST_SUBJECTS or errors < FEWEST_EFFECTIVE_ERRORS:
        return "count-only"
    if subjects < 100 or errors < 30:
        return "low-precision"
    return "sufficient"


def expected_effective_errors(pooled_rate: float, trials: float, design_effect: float) -> float:
    """Effective errors to expect of a group whose rate is the pooled one: `p_pool M / deff`.

    Take the design effect of all groups together (`audit.metrics.cells.pooled_design_effect`): a group's own depends on
    the errors that it happened to have.
    """
    return pooled_rate * trials / design_effect


def excluded(subjects: int, expected: float) -> str | None:
    """Say why a group stays out of spread statistics, by what is known before its errors are counted; None: it enters.

    Never by observed errors: the best group would be dropped, and its distance to the others with it.

    >>> excluded(12, 40.0)
    '12 subjects, fewer than 30'
    >>> excluded(30, 10.0) is None
    True
    """
    if subjects < FEWEST_SUBJECTS:
        return f"{subjects} subjects, fewer than {FEWEST_SUBJECTS}"
    if expected < FEWEST_EFFECTIVE_ERRORS:
        return f"{expected:.1f} effective errors expected at the pooled rate, fewer than {FEWEST_EFFECTIVE_ERRORS:.0f}"
    return None
