"""Digests that the owner of a copy gives: `SHA256SUMS` beside the data, as `sha256sum` writes it.

Of a set behind a form nobody here has seen the files, so its descriptor declares no digest. The owner's own list says
at least that the files measured are those of the day it was written. It never replaces a digest that is declared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import file_path
from audit.domain import Sample
from audit.errors import DataError

FILE_NAME = "SHA256SUMS"
NOTE = f"Digests of images are self-declared: {FILE_NAME} beside them lists them."
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")


def read(root: Path) -> dict[str, str]:
    """Read a folder's list: relative path to SHA-256; empty where there is none.

    Raises
    ------
    DataError
        Naming the line.
    """
    path = root / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read: {error}", "Write it again with sha256sum") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        try:
            name = file_path(match[2]) if match else None
        except ValueError as error:
            raise DataError(f"{path}:{number}", str(error), "Write it again, inside the folder") from None
        if match is None or name is None:
            raise DataError(f"{path}:{number}", f"{line!r:.80} is no line of sha256sum", "Write it again")
        if found.setdefault(name, match[1].lower()) != match[1].lower():
            raise DataError(f"{path}:{number}", f"{name!r} has another digest above", "Keep one of the lines")
    return found


def fill(made: Content, root: Path, described: Descriptor) -> Content:
    """Give samples the digest that the descriptor declares, else that of the owner's list, and say so in a note."""
    made = _with(made, root, {path: file.sha256 for path, file in described.files.items()})
    if all(_known(sample.sha256) for sample in (*made.samples, *(level.sample for level in made.series))):
        return made
    filled = _with(made, root, read(root))
    return filled if filled == made else replace(filled, notes=(*made.notes, NOTE))


def _with(made: Content, root: Path, digests: Mapping[str, str | None]) -> Content:
    def filled(sample: Sample) -> Sample:
        digest = None if _known(sample.sha256) else digests.get(sample.path.relative_to(root).as_posix())
        return replace(sample, sha256=digest) if _known(digest) else sample

    return replace(
        made,
        samples=tuple(filled(sample) for sample in made.samples),
        series=tuple(replace(level, sample=filled(level.sample)) for level in made.series),
    )


def _known(digest: str | None) -> bool:
    return digest not in (None, "unknown")
