"""What a site hands on of a sealed folder: all of it, byte for byte, so that whoever reads the site can check it.

It is one archive and not a folder of the site: whoever sealed it may have written anything into its report and its
pictures, and a browser must not be made to run it under the site's address.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from audit import scan
from audit.bundle.folder import KNOWN, MARKER, OWN, content, listed
from audit.bundle.verifying import state
from audit.errors import DataError


def archived(folder: Path) -> bytes | None:
    """A ZIP archive of a folder whose seal holds, its seal in it; equal folders give equal bytes.

    None of any other folder, and of one that holds what is not published or what tells of a person. A marker that it is
    superseded is not under the seal, and goes with it.
    """
    if state(folder) not in {"sealed", "signed"}:
        return None
    try:
        files = {name: content(folder, name) for name in listed(folder)}
        own = {name: content(folder, name) for name in (*OWN, MARKER) if (folder / name).is_file()}
    except DataError:  # changed meanwhile
        return None
    if not all(KNOWN.fullmatch(name) for name in files) or scan.look_at_all(files):
        return None
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, text in sorted({**files, **own}.items()):
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()
