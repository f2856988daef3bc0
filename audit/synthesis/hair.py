"""Hair as strands: grown from the scalp step by step, pulled, combed, kept out of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from audit.synthesis.assets import Assets, Ints
from audit.synthesis.noise import unit
from audit.synthesis.people import Hair, HairStyle, Person, stream
from audit.synthesis.skin import hairline, scalp

Floats = NDArray[np.float64]

_FRONT, _UP, _SIDE = np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), np.array([1.0, 0, 0])


@dataclass(frozen=True, slots=True)
class Cut:
    """A hair style: how many strands, and the numbers of their growth (lengths in decimetres).

    Hair starts along `normal` x the normal + `away` from the parting + `front`, `up`; it is `short` at the hairline and
    `long` further up, bends down by `fall`, wobbles, is combed towards the parting's side and to the back by `comb`
    and `back`, and winds with `curl` (radius) at `turns` a strand.
    """

    strands: int
    points: int
    normal: float
    short: float
    long: float
    away: float = 0.0
    front: float = 0.0
    up: float = 0.0
    fall: float = 0.0
    wobble: float = 0.08
    comb: float = 0.0
    back: float = 0.0
    clear: float = 0.02
    curl: float = 0.0
    turns: float = 0.0
    to_height: bool = False
    """Whether strands end at one height (bob, long) rather than at one length."""


CUTS: dict[HairStyle, Cut] = {
    "cropped": Cut(22000, 3, 1.0, 0.04, 0.05, front=0.4, up=-0.2, wobble=0.2),
    "short": Cut(
        20000, 7, 0.45, 0.10, 0.30, away=0.15, front=0.75, up=-0.1, fall=0.22, wobble=0.08, comb=0.06, clear=0.03
    ),
    "swept": Cut(17000, 8, 0.8, 0.22, 0.55, away=0.1, front=-0.5, up=0.2, fall=0.12, wobble=0.06, back=0.4),
    "side-parted": Cut(
        18000, 8, 0.45, 0.12, 0.40, away=0.5, front=0.1, fall=0.5, wobble=0.05, comb=0.03, back=0.1, clear=0.03
    ),
    "tied-back": Cut(18000, 9, 0.25, 0.55, 1.0, front=-1.0, up=0.2, fall=0.02, wobble=0.03, back=0.4, clear=0.015),
    "curls": Cut(17000, 14, 1.0, 0.10, 0.22, wobble=0.13, curl=0.022, turns=3),
    "bob": Cut(
        15000,
        16,
        0.7,
        0,
        1.4,
        away=0.3,
        front=-0.5,
        fall=0.5,
        wobble=0.03,
        comb=0.012,
        back=0.05,
        clear=0.05,
        to_height=True,
    ),
    "long": Cut(
        15000,
        20,
        0.8,
        0,
        2.6,
        away=0.4,
        front=-0.5,
        fall=0.36,
        wobble=0.03,
        comb=0.015,
        back=0.05,
        clear=0.05,
        to_height=True,
    ),
}


def strands(person: Person, vertices: Floats, assets: Assets) -> Floats:
    """Strands of a person's hair.

    Parameters
    ----------
    person : Person
    vertices : V x 3, the head at rest, facing the front

    Returns
    -------
    N x K x 3; N is 0 for a bald head
    """
    if person.hair.style == "bald":
        return np.zeros((0, 2, 3))
    cut, rng = CUTS[person.hair.style], stream(person.seed, "strands")
    head = _Head(vertices, assets.mesh.scalp)
    roots, normals, rest = _roots(head, assets, person.hair, cut.strands, rng)
    return _grow(head, roots, normals, rest, person.hair, cut, rng)


class _Head:
    """A head that strands keep out of, approximated by points with normals."""

    def __init__(self, vertices: Floats, corners: Ints) -> None:
        self.corners = corners
        self.vertices = vertices
        self.normals = normals_of(vertices, corners)
        used = np.unique(corners)
        sides = vertices[corners]
        flat = unit(np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]))
        self._points = np.concatenate([vertices[used], sides.mean(axis=1)])
        self._directions = np.concatenate([self.normals[used], flat])
        self._tree = cKDTree(self._points)

    def push_out(self, points: Floats, clear: float) -> Floats:
        """Points, N x 3, at least `clear` above the surface where they are near it."""
        _, nearest = self._tree.query(points)
        above = ((points - self._points[nearest]) * self._directions[nearest]).sum(axis=1)
        near = np.linalg.norm(points - self._points[nearest], axis=1) < 0.5
        return np.asarray(points + self._directions[nearest] * (np.maximum(clear - above, 0) * near)[:, None])


def normals_of(vertices: Floats, corners: Ints) -> Floats:
    """Smooth normals, V x 3, of T x 3 triangles."""
    made = np.zeros_like(vertices)
    sides = vertices[corners]
    flat = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    for k in range(3):
        np.add.at(made, corners[:, k], flat)
    return unit(made)


def _roots(
    head: _Head, assets: Assets, hair: Hair, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Where strands start: on the head, its normal there, and where that is on the resting mesh."""
    at_rest = assets.mesh.vertices[head.corners]
    here = head.vertices[head.corners]
    area = np.linalg.norm(np.cross(here[:, 1] - here[:, 0], here[:, 2] - here[:, 0]), axis=1)
    touches = np.max([scalp(at_rest[:, k], hair) for k in range(3)] + [scalp(at_rest.mean(axis=1), hair)], axis=0) > 0
    share = area * touches
    chosen = rng.choice(len(share), size=int(count * 1.6), p=share / share.sum())
    mix = rng.dirichlet([1, 1, 1], size=len(chosen))[..., None]
    rest = (at_rest[chosen] * mix).sum(axis=1)
    kept = rng.random(len(chosen)) < scalp(rest, hair)
    normals = unit((head.normals[head.corners[chosen]] * mix).sum(axis=1))
    return (here[chosen] * mix).sum(axis=1)[kept], normals[kept], rest[kept]


def _grow(
    head: _Head, roots: Floats, normals: Floats, rest: Floats, hair: Hair, cut: Cut, rng: np.random.Generator
) -> Floats:
    count = len(roots)
    lengths = _lengths(rest, hair, cut) * hair.length * rng.uniform(0.85, 1.08, count)
    side = np.sign(rest[:, 0] - hair.part)[:, None] * _SIDE
    direction = unit(normals * cut.normal + side * cut.away + cut.front * _FRONT + cut.up * _UP)
    comb = side * cut.comb - _FRONT * cut.back
    step = (lengths / (cut.points - 1))[:, None]
    point, made = roots, [roots - normals * 0.015]
    for _ in range(cut.points - 1):
        bend = -cut.fall * _UP * step / 0.1 + cut.wobble * rng.normal(size=direction.shape) + comb
        aimed = head.push_out(point + unit(direction + bend) * step, cut.clear)
        direction = unit(aimed - point)
        point = aimed
        made.append(point)
    grown = np.stack(made, axis=1)
    return grown + _winding(normals, cut, rng) if cut.curl else grown


def _lengths(rest: Floats, hair: Hair, cut: Cut) -> Floats:
    if cut.to_height:
        return np.clip(cut.long - 0.5 * (8.4 - rest[:, 1]), 0.5, None)
    inward = np.clip((rest[:, 1] - hairline(rest, hair)) / 0.4, 0, 1)
    return cut.short + (cut.long - cut.short) * inward


def _winding(normals: Floats, cut: Cut, rng: np.random.Generator) -> Floats:
    """A helix around each strand, N x K x 3."""
    along = np.linspace(0, 1, cut.points)[None, :, None]
    across = unit(np.cross(normals, unit(rng.normal(size=normals.shape))))
    other = unit(np.cross(normals, across))
    turn = cut.turns * 2 * np.pi * along + rng.uniform(0, 2 * np.pi, (len(normals), 1, 1))
    wide = cut.curl * np.minimum(1, along * 4)
    return np.asarray(wide * (across[:, None] * np.cos(turn) + other[:, None] * np.sin(turn)))
