"""From numbers to estimates: every attribute model gives a vector for an image, and its card says what it holds.

The vector has the form of a template, so that extraction, cache and resumption can be those of every model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit.domain import AttributeEstimate, FailureToAcquire, Picture, Template
from audit.models import guard
from audit.models.attributes.card import AttributeCard, Says


class Analyser:
    """An `AttributeModel` made of what gives vectors, and of a card that reads them.

    Parameters
    ----------
    card : AttributeCard
    extractor : Extractor
        Gives for each image a vector of `card.dimension` numbers, or a failure.
    """

    def __init__(self, card: AttributeCard, extractor: guard.Extractor) -> None:
        self.card = card
        self.name = card.name
        self.revision = card.revision
        self._extractor = extractor

    @property
    def extractor(self) -> guard.Extractor:
        """What gives the vectors: of some kinds also from pictures at a part of their size, or with marked faces."""
        return self._extractor

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """Vector of numbers, or failure, of every image, in order; an error of the model is a failure of its image."""
        return guard.outcomes(self._extractor, [Picture(image) for image in images], self.card.dimension)

    def assess(self, images: Sequence[NDArray[np.uint8]]) -> list[AttributeEstimate | FailureToAcquire]:
        """Estimate of every image, or why there is none, in order; see `audit.domain.AttributeModel`."""
        return [
            one if isinstance(one, FailureToAcquire) else estimate(one, self.card.says) for one in self.extract(images)
        ]


def estimate(numbers: Template, says: Sequence[Says]) -> AttributeEstimate | FailureToAcquire:
    """Read a vector: years as they stand, probabilities by label.

    Parameters
    ----------
    numbers : Template
        Its vector holds, in the order of `says`, years (one number), or a probability for each label.
    says : sequence of Says

    Returns
    -------
    AttributeEstimate, or a failure of the stage "template" where numbers are no probabilities
    """
    age, first = None, 0
    probabilities: dict[str, dict[str, float]] = {}
    for one in says:
        part = numbers.vector[first : first + one.width]
        first += one.width
        if not one.labels:
            age = float(part[0])
        elif part.min() < 0 or abs(float(part.sum()) - 1) > 1e-3:
            return FailureToAcquire("template", f"what is said of {one.attribute} is no set of probabilities")
        else:
            probabilities[one.attribute] = dict(zip(one.labels, map(float, part), strict=True))
    return AttributeEstimate(age=age, probabilities=probabilities, faces=numbers.faces)
