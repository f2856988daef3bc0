"""Where the private cache lies."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """Find the private cache: `FACEAUDIT_CACHE`, or the user's cache folder."""
    named = os.environ.get("FACEAUDIT_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("faceaudit")
