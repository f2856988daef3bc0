"""Records as files: written atomically, validated on reading."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit import whole_file
from audit.errors import DataError
from audit.record.evaluation import SCHEMA, EvaluationRecord


def dumps(record: EvaluationRecord) -> str:
    """Serialise a record: stable key order, no NaN."""
    return (
        json.dumps(record.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )


def write(record: EvaluationRecord, path: Path) -> None:
    """Write a record atomically."""
    write_text(path, dumps(record))


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old file or the new one, never half of it.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole_file.write(path, content)
    except OSError as error:
        raise DataError(
            str(path), f"cannot be written: {error.strerror}", "Give a writable folder with --out"
        ) from error


def read(path: Path) -> EvaluationRecord:
    """Read and validate a record.

    Raises
    ------
    DataError
        Naming the place in the document.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give the path of a record.json") from None
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"is not UTF-8 (byte {error.start})", "Give a record.json of faceaudit") from None
    try:
        return EvaluationRecord.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors()
        first = next((one for one in errors if one["loc"] == ("schema",) and one["type"] != "missing"), errors[0])
        if first["loc"] == ("schema",) and isinstance(first["input"], str):
            found = f"is of another version: {first['input'][:60]!r}"
            raise DataError(
                f"{path}#/schema", found, f"This version reads {SCHEMA}; the one that wrote it reads it"
            ) from None
        where = "/".join(str(part) for part in first["loc"])[:200] or "(document)"
        way_out = f"This version reads {SCHEMA}; {error.error_count()} place(s) do not fit"
        raise DataError(f"{path}#/{where}", first["msg"], way_out) from None


def schema() -> dict[str, Any]:
    """JSON Schema of the record, as shipped."""
    text = resources.files("audit").joinpath("schemas/record-1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def make_schema() -> dict[str, Any]:
    """JSON Schema made from the classes; a test holds it equal to the shipped file."""
    made = EvaluationRecord.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "record-1.json", **made}
