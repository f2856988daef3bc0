"""A small made-up collection in the general layout, written anew for every test that wants one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up import SAMPLES, SUBJECTS, describe


@pytest.fixture
def collection(tmp_path: Path) -> Callable[..., Path]:
    """Write a collection; keyword arguments replace tables, `descriptor` holds changes of the descriptor."""

    def make(
        *,
        subjects: str = SUBJECTS,
        samples: str = SAMPLES,
        pairs: str | None = None,
        name: str = "made",
        **changes: Any,
    ) -> Path:
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        for image in ("a1", "a2", "b1", "b2", "c1"):
            (folder / "images" / f"{image}.png").write_bytes(f"bytes of {image}".encode())
        (folder / "subjects.csv").write_text(subjects, encoding="utf-8")
        (folder / "samples.csv").write_text(samples, encoding="utf-8")
        if pairs is not None:
            (folder / "pairs.csv").write_text(pairs, encoding="utf-8")
        (folder / "croissant.json").write_text(json.dumps(describe(folder, **changes)), encoding="utf-8")
        return folder

    return make
