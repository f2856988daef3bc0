"""A rendered person: everything that a head is made from, drawn from streams that do not know of each other.

The factors (morph, gender, age, tone, hair) are given by the design; everything else is drawn here, each kind from a
stream of its own, so that two people who differ in one factor alone differ in nothing else.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from audit.synthesis.assets import Modifier

Morph = Literal["A", "B", "C"]
Gender = Literal["female", "male"]
HairStyle = Literal["bald", "cropped", "short", "swept", "side-parted", "tied-back", "curls", "bob", "long"]
HairColour = Literal["black", "dark-brown", "brown", "grey"]
EyeColour = Literal["dark-brown", "brown", "hazel", "grey-blue"]

MORPHS: tuple[Morph, ...] = ("A", "B", "C")

_LEFT_OUT = (
    "head-trans",
    "neck-trans",
    "head-angle",
    "head-age",
    "head-fat",
    "nose-trans-in",
    "mouth-trans-in",
    "measure",
)
"""Modifiers that move a head rather than shape it, or that age and weight already decide."""
_OUTLINE = ("head", "forehead", "chin", "neck", "ears")
"""Parts whose change makes an outline that draws the eye; they vary less than eyes, nose, mouth and cheeks."""
_DELICATE = (
    "eye-scale",
    "eye-trans-in",
    "eye-height",
    "eye-push",
    "eye-bag",
    "nose-trans",
    "eyebrows",
    "nose-volume",
    "nose-scale",
    "nose-base",
    "nose-curve",
    "nose-compression",
    "forehead-trans",
    "mouth-scale-horiz",
)
"""Modifiers of which little goes far."""
_MILD = (
    "mouth-trans",
    "mouth-scale-depth",
    "mouth-angles",
    "mouth-upperlip-volume",
    "mouth-lowerlip-volume",
    "mouth-upperlip-ext",
    "mouth-lowerlip-ext",
    "chin-prognathism",
    "chin-jaw-drop",
    "chin-height",
    "cheek-volume",
    "forehead-nubian",
    "forehead-scale",
    "head-scale-vert",
    "eyebrows-angle",
    "eyebrows-trans-backward",
    "nose-point-down",
    "nose-septumangle",
    "nose-hump",
    "nose-greek",
)
"""Modifiers that soon make a grimace, a pout, a hook or an egg: they vary least."""
_ASYMMETRIES = ("cheek-1", "eye-1", "eye-4", "jaw-1", "jaw-3", "mouth-1", "nose-1", "nose-4")

SPREAD = 0.72
"""How unlike people are: the standard deviation of the modifiers of eyes, nose, mouth and cheeks. The difficulty of
the set is chosen here, so its error levels are a design choice."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Brows(_Part):
    """Eyebrows, in decimetres on the resting mesh; the tilt lifts the outer end, density is 0 to 1."""

    inner: float
    outer: float
    height: float
    arch: float
    tilt: float
    thickness: float
    density: float


class Hair(_Part):
    """Hair: style and colour are factors; length is a ratio, `line` and `temples` shift the hairline."""

    style: HairStyle
    colour: HairColour
    length: float
    line: float
    temples: float
    part: float


class Skin(_Part):
    """Skin: ITA of its colour in degrees (a factor), strengths of what varies on it, and a seed of where."""

    seed: int
    ita: float
    mottle: float
    flush: float
    lips: float
    shadows: float
    freckles: float
    moles: int
    stubble: float


class Person(_Part):
    """One rendered person. `shape` maps modifiers to weights; `blend` is what a morph is mixed with (A, B, C)."""

    seed: int
    morph: Morph
    gender: Gender
    age: float
    blend: tuple[float, float, float]
    femininity: float
    muscle: float
    weight: float
    shape: dict[str, float]
    asymmetry: dict[str, float]
    brows: Brows
    hair: Hair
    skin: Skin
    eyes: EyeColour
    shirt: tuple[float, float, float]

    def with_tone(self, ita: float) -> Person:
        """The same person with another skin tone, ITA in degrees."""
        return self.model_copy(update={"skin": self.skin.model_copy(update={"ita": ita})})

    def with_hair(self, style: HairStyle) -> Person:
        """The same person with another hair style."""
        return self.model_copy(update={"hair": self.hair.model_copy(update={"style": style})})

    def with_skin_of(self, other: Person) -> Person:
        """The same person in somebody else's skin, brows and colour of eyes included."""
        return self.model_copy(update={"skin": other.skin, "brows": other.brows, "eyes": other.eyes})

    def with_morph(self, morph: Morph) -> Person:
        """The same person on another morph."""
        return self.model_copy(update={"morph": morph})


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of a person for one purpose; streams of different names are independent."""
    return np.random.default_rng(np.random.SeedSequence([seed, *name.encode()]))


def draw(
    seed: int,
    modifiers: dict[str, Modifier],
    *,
    morph: Morph,
    gender: Gender,
    age: float,
    ita: float,
    style: HairStyle,
    colour: HairColour,
    spread: float = SPREAD,
) -> Person:
    """Draw a person with given factors. Numbers are rounded as recorded, so that the record makes the picture."""
    body, male = stream(seed, "body"), gender == "male"
    return Person(
        seed=seed,
        morph=morph,
        gender=gender,
        age=round(age, 1),
        blend=_round3(0.35 * body.dirichlet([1, 1, 1])),
        femininity=_round(np.clip(body.normal(0.1 if male else 0.9, 0.07), 0, 1)),
        muscle=_round(body.uniform(0.35, 0.65)),
        weight=_round(body.uniform(0.3, 0.68)),
        shape=_shape(stream(seed, "shape"), modifiers, spread),
        asymmetry=_asymmetry(stream(seed, "asymmetry")),
        brows=_brows(stream(seed, "brows"), male),
        hair=_hair(stream(seed, "hair"), style, colour),
        skin=_skin(seed, ita, male),
        eyes=_choice(stream(seed, "eyes"), {"dark-brown": 0.4, "brown": 0.35, "hazel": 0.15, "grey-blue": 0.1}),
        shirt=_shirt(stream(seed, "shirt")),
    )


def _round(value: float | np.floating) -> float:
    return round(float(value), 4)


def _round3(values: np.ndarray) -> tuple[float, float, float]:
    a, b, c = (_round(value) for value in values)
    return a, b, c


def _choice(rng: np.random.Generator, shares: dict[EyeColour, float]) -> EyeColour:
    return list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]


def _shape(rng: np.random.Generator, modifiers: dict[str, Modifier], spread: float) -> dict[str, float]:
    """Most features mild, a few marked: what one remembers of a face."""
    weights = {}
    for name, modifier in sorted(modifiers.items()):
        marked, drawn = rng.random() < 0.15, rng.normal()
        if name.startswith(_LEFT_OUT) or not modifier.bipolar:
            continue
        sigma = spread * (1.25 if marked else 0.6)
        if name.startswith(_MILD):
            sigma *= 0.25
        elif name.startswith(_DELICATE):
            sigma *= 0.5
        elif modifier.part in _OUTLINE:
            sigma *= 0.6
        weights[name] = _round(np.clip(sigma * drawn, -0.6, 0.6))
    return weights


def _asymmetry(rng: np.random.Generator) -> dict[str, float]:
    return {name: _round(np.clip(rng.normal(0, 0.18), -0.4, 0.4)) for name in _ASYMMETRIES}


def _brows(rng: np.random.Generator, male: bool) -> Brows:
    return Brows(
        inner=_round(rng.uniform(0.13, 0.19)),
        outer=_round(rng.uniform(0.55, 0.63)),
        height=_round(7.475 + rng.normal(0, 0.014)),
        arch=_round(rng.uniform(0.018, 0.052)),
        tilt=_round(rng.normal(-0.034, 0.014)),
        thickness=_round(rng.uniform(0.026, 0.040) if male else rng.uniform(0.020, 0.031)),
        density=_round(rng.uniform(0.55, 0.95)),
    )


def _hair(rng: np.random.Generator, style: HairStyle, colour: HairColour) -> Hair:
    return Hair(
        style=style,
        colour=colour,
        length=_round(rng.uniform(0.85, 1.2)),
        line=_round(rng.normal(0, 0.04)),
        temples=_round(max(0.0, rng.normal(0.02, 0.06))),
        part=_round(rng.choice([-1, 1]) * rng.uniform(0.15, 0.4)),
    )


def _skin(seed: int, ita: float, male: bool) -> Skin:
    rng = stream(seed, "skin")
    stubble = rng.uniform(0, 0.8) if rng.random() < 0.6 else 0.0
    return Skin(
        seed=seed,
        ita=round(ita, 1),
        mottle=_round(rng.uniform(0.5, 1.3)),
        flush=_round(rng.uniform(0.2, 0.9)),
        lips=_round(rng.uniform(0.5, 1.1)),
        shadows=_round(rng.uniform(0.1, 0.8)),
        freckles=_round(max(0.0, rng.normal(-0.4, 0.6))),
        moles=int(rng.poisson(1.4)),
        stubble=_round(stubble if male else 0.0),
    )


def _shirt(rng: np.random.Generator) -> tuple[float, float, float]:
    return _round3(rng.uniform(0.03, 0.4) * rng.uniform(0.6, 1.25, 3))
