"""On whom a model was trained: the data sets that its card names, with their consent as the catalogue knows it.

What is shown of a set is read from the catalogue each time, so that it cannot say something else than the catalogue.
Training data are disclosed; they gate nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from audit.benchmarks import catalogue, consent
from audit.record import TrainingSet

NOT_LISTED = "not in the catalogue"


class Disclosed(Protocol):
    """What a card says of its training data, in a file or resolved."""

    @property
    def training_sets(self) -> tuple[str, ...]:
        """Names of the data sets."""
        ...

    @property
    def training_data(self) -> str:
        """What it was trained on, beside them or in place of them."""
        ...

    @property
    def training_consent(self) -> str:
        """What is known of the people's consent where the catalogue does not say it."""
        ...


def sets(names: Sequence[str]) -> list[TrainingSet]:
    """Look data sets up in the catalogue.

    >>> [one.status for one in sets(["MS1MV2", "Somebody's own"])]
    ['WITHDRAWN June 2019', 'not in the catalogue']
    """
    return [_set(name) for name in names]


def _set(name: str) -> TrainingSet:
    entry = catalogue.find(name)
    if entry is None:
        return TrainingSet(name=name, status=NOT_LISTED)
    rule = consent.POLICY[consent.strictest([entry.tier], place=entry.id)]
    return TrainingSet(
        name=entry.name,
        tier=entry.tier,
        meaning=rule.meaning,
        consent=entry.fact("consent"),
        status=entry.fact("status"),
    )


def data(card: Disclosed) -> str:
    """Say in one sentence what a model was trained on.

    The record has it beside the list of sets, for readers who know no list.
    """
    named = ", ".join(one.name for one in sets(card.training_sets))
    return ": ".join(text for text in (named, card.training_data) if text)


def people(card: Disclosed) -> str:
    """Say in one sentence what is known of the consent of the people in the training data."""
    found = sets(card.training_sets)
    known = [f"{one.name}: {one.meaning}; {one.consent}; {one.status}" for one in found if one.tier]
    unlisted = ", ".join(one.name for one in found if not one.tier)
    rest = [f"{unlisted}: {NOT_LISTED}", card.training_consent] if unlisted else [card.training_consent]
    return ". ".join(text for text in (*known, "; ".join(text for text in rest if text)) if text)
