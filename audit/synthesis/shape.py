"""From a person and an expression to the vertices of a head."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.synthesis.assets import Assets
from audit.synthesis.noise import rotation, smoothstep
from audit.synthesis.people import MORPHS, Person

Floats = NDArray[np.float64]
Expression = Literal["neutral", "smile", "slight-smile", "frown", "surprise", "speaking", "pressed-lips"]

_ASSET_NAMES = dict(zip(MORPHS, ("african", "asian", "caucasian"), strict=True))
"""How the base mesh's makers name these three shapes. We call them A, B and C: a shape has no ethnicity."""

EXPRESSIONS: dict[Expression, dict[str, float]] = {
    "neutral": {"mouthSmileLeft": 0.25, "mouthSmileRight": 0.25},
    "smile": {
        "mouthSmileLeft": 0.6,
        "mouthSmileRight": 0.55,
        "cheekSquintLeft": 0.4,
        "cheekSquintRight": 0.4,
        "eyeSquintLeft": 0.15,
        "eyeSquintRight": 0.15,
    },
    "slight-smile": {"mouthSmileLeft": 0.35, "mouthSmileRight": 0.4, "mouthDimpleLeft": 0.2},
    "frown": {
        "browDownLeft": 0.35,
        "browDownRight": 0.35,
        "mouthFrownLeft": 0.1,
        "mouthFrownRight": 0.1,
        "eyeSquintLeft": 0.15,
        "eyeSquintRight": 0.15,
    },
    "surprise": {
        "browInnerUp": 0.4,
        "browOuterUpLeft": 0.4,
        "browOuterUpRight": 0.4,
        "eyeWideLeft": 0.25,
        "eyeWideRight": 0.25,
        "jawOpen": 0.08,
    },
    "speaking": {"jawOpen": 0.12, "mouthSmileLeft": 0.25, "mouthSmileRight": 0.25},
    "pressed-lips": {"mouthPressLeft": 0.3, "mouthPressRight": 0.3, "mouthSmileLeft": 0.15, "mouthSmileRight": 0.15},
}


def vertices(person: Person, expression: Expression, assets: Assets) -> Floats:
    """Vertices of a person, V x 3, in decimetres; the head faces the front."""
    made = assets.mesh.vertices.copy()
    _body(made, person, assets)
    for name, weight in person.shape.items():
        for target in assets.modifiers[name].sides["positive" if weight > 0 else "negative"]:
            if assets.exists(target):
                assets.add(made, target, abs(weight))
    for name, weight in person.asymmetry.items():
        assets.add(made, f"mpfb2/targets/asym/asym-{name}-{'l' if weight > 0 else 'r'}.target.gz", abs(weight))
    for name, weight in EXPRESSIONS[expression].items():
        assets.add(made, f"faceunits01/targets/faceunits/{name}.target", weight)
    return made


def _body(made: Floats, person: Person, assets: Assets) -> None:
    """Morph, gender, age, muscle and weight: weighted sums of whole-body targets."""
    old = min(max((person.age - 25) / 65, 0.0), 1.0)
    ages = {"young": 1 - old, "old": old}
    genders = {"female": person.femininity, "male": 1 - person.femininity}
    own = {
        morph: share + (1 - sum(person.blend)) * (morph == person.morph)
        for morph, share in zip(MORPHS, person.blend, strict=True)
    }
    folder = "mpfb2/targets/macrodetails"
    for (morph, a), (gender, b), (age, c) in product(own.items(), genders.items(), ages.items()):
        assets.add(made, f"{folder}/{_ASSET_NAMES[morph]}-{gender}-{age}.target.gz", a * b * c)
    muscles = _between(person.muscle, "muscle")
    weights = _between(person.weight, "weight")
    for (gender, a), (age, b), (muscle, c), (weight, d) in product(
        genders.items(), ages.items(), muscles.items(), weights.items()
    ):
        target = f"{folder}/universal-{gender}-{age}-{muscle}-{weight}.target.gz"
        if a * b * c * d > 0 and assets.exists(target):
            assets.add(made, target, a * b * c * d)


def _between(value: float, what: str) -> dict[str, float]:
    """Weights of the least, average and most of something, at 0, 0.5 and 1."""
    if value < 0.5:
        return {f"min{what}": 1 - 2 * value, f"average{what}": 2 * value}
    return {f"average{what}": 2 - 2 * value, f"max{what}": 2 * value - 1}


class Pose:
    """A turned head on shoulders that stay.

    Parameters
    ----------
    made : V x 3 vertices
    rest : V x 3 vertices of the resting mesh
    eyes : middle of the two eyes, 3
    yaw, pitch, roll : degrees
    """

    def __init__(self, made: Floats, rest: Floats, eyes: Floats, *, yaw: float, pitch: float, roll: float) -> None:
        self._turn = rotation(yaw, pitch, roll)
        self._pivot = np.array([0.0, eyes[1] - 1.3, eyes[2] - 1.15])
        share = smoothstep(5.55, 6.7, rest[:, 1] + 0.35 * (rest[:, 2] < 0))[:, None]
        self.vertices = made * (1 - share) + self.turned(made) * share

    def turned(self, points: Floats) -> Floats:
        """Points of the head, ... x 3, where the turn takes them."""
        return np.asarray(self._pivot + (points - self._pivot) @ self._turn.T)
