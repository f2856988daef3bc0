"""Light: what reaches each visible point, its shadows, and the exposure that shows cheeks at their chosen tone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import brentq

from audit.synthesis.colour import ita, linear_to_lab
from audit.synthesis.noise import smoothstep, unit
from audit.synthesis.raster import EMPTY, EYE, FRAME, HAIR, SKIN, Layers
from audit.synthesis.views import View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHADOWS = 400
"""Size of the shadow map, in cells."""
_WRAP = np.array([0.30, 0.18, 0.13])
"""How far light seeps around an edge of skin, by colour: red goes furthest."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera looking at `target` from `distance` decimetres; `size` pixels show `field` decimetres."""

    target: Floats
    size: int
    distance: float = 7.2
    field: float = 2.8

    def project(self, points: Floats) -> Floats:
        """Points, ... x 3, to x and y in pixels and the distance."""
        away = points - self.target
        depth = self.distance - away[..., 2]
        scale = self.distance / self.field * self.size / depth
        return np.stack([self.size / 2 + away[..., 0] * scale, self.size / 2 - away[..., 1] * scale, depth], -1)

    def back(self, rows: Ints, columns: Ints, depth: Floats) -> Floats:
        """The points that N pixels show, N x 3."""
        scale = depth * self.field / self.distance / self.size
        x = (columns + 0.5 - self.size / 2) * scale
        y = -(rows + 0.5 - self.size / 2) * scale
        return np.stack([x, y, self.distance - depth], -1) + self.target


@dataclass(frozen=True, eq=False)
class Lit:
    """Light at P visible points: `diffuse` (P x 3) multiplies the colour, `gloss` (P) is added."""

    diffuse: Floats
    gloss: Floats


class ShadowMap:
    """What the key light sees: a parallel view from its direction."""

    def __init__(self, view: View, camera: Camera) -> None:
        azimuth, elevation = np.radians([view.azimuth, view.elevation])
        level = np.cos(elevation)
        self.direction = np.array([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level])
        self._up = unit(np.cross(self.direction, np.array([1.0, 0, 0.01])))
        self._right = np.cross(self._up, self.direction)
        self._target = camera.target
        self._layers = Layers.blank(_SHADOWS)

    def add(self, points: Floats, corners: Ints) -> None:
        """Let V x 3 points with T x 3 triangles throw shadows."""
        seen = self._seen(points)
        self._layers.triangles(seen, corners, np.zeros((len(points), 1)), corners, np.zeros_like(seen), SKIN)

    def add_strands(self, strands: Floats) -> None:
        """Let N x K x 3 strands throw shadows."""
        count, steps, _ = strands.shape
        self._layers.strands(self._seen(strands), np.zeros((count, 3)), np.zeros((count, steps - 1, 3)), HAIR, 1)

    def lit(self, points: Floats, slack: Floats, rng: np.random.Generator) -> Floats:
        """Share of the light that reaches P points, 0 to 1; `slack` is how deep inside counts as on the surface."""
        seen = self._seen(points)
        total = np.zeros(len(points))
        for across in (-3, -1, 1, 3):
            for down in (-3, -1, 1, 3):
                x = (seen[:, 0] + across + rng.uniform(-1, 1, len(seen))).astype(int).clip(0, _SHADOWS - 1)
                y = (seen[:, 1] + down + rng.uniform(-1, 1, len(seen))).astype(int).clip(0, _SHADOWS - 1)
                total += seen[:, 2] < self._layers.depth[y, x] + slack
        return total / 16

    def _seen(self, points: Floats) -> Floats:
        away = points - self._target
        half, scale = _SHADOWS / 2, _SHADOWS / 4.4
        return np.stack(
            [half + away @ self._right * scale, half - away @ self._up * scale, -(away @ self.direction)], -1
        )


def shine(
    layers: Layers, view: View, camera: Camera, shadows: ShadowMap, normals: Floats, rng: np.random.Generator
) -> Lit:
    """Light every visible point.

    Parameters
    ----------
    layers : Layers
        With P pixels that are not empty, in row order.
    normals : P x 3
        Unit normals of surfaces; tangents of hair.
    """
    rows, columns = np.nonzero(layers.kind)
    kind = layers.kind[rows, columns]
    points = camera.back(rows, columns, layers.depth[rows, columns])
    hair, skin = kind == HAIR, kind == SKIN
    open_sky = shadows.lit(points, np.where(hair, 0.10, 0.05), rng)
    facing = normals @ shadows.direction
    wrap = _WRAP * skin[:, None]
    key = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, 1) * np.minimum(1, open_sky[:, None] + 0.12 * wrap)
    along = np.sqrt(np.clip(1 - facing[hair] ** 2, 0, 1))
    key[hair] = (0.8 * along * open_sky[hair])[:, None]
    warm = np.array([1 + 0.4 * view.warmth, 1.0, 1 - 0.8 * view.warmth])
    softbox = unit(np.array([-np.sin(np.radians(view.azimuth)) * 0.8 - 0.2, 0.2, 1.0]))
    soft = np.clip(normals @ softbox, 0, 1)
    soft[hair] = 0.5
    above = 0.75 + 0.25 * np.where(hair, 0.3, normals[:, 1])
    shade = _occlusion(layers)[rows, columns]
    around = (0.55 * above + 0.45 * soft) * shade
    diffuse = 1.1 * view.key * key * warm + view.fill * around[:, None]
    return Lit(diffuse, _gloss(kind, normals, points, camera, shadows.direction) * open_sky * view.key)


def _occlusion(layers: Layers) -> Floats:
    """Darker where the surroundings are nearer: a blurred difference of depths, 0.4 to 1."""
    nearest = layers.depth[layers.kind != EMPTY].min()
    depth = np.where(layers.kind != EMPTY, layers.depth, nearest + 1.8)
    dark = 1.0 * np.clip(depth - gaussian_filter(depth, 14), 0, 0.5) + 0.8 * np.clip(
        depth - gaussian_filter(depth, 5), 0, 0.5
    )
    return np.asarray(np.clip(1 - dark, 0.4, 1))


def _gloss(kind: Ints, normals: Floats, points: Floats, camera: Camera, light: Floats) -> Floats:
    """Highlights (Blinn): faint on skin, sharp on eyes, along hair."""
    viewer = unit(camera.target + np.array([0, 0, camera.distance]) - points)
    half = unit(light + viewer)
    across = np.clip((normals * half).sum(axis=1), 0, 1)
    made = np.zeros(len(kind))
    skin, eye, hair = kind == SKIN, (kind == EYE) | (kind == FRAME), kind == HAIR
    made[skin] = 0.035 * across[skin] ** 18 + 0.02 * across[skin] ** 70
    made[eye] = 0.9 * across[eye] ** 300
    tangent = np.clip(1 - (normals[hair] * half[hair]).sum(axis=1) ** 2, 0, 1)
    made[hair] = 0.05 * tangent**40
    return made


def exposure(light: Lit, colours: Floats, metered: NDArray[np.bool_], angle: float) -> Floats:
    """Gain by colour (3): the light comes out white, and the metered points have a median ITA of `angle` degrees.

    Parameters
    ----------
    colours : P x 3, linear light
    metered : P
    angle : ITA that a reader of the picture should find, in degrees
    """
    white = 1 / np.maximum(light.diffuse[metered].mean(axis=0), 1e-6)
    seen = (colours[metered] * light.diffuse[metered] + light.gloss[metered, None]) * white

    def excess(gain: float) -> float:
        return float(ita(np.median(linear_to_lab(np.minimum(seen * np.exp(gain), 1)), axis=0))) - angle

    # From a sixth of the light to six times as much: the angle of skin rises all the way.
    return np.asarray(white * np.exp(brentq(excess, -1.8, 1.8, xtol=1e-4)))


def vignette(size: int) -> Floats:
    """Fall of light to the corners, size x size x 1."""
    y, x = np.mgrid[0:size, 0:size] / (size - 1) - 0.5
    return (1 - 0.12 * smoothstep(0.3, 0.75, np.hypot(x, y)))[..., None]
