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
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from audit.domain import FailureToAcquire

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "PPM", "GIF")
"""What is opened; multi-picture JPEGs are JPEGs."""

MOST_PIXELS = 80_000_000
MOST_BYTES = 512 * 2**20

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
    """Decode an image.

    The first frame, turned upright by its EXIF orientation. Transparency is laid over white, CMYK is converted
    without a profile, 16-bit grey is divided by 257.

    Returns
    -------
    uint8, height x width x 3, RGB, or FailureToAcquire of the stage "decode"
        Truncated and damaged files are failures, never partly decoded images.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return _TOO_LARGE
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return _rgb(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _TOO_LARGE
    except UnidentifiedImageError:
        return FailureToAcquire("decode", "not an image of a known format")
    except MemoryError:
        return FailureToAcquire("read", "not enough memory")
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes; the outcome is recorded
        truncated = "truncated" in str(error)
        return FailureToAcquire("decode", "truncated image" if truncated else "damaged image")


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
