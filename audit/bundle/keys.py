"""Ed25519 keys as PEM files: made here or by `openssl genpkey -algorithm ed25519`.

A private key is read, used and forgotten; it is never written into a folder of results. `cryptography` does all that is
cryptography.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.bundle.envelope import digest
from audit.errors import DataError

PASSPHRASE = "FACEAUDIT_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
LARGEST = 64 * 1024
MOST_ROUNDS = 10_000_000
"""Of PBKDF2, some seconds; openssl takes 2,048. A file that asks for two thousand million would take an hour."""
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
"""Its object identifier, as DER (RFC 8018, appendix A.2)."""
_INTEGER = 0x02
_ARMOUR = re.compile(
    rb"-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END ENCRYPTED PRIVATE KEY-----", re.ASCII
)


def private(path: Path, ask: Callable[[], str | None]) -> Ed25519PrivateKey:
    """Read a private key.

    Parameters
    ----------
    ask : called for the passphrase, if the file is encrypted; None if there is nobody to ask

    Raises
    ------
    DataError
        If it is no Ed25519 private key, or the passphrase is not right.
    """
    text = _read(path)
    wrong = DataError(str(path), "is no Ed25519 private key in PEM", "Make one: faceaudit seal --new-key FILE")
    key: object
    try:
        key = pem.load_pem_private_key(text, None)
    except TypeError:
        key = _unlocked(path, text, ask())
    except (ValueError, UnsupportedAlgorithm):
        raise wrong from None
    if not isinstance(key, Ed25519PrivateKey):
        raise wrong
    return key


def _unlocked(path: Path, text: bytes, passphrase: str | None) -> object:
    if not passphrase:
        raise DataError(str(path), "is encrypted", f"Set {PASSPHRASE}, or seal where you can be asked")
    rounds = _rounds(text)
    if rounds is None or rounds > MOST_ROUNDS:
        found = "is not locked as PBES2 with PBKDF2" if rounds is None else f"asks for {rounds:.3g} rounds of PBKDF2"
        raise DataError(str(path), found, "Write it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out FILE")
    try:
        return pem.load_pem_private_key(text, passphrase.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise DataError(str(path), "does not open with this passphrase", f"Set {PASSPHRASE} to the right one") from None


def _rounds(text: bytes) -> int | None:
    """How often a passphrase is hashed to unlock a key; None where it is locked in another way.

    The key derivation stands before anything else that varies, so that the first identifier is the one that counts.
    """
    found = _ARMOUR.search(text)
    try:
        body = base64.b64decode(b"".join(found[1].split()), validate=True) if found else b""
        _, start, _ = _part(body, body.index(_PBKDF2) + len(_PBKDF2))
        _, _, end = _part(body, start)  # the salt
        kind, start, end = _part(body, end)
    except (ValueError, IndexError):
        return None
    return int.from_bytes(body[start:end], signed=False) if kind == _INTEGER else None


def _part(body: bytes, at: int) -> tuple[int, int, int]:
    """Tag, begin and end of the content of a DER element."""
    tag, size, start = body[at], body[at + 1], at + 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(body[at + 2 : start])
    return tag, start, start + size


def public(text: bytes, name: str) -> Ed25519PublicKey:
    """Read a public key.

    Raises
    ------
    DataError
        If it is no Ed25519 public key in PEM.
    """
    key: object = None
    with contextlib.suppress(ValueError, UnsupportedAlgorithm):
        key = pem.load_pem_public_key(text)
    if not isinstance(key, Ed25519PublicKey):
        raise DataError(name, "is no Ed25519 public key in PEM", "openssl pkey -in KEY -pubout writes one")
    return key


def public_file(path: Path) -> Ed25519PublicKey:
    """As `public`, from a file."""
    return public(_read(path), str(path))


def written(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM: one key has one form."""
    return key.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo, hexadecimal: what a holder can publish."""
    return digest(key.public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo))


def signs(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether a signature of a message is by this key."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def make(path: Path, passphrase: str | None) -> tuple[Path, Path]:
    """Make a key pair: a private key that only its owner can read, and FILE.pub; nothing is overwritten.

    Raises
    ------
    DataError
        If a file is there already or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    lock = pem.BestAvailableEncryption(passphrase.encode()) if passphrase else pem.NoEncryption()
    shown = path.with_name(f"{path.name}.pub")
    for place, text, mode in (
        (path, key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, lock), 0o600),
        (shown, written(key.public_key()), 0o644),
    ):
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except OSError as error:
            raise DataError(str(place), f"cannot be written: {error.strerror}", "Give a new name") from None
        with os.fdopen(handle, "wb") as stream:
            stream.write(text)
    return path, shown


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST)
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a PEM file") from None
