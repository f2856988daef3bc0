"""Image file to upright RGB pixels, or to a failure that says why not.

Files of a benchmark are untrusted: a few known formats only, nothing partial, and no memory for an image that
claims to be huge.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from audit.domain import DURING, FailureToAcquire, Picture

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "PPM", "GIF")
"""What is opened; multi-picture JPEGs are JPEGs."""

MOST_PIXELS = 80_000_000
MOST_BYTES = 512 * 2**20
ENOUGH = 0.9
"""Share of the working size that a JPEG decoded at a part of its size must leave."""

_TOO_LARGE = FailureToAcquire("decode", f"too large: more than {MOST_PIXELS // 10**6} million pixels")


def read(path: Path) -> bytes | FailureToAcquire:
    """Read a file into memory; what cannot be read is a failure of the stage "read"."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            return FailureToAcquire("read", "not a file")
        if size > MOST_BYTES:
            return FailureToAcquire("read", f"too large: more than {MOST_BYTES // 2**20} MiB")
        content = path.read_bytes()
    except FileNotFoundError:
        return FailureToAcquire("read", "missing file")
    except OSError as error:
        return FailureToAcquire("read", f"cannot be read: {error.strerror}")
    return content or FailureToAcquire("read", "empty file")


def lately(failure: FailureToAcquire) -> FailureToAcquire:
    """The failure to read a file that could be read before, when its digest was taken."""
    return failure if failure.passing else FailureToAcquire(failure.stage, f"{failure.reason} {DURING}")


def fingerprint(path: Path) -> str | FailureToAcquire:
    """SHA-256 of a file, hexadecimal, or the failure to read it."""
    content = read(path)
    return content if isinstance(content, FailureToAcquire) else hashlib.sha256(content).hexdigest()


@contextmanager
def quiet_about_size() -> Iterator[None]:
    """Keep Pillow from warning about sizes that `decode` refuses anyway. The setting is the whole process's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def decode(content: bytes) -> NDArray[np.uint8] | FailureToAcquire:
    """Decode an image at full size.

    The first frame, turned upright by its EXIF orientation. Transparency is laid over white, CMYK is converted
    without a profile, 16-bit grey is divided by 257.

    Returns
    -------
    uint8, height x width x 3, RGB, or FailureToAcquire of the stage "decode"
        Truncated and damaged files are failures, never partly decoded images.
    """
    picture = _decoded(content, None)
    return picture if isinstance(picture, FailureToAcquire) else picture.pixels


def decode_for(content: bytes, working_size: int) -> Picture | FailureToAcquire:
    """Decode an image for work at `working_size` pixels along its longer side.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that leaves at least `ENOUGH` of the working size: its
    blocks are averaged before they are pixels, in a third of the time. All else is as for `decode`.
    """
    return _decoded(content, working_size)


def _decoded(content: bytes, working_size: int | None) -> Picture | FailureToAcquire:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return _TOO_LARGE
            reduction = _reduce(picture, working_size) if working_size else 1
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return _picture(_rgb(picture), reduction, content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _TOO_LARGE
    except UnidentifiedImageError:
        return FailureToAcquire("decode", "not an image of a known format")
    except MemoryError:
        return FailureToAcquire("read", f"not enough memory {DURING}")
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes; the outcome is recorded
        truncated = "truncated" in str(error)
        return FailureToAcquire("decode", "truncated image" if truncated else "damaged image")


def _picture(
    pixels: NDArray[np.uint8] | FailureToAcquire, reduction: int, content: bytes
) -> Picture | FailureToAcquire:
    if isinstance(pixels, FailureToAcquire):
        return pixels
    return Picture(pixels, reduction, partial(decode, content) if reduction > 1 else None)


def _reduce(picture: Image.Image, working_size: int) -> int:
    """Have a JPEG decoded at a part of its size; returns which."""
    width, height = picture.size
    part = next(part for part in (8, 4, 2, 1) if part == 1 or max(width, height) >= part * ENOUGH * working_size)
    if part > 1 and min(width, height) >= part and picture.draft(None, (width // part, height // part)):
        return round(max(width, height) / max(picture.size))
    return 1


def _rgb(picture: Image.Image) -> NDArray[np.uint8] | FailureToAcquire:
    if picture.mode.startswith("I"):
        values = np.asarray(picture)
        if values.size and not (int(values.min()) >= 0 and int(values.max()) <= 65535):
            return FailureToAcquire("decode", "unsupported pixel format: 32-bit grey")
        grey = np.round(values / 257.0).astype(np.uint8)
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if picture.mode not in {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}:
        return FailureToAcquire("decode", f"unsupported pixel format: {picture.mode}")
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, with_alpha)
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))
