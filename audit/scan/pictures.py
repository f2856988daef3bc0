"""Raster pictures: a chart has a few flat colours, a photograph has thousands."""

from __future__ import annotations

import io
import warnings

from audit.scan.found import Ids

COLOURS = 1024
"""Distinct colours from which a picture is no chart; smooth letters and lines have some hundreds."""
PLAIN = 0.75
"""Least share of pixels that are those of their left neighbour: of a chart nearly all, of a photograph few."""
LARGEST = 50_000_000


def of_picture(content: bytes, ids: Ids) -> list[str]:  # noqa: ARG001 - as every look
    """Look at a PNG."""
    import numpy as np  # noqa: PLC0415 - seldom
    from PIL import Image  # noqa: PLC0415 - seldom, and not needed by a check of a bundle

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(content), formats=["PNG"])
            if image.width * image.height > LARGEST:
                return ["is a picture too large to be looked at"]
            pixels = np.asarray(image.convert("RGB"), dtype=np.int64)
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return ["is no picture that can be looked at"]
    packed = pixels @ np.array([65536, 256, 1])
    colours = len(np.unique(packed))
    plain = float((packed[:, 1:] == packed[:, :-1]).mean()) if packed.shape[1] > 1 else 1.0
    return ["looks like a photograph"] if colours > COLOURS or plain < PLAIN else []
