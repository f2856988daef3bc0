"""Face models of the deepface library: its networks and its own preparation of the crop, fed with faces found here.

Faces are found by the plan's detector: deepface's detectors would fetch weights of their own. The card says how the
face is cut out: by this package's alignments (`arcface`, `box`), or as deepface does it (`deepface`: the box, turned so
that the eyes are level, its aspect kept, black around it). From there on the numbers are deepface's: its resizing, its
colour order, and `(pixel - mean) / deviation`, with which the card states one of its normalisations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.models import deepface_networks, weights
from audit.models.card import InputSpec, ModelCard
from audit.models.deepface_networks import NETWORKS

if TYPE_CHECKING:
    from audit.models.detect import Face
    from audit.models.pipeline import Pipeline

Prepare = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def load(card: ModelCard, *, workers: int = 0, device: str = "cpu") -> Pipeline:
    """Load detector and network.

    Raises
    ------
    ModelError
        If deepface is not installed, the card is not about one of its networks, or the file does not hold its weights.
    """
    from audit.models.detect import finder  # noqa: PLC0415 - loads torch
    from audit.models.pipeline import Pipeline, cutter  # noqa: PLC0415 - loads torch

    deepface_networks.require(f"model {card.name}")
    network = deepface_networks.named(NETWORKS, card)
    client = deepface_networks.build(network, card.weights, weights.read(card.weights, card.weights_sha256), device)
    prepare = preparer(card.input)

    def embed(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        vectors = [np.asarray(client.forward(prepare(crop)), np.float32).reshape(-1) for crop in crops]
        return np.stack(vectors)

    cut = level_eyes() if card.input.alignment == "deepface" else cutter(card)
    return Pipeline(card, finder(card, device), cut, embed, workers=workers)


def preparer(spec: InputSpec) -> Prepare:
    """How deepface brings a crop to a network's size and range.

    Parameters
    ----------
    spec : InputSpec

    Returns
    -------
    callable
        From a crop, uint8, height x width x 3, RGB, of any size, to float32, 1 x height x width x 3, in the card's
        colour order: resized by OpenCV with its aspect kept, black around it; ValueError for a crop without pixels.
    """
    preprocessing: Any = deepface_networks.library("deepface.modules.preprocessing")
    mean, deviation = np.asarray(spec.mean, np.float32), np.asarray(spec.deviation, np.float32)
    width, height = spec.shape
    as_it_comes = not mean.any() and (deviation == 255).all()

    def prepare(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        if 0 in crop.shape:
            raise ValueError("the crop has no pixels")
        ordered = np.ascontiguousarray(crop[..., ::-1] if spec.colour == "BGR" else crop)
        values: NDArray[np.float32] = preprocessing.resize_image(ordered, (height, width))
        return values if as_it_comes else (values * np.float32(255) - mean) / deviation

    return prepare


def level_eyes() -> Callable[[NDArray[np.uint8], Face], NDArray[np.uint8]]:
    """Cut a face out as deepface does: its box, after turning what is around it until the eyes are level."""
    detection: Any = deepface_networks.library("deepface.modules.detection")
    region: Any = deepface_networks.library("deepface.models.Detector").FacialAreaRegion

    def cut(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        left, top, right, bottom = (int(edge) for edge in face.box)
        in_picture = [(int(x), int(y)) for x, y in face.points[:2]]
        found = detection.extract_face(
            facial_area=region(
                x=left,
                y=top,
                w=right - left,
                h=bottom - top,
                left_eye=in_picture[1],  # the person's left eye is on the right of the picture
                right_eye=in_picture[0],
            ),
            img=image,
            align=True,
            expand_percentage=0,
            width_border=0,
            height_border=0,
            detector_backend="given",
        )
        crop: NDArray[np.uint8] = found.img
        if 0 in crop.shape:
            raise ValueError("the box lies outside the image")
        return crop

    return cut
