"""Pictures made worse in steps, in memory: what a camera far away, out of focus, in the dark or behind something sees.

Six degradations with five severities each, in the manner of ImageNet-C (Hendrycks & Dietterich 2019, ICLR), made with
Pillow and numpy; most reach further than ImageNet-C's, because a face fills more of a portrait than a thing of its
pictures. Sizes are shares of the picture's longer side, so that a severity means the same whatever the working
size. Severity 0 is the picture itself. Noise and occlusion are drawn from the plan's seed and the digest of the image
file, the same draw for all severities of a picture: only its strength changes from one to the next.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Name = Literal["resolution", "blur", "noise", "jpeg", "brightness", "occlusion"]
NAMES: tuple[Name, ...] = get_args(Name)
SEVERITIES = (1, 2, 3, 4, 5)
TILES = 16
"""Tiles along the longer side of a picture that is partly covered."""
GREY = 128


@dataclass(frozen=True, slots=True)
class Degradation:
    """What is done to a picture, and how strongly at severities 1 to 5."""

    name: Name
    words: str
    parameter: str
    """What the numbers are."""
    values: tuple[float, float, float, float, float]
    make: Callable[[Pixels, float, np.random.Generator], Pixels]
    drawn: bool = False
    """Whether it depends on the seed."""

    def value(self, severity: int) -> float:
        """The parameter at a severity from 1 to 5."""
        return self.values[severity - 1]


@dataclass(frozen=True, slots=True)
class Condition:
    """A picture as it was taken (severity 0), or made worse."""

    degradation: Name | None = None
    severity: int = 0

    @property
    def id(self) -> str:
        """A short name.

        >>> Condition().id, Condition("blur", 3).id
        ('as-taken', 'blur-3')
        """
        return "as-taken" if self.degradation is None else f"{self.degradation}-{self.severity}"

    def key(self, seed: int) -> str:
        """What decides the pixels beside the picture: part of the name under which outcomes are kept."""
        if self.degradation is None or self.severity == 0:
            return ""
        how = DEGRADATIONS[self.degradation]
        said = [how.name, how.words, how.value(self.severity), seed if how.drawn else None, version("pillow")]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


AS_TAKEN = Condition()


def conditions(names: Iterable[Name], severities: Iterable[int]) -> list[Condition]:
    """The picture as it was taken, then every degradation at every severity."""
    chosen = sorted(set(severities))
    return [AS_TAKEN, *(Condition(name, severity) for name in names for severity in chosen)]


def degrade(image: Pixels, condition: Condition, seed: int, digest: str) -> Pixels:
    """Make a picture worse.

    Parameters
    ----------
    image : uint8, height x width x 3, RGB
    condition : severity 0 gives the same picture
    seed, digest : of the plan, and of the image file (hexadecimal): what is drawn depends on nothing else

    Returns
    -------
    uint8 of the same shape
    """
    if condition.degradation is None or condition.severity == 0:
        return image
    how = DEGRADATIONS[condition.degradation]
    rng = np.random.default_rng([seed, zlib.crc32(how.name.encode()), int(digest[:16], 16)])
    return how.make(image, how.value(condition.severity), rng)


def _resolution(image: Pixels, share: float, _: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    small = (max(1, round(width * share)), max(1, round(height * share)))
    reduced = Image.fromarray(image).resize(small, Image.Resampling.BOX)
    return np.asarray(reduced.resize((width, height), Image.Resampling.BICUBIC))


def _blur(image: Pixels, share: float, _: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(share * max(image.shape[:2]))))


def _noise(image: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    drawn = rng.standard_normal(image.shape, dtype=np.float32)
    drawn *= np.float32(255 * deviation)
    drawn += image
    return np.clip(np.rint(drawn, out=drawn), 0, 255, out=drawn).astype(np.uint8)


def _jpeg(image: Pixels, quality: float, _: np.random.Generator) -> Pixels:
    held = io.BytesIO()
    Image.fromarray(image).save(held, "JPEG", quality=int(quality), subsampling="4:2:0")
    return np.asarray(Image.open(held).convert("RGB"))


def _brightness(image: Pixels, factor: float, _: np.random.Generator) -> Pixels:
    table = np.rint(np.arange(256) * factor).astype(np.uint8)
    dark: Pixels = table[image]
    return dark


def _occlusion(image: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    side = max(1, -(-max(height, width) // TILES))
    rows, columns = -(-height // side), -(-width // side)
    order = rng.permutation(rows * columns)
    covered = np.zeros(rows * columns, dtype=bool)
    covered[order[: round(share * rows * columns)]] = True
    mask = covered.reshape(rows, columns).repeat(side, axis=0).repeat(side, axis=1)[:height, :width]
    made = image.copy()
    made[mask] = GREY
    return made


DEGRADATIONS: Mapping[Name, Degradation] = MappingProxyType({
    one.name: one
    for one in (
        Degradation(
            "resolution",
            "fewer pixels: averaged down, and enlarged again (bicubic)",
            "pixels that are left along each side, as a share",
            (1 / 8, 1 / 16, 1 / 24, 1 / 32, 1 / 48),
            _resolution,
        ),
        Degradation(
            "blur",
            "out of focus: Gaussian blur (three box filters, as Pillow approximates it)",
            "standard deviation, as a share of the longer side",
            (0.01, 0.02, 0.03, 0.045, 0.065),
            _blur,
        ),
        Degradation(
            "noise",
            "Gaussian noise, in every channel on its own",
            "standard deviation, as a share of the range from black to white",
            (0.1, 0.2, 0.4, 0.6, 0.9),
            _noise,
            drawn=True,
        ),
        Degradation("jpeg", "JPEG compression, 4:2:0", "quality", (25, 15, 8, 4, 1), _jpeg),
        Degradation(
            "brightness",
            "too dark: values multiplied, rounded to 256 steps",
            "factor",
            (0.5, 0.3, 0.15, 0.08, 0.04),
            _brightness,
        ),
        Degradation(
            "occlusion",
            f"partly covered: square tiles, {TILES} along the longer side, made grey in places drawn at random",
            "share of the picture that is covered",
            (0.1, 0.2, 0.3, 0.45, 0.6),
            _occlusion,
            drawn=True,
        ),
    )
})  # fmt: skip
"""Every degradation by its name; a plan names some of them and chooses severities."""
