"""Check a bundle, question by question: what it establishes, what contradicts it, and what it leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import record as records
from audit import scan
from audit.bundle import envelope, keys, transparency
from audit.bundle.belonging import belonging
from audit.bundle.finding import Finding
from audit.bundle.folder import ENVELOPE, KNOWN, MARKER, OWN, RECORD, SIGNER, SIGSTORE, STATEMENT, content, listed
from audit.bundle.recompute import recomputed, without_tables
from audit.bundle.redraw import redrawn
from audit.bundle.sealing import tables
from audit.counted import COUNTS, Counted
from audit.errors import AuditError, DataError
from audit.record import EvaluationRecord

UNREAD = Finding("record, numbers and report", "not established", "the seal does not hold: nothing else was read")


def verify(
    folder: Path,
    public_key: Path | None = None,
    *,
    sigstore: tuple[str, str] | None = None,
    trust: Path | None = None,
) -> list[Finding]:
    """Check a bundle; nothing is written, and nothing outside the folder is read but the key.

    Parameters
    ----------
    public_key : whose signature is demanded; without it a signature shows that nothing changed since, not who signed
    sigstore : identity and issuer whose signature in the public log is demanded; needs the network, or `trust`
    trust : keys of the services that signed (TrustedRoot or ClientTrustConfig, JSON); None: Sigstore's, fetched

    Raises
    ------
    DataError
        If there is no such folder or key, or the folder was never sealed.
    """
    demanded = None if public_key is None else keys.public_file(public_key)
    try:
        names = listed(folder)
    except DataError as error:
        if not folder.is_dir():
            raise
        return [Finding("files can be read safely", "failed", str(error))]
    if not any((folder / name).exists() for name in OWN):
        raise DataError(str(folder), "is not sealed", "Seal it first: faceaudit seal DIR [--key FILE]")
    findings = [Finding("files can be read safely", "established", f"{len(names)} files, no link, no odd name")]
    try:
        payload, signature = _payload(folder, demanded)
        findings += [*signature, *_in_log(folder, payload, sigstore, trust)]
        if any(one.outcome == "failed" for one in findings):
            return [*findings, UNREAD]
        files = {name: content(folder, name) for name in names}
        findings += _about(folder, files, payload)
    except DataError as error:
        findings.append(Finding("seal", "failed", str(error)))
    return findings


def state(folder: Path) -> Literal["unsigned", "sealed", "signed", "broken"]:
    """What a site says of a folder's seal: it looks at digests and signature, computes nothing, and asks for no key.

    `sealed` is a seal without a signature; `unsigned` a folder that was never sealed.
    """
    try:
        names = listed(folder)
        if not any((folder / name).exists() for name in OWN):
            return "unsigned"
        payload, findings = _payload(folder, None)
        findings = [*findings, _digests({n: content(folder, n) for n in names}, envelope.parsed(payload, STATEMENT))]
    except DataError:
        return "broken"
    if any(one.outcome == "failed" for one in findings):
        return "broken"
    return "signed" if (folder / ENVELOPE).exists() else "sealed"


def _payload(folder: Path, demanded: Ed25519PublicKey | None) -> tuple[bytes, list[Finding]]:
    """The statement, and what its signature shows."""
    signed = (folder / ENVELOPE).exists()
    if (folder / STATEMENT).exists() and (signed or (folder / SIGNER).exists()):
        raise DataError(STATEMENT, "lies beside a signature: one of them is not of this bundle", "Get it again")
    if not signed:
        if (folder / SIGNER).exists():
            raise DataError(ENVELOPE, "is missing, and a public key is there", "Get the bundle again")
        outcome = Finding("signature", "not established", "unsigned: it shows what it says, not who says it")
        if demanded is not None:
            outcome = Finding("signature", "failed", f"unsigned, and key {keys.key_id(demanded)[:16]} was demanded")
        return content(folder, STATEMENT), [outcome]
    payload, named, signature = envelope.opened(content(folder, ENVELOPE), ENVELOPE)
    text = content(folder, SIGNER)
    key = keys.public(text, SIGNER)
    if keys.written(key) != text:
        raise DataError(SIGNER, "is not written in canonical form", "Get the bundle again")
    return payload, [_signature(key, named, signature, payload, demanded)]


def _in_log(folder: Path, payload: bytes, demanded: tuple[str, str] | None, trust: Path | None) -> Iterator[Finding]:
    """What a signature in the public log shows, if it is there or demanded."""
    question = "signature in the public log"
    if not (folder / SIGSTORE).exists():
        if demanded is not None:
            yield Finding(question, "failed", f"there is none, and that of {demanded[0]} was demanded")
        return
    if demanded is None:
        yield Finding(question, "not established", "it was not looked at: --sigstore-identity asks who signed")
        return
    wrong = transparency.check(content(folder, SIGSTORE), payload, *demanded, trust)
    detail = f"by {demanded[0]}, as {demanded[1]} says" if wrong is None else wrong
    yield Finding(question, "established" if wrong is None else "failed", detail)


def _signature(
    key: Ed25519PublicKey, named: str, signature: bytes, payload: bytes, demanded: Ed25519PublicKey | None
) -> Finding:
    name = f"key {keys.key_id(key)}"
    if named != keys.key_id(key) or not keys.signs(key, signature, envelope.to_sign(payload)):
        return Finding("signature", "failed", f"it is not that of {name} over this statement")
    if demanded is None:
        detail = f"by {name}, which lies in the bundle: nothing changed since. Whose it is, --public-key FILE asks"
        return Finding("signature", "established", detail)
    if keys.key_id(demanded) != keys.key_id(key):
        return Finding("signature", "failed", f"by another key ({keys.key_id(key)[:16]}) than the one demanded")
    return Finding("signature", "established", f"by the key that was demanded, {keys.key_id(key)}")


def _about(folder: Path, files: dict[str, bytes], payload: bytes) -> Iterator[Finding]:
    whole = _digests(files, envelope.parsed(payload, STATEMENT))
    yield whole
    if whole.outcome == "failed":
        yield UNREAD
        return
    if RECORD not in files:
        yield Finding("record", "failed", "there is no record.json")
        return
    try:
        record = records.read(folder / RECORD)
    except DataError as error:
        yield Finding("record", "failed", str(error))
        return
    yield _written_once(record, files[RECORD])
    yield _statement(record, files, payload)
    if (folder / MARKER).exists():
        detail = "superseded.json lies beside it, which the seal does not cover: look for a later evaluation"
        yield Finding("still current", "not established", detail)
    yield _scanned(files)
    yield from belonging(record, files)
    yield from _numbers(folder, record, files)
    yield from redrawn(record, files)


def _digests(files: dict[str, bytes], said: dict[str, Any]) -> Finding:
    """Every file is listed, and has its digest."""
    question = "files are those that were sealed"
    try:
        wanted = {str(one["name"]): str(one["digest"]["sha256"]) for one in said["subject"]}
        if len(wanted) != len(said["subject"]):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        return Finding(question, "failed", "the statement lists no files")
    wrong = [
        *(f"{name} is missing" for name in sorted(wanted.keys() - files.keys())),
        *(f"{name} is not listed" for name in sorted(files.keys() - wanted.keys())),
        *(
            f"{name} was changed"
            for name in sorted(wanted.keys() & files.keys())
            if envelope.digest(files[name]) != wanted[name]
        ),
    ]
    if wrong:
        return Finding(question, "failed", wrong[0] + (f" ({len(wrong)} in all)" if len(wrong) > 1 else ""))
    return Finding(question, "established", f"SHA-256 of {len(files)} files, none missing, none besides")


def _written_once(record: EvaluationRecord, text: bytes) -> Finding:
    """One document has one form: no key stands twice, nothing is hidden in spaces."""
    same = records.dumps(record).encode() == text
    detail = "its schema's, written in its one form" if same else "it holds more than its schema reads from it"
    return Finding("record is valid", "established" if same else "failed", detail)


def _statement(record: EvaluationRecord, files: dict[str, bytes], payload: bytes) -> Finding:
    """The statement follows from the files; any other is not this bundle's."""
    made = envelope.canonical(envelope.statement({n: envelope.digest(c) for n, c in files.items()}, record))
    question = "statement is of this record"
    if made != payload:
        return Finding(question, "failed", "it says something else than the files")
    return Finding(question, "established", f"{record.model.name} on {record.benchmark.name}, {record.created}")


def _scanned(files: dict[str, bytes]) -> Finding:
    question = "nothing tells of a single person"
    strange = [name for name in files if not KNOWN.fullmatch(name)]
    leaks = scan.look_at_all({name: found for name, found in files.items() if name not in strange})
    if strange or leaks:
        detail = f"{strange[0]} is nothing that is published" if strange else f"{leaks[0].place} {leaks[0].reason}"
        return Finding(question, "failed", detail)
    return Finding(question, "established", "no picture, template, path or key found; ids are asked for when sealing")


def _numbers(folder: Path, record: EvaluationRecord, files: dict[str, bytes]) -> Iterator[Finding]:
    wanted = tables(record)
    missing = [name for name in wanted if name not in files]
    if len(missing) == len(wanted) and not record.distributions:
        yield from without_tables(record)
        return
    if missing:
        yield Finding("rates, intervals and differentials", "not established", f"there is no {missing[0]}")
        return
    if COUNTS in files and COUNTS not in wanted:
        yield Finding("tables belong to the record", "failed", f"{COUNTS} is there, and nobody was compared")
        return
    try:
        counted = Counted.read(folder)
    except AuditError as error:
        yield Finding("tables can be read", "failed", str(error))
        return
    try:
        yield from recomputed(record, counted)
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        kind = type(error).__name__
        yield Finding("rates, intervals and differentials", "failed", f"the tables make no sense ({kind})")
