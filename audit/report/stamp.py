"""Which report is of which record: a mark in the page, so that a report that is still true is copied, not drawn again.

Drawing a report takes seconds, copying it milliseconds. The mark joins the digest of everything that decides the page
(this room's sources and the drawing libraries' versions) with that of the record's file. Somebody can forge it, so a
page is taken over only if its head is byte for byte ours: then its policy forbids scripts and outside requests.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable

from markupsafe import escape

from audit.report.strings import spoken
from audit.report.view.clean import claims

SUFFIXES = (".py", ".toml", ".j2", ".css")
LIBRARIES = ("vl-convert-python", "jinja2")
NOT_OF_THE_REPORT = ("site",)
"""Folders whose content decides no report."""


def stamp(record: bytes) -> str:
    """Name a page by what it was made of: the renderer and the bytes of record.json."""
    return f"{renderer()[:16]}-{hashlib.sha256(record).hexdigest()[:32]}"


@cache
def renderer(without: tuple[str, ...] = NOT_OF_THE_REPORT) -> str:
    """SHA-256 of everything that decides a page besides its record.

    Parameters
    ----------
    without : folders of this room that do not; none for pages of the site
    """
    digest = hashlib.sha256()
    for name, content in _files(resources.files("audit.report"), "", without):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    for library in LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}\0".encode())
    return digest.hexdigest()


def _files(folder: Traversable, place: str, without: tuple[str, ...]) -> list[tuple[str, bytes]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        name = f"{place}{entry.name}"
        if entry.is_dir():
            if entry.name not in without:
                found += _files(entry, f"{name}/", without)
        elif entry.name.endswith(SUFFIXES):
            found.append((name, entry.read_bytes()))
    return found


def head(policy: str, mark: str) -> str:
    """The first lines of a report with this mark, as the template writes them."""
    return (
        f'<!doctype html>\n<html lang="{spoken()}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src {escape(policy)}; '
        f"img-src data:; base-uri 'none'; form-action 'none'\">\n"
        f'<meta name="faceaudit-report" content="{mark}">\n'
    )


def is_made_here(page: str, policy: str, mark: str) -> bool:
    """Whether a page was made by this version from this record, and may be handed on as it is."""
    if not page.startswith(head(policy, mark)):
        return False
    lower = page.lower()
    return lower.count("http-equiv") == 1 and "<script" not in lower and not claims(page)
