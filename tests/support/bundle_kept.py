"""What tests of bundles share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """An audit that is not sealed, the same sealed with a key, and without; keys."""

    plain: Path
    signed: Path
    unsigned: Path
    key: Path
    public: Path
