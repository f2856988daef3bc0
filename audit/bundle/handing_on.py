"""What a site hands on of a sealed folder: all of it, byte for byte, so that whoever reads the site can check it."""

from __future__ import annotations

from pathlib import Path

from audit.bundle.folder import MARKER, OWN, content, listed
from audit.bundle.verifying import state
from audit.errors import DataError


def handed_on(folder: Path) -> dict[str, bytes]:
    """Every file of a folder whose seal holds, its seal among them; of any other folder nothing.

    A marker that it is superseded is not under the seal, and goes with it.
    """
    if state(folder) not in {"sealed", "signed"}:
        return {}
    own = [name for name in (*OWN, MARKER) if (folder / name).is_file()]
    try:
        return {name: content(folder, name) for name in (*listed(folder), *own)}
    except DataError:  # changed meanwhile
        return {}
