"""Put what a command has counted into a page of the documentation, below its heading."""

from __future__ import annotations

import re
from pathlib import Path


def replace_below(document: Path, heading: str, text: str) -> None:
    """Replace everything between a heading and the next one of its level."""
    old = document.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", old, flags=re.DOTALL | re.MULTILINE)
    if found is None:
        raise SystemExit(f"{document} has no heading {heading!r}")
    document.write_text(f"{old[: found.start()]}{heading}\n\n{text}\n\n{old[found.end() :]}", encoding="utf-8")
