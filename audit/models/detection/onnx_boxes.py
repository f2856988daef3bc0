"""Any face detector in an ONNX file that gives boxes and confidences; its card says which output holds what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from audit.domain import Detections
from audit.errors import ModelError
from audit.models import onnx_network, weights
from audit.models.detection.card import DetectorInput, DetectorOutput, FaceDetectorCard
from audit.models.detection.networks import Looking

Floats = NDArray[np.float64]


def load(card: FaceDetectorCard) -> Looking:
    """Load the network.

    Raises
    ------
    ModelError
        If the file is no ONNX model, takes another input, or lacks an output that the card names.
    """
    if card.weights is None or card.input is None or card.output is None:
        raise ModelError(f"detector {card.name}", "its card has no [weights], [input] or [output]", "Mend the card")
    path, fed, said = card.weights, card.input, card.output
    network = onnx_network.load(path, weights.read(path, card.weights_sha256))
    names = list(dict.fromkeys(filter(None, (said.boxes, said.scores, said.points))))
    for name in names:
        if name not in network.outputs:
            there = ", ".join(network.outputs)
            raise ModelError(str(path), f"has no output {name!r}", f"It has {there}: mend [output]")
    wanted = tuple(network.outputs.index(name) for name in names)

    def made(outputs: Sequence[NDArray[Any]], scale: Floats) -> Detections:
        return found(dict(zip(names, outputs, strict=True)), said, fed, card.lowest).scaled(1 / scale)

    def look(image: NDArray[np.uint8]) -> Detections:
        pixels, scale = fitted(image, fed)
        return made(network.run(pixels, wanted), scale)

    pixels, scale = fitted(np.zeros((fed.size[1], fed.size[0], 3), np.uint8), fed)
    made(network.tried(pixels, f"{fed.size[0]} x {fed.size[1]} {fed.layout} input", wanted), scale)
    return Looking(card, look)


def fitted(image: NDArray[np.uint8], fed: DetectorInput) -> tuple[NDArray[np.float32], Floats]:
    """The picture as the network wants it, in its upper left corner where it is padded.

    Returns
    -------
    float32, 1 x 3 x height x width (or 1 x height x width x 3); and by how much x and y were scaled
    """
    height, width = image.shape[:2]
    wide, tall = fed.size
    ratio = np.array([wide / width, tall / height])
    if fed.fit == "pad":
        ratio[:] = ratio.min()
    size = (max(1, round(width * ratio[0])), max(1, round(height * ratio[1])))
    resized = np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR))
    canvas = np.zeros((tall, wide, 3), np.float32)
    canvas[: size[1], : size[0]] = resized if fed.colour == "RGB" else resized[:, :, ::-1]
    values = (canvas - np.array(fed.mean, np.float32)) / np.array(fed.deviation, np.float32)
    made = values[None] if fed.layout == "NHWC" else values.transpose(2, 0, 1)[None]
    return np.ascontiguousarray(made, np.float32), np.array([size[0] / width, size[1] / height])


def found(outputs: dict[str, Any], said: DetectorOutput, fed: DetectorInput, lowest: float) -> Detections:
    """Boxes with confidences from `lowest` on, in pixels of the network's input, the surest first; doubles suppressed.

    Raises
    ------
    ModelError
        If the outputs do not have the shapes that the card names.
    """
    import torch  # noqa: PLC0415 - heavy
    from torchvision.ops import nms  # noqa: PLC0415 - heavy

    boxes = np.asarray(outputs[said.boxes], np.float64)
    scores = np.asarray(outputs[said.scores], np.float64)
    if boxes.size % 4 or boxes.ndim < 2:
        raise ModelError(f"output {said.boxes}", f"has the shape {boxes.shape}: no four numbers a box", "Mend [output]")
    boxes = boxes.reshape(-1, 4)
    columns = scores.size // len(boxes) if len(boxes) else 1
    if scores.size != columns * len(boxes) or (len(boxes) and said.column >= columns):
        raise ModelError(
            f"output {said.scores}", f"has {scores.size} numbers for {len(boxes)} boxes", "Mend scores and column"
        )
    sure = scores.reshape(len(boxes), columns)[:, said.column] if len(boxes) else np.zeros(0)
    points = np.asarray(outputs[said.points], np.float64).reshape(-1, 5, 2) if said.points else None
    kept = np.flatnonzero(~(sure < lowest))  # what is no number stays: it is counted as such
    boxes, sure = _corners(boxes[kept], said.form), sure[kept]
    points = None if points is None else points[kept]
    sides = np.array(fed.size, np.float64) if said.unit == "share" else np.ones(2)
    boxes = boxes * np.tile(sides, 2)
    points = None if points is None else points * sides
    order = np.argsort(-sure, kind="stable")
    if said.suppress and np.isfinite(boxes).all() and np.isfinite(sure).all():
        order = nms(torch.from_numpy(boxes), torch.from_numpy(sure), said.suppress).numpy()
    return Detections(np.column_stack([boxes, sure])[order], None if points is None else points[order])


def _corners(boxes: Floats, form: str) -> Floats:
    if form == "corners":
        return boxes
    low = boxes[:, :2] if form == "corner-size" else boxes[:, :2] - boxes[:, 2:] / 2
    return np.column_stack([low, low + boxes[:, 2:]])
