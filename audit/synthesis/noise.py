"""Small numerical tools that the rest shares: smooth steps, unit vectors, rotations, value noise."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def smoothstep(start: float, end: float, x: ArrayLike) -> Floats:
    """0 before `start`, 1 after `end`, cubic between; `start` may lie above `end`."""
    t = np.clip((np.asarray(x, np.float64) - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def unit(vectors: Floats) -> Floats:
    """Vectors, ... x 3, at length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """3 x 3 matrix that turns by angles in degrees: roll after yaw after pitch."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def value_noise(points: Floats, seed: int, scale: float) -> Floats:
    """Value noise in [-1, 1] at N x 3 points: a hashed lattice of `scale` cells a unit, smoothly interpolated."""
    return np.asarray(_noise(np.ascontiguousarray(points, np.float64), np.int64(seed), float(scale)))


@nb.njit(cache=True)
def _noise(points, seed, scale):  # type: ignore[no-untyped-def]
    out = np.empty(points.shape[0])
    for n in range(points.shape[0]):
        x = points[n, 0] * scale + 1000.0
        y = points[n, 1] * scale + 1000.0
        z = points[n, 2] * scale + 1000.0
        i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        u, v, w = x - i, y - j, z - k
        u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
        total = 0.0
        for a in range(2):
            for b in range(2):
                for c in range(2):
                    hashed = (i + a) * 73856093 ^ (j + b) * 19349663 ^ (k + c) * 83492791 ^ seed * 2654435761
                    hashed = (hashed ^ (hashed >> 13)) * 1274126177 & 0x7FFFFFFF
                    hashed = (hashed ^ (hashed >> 16)) & 0xFFFF
                    weight = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
                    total += weight * (hashed / 32768.0 - 1)
        out[n] = total
    return out
