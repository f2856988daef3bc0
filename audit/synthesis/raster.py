"""A small z-buffer renderer: triangles and strands into one layered picture, compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EMPTY, SKIN, EYE, LASH, HAIR, TEETH, FRAME = range(7)
"""What a pixel shows."""
FAR = 1e9


@dataclass(frozen=True, eq=False)
class Layers:
    """What is nearest at each pixel: depth (H x W), kind (H x W), values (H x W x 5) and direction (H x W x 3).

    Values are five numbers that were given at the corners; directions are normals, or tangents of strands.
    """

    depth: Floats
    kind: Ints
    values: Floats
    direction: Floats

    @classmethod
    def blank(cls, size: int) -> Layers:
        """Make empty layers, `size` x `size`."""
        shape = (size, size)
        return cls(np.full(shape, FAR), np.zeros(shape, np.int64), np.zeros((*shape, 5)), np.zeros((*shape, 3)))

    def triangles(
        self, points: Floats, corners: Ints, values: Floats, value_corners: Ints, normals: Floats, kind: int
    ) -> None:
        """Draw T triangles.

        Parameters
        ----------
        points : V x 3, x and y in pixels, z the distance
        corners : T x 3 into points and normals
        values : U x (up to 5), and value_corners, T x 3 into it
        normals : V x 3
        kind : what it is
        """
        padded = np.zeros((len(values), 5))
        padded[:, : values.shape[1]] = values
        _triangles(
            points, corners, padded, value_corners, normals, kind, self.depth, self.kind, self.values, self.direction
        )

    def strands(self, points: Floats, colours: Floats, tangents: Floats, kind: int, width: int) -> None:
        """Draw N strands of K points.

        Parameters
        ----------
        points : N x K x 3, as for triangles
        colours : N x 3
        tangents : N x (K - 1) x 3
        width : pixels
        """
        _strands(points, colours, tangents, kind, width, self.depth, self.kind, self.values, self.direction)


@nb.njit(cache=True)
def _triangles(points, corners, values, value_corners, normals, kind, depth, kinds, out, direction):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for t in range(corners.shape[0]):
        a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
        d, e, f = value_corners[t, 0], value_corners[t, 1], value_corners[t, 2]
        x0, y0, x1, y1, x2, y2 = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
        if abs(area) < 1e-9:
            continue
        top, bottom = max(0, int(min(y0, y1, y2))), min(height - 1, int(max(y0, y1, y2)) + 1)
        left, right = max(0, int(min(x0, x1, x2))), min(width - 1, int(max(x0, x1, x2)) + 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                u = ((y1 - y2) * (x + 0.5 - x2) + (x2 - x1) * (y + 0.5 - y2)) / area
                v = ((y2 - y0) * (x + 0.5 - x2) + (x0 - x2) * (y + 0.5 - y2)) / area
                w = 1 - u - v
                if u < -1e-4 or v < -1e-4 or w < -1e-4:
                    continue
                z = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
                if z < depth[y, x]:
                    depth[y, x] = z
                    kinds[y, x] = kind
                    for k in range(5):
                        out[y, x, k] = u * values[d, k] + v * values[e, k] + w * values[f, k]
                    for k in range(3):
                        direction[y, x, k] = u * normals[a, k] + v * normals[b, k] + w * normals[c, k]


@nb.njit(cache=True)
def _strands(points, colours, tangents, kind, thick, depth, kinds, out, direction):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for s in range(points.shape[0]):
        for k in range(points.shape[1] - 1):
            dx = points[s, k + 1, 0] - points[s, k, 0]
            dy = points[s, k + 1, 1] - points[s, k, 1]
            steps = int(max(abs(dx), abs(dy)) * 1.2) + 1
            steep = abs(dy) > abs(dx)
            for q in range(steps):
                f = q / steps
                z = points[s, k, 2] + f * (points[s, k + 1, 2] - points[s, k, 2])
                for o in range(thick):
                    x = int(points[s, k, 0] + f * dx + (o if steep else 0))
                    y = int(points[s, k, 1] + f * dy + (0 if steep else o))
                    if x < 0 or y < 0 or x >= width or y >= height:
                        continue
                    if z < depth[y, x]:
                        depth[y, x] = z
                        kinds[y, x] = kind
                        for j in range(3):
                            out[y, x, j] = colours[s, j]
                            direction[y, x, j] = tangents[s, k, j]
