"""A look into everything that is to be published: nothing in it may show, name or describe a single person.

Looked for: pictures (as files, inside pages, notebooks and documents), templates (long lists of numbers, packed bytes),
names of picture files and paths, columns of people, private keys, and the benchmark's own ids where they are at hand.
What is found is a place and a reason, never the thing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from audit.scan import documents, pictures, tables, texts
from audit.scan.found import Ids, Leak

__all__ = ["Ids", "Leak", "look", "look_at_all"]

LOOKS: dict[str, Callable[[bytes, Ids], list[str]]] = {
    ".json": texts.of_json,
    ".ipynb": texts.of_notebook,
    ".html": texts.of_page,
    ".svg": texts.of_page,
    ".md": texts.of_text,
    ".txt": texts.of_text,
    ".lock": texts.of_text,
    ".pem": texts.of_text,
    ".csv": tables.of_csv,
    ".parquet": tables.of_parquet,
    ".pdf": documents.of_pdf,
    ".png": pictures.of_picture,
}
"""Suffix of a file to what looks into it."""


def look(name: str, content: bytes, ids: Ids | None = None) -> list[Leak]:
    """Look into one file.

    Parameters
    ----------
    name : its place, for the answer; the suffix says what it is
    ids : of the benchmark's people and samples, if they are at hand
    """
    looks = LOOKS.get(PurePosixPath(name).suffix.lower())
    if looks is None:
        return [Leak(name, "is of a kind that is not looked into, so it is not published")]
    return [Leak(name, reason) for reason in dict.fromkeys(looks(content, ids or Ids()))]


def look_at_all(files: Mapping[str, bytes], ids: Ids | None = None) -> list[Leak]:
    """As `look`, of several files."""
    return [leak for name, content in files.items() for leak in look(name, content, ids)]
