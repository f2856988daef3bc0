"""Any model, run so that one image's error is one image's failure, and no vector passes that cannot be compared."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.domain import DURING, FailureToAcquire, Picture, Template
from audit.errors import ModelError

Outcome = Template | FailureToAcquire


class NoTemplateError(Exception):
    """Raised by an adapter that knows why one image has no template; the image's outcome is `failure`."""

    def __init__(self, failure: FailureToAcquire) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Extractor(Protocol):
    """What turns images into templates or failures: a model, or a detector on its own."""

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> list[Template | FailureToAcquire]:
        """One outcome an image, in order."""
        ...


@runtime_checkable
class PictureExtractor(Protocol):
    """An extractor that can do with images decoded at a part of their size, and asks for the whole where it cannot.

    It works on several batches at the same time.
    """

    @property
    def working_size(self) -> int:
        """Longer side, in pixels, that suffices to find a face."""
        ...

    @property
    def seconds(self) -> dict[str, float]:
        """Time spent in each stage so far, all threads together."""
        ...

    def extract_pictures(self, pictures: Sequence[Picture]) -> list[Template | FailureToAcquire]:
        """One outcome a picture, in order, on the thread that asks for it; called from several at once."""
        ...


_log = logging.getLogger(__name__)
_MEMORY = ("allocate memory", "bad_alloc", "bad allocation", "out of memory", "failed to allocate", "new thread")
"""What runtimes say, in errors of kinds of their own, when the machine has no more; the image is not to blame."""


def outcomes(model: Extractor, pictures: list[Picture], dimension: int) -> list[Outcome]:
    """Run a model on a batch.

    Parameters
    ----------
    model : Extractor
    pictures : list of Picture
        Of full size, unless the model is a `PictureExtractor`.
    dimension : int
        What the model's card says.

    Returns
    -------
    list, one an image, in order
        Templates are finite, not zero, float32 and of the dimension; all else is a failure with stage and reason.

    Raises
    ------
    ModelError
        If the model says that it cannot go on with any image.
    """
    return [_checked(outcome, dimension) for outcome in _each(model, pictures)]


def _run(model: Extractor, pictures: list[Picture]) -> list[Outcome]:
    if isinstance(model, PictureExtractor):
        return model.extract_pictures(pictures)
    return model.extract([picture.pixels for picture in pictures])


def _each(model: Extractor, images: list[Picture]) -> list[Outcome]:
    """Run the model on a batch; if that raises, on each image alone: one image's error is its own failure."""
    try:
        outcomes = _run(model, images)
        if len(outcomes) == len(images):
            return outcomes
        error: Exception = ValueError(f"{len(outcomes)} outcomes for {len(images)} images")
    except ModelError:
        raise
    except Exception as raised:  # noqa: BLE001 - any model's error is recorded as the image's failure
        error = raised
    if len(images) == 1:
        if isinstance(error, NoTemplateError):
            return [error.failure]
        _log.info("the model failed on an image", exc_info=error)
        return [failure(error, type(error).__name__)]
    return [outcome for image in images for outcome in _each(model, [image])]


def failure(error: Exception, kind: str) -> FailureToAcquire:
    """What an error of a kind, which a model raised while it worked on an image, makes of this image."""
    if short_of_memory(error):
        return FailureToAcquire("template", f"not enough memory {DURING}")
    return FailureToAcquire("template", f"model error: {kind}")


def short_of_memory(error: Exception) -> bool:
    """Whether an error says that there was no more memory."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY)


def _checked(outcome: Outcome, dimension: int) -> Outcome:
    if isinstance(outcome, FailureToAcquire):
        return outcome
    vector = np.asarray(outcome.vector, np.float32)
    if vector.shape != (dimension,):
        return FailureToAcquire("template", "template is not of the card's dimension")
    if not np.isfinite(vector).all():
        return FailureToAcquire("template", "template is not finite")
    if not vector.any():
        return FailureToAcquire("template", "template is zero")
    return Template(vector, outcome.faces, outcome.noted)
