"""What only the owner of a copy can say of it: `copy.toml`, beside the data.

A descriptor that is shipped describes the set; it cannot know when somebody's copy was taken. So that is said here:

    last_checked = 2026-11-26      # of a set that people may leave: compared with the latest release on that day;
                                   # where its descriptor names a day too, the later one counts
    version = "fhibe.20250708"     # where the descriptor's is not that of the copy
    people_under_18 = "removed"    # of a set with minors: their pictures and rows were taken out of this copy

Each is a statement of the owner, and every report says so.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from audit import toml_text, whole_file
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import Dataset, Text
from audit.errors import DataError

FILE_NAME = "copy.toml"
REMOVED = "The owner of this copy states that people under 18 were removed from it"


class Statement(BaseModel):
    """What `copy.toml` may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    last_checked: dt.date | None = None
    version: Text | None = None
    people_under_18: Literal["removed"] | None = None


def read(root: Path) -> Statement:
    """Read `copy.toml` of a folder; without one, nothing is stated.

    Raises
    ------
    DataError
        Naming the key, the value and the nearest key that there is.
    """
    path = root / FILE_NAME
    try:
        raw = toml_text.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Statement()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(str(path), f"is not TOML: {error}", "Mend that line; dates are written 2026-11-26") from None
    try:
        return Statement.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        near = difflib.get_close_matches(key, Statement.model_fields, n=1)
        known = f"Did you mean {near[0]!r}?" if near else f"Keys are {', '.join(Statement.model_fields)}"
        if first["type"] == "extra_forbidden":
            raise DataError(f"{path}, key {key!r}", "is unknown", known) from None
        raise DataError(f"{path}, key {key!r}", f"{first['input']!r}: {first['msg']}", "Correct that value") from None


def write_checked(root: Path, day: dt.date) -> None:
    """State on which day this copy was compared with the latest release; what else is stated stays.

    Raises
    ------
    DataError
        If `copy.toml` is there and cannot be read, or cannot be written.
    """
    said = read(root).model_copy(update={"last_checked": day})
    lines = [f"last_checked = {day.isoformat()}"]
    lines += [f"version = {json.dumps(said.version)}"] if said.version else []
    lines += [f"people_under_18 = {json.dumps(said.people_under_18)}"] if said.people_under_18 else []
    try:
        whole_file.write(root / FILE_NAME, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise DataError(str(root / FILE_NAME), f"cannot be written: {error.strerror}", "Make it writable") from None


def apply(described: Descriptor, root: Path) -> Dataset:
    """Give the data set as its owner's copy is: when it was checked, which version, whether minors are in it.

    Raises
    ------
    DataError
        As `read`.
    """
    said, dataset = read(root), described.dataset
    changes: dict[str, object] = {}
    if said.last_checked is not None:
        changes["last_checked"] = max(said.last_checked, dataset.last_checked or said.last_checked)
    if said.version is not None:
        changes["version"] = said.version
    if said.people_under_18 == "removed" and dataset.minors != "no":
        changes["minors"] = "no"
        changes["minors_note"] = f"{dataset.minors_note}. {REMOVED}" if dataset.minors_note else REMOVED
    return dataset.model_copy(update=changes)
