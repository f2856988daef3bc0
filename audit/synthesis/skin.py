"""Procedural skin: its colour and relief at points of the resting mesh, and where brows, hair and beard grow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.synthesis.assets import Assets
from audit.synthesis.colour import lab_to_linear, skin_lab
from audit.synthesis.noise import smoothstep, value_noise
from audit.synthesis.people import Brows, Hair, Person, stream

Floats = NDArray[np.float64]

SHIRT_LINE = 5.72
"""Height of the collar on the resting mesh, in decimetres."""
HAIR_LIGHT: dict[str, tuple[float, float, float]] = {
    "black": (0.014, 0.012, 0.011),
    "dark-brown": (0.035, 0.022, 0.014),
    "brown": (0.085, 0.052, 0.029),
    "grey": (0.30, 0.29, 0.28),
}
"""Colours of hair, linear light."""


def scalp(points: Floats, hair: Hair, soft: float = 0.06) -> Floats:
    """Where hair grows, 0 to 1, at N x 3 points of the resting mesh."""
    inside = smoothstep(-soft, soft, points[:, 1] - hairline(points, hair))
    return np.asarray(inside * (np.abs(points[:, 0]) < 0.93))


def hairline(points: Floats, hair: Hair) -> Floats:
    """Height of the hairline in the direction of each point, N."""
    angle = np.degrees(np.arctan2(np.abs(points[:, 0]), points[:, 2] - 0.35))
    stops = [0, 12, 30, 42, 52, 60, 66, 80, 100, 112, 125, 145, 180]
    height = np.array([8.06, 8.07, 8.03, 7.9, 7.66, 7.30, 7.22, 7.55, 7.55, 7.1, 6.75, 6.45, 6.4])
    height[:4] += hair.line
    if hair.style == "tied-back":
        height[4:7] = 7.72, 7.62, 7.58
    height[1:5] += hair.temples * np.array([0.35, 1.0, 0.9, 0.3])
    return np.asarray(np.interp(angle, stops, height))


def brow(points: Floats, brows: Brows) -> Floats:
    """Where eyebrows are, 0 to 1."""
    x = np.abs(points[:, 0])
    along = (x - brows.inner) / (brows.outer - brows.inner)
    middle = (
        brows.height
        + brows.arch * np.interp(along, [0, 0.3, 0.62, 1], [0.1, 0.55, 1, 0.35])
        + brows.tilt * (along - 0.5)
    )
    thick = brows.thickness * np.interp(along, [-0.05, 0.12, 0.4, 0.8, 1.02], [0.35, 0.9, 1, 0.65, 0.15])
    inside = 1 - smoothstep(0.45, 1.25, np.abs(points[:, 1] - middle) / thick)
    return np.asarray(inside * smoothstep(-0.06, 0.06, along) * smoothstep(1.04, 0.9, along) * (points[:, 2] > 0.9))


def beard(points: Floats) -> Floats:
    """Where a beard would grow, 0 to 1."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    lip = smoothstep(0.0, 0.05, y - 6.70) * smoothstep(6.84, 6.78, y) * smoothstep(0.34, 0.22, x) * (z > 1.3)
    cheek = np.interp(x, [0, 0.25, 0.35, 0.6, 0.75], [6.54, 6.56, 6.70, 6.92, 7.25])
    jaw = smoothstep(0.07, -0.05, y - cheek) * smoothstep(5.95, 6.2, y) * smoothstep(0.45, 0.66, z + 0.15 * (x < 0.6))
    return np.asarray(np.maximum(lip, jaw * smoothstep(1.0, 0.92, x)))


def meter(points: Floats) -> NDArray[np.bool_]:
    """The cheeks below the eyes, where exposure is metered and the tone is measured."""
    return np.asarray(_spot(points, 0.36, 6.945, 0.16, 0.15) > 0.5)


def _spot(points: Floats, x: float, y: float, wide: float, high: float) -> Floats:
    """A soft spot on both sides of the front."""
    away = ((np.abs(points[:, 0]) - x) / wide) ** 2 + ((points[:, 1] - y) / high) ** 2
    return np.asarray(np.exp(-away) * smoothstep(0.6, 1.0, points[:, 2]))


def paint(person: Person, points: Floats, uv: Floats, assets: Assets) -> tuple[Floats, Floats]:
    """Colour and relief of skin.

    Parameters
    ----------
    points : N x 3, on the resting mesh
    uv : N x 2, texture coordinates

    Returns
    -------
    (albedo, relief)
        N x 3 in linear light, and N heights in arbitrary units
    """
    skin = person.skin
    seed = skin.seed
    coarse, middle, fine = (value_noise(points, seed + k, scale) for k, scale in ((1, 2.2), (2, 7), (3, 22)))
    pores = value_noise(points, seed + 4, 60)
    lab = np.tile(skin_lab(skin.ita), (len(points), 1))
    lab[:, 0] += skin.mottle * (0.8 * coarse + 0.8 * middle + 0.7 * fine) + 0.9 * pores
    lab[:, 1] += skin.mottle * (0.7 * value_noise(points, seed + 5, 3) + 0.7 * value_noise(points, seed + 6, 12))
    lab[:, 2] += skin.mottle * 0.6 * middle
    _features(lab, person, points, uv, assets)
    _growth(lab, person, points)
    albedo = lab_to_linear(lab)
    _shirt(albedo, person, points, fine)
    return albedo, _relief(person, points, pores, fine)


def _features(lab: Floats, person: Person, points: Floats, uv: Floats, assets: Assets) -> None:
    """Flush, shadows under the eyes, lips, freckles, moles: added to N x 3 CIELAB in place."""
    skin, deep = person.skin, np.interp(person.skin.ita, [-50, 50], [0.45, 1.0])
    ears, lids, lips, mouth = (_sample(assets.mask(name), uv) for name in ("ears", "eyelids", "lips", "inside-mouth"))
    flush = skin.flush * (_spot(points, 0.5, 6.9, 0.2, 0.18) + 0.7 * _spot(points, 0, 6.93, 0.13, 0.12)) + 0.6 * ears
    lab[:, 1] += 4 * deep * flush
    lab[:, 0] -= 1.2 * flush
    under = skin.shadows * _spot(points, 0.28, 7.13, 0.14, 0.06)
    lab += under[:, None] * np.array([-3.5, 1.0, -1.5]) - lids[:, None] * np.array([2.0, 0, 0])
    tint = np.array([-5.0, 9.0, -1.0]) if skin.ita > 10 else np.array([-3.5, 4.0, -4.0])
    lab += (lips * skin.lips)[:, None] * tint
    lab[:, 0] += 1.5 * lips * value_noise(points * [6, 1, 1], skin.seed + 9, 8)
    lab += mouth[:, None] * (np.array([22.0, 22.0, 10.0]) - lab) * 0.85
    freckles = skin.freckles * np.clip(value_noise(points, skin.seed + 20, 30) - 0.35, 0, 1)
    spots = freckles * (_spot(points, 0.35, 7.0, 0.35, 0.3) + 0.6 * _spot(points, 0, 7.1, 0.3, 0.3))
    lab += (deep * spots)[:, None] * np.array([-16.0, 5.0, 6.0])
    rng = stream(skin.seed, "moles")
    for _ in range(skin.moles):
        x, y, radius = rng.uniform(-0.7, 0.7), rng.uniform(6.3, 7.9), rng.uniform(0.007, 0.014)
        mole = np.exp(-((((points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2) / radius**2) ** 2)) * (points[:, 2] > 0.8)
        lab -= mole[:, None] * np.array([14.0, 0, 3.0])


def _growth(lab: Floats, person: Person, points: Floats) -> None:
    """Brows, scalp under hair, and stubble darken the skin, in place."""
    seed, grey = person.skin.seed, person.hair.colour == "grey"
    hairs = 0.6 + 0.5 * value_noise(points * [4, 1, 1], seed + 41, 45)
    brows = brow(points, person.brows) * person.brows.density * np.clip(hairs, 0.25, 1)
    dark = np.array([30.0, 2.5, 5.0]) if grey else np.array([14.0, 2.0, 4.0])
    lab += (0.97 * brows)[:, None] * np.minimum(dark - lab, 0)
    if person.hair.style != "bald":
        under = scalp(points, person.hair) * (0.35 if grey else 0.65)
        lab[:, 0] -= under * np.maximum(lab[:, 0] - 14, 0)
        lab[:, 1:] *= (1 - 0.5 * under)[:, None]
    stubble = (
        beard(points) * person.skin.stubble * (0.65 + 0.4 * value_noise(points, seed + 40, 80)) * (0.5 if grey else 1)
    )
    lab[:, 0] -= 0.22 * stubble * np.maximum(lab[:, 0] - 16, 0)
    lab[:, 1:] -= stubble[:, None] * np.array([2.5, 4.0])


def _shirt(albedo: Floats, person: Person, points: Floats, weave: Floats) -> None:
    collar = SHIRT_LINE + 0.32 * smoothstep(0.8, -0.3, points[:, 2])
    cloth = smoothstep(0.012, -0.012, points[:, 1] - collar)[:, None]
    albedo *= 1 - cloth
    albedo += cloth * np.array(person.shirt) * (1 + 0.06 * weave[:, None])


def _relief(person: Person, points: Floats, pores: Floats, fine: Floats) -> Floats:
    """Heights: pores, and lines that come with age on the forehead and beside the eyes."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    lined = smoothstep(42, 72, person.age)
    bend = 0.03 * value_noise(points, person.skin.seed + 50, 4)
    forehead = np.sin((y + bend) * 2 * np.pi / 0.105) ** 2 * _spot(points, 0, 7.8, 0.45, 0.16)
    corners = np.sin((y - x * 0.55 + 0.02 * fine) * 2 * np.pi / 0.06) * _spot(points, 0.66, 7.27, 0.1, 0.13)
    return np.asarray(0.05 * pores + 0.06 * fine - 0.25 * lined * (forehead + 0.8 * corners))


def _sample(mask: NDArray[np.float32], uv: Floats) -> Floats:
    """Read a mask at N x 2 texture coordinates."""
    across = (uv[:, 0] * mask.shape[1]).astype(int).clip(0, mask.shape[1] - 1)
    up = (uv[:, 1] * mask.shape[0]).astype(int).clip(0, mask.shape[0] - 1)
    return np.asarray(mask[up, across], np.float64)
