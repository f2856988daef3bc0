"""Tables from which the tasks detection and attributes are measured: boxes, labels, ages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vouched

from .base import Target, home
from .networks import CLASSIFIER, classifiers, in_sandbox, starts

ATTRIBUTES: dict[str, Any] = {
    "task": "attributes", "detector": "truth", "draws": 200, "splits": 2, "by": ("gender", "origin"),
}  # fmt: skip
DETECTION: dict[str, Any] = {
    "task": "detection", "working_size": 160, "smallest_face": 12, "degradations": [], "by": ["gender"], "iou": 0.5,
    "splits": 2, "draws": 200,
}  # fmt: skip
SUBJECTS = b"""subject_id,gender,origin,age
k1,female,x,20
k2,female,y,41.5
k3,male,x,17
k4,male,y,grown up
k5,,x,NA
"""


def _people(folder: Path) -> None:
    """Five people, two pictures each, of colours that the classifier knows by."""
    from made_up import attribute, describe
    from PIL import Image

    (folder / "images").mkdir(parents=True)
    lines = ["sample_id,path,subject_id,light,box_left,box_top,box_width,box_height"]
    for k in range(10):
        Image.new("RGB", (40, 40), (200 - 15 * k, 20 + 15 * k, 9 * k)).save(folder / "images" / f"{k}.png")
        lines.append(
            f"s{k},images/{k}.png,k{k // 2 + 1},{'dim' if k % 2 else 'bright'},{'4,4,30,30.5' if k else ',,,'}"
        )
    (folder / "samples.csv").write_text("\n".join(lines) + "\n")
    (folder / "subjects.csv").write_bytes(SUBJECTS)
    said = [
        attribute("gender", values=["female", "male"]),
        attribute("origin", provenance="annotated"),
        attribute("age", kind="numeric", edges=[30], missingValues=["NA"], words=["grown up"]),
    ]
    (folder / "croissant.json").write_text(json.dumps(describe(folder, faceaudit__attribute=said)))


def _measured(path: Path, model: str, settings: dict[str, Any]) -> object:
    """The task from its tables to its record, without the pages."""
    from audit import recipe
    from audit.inputs import silent
    from audit.plan import RunOptions, make

    out = path.parents[1] / "measured"
    plan = make({**settings, "benchmark": str(path.parent), "model": model})
    try:
        with in_sandbox(path):
            job = recipe._job(plan, RunOptions(out=out / "out", cache=out / "cache", workers=1), silent)
            return job.measure().record
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _attributes(path: Path) -> object:
    return _measured(path, f"card:{home() / 'classifier' / 'm.toml'}", ATTRIBUTES)


def _table(name: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        place = home() / "people"
        if not place.exists():
            _people(place)
            model = home() / "classifier" / "m.onnx"
            model.parent.mkdir()
            model.write_bytes(classifiers()[0])
            vouched.card(model, CLASSIFIER)
        return [(place / name).read_bytes()]

    return seeds


def _squares(folder: Path) -> None:
    _marked()
    shutil.copytree(home() / "squares", folder, dirs_exist_ok=True)


def _marked() -> list[bytes]:
    import squares

    place = home() / "squares"
    if not place.exists():
        squares.benchmark(place)
        squares.card(home() / "square-model")
    return [(place / "samples.csv").read_bytes()]


def _detection(path: Path) -> object:
    return _measured(path, f"card:{home() / 'square-model' / 'squares.toml'}", DETECTION)


TARGETS = (
    Target("attribute-truth", "subjects.csv", "csv", _table("subjects.csv"), _attributes, _people, starts),
    Target("attribute-samples", "samples.csv", "csv", _table("samples.csv"), _attributes, _people, starts),
    Target("marked-boxes", "samples.csv", "csv", _marked, _detection, _squares, starts),
)
