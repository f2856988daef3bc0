"""Sealed folders that are given to `verify`, and keys.

A bundle is spoilt in one file. Where the seal would stop the reader before that file, whoever spoilt it has sealed the
folder again: a statement of the new digests lies there, as any attacker can write one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .base import Target, home
from .records import evaluated


def _kept(kind: str) -> Path:
    """A small audit with everything that a bundle holds: "whole" signed, "unsigned", or "bare", without its page."""
    place = home() / "bundles"
    if not place.exists():
        place.mkdir()
        from small_bundle import copied

        from audit.bundle import keys, seal

        folder = copied(evaluated(), place / "plain")
        key, _ = keys.make(place / "key.pem", None)
        sound = json.loads((folder / "record.json").read_bytes())
        (folder / "card.json").write_text(
            json.dumps({name: sound["model"][name] for name in ("name", "revision", "licence")})
        )
        about = sound["benchmark"]
        told = {"faceaudit:name": about["name"], "faceaudit:consentTier": about["consent_tier"]}
        (folder / "benchmark.json").write_text(json.dumps(told))
        bare = copied(folder, place / "bare")
        (bare / "report.html").unlink()
        for name, signing in (("whole", key), ("unsigned", None)):
            seal(copied(folder, place / name), signing)
        seal(bare)
    return place / kind


def _seeds(kind: str, *names: str) -> Callable[[], list[bytes]]:
    return lambda: [(_kept(kind) / name).read_bytes() for name in names]


def _beside(kind: str, name: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        place = folder / "bundle"
        shutil.copytree(_kept(kind), place)
        (place / name).unlink()

    return put


def _verified(path: Path) -> object:
    """The command's answer; a bundle that fails is refused with its first finding."""
    from audit.bundle import state, verify
    from audit.errors import DataError

    findings = verify(path.parent)
    for one in findings:  # each is a line of the terminal's table
        if not one.detail.isprintable() or not one.question.isprintable() or len(one.detail) > 4000:
            raise ValueError(f"the finding {one.question!r} is no line: {one.detail[:300]!r}")
    failed = next((one for one in findings if one.outcome == "failed"), None)
    if failed is not None:
        raise DataError(failed.question, failed.detail)
    return state(path.parent)


def _sealed_again(path: Path) -> object:
    """A statement that fits the spoilt file: what it says of the record is what the sound one says, if need be."""
    from audit.bundle import envelope
    from audit.bundle.folder import STATEMENT, content, listed
    from audit.errors import AuditError
    from audit.record import read

    folder = path.parent
    try:
        record = read(folder / "record.json")
    except AuditError:
        record = read(_kept("bare") / "record.json")
    try:
        names = listed(folder)
        digests = {name: envelope.digest(content(folder, name)) for name in names}
        (folder / STATEMENT).write_bytes(envelope.canonical(envelope.statement(digests, record)))
    except UnicodeEncodeError:  # no statement can be written of such a record
        pass
    return _verified(path)


def _stated_again(path: Path) -> object:
    """The payload of an envelope that is signed again, by whoever spoilt it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from audit.bundle import envelope, keys
    from audit.bundle.folder import ENVELOPE, SIGNER

    signing = Ed25519PrivateKey.from_private_bytes(bytes(32))
    payload, public = path.read_bytes(), signing.public_key()
    (path.parent / SIGNER).write_bytes(keys.written(public))
    signature = signing.sign(envelope.to_sign(payload))
    (path.parent / ENVELOPE).write_bytes(envelope.sealed(payload, keys.key_id(public), signature))
    with _away(path):
        return _verified(path)


@contextlib.contextmanager
def _away(path: Path) -> Iterator[None]:
    """Where a statement does not lie beside its envelope."""
    text = path.read_bytes()
    path.unlink()
    try:
        yield
    finally:
        path.write_bytes(text)


def _without_seal(folder: Path) -> None:
    _beside("bare", "evidence.json")(folder)
    for name in ("evidence.dsse.json", "signer.pem"):
        (folder / "bundle" / name).write_bytes(b"")


def _envelopes() -> list[bytes]:
    short = (
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"YQ=="}]}\n'
    )
    return [*_seeds("whole", "evidence.dsse.json")(), short]


def _private_keys() -> list[bytes]:
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    made = [
        key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, lock)
        for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
        for lock in (pem.NoEncryption(), pem.BestAvailableEncryption(b"pass"))
    ]
    openssh = ed25519.Ed25519PrivateKey.generate()
    return [*made, openssh.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.OpenSSH, pem.NoEncryption())]


def _private(path: Path) -> object:
    from audit.bundle import keys

    return keys.private(path, lambda: "pass")


def _public_keys() -> list[bytes]:
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    form = pem.PublicFormat.SubjectPublicKeyInfo
    return [
        key.public_key().public_bytes(pem.Encoding.PEM, form)
        for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
    ]


def _public(path: Path) -> object:
    from audit.bundle import keys

    return keys.public_file(path)


def _sealed(name: str, kept: str, file: str, kind: str) -> Target:
    """A file of the seal itself."""
    return Target(name, f"bundle/{file}", kind, _seeds(kept, file), _verified, _beside(kept, file))


def _spoilt(name: str, file: str, kind: str, kept: str = "bare") -> Target:
    """Another file of an unsigned bundle, which is sealed again."""
    return Target(name, f"bundle/{file}", kind, _seeds(kept, file), _sealed_again, _beside(kept, file))


_STATEMENT = _seeds("bare", "evidence.json")

TARGETS = (
    Target(
        "envelope", "bundle/evidence.dsse.json", "json", _envelopes, _verified, _beside("whole", "evidence.dsse.json")
    ),
    _sealed("signer", "whole", "signer.pem", "key"),
    _sealed("statement", "bare", "evidence.json", "json"),
    Target("statement-signed", "bundle/evidence.json", "json", _STATEMENT, _stated_again, _without_seal),
    _spoilt("sealed-counts", "counts.parquet", "table"),
    _spoilt("sealed-cells", "cells.parquet", "table"),
    _spoilt("sealed-covariance", "covariance.parquet", "table"),
    _spoilt("sealed-record", "record.json", "json"),
    _spoilt("sealed-plan", "plan.json", "json"),
    _spoilt("sealed-card", "card.json", "json"),
    _spoilt("sealed-descriptor", "benchmark.json", "json"),
    _spoilt("sealed-page", "report.html", "text", "unsigned"),
    Target("private-key", "key.pem", "key", _private_keys, _private),
    Target("public-key", "key.pub", "key", _public_keys, _public),
)
