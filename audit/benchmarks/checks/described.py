"""What is wrong with the descriptor, with declared files, and with counts in the README."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.benchmarks import consent, descriptor, own_copy, recognise
from audit.benchmarks.checks.table import Finding
from audit.benchmarks.schema import Dataset, file_path
from audit.errors import DataError

SUMS = "SHA256SUMS"
_COUNT = re.compile(
    r"(?<![\w.,-])(\d{1,3}(?:[, ]\d{3})+|\d+)\s+"
    r"(?:(?P<people>people|persons|subjects|participants|individuals|volunteers)|(?P<images>images|photos|photographs|pictures))\b",
    re.IGNORECASE,
)


def broken(root: Path, *, place: str) -> Iterator[Finding]:
    """Explain a descriptor that does not validate, or that is not there.

    Raises
    ------
    Refused
        If what can be read of it names a tier or a set that the gate refuses.
    """
    try:
        own_copy.read(root)
    except DataError as error:
        yield Finding("descriptor-invalid", own_copy.FILE_NAME, text=f"{error.place}: {error.found}. {error.way_out}")
        return
    file = root / descriptor.FILE_NAME
    if not file.exists():
        yield Finding("no-descriptor", descriptor.FILE_NAME)
        return
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        yield Finding("descriptor-invalid", descriptor.FILE_NAME, text=str(error))
        return
    if isinstance(content, dict):
        _refuse(content, place)
        try:
            Dataset.model_validate(content)
        except ValidationError as error:
            yield from _wrong_keys(error)
            return
    try:
        descriptor.read(file)
    except DataError as error:  # what JSON readers forgive, as a key that stands twice
        yield Finding("descriptor-invalid", descriptor.FILE_NAME, text=f"{error.place}: {error.found}")


def _wrong_keys(error: ValidationError) -> Iterator[Finding]:
    for wrong in error.errors(include_url=False):
        parts = [str(part) for part in wrong["loc"] if part not in ("cr:FileObject", "cr:FileSet")]
        parts += [str(wrong["ctx"]["key"])] if wrong["type"] == "faceaudit" else []
        key = "/".join(parts)
        kind = "consent-missing" if key.startswith("faceaudit:consentStatement") else "descriptor-invalid"
        yield Finding(kind, descriptor.FILE_NAME, None, key, text=wrong["msg"].removeprefix("Value error, "))


def _refuse(content: Mapping[str, Any], place: str) -> None:
    tier = content.get("faceaudit:consentTier")
    if isinstance(tier, str):
        try:
            gating = consent.strictest([tier], place=place)
        except DataError:
            gating = ""  # no tier at all: a wrong key, found below
        if gating and consent.POLICY[gating].verdict == "refused":
            raise consent.refused("tier", place, what="this set", tier=gating, meaning=consent.POLICY[gating].meaning)
    other = content.get("alternateName", [])
    names = [content.get("name"), content.get("faceaudit:name"), *(other if isinstance(other, list) else [other])]
    for entry in recognise.by_name(name for name in names if isinstance(name, str)):
        consent.check_entry(entry, place=place)


def freshness(dataset: Dataset, today: dt.date) -> Iterator[Finding]:
    """Find a live set whose copy is older than its descriptor allows, or from the future."""
    if not dataset.live or dataset.maximum_age_days is None:
        return
    if dataset.last_checked is None:
        yield Finding(
            "stale-live-set", own_copy.FILE_NAME, None, "last_checked", text="nobody says when it was checked"
        )
        return
    if not 0 <= (today - dataset.last_checked).days <= dataset.maximum_age_days:
        text = f"at most {dataset.maximum_age_days} days old"
        yield Finding(
            "stale-live-set", descriptor.FILE_NAME, None, "faceaudit:lastChecked", str(dataset.last_checked), text
        )


def sums(root: Path) -> Iterator[tuple[str, int, str]]:
    """Read SHA256SUMS, if there: (path, line, digest); lines of another form are passed over."""
    try:
        lines = (root / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, start=1):
        match = re.fullmatch(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)", line)
        if match is None:
            continue
        try:
            yield file_path(match[2]), number, match[1].lower()
        except ValueError:
            continue


def readme_counts(root: Path, *, people: int, images: set[int]) -> Iterator[Finding]:
    """Compare numbers beside "people" or "images" in a README with the files.

    A README also counts parts ("60 people have series"), so only a README none of whose numbers of a kind is the
    count of the files is reported, at its largest number.

    Parameters
    ----------
    people : int
        People of the table.
    images : set of int
        Counts that are right: samples, image files.
    """
    right = {"people": {people}, "images": images}
    for name in sorted(path.name for path in root.iterdir() if re.fullmatch(r"(?i)readme(\.(txt|md))?", path.name)):
        try:
            text = (root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        said: dict[str, list[tuple[int, int]]] = {"people": [], "images": []}
        for match in _COUNT.finditer(text):
            kind = "people" if match["people"] else "images"
            said[kind].append((int(re.sub(r"[, ]", "", match[1])), text[: match.start()].count("\n") + 1))
        for kind, found in said.items():
            if found and not {number for number, _ in found} & right[kind]:
                number, line = max(found)
                shown = " or ".join(map(str, sorted(right[kind])))
                yield Finding("readme-count", name, line, None, f"{number} {kind}", f"the files have {shown}")
