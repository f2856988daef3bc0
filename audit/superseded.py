"""Earlier records that counted people who have withdrawn since: marked, kept, and replaced by a new one beside them.

The marker `superseded.json` is the one that a site of evaluations reads. A marked record is never overwritten: it moves
aside, so that it can be compared with the record that replaces it.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from audit import results, whole_file
from audit.domain import Withdrawals
from audit.errors import DataError

RECORD, MARKER = "record.json", "superseded.json"


def mark(out: Path, benchmark: str, withdrawn: Withdrawals | None, by: Path) -> list[Path]:
    """Mark every record of a benchmark below `out` that was made from a shorter list of withdrawals, or from none.

    Parameters
    ----------
    by : folder of the record that is being made; it replaces records of the same model, revision and plan

    Returns
    -------
    list of Path
        Folders that were marked now.

    Raises
    ------
    DataError
        If a marker cannot be written.
    """
    if withdrawn is None or not withdrawn.listed:
        return []
    found = []
    for path in sorted(results.records_of(out, benchmark)):
        said = _listed(path, benchmark)
        marker = path.parent / MARKER
        if said is None or said >= withdrawn.listed or marker.exists():
            continue
        same = path.parent.parent == by.parent and path.parent.name.split("-")[0] == by.name
        text = {
            "on": dt.datetime.now(tz=dt.UTC).date().isoformat(),
            "reason": _reason(withdrawn.listed - said, withdrawn.date),
            "by": by.relative_to(out).as_posix() if same else None,
        }
        try:
            whole_file.write(marker, (json.dumps(text, indent=1) + "\n").encode())
        except OSError as error:
            raise DataError(
                str(marker),
                f"cannot be written: {error.strerror}",
                "Make it writable: an earlier record must be marked",
            ) from None
        found.append(path.parent)
    return found


def said(record: Path) -> str | None:
    """Why a record (its file or folder) is marked superseded, in one line; None if it is not."""
    folder = record if record.is_dir() else record.parent
    if not (folder / MARKER).is_file():
        return None
    text = _read(folder / MARKER)
    by = f" {text['by']} replaces it." if isinstance(text.get("by"), str) else ""
    why = f"{text.get('reason', 'Somebody marked it.')}{by}"
    return "".join(
        each if each.isprintable() else " " for each in f"superseded since {text.get('on', 'some day')}: {why}"
    )


def set_aside(folder: Path) -> Path | None:
    """Move a marked record out of the way of the one that replaces it: FOLDER-DIGEST, by the samples that it counted.

    Returns
    -------
    Path or None
        Where it lies now; None if there was no marked record.

    Raises
    ------
    DataError
        If it cannot be moved.
    """
    if not (folder / RECORD).is_file() or not (folder / MARKER).is_file():
        return None
    said = _read(folder / RECORD)
    digests = said.get("digests")
    samples = str(digests.get("samples", ""))[:8] if isinstance(digests, dict) else ""
    name = f"{folder.name}-{samples if samples.isalnum() else 'earlier'}"
    target, number = folder.with_name(name), 1
    while target.exists():
        number += 1
        target = folder.with_name(f"{name}-{number}")
    try:
        folder.rename(target)
    except OSError as error:
        raise DataError(
            str(folder), f"cannot be moved to {target.name}: {error.strerror}", "Make the results writable"
        ) from None
    return target


def _reason(people: int, date: str) -> str:
    who = "1 person has" if people == 1 else f"{people} people have"
    return f"{who} withdrawn since this was measured (list of {date})."


def _listed(path: Path, benchmark: str) -> int | None:
    """How many were on the list that a record was made from; None if it is no record of this benchmark."""
    about = _read(path).get("benchmark")
    if not isinstance(about, dict) or about.get("name") != benchmark:
        return None
    withdrawn = about.get("withdrawn")
    listed = withdrawn.get("listed") if isinstance(withdrawn, dict) else 0
    return listed if isinstance(listed, int) else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
