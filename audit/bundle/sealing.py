"""Seal a folder of results: look into every file, list their digests, sign the list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from audit import record as records
from audit import scan
from audit.bundle import envelope, keys, transparency
from audit.bundle.folder import ENVELOPE, KNOWN, OWN, RECORD, SIGNER, SIGSTORE, STATEMENT, content, listed
from audit.counted import CELLS, COUNTS, COVARIANCE
from audit.errors import DataError
from audit.record import EvaluationRecord

PLAN = "plan.json"


def tables(record: EvaluationRecord) -> tuple[str, ...]:
    """The tables that a run writes beside such a record; where nobody was compared there are no scores."""
    return (COUNTS, CELLS, COVARIANCE) if record.distributions else (CELLS, COVARIANCE)


def seal(
    folder: Path,
    key: Path | None = None,
    *,
    ids: scan.Ids | None = None,
    ask: Callable[[], str | None] = lambda: None,
    sigstore: bool = False,
    trust: Path | None = None,
) -> Path:
    """Seal a folder of results; without a key only digests are listed.

    Parameters
    ----------
    folder : with record.json and what a run wrote beside it
    key : Ed25519 private key in PEM, outside of the folder
    ids : of the benchmark's people and samples, if they are at hand: none of them may be in a file
    ask : for the passphrase of an encrypted key
    sigstore : sign by this workload's identity in a public log, in place of a key; needs the network
    trust : whose services sign: a ClientTrustConfig (JSON); None: those of the Sigstore project

    Returns
    -------
    the statement or the envelope

    Raises
    ------
    DataError
        If a file may not be published, something is missing, or the key is not one or lies in the folder.
    """
    names = listed(folder)
    if key is not None:
        _outside(key, folder)
    record = _complete(folder, names)
    records.write_bytes(folder / PLAN, plan_of(record))
    names = listed(folder)
    files = {name: content(folder, name) for name in names}
    if files[RECORD] != records.dumps(record).encode():
        raise DataError(str(folder / RECORD), "was changed since it was written", "Run it again with --fresh")
    refuse(files, ids)
    payload = envelope.canonical(
        envelope.statement({name: envelope.digest(found) for name, found in files.items()}, record)
    )
    signing = None if key is None else keys.private(key, ask)
    in_log = transparency.sign(payload, trust) if sigstore else None
    try:
        for name in OWN:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(str(folder), f"cannot be written: {error.strerror}", "Make it writable") from None
    if signing is None:
        records.write_bytes(folder / STATEMENT, payload)
        if in_log is not None:
            records.write_bytes(folder / SIGSTORE, in_log)
        return folder / STATEMENT
    public = signing.public_key()
    signed = envelope.sealed(payload, keys.key_id(public), signing.sign(envelope.to_sign(payload)))
    records.write_bytes(folder / SIGNER, keys.written(public))
    records.write_bytes(folder / ENVELOPE, signed)
    return folder / ENVELOPE


def plan_of(record: EvaluationRecord) -> bytes:
    """The plan in the form of which the record has the SHA-256."""
    return json.dumps(record.plan, sort_keys=True, separators=(",", ":")).encode()


def plan_digest(text: bytes) -> str:
    """SHA-256 of `plan_of`."""
    return hashlib.sha256(text).hexdigest()


def _outside(key: Path, folder: Path) -> None:
    if key.resolve().is_relative_to(folder.resolve()):
        raise DataError(str(key), "lies in the folder that is sealed, and would be published", "Keep keys elsewhere")


def _complete(folder: Path, names: list[str]) -> EvaluationRecord:
    """Nothing is there that should not be; and the tables are."""
    strange = [name for name in names if not KNOWN.fullmatch(name)]
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise DataError(
            str(folder / strange[0]) + more, "is nothing that a run or a report writes", "Move it out of the folder"
        )
    if RECORD not in names:
        raise DataError(str(folder), "holds no record.json", "Give the folder that a run wrote")
    record = records.read(folder / RECORD)
    for name in tables(record):
        if name not in names:
            raise DataError(
                str(folder / name),
                "is missing: the record was made before there were such tables, or it was taken away",
                "Run the same command again with --fresh, then seal",
            )
    return record


def refuse(files: dict[str, bytes], ids: scan.Ids | None) -> None:
    """Refuse what tells of a single person.

    Raises
    ------
    DataError
        Naming the file and the kind of finding, never the thing itself.
    """
    leaks = scan.look_at_all(files, ids)
    if leaks:
        more = f" ({len(leaks)} findings in all)" if len(leaks) > 1 else ""
        raise DataError(leaks[0].place, f"{leaks[0].reason}{more}", "It must not be published: see docs/evidence.md")
