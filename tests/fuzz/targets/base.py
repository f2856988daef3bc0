"""What a target is, and where seeds that take time are made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

Parse = Callable[[Path], object]


def nothing(_: Path) -> None:
    """No file lies beside it."""


def never(*_: Any) -> bool:
    """Nothing of the kind."""
    return False


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Parameters
    ----------
    name : of the target, and of its folder of the corpus
    file : name under which an input is written
    kind : how it is mutated (`mutate.KINDS`)
    seeds : sound files
    parse : given the path of an input
    beside : puts down what lies beside it, in an empty folder
    may : of what no file may bring about (`child.NEVER`), what this target does by itself
    """

    name: str
    file: str
    kind: str
    seeds: Callable[[], list[bytes]]
    parse: Parse
    beside: Callable[[Path], None] = nothing
    may: Callable[[str, tuple[Any, ...]], bool] = never


_SCRATCH: list[str] = []


def home() -> Path:
    """A folder of this process for seeds that take time."""
    return Path(_SCRATCH[0])


def scratch(folder: Path) -> None:
    """Say where seeds are made; must be called first."""
    folder.mkdir(parents=True, exist_ok=True)
    _SCRATCH[:] = [str(folder)]
