"""Look at every file once, in parallel: digest, format, size, EXIF, and a perceptual hash of what is an image.

The hash is a pHash of 255 bits: the signs, about their median, of the 16 x 16 lowest cosine coefficients (without the
first) of the grey image at 64 x 64. JPEGs are decoded at a reduced scale, which still reads the whole stream.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from audit import decode
from audit.benchmarks.checks.table import Finding
from audit.benchmarks.content import IMAGE_SUFFIXES
from audit.domain import FailureToAcquire

SMALLEST_SIDE = 64
BITS = 255
_SIDE, _KEPT = 64, 16
_FORMATS = {
    "JPEG": {".jpg", ".jpeg"}, "MPO": {".jpg", ".jpeg"}, "PNG": {".png"}, "TIFF": {".tif", ".tiff"}, "BMP": {".bmp"},
    "WEBP": {".webp"}, "PPM": {".ppm", ".pgm"}, "GIF": {".gif"},
}  # fmt: skip
_PERSONAL = (ExifTags.Base.Artist, ExifTags.Base.ImageDescription, ExifTags.Base.XPAuthor, ExifTags.Base.XPTitle)
_PERSONAL_INNER = (ExifTags.Base.CameraOwnerName, ExifTags.Base.BodySerialNumber, ExifTags.Base.UserComment)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file: SHA-256, problems as (check, text), and the hash (bool, 255), if it is an image."""

    sha256: str | None
    problems: tuple[tuple[str, str], ...] = ()
    hash: NDArray[np.bool_] | None = None


def look_at(path: Path) -> Facts:
    """Read a file once, and say all of it. Never raises for what is in the file."""
    content = decode.read(path)
    if isinstance(content, FailureToAcquire):
        empty = content.reason == "empty file"
        if empty and path.suffix.lower() not in IMAGE_SUFFIXES:
            return Facts(hashlib.sha256(b"").hexdigest())
        check = "empty-file" if empty else "unreadable-file"
        return Facts(None, ((check, content.reason),))
    sha256 = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return Facts(sha256)
    return _look_at_image(content, path.suffix.lower(), sha256)


def look_at_all(paths: Iterable[Path], progress: Callable[[str, int, int], None]) -> dict[Path, Facts]:
    """Look at files with one thread a core: digests and decoders release the interpreter's lock."""
    listed = list(paths)
    found: dict[Path, Facts] = {}
    with decode.quiet_about_size(), ThreadPoolExecutor(max(1, len(_cores()))) as pool:
        for k, (path, facts) in enumerate(zip(listed, pool.map(look_at, listed), strict=True), start=1):
            found[path] = facts
            progress("check", k, len(listed))
    return found


def findings(facts: Facts, make: Callable[[str, str], Finding]) -> Iterator[Finding]:
    """Turn problems of a file into findings at its place."""
    return (make(check, text) for check, text in facts.problems)


def perceptual_hash(picture: Image.Image) -> NDArray[np.bool_]:
    """Hash an opened image: 255 bits that re-encoding, scaling and loss of colour hardly change."""
    picture.draft("L", (2 * _SIDE, 2 * _SIDE))  # libjpeg then decodes at 1/2, 1/4 or 1/8 of the size
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    cosines = _cosines()
    kept = (cosines @ np.asarray(grey, dtype=np.float32) @ cosines.T).ravel()[1:]
    return np.asarray(kept > np.median(kept))


def _look_at_image(content: bytes, suffix: str, sha256: str) -> Facts:
    problems: list[tuple[str, str]] = []
    try:
        with Image.open(io.BytesIO(content), formats=decode.FORMATS) as picture:
            hashed = _image(picture, suffix, problems)
    except UnidentifiedImageError:
        return Facts(sha256, (("not-an-image", ""),))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Facts(sha256, (("huge-dimensions", "more than Pillow opens"),))
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on hostile bytes; it is a finding
        kind = "cut off" if "truncated" in str(error) else "damaged"
        return Facts(sha256, (*problems, ("undecodable", kind)))
    return Facts(sha256, tuple(problems), hashed)


def _image(picture: Image.Image, suffix: str, problems: list[tuple[str, str]]) -> NDArray[np.bool_] | None:
    width, height = picture.size
    if suffix not in _FORMATS.get(picture.format or "", set()):
        problems.append(("format-suffix", f"it is {picture.format}"))
    if width * height > decode.MOST_PIXELS:
        problems.append(("huge-dimensions", f"{width} x {height}"))
        return None
    if min(width, height) < SMALLEST_SIDE:
        problems.append(("tiny-image", f"{width} x {height}"))
    hashed = perceptual_hash(picture)
    _exif(picture, problems)
    return hashed


def _exif(picture: Image.Image, problems: list[tuple[str, str]]) -> None:
    try:
        exif = picture.getexif()
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        turned = exif.get(ExifTags.Base.Orientation, 1)
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # noqa: BLE001 - damaged metadata of a good image: there is nothing to say about it
        return
    if turned in range(2, 9):
        problems.append(("exif-rotation", f"orientation {turned}"))
    if any(tag in place for tag in (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)):
        problems.append(("gps-metadata", ""))
    named = [tag.name for tag in _PERSONAL if _says(exif.get(tag))]
    named += [tag.name for tag in _PERSONAL_INNER if _says(inner.get(tag))]
    if named:
        problems.append(("personal-metadata", ", ".join(named)))  # which tags, not what they say


def _says(value: object) -> bool:
    """Whether a tag holds anything but padding; user comments begin with eight bytes that name their encoding."""
    text = value.removeprefix(b"ASCII\0\0\0").decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return bool(text.strip(" \0"))


@cache
def _cosines() -> NDArray[np.float32]:
    """Rows of the type-II discrete cosine transform, 16 x 64."""
    k, x = np.ogrid[:_KEPT, :_SIDE]
    rows: NDArray[np.float32] = np.cos(np.pi * k * (2 * x + 1) / (2 * _SIDE)).astype(np.float32)
    return rows


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
