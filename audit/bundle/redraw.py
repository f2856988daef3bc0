"""The report drawn again from the record: every file of it is a function of the record, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from audit import report
from audit.bundle.finding import Finding
from audit.errors import AuditError
from audit.record import EvaluationRecord
from audit.report import stamp
from audit.report.strings import LANGUAGE, languages

PLACES = {
    "html": re.compile(r"report\.html"),
    "pdf": re.compile(r"report\.pdf"),
    "md": re.compile(r"report\.md|pictures/.*"),
    "csv": re.compile(r"tables/.*"),
    "card": re.compile(r"model_card\.md"),
}
"""Files that each format writes."""
_MARK = re.compile(rb'<meta name="faceaudit-report" content="([0-9a-f]{16})-([0-9a-f]{32})">')
_SPOKEN = re.compile(rb'^<!doctype html>\n<html lang="([A-Za-z-]{2,20})">')
_TYPST = re.compile(rb"Typst (\d+\.\d+\.\d+)")


def redrawn(record: EvaluationRecord, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Draw every format that is there, and compare."""
    page = files.get("report.html", b"")
    spoken = _SPOKEN.match(page)
    language = spoken.group(1).decode() if spoken else LANGUAGE
    for name, pattern in PLACES.items():
        here = {place: content for place, content in files.items() if pattern.fullmatch(place)}
        if here:
            yield _one(record, name, here, page, language if language in languages() else LANGUAGE)


def _one(record: EvaluationRecord, name: str, here: Mapping[str, bytes], page: bytes, language: str) -> Finding:
    question = f"report ({name}) is what the record says"
    other = _other_renderer(page)
    if other is not None:
        return Finding(question, "not established", other)
    try:
        made = report.drawn(record, [name], language=language)
    except ImportError as error:
        return Finding(question, "not established", f"{error.name} is not installed: it was not drawn again")
    except AuditError as error:
        return Finding(question, "not established", f"it cannot be drawn here: {error}")
    wrong = sorted(place for place in {*made, *here} if made.get(place) != here.get(place))
    if not wrong:
        return Finding(question, "established", f"drawn again, and the same bytes ({len(here)} files)")
    engines = [_TYPST.findall(files.get("report.pdf", b""))[:1] for files in (here, made)]
    if engines[0] != engines[1]:
        return Finding(question, "not established", "another version of Typst set it: compare there")
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return Finding(question, "failed", f"{wrong[0]}{more}: not what this version draws from the record")


def _other_renderer(page: bytes) -> str | None:
    """Why a report cannot be compared: another version drew it; None: it can."""
    mark = _MARK.search(page[:4096])
    if mark is not None and mark.group(1).decode() != stamp.renderer()[:16]:
        return "another version of faceaudit or of its drawing libraries drew it: compare there"
    return None
