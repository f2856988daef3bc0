"""How a person is photographed: pose, expression, light, camera, and what a file does to a picture."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from audit.synthesis.people import stream
from audit.synthesis.shape import EXPRESSIONS, Expression

Name = Literal["studio", "indoors", "turned", "outdoors", "series"]
NAMES: tuple[Name, ...] = ("studio", "indoors", "turned", "outdoors")
"""The four photographs of every person, from easy to hard."""


class View(BaseModel):
    """One photograph. Angles are in degrees; `key` and `fill` are what two lights give.

    `warmth` shifts the key light to red (positive) or blue; `exposure` multiplies what the meter says; `noise` is the
    deviation of the sensor's noise in grey levels at full light; `blur` a Gaussian's deviation in pixels; `jpeg` a
    quality, 0 for none. `backdrop` seeds the background.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    expression: Expression = "neutral"
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    azimuth: float = 0.0
    elevation: float = 30.0
    key: float = 0.7
    fill: float = 0.3
    warmth: float = 0.0
    exposure: float = 1.0
    blur: float = 0.0
    noise: float = 1.0
    jpeg: int = 0
    glasses: bool = False
    backdrop: int = 0

    def dimmed(self, share: float) -> View:
        """The same photograph with a share of the light."""
        return self.model_copy(update={"key": self.key * share, "fill": self.fill * share})


def draw(seed: int, name: Name) -> View:
    """Draw one of the four photographs of a person, or the one in which single factors are changed ("series")."""
    rng = stream(seed, f"view {name}")
    if name == "series":
        return _view(
            rng,
            name,
            yaw=rng.normal(0, 5),
            pitch=rng.normal(0, 3),
            roll=rng.normal(0, 1.5),
            azimuth=rng.uniform(-35, 35),
            elevation=rng.uniform(15, 40),
            key=0.7,
            fill=0.3,
            noise=1.5,
        )
    if name == "studio":
        return _view(
            rng,
            name,
            yaw=rng.normal(0, 2),
            pitch=rng.normal(0, 2),
            roll=rng.normal(0, 1),
            azimuth=rng.uniform(-20, 20),
            elevation=rng.uniform(20, 35),
            key=0.55,
            fill=0.45,
        )
    least, most = {"indoors": (2, 18), "turned": (8, 28), "outdoors": (5, 45)}[name]
    hard = {"indoors": 0.4, "turned": 0.7, "outdoors": 1.0}[name]
    return _view(
        rng,
        name,
        expression=str(rng.choice(list(EXPRESSIONS))),
        yaw=rng.choice([-1, 1]) * rng.triangular(least, least, most),
        pitch=np.clip(rng.normal(0, 5), -12, 12),
        roll=np.clip(rng.normal(0, 3), -8, 8),
        azimuth=rng.uniform(-50, 50) * (0.5 + 0.5 * hard),
        elevation=rng.uniform(5, 55),
        key=rng.uniform(0.5, 0.55 + 0.25 * hard),
        fill=rng.uniform(0.25, 0.45),
        warmth=np.clip(rng.normal(0, 0.07), -0.15, 0.15),
        exposure=rng.uniform(1 - 0.28 * hard, 1 + 0.15 * hard),
        blur=max(0.0, rng.normal(0.1, 0.25)) * hard,
        noise=rng.uniform(1.0, 1.5 + 2.5 * hard),
        jpeg=rng.integers(90 - int(45 * hard), 95),
        glasses=rng.random() < 0.15 * hard,
    )


def _view(rng: np.random.Generator, name: Name, **values: object) -> View:
    rounded = {
        key: round(float(value), 3) if isinstance(value, float | np.floating) else value
        for key, value in values.items()
    }
    if "jpeg" in rounded:
        rounded["jpeg"] = int(str(rounded["jpeg"]))
    if "glasses" in rounded:
        rounded["glasses"] = bool(rounded["glasses"])
    return View.model_validate({"name": name, **rounded, "backdrop": int(rng.integers(1 << 30))})
