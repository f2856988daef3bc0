"""What is neither skin nor hair: eyeballs and the frame of a pair of glasses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.synthesis.assets import Ints, triangles
from audit.synthesis.noise import smoothstep
from audit.synthesis.people import EyeColour

Floats = NDArray[np.float64]

_IRIS: dict[EyeColour, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "dark-brown": ((0.02, 0.009, 0.005), (0.05, 0.024, 0.012)),
    "brown": ((0.03, 0.013, 0.006), (0.10, 0.045, 0.018)),
    "hazel": ((0.05, 0.034, 0.013), (0.11, 0.08, 0.03)),
    "grey-blue": ((0.05, 0.07, 0.09), (0.12, 0.155, 0.18)),
}
"""Inner and outer colour of the iris, linear light."""
_WHITE = np.array([0.55, 0.52, 0.49])
_RINGS, _SPOKES = 40, 64


def eyeball(vertices: Floats, colour: EyeColour, gaze: Floats) -> tuple[Floats, Ints, Floats, Floats]:
    """A sphere where the mesh has its eye.

    Parameters
    ----------
    vertices : E x 3, of the mesh's own eyeball
    colour : of the iris
    gaze : 3 x 3 rotation

    Returns
    -------
    (points V x 3, triangles T x 3, colours V x 3 in linear light, normals V x 3)
    """
    centre = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
    radius = (vertices.max(axis=0) - vertices.min(axis=0))[:2].max() / 2
    centre[2] = vertices[:, 2].min() + radius
    rings = np.concatenate([np.linspace(0, 40, 28), np.linspace(48, 180, _RINGS - 28)])
    ring, spoke = np.meshgrid(np.radians(rings), np.linspace(0, 2 * np.pi, _SPOKES, endpoint=False), indexing="ij")
    sphere = np.stack([np.sin(ring) * np.cos(spoke), np.sin(ring) * np.sin(spoke), np.cos(ring)], -1).reshape(-1, 3)
    normals = sphere @ gaze.T
    return normals * radius + centre, _sphere_triangles(), _paint(np.degrees(ring).reshape(-1, 1), colour), normals


def _paint(angle: Floats, colour: EyeColour) -> Floats:
    """Pupil, iris with a dark rim, white; by the angle from the axis in degrees, V x 1."""
    inner, outer = (np.array(light) for light in _IRIS[colour])
    iris = (inner + (outer - inner) * smoothstep(10, 29, angle)) * (1 - 0.6 * smoothstep(24, 29, angle))
    white = smoothstep(28, 30.5, angle)
    seen = iris * (1 - white) + _WHITE * white
    return np.asarray(seen * smoothstep(9, 11.5, angle) + 0.003)


def _sphere_triangles() -> Ints:
    i, j = np.meshgrid(np.arange(_RINGS - 1), np.arange(_SPOKES), indexing="ij")
    after = (j + 1) % _SPOKES
    corners = [i * _SPOKES + j, (i + 1) * _SPOKES + j, (i + 1) * _SPOKES + after, i * _SPOKES + after]
    return triangles(np.stack(corners, -1).reshape(-1, 4))


def glasses(eyes: tuple[Floats, Floats], ears: float) -> list[Floats]:
    """A thin frame before the eyes.

    Parameters
    ----------
    eyes : vertices of the left and the right eyeball
    ears : z to which the temples reach

    Returns
    -------
    list of K x 3 lines
    """
    turn = np.linspace(0, 2 * np.pi, 61)
    lines, inner, outer = [], [], []
    for points in eyes:
        middle = points.mean(axis=0)
        side = np.sign(middle[0])
        across = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.7
        down = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.7
        front = points[:, 2].max() + 0.16
        x = middle[0] + 0.03 * side + 0.27 * across
        z = front - 0.10 * ((x - side * 0.1) * side).clip(0) ** 2
        lines.append(np.stack([x, middle[1] - 0.03 + 0.19 * down, z], -1))
        inner.append(lines[-1][np.argmin(lines[-1][:, 0] * side)])
        outer.append(lines[-1][np.argmax(lines[-1][:, 0] * side)])
    bridge = np.linspace(inner[0], inner[1], 9)
    bridge[:, 1] += 0.04 * np.sin(np.linspace(0, np.pi, 9))
    for hinge in outer:
        side = np.sign(hinge[0])
        back = np.array([hinge[0] + 0.18 * side, hinge[1] + 0.02, ears])
        lines.append(np.linspace(hinge, back, 17))
    return [*lines, bridge]
