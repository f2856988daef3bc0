"""The photograph: from a person and a view to pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from audit.synthesis import hair, light, parts, shape, skin
from audit.synthesis.assets import Assets
from audit.synthesis.colour import linear_to_srgb
from audit.synthesis.light import Camera, Lit, ShadowMap
from audit.synthesis.noise import rotation, unit
from audit.synthesis.people import Person, stream
from audit.synthesis.raster import EYE, FRAME, HAIR, LASH, SKIN, TEETH, Layers
from audit.synthesis.shape import Pose
from audit.synthesis.views import View

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SIZE = 224
"""Width and height of a picture."""
_FINE = 3
"""Pixels are averages of this many, squared."""
_RELIEF = 9.0
"""Strength of relief."""


class Sitter:
    """A person ready to be photographed: what does not change between views is made once."""

    def __init__(self, person: Person, assets: Assets) -> None:
        self.person = person
        self.assets = assets

    @cached_property
    def rest(self) -> Floats:
        """Vertices of the person with a neutral expression, V x 3."""
        return shape.vertices(self.person, "neutral", self.assets)

    @cached_property
    def strands(self) -> Floats:
        """Strands of hair, N x K x 3."""
        return hair.strands(self.person, self.rest, self.assets)


@dataclass(frozen=True, eq=False)
class Scene:
    """What a camera sees: layers and the camera; `metered` marks the pixels of cheeks among those seen."""

    layers: Layers
    camera: Camera
    colours: Floats
    metered: NDArray[np.bool_]
    light: Lit


def photograph(sitter: Sitter, view: View, *, like: View | None = None) -> Pixels:
    """Take a photograph, 224 x 224 x 3, RGB.

    Parameters
    ----------
    sitter : Sitter
    view : View
    like : View, optional
        The exposure is metered in this view rather than in `view`: a change of light then shows as one.
    """
    scene = arrange(sitter, view)
    metered = scene if like is None else arrange(sitter, like)
    gain = light.exposure(metered.light, metered.colours, metered.metered, sitter.person.skin.ita) * view.exposure
    return _develop(scene, view, gain)


def arrange(sitter: Sitter, view: View) -> Scene:
    """Put the sitter before the camera and light them."""
    person, mesh = sitter.person, sitter.assets.mesh
    made = shape.vertices(person, view.expression, sitter.assets)
    eyes = made[np.concatenate(mesh.eyes)].mean(axis=0)
    pose = Pose(made, mesh.vertices, eyes, yaw=view.yaw, pitch=view.pitch, roll=view.roll)
    camera = Camera(pose.turned(np.array([0, eyes[1] - 0.17, eyes[2] - 0.3])), SIZE * _FINE)
    layers, shadows = Layers.blank(camera.size), ShadowMap(view, camera)
    _draw_head(sitter, view, pose, camera, layers)
    shadows.add(pose.vertices, mesh.skin)
    _draw_strands(sitter, view, pose, camera, layers, shadows)
    colours, normals, metered = _surface(sitter, layers)
    rng = stream(person.seed, f"light {view.name}")
    return Scene(layers, camera, colours, metered, light.shine(layers, view, camera, shadows, normals, rng))


def _draw_head(sitter: Sitter, view: View, pose: Pose, camera: Camera, layers: Layers) -> None:
    mesh, points = sitter.assets.mesh, pose.vertices
    seen = camera.project(points)
    normals = hair.normals_of(points, mesh.skin)
    # A corner of the skin has a place on the resting mesh and one in the texture: give it a row of its own.
    corners = np.stack([mesh.skin.ravel(), mesh.skin_uv.ravel()], -1)
    unique, rows = np.unique(corners, axis=0, return_inverse=True)
    rest_and_uv = np.hstack([mesh.vertices[unique[:, 0]], mesh.uv[unique[:, 1]]])
    layers.triangles(seen, mesh.skin, rest_and_uv, rows.reshape(-1, 3).astype(np.int64), normals, SKIN)
    gaze = rotation(view.yaw * 0.55, view.pitch * 0.5, 0)
    for members in mesh.eyes:
        ball, triangles, colours, directions = parts.eyeball(points[members], sitter.person.eyes, gaze)
        layers.triangles(camera.project(ball), triangles, colours, triangles, directions, EYE)
    for corners, colour, kind in ((mesh.lashes, (0.03, 0.025, 0.02), LASH), (mesh.teeth, (0.62, 0.58, 0.5), TEETH)):
        flat = np.tile(np.array(colour), (len(points), 1))
        layers.triangles(seen, corners, flat, corners, hair.normals_of(points, corners), kind)


def _draw_strands(sitter: Sitter, view: View, pose: Pose, camera: Camera, layers: Layers, shadows: ShadowMap) -> None:
    person = sitter.person
    if len(sitter.strands):
        strands = pose.turned(sitter.strands)
        shades = stream(person.seed, "shades").uniform(0.6, 1.4, (len(strands), 1))
        colours = np.array(skin.HAIR_LIGHT[person.hair.colour]) * shades
        layers.strands(camera.project(strands), colours, unit(np.diff(strands, axis=1)), HAIR, 2)
        shadows.add_strands(strands)
    if view.glasses:
        eyes = sitter.assets.mesh.eyes
        frame = parts.glasses((sitter.rest[eyes[0]], sitter.rest[eyes[1]]), float(sitter.rest[eyes[0], 2].mean() - 1.1))
        for line in frame:
            turned = pose.turned(line)[None]
            layers.strands(camera.project(turned), np.full((1, 3), 0.02), unit(np.diff(turned, axis=1)), FRAME, 4)
            shadows.add_strands(turned)


def _surface(sitter: Sitter, layers: Layers) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Colours (P x 3, linear light), normals (P x 3) and metered points among the P pixels that show something."""
    seen = layers.kind != 0
    kind, values = layers.kind[seen], layers.values[seen]
    colours, normals = values[:, :3].copy(), unit(layers.direction[seen])
    on_skin = kind == SKIN
    rest, uv = values[on_skin, :3], values[on_skin, 3:5]
    colours[on_skin], relief = skin.paint(sitter.person, rest, uv, sitter.assets)
    height = np.zeros(layers.kind.shape)
    height[layers.kind == SKIN] = relief
    down, across = np.gradient(height)
    edge = np.stack([across, -down, np.zeros_like(height)], -1)[layers.kind == SKIN]
    normals[on_skin] = unit(normals[on_skin] - _RELIEF * 0.1 * np.clip(edge, -0.2, 0.2))
    metered = np.zeros(len(kind), bool)
    metered[on_skin] = skin.meter(rest)
    return colours, normals, metered


def _develop(scene: Scene, view: View, gain: Floats) -> Pixels:
    """Exposure, backdrop, sensor noise, blur, compression."""
    size, seen = scene.camera.size, scene.layers.kind != 0
    linear = np.zeros((size, size, 3))
    linear[seen] = (scene.colours * scene.light.diffuse + scene.light.gloss[:, None]) * gain
    covered = _reduce(seen[..., None].astype(np.float64))
    rng = np.random.default_rng(view.backdrop)
    shown = linear_to_srgb(_reduce(linear) + _backdrop(rng, view, gain) * (1 - covered)) * 255
    shown = (
        shown * light.vignette(SIZE) ** 0.5
        + rng.normal(0, view.noise, (SIZE, SIZE, 1))
        + rng.normal(0, view.noise * 0.4, (SIZE, SIZE, 3))
    )
    image = Image.fromarray(np.rint(shown.clip(0, 255)).astype(np.uint8))
    if view.blur > 0.15:
        image = image.filter(ImageFilter.GaussianBlur(view.blur))
    if view.jpeg:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=view.jpeg)
        image = Image.open(file)
    return np.asarray(image.convert("RGB"))


def _reduce(fine: Floats) -> Floats:
    return np.asarray(fine.reshape(SIZE, _FINE, SIZE, _FINE, -1).mean(axis=(1, 3)))


def _backdrop(rng: np.random.Generator, view: View, gain: Floats) -> Floats:
    """A plain wall with a gradient, in linear light, size x size x 3; it gets as much light as the room has."""
    from_, to = rng.uniform(0.08, 0.5, 3), rng.uniform(0.08, 0.5, 3)
    from_, to = (colour.mean() + 0.3 * (colour - colour.mean()) for colour in (from_, to))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    share = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None]
    room = (view.key + view.fill) * float(gain.mean())
    return np.asarray((from_ * (1 - share) + to * share) * min(room, 1.3))


def encode(pixels: Pixels, quality: int = 80) -> bytes:
    """Pixels as WebP."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


def decode(content: bytes) -> Pixels:
    """The pixels of an encoded picture."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))
