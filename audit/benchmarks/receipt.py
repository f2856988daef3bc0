"""`obtained.json`: how a copy came to lie in a folder, and who vouches for its digests.

A digest from a descriptor was computed from the published file. One that the user gave, or that was computed from the
user's own copy, was compared with nothing that the publisher said: records say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit import whole_file
from audit.errors import DataError

FILE_NAME = "obtained.json"
Basis = Literal["described", "self-declared", "computed"]
_MOST = 1 << 20


class Source(BaseModel):
    """A file as it was downloaded: `basis` says whose its digest is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: int | None
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    basis: Basis


class Receipt(BaseModel):
    """What is written beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    obtained: dt.date
    sources: tuple[Source, ...]
    pictures: Basis = Field("described", description="whose the digests of the single pictures are")

    @classmethod
    def now(cls, benchmark: str, sources: Sequence[Source], pictures: Basis = "described") -> Receipt:
        """Make the receipt of today."""
        today = dt.datetime.now(tz=dt.UTC).date()
        return cls(benchmark=benchmark, obtained=today, sources=tuple(sources), pictures=pictures)


def write(folder: Path, receipt: Receipt) -> None:
    """Write a receipt beside the data."""
    try:
        whole_file.write(folder / FILE_NAME, (receipt.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise DataError(str(folder), f"cannot be written: {error.strerror}", "Make it writable") from None


def notes(folder: Path) -> tuple[str, ...]:
    """Say what a receipt says about digests; a folder without one says nothing, a damaged one that it is damaged."""
    path = folder / FILE_NAME
    try:
        if not path.is_file():
            return ()
        with path.open("rb") as stream:
            read = Receipt.model_validate_json(stream.read(_MOST))
    except (OSError, ValidationError):
        return (f"{FILE_NAME} beside the data cannot be read: how this copy came here is not known.",)
    said = []
    given = sum(source.basis == "self-declared" for source in read.sources)
    if given:
        said.append(
            f"The SHA-256 of {given} downloaded file(s) was given by the user on {read.obtained}: self-declared."
        )
    return tuple(said)
