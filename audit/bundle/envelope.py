"""Statement and envelope: in-toto Statement v1, signed as DSSE (https://github.com/secure-systems-lab/dsse, v1.0.2).

Both are written in one canonical form (sorted keys, no spaces, ASCII), and anything else is refused on reading: there
is one way to write what a bundle says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from audit.errors import DataError
from audit.record import EvaluationRecord

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "faceaudit:evaluation/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def canonical(value: Any) -> bytes:
    r"""Write JSON in the one form that is accepted.

    >>> canonical({"b": 1, "a": "é"})
    b'{"a":"\\u00e9","b":1}\n'
    """
    return (json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")


def parsed(text: bytes, name: str) -> dict[str, Any]:
    """Read canonical JSON.

    Raises
    ------
    DataError
        If it is not JSON, not an object, or written in another form (spaces, order, a key that stands twice).
    """
    try:
        value = json.loads(text)
        same = isinstance(value, dict) and canonical(value) == text
    except (ValueError, RecursionError) as error:
        raise DataError(name, f"is no JSON ({type(error).__name__})", "Get the bundle again") from None
    if not same:
        raise DataError(name, "is not written in canonical form", "Somebody wrote it again: get the bundle anew")
    found: dict[str, Any] = value
    return found


def statement(digests: Mapping[str, str], record: EvaluationRecord) -> dict[str, Any]:
    """Say which files there are and of what: it follows from the files alone.

    Parameters
    ----------
    digests : name to SHA-256 of every file
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "schema": record.schema_,
            "created": record.created,
            "benchmark": {"name": record.benchmark.name, "version": record.benchmark.version},
            "model": {"name": record.model.name, "revision": record.model.revision},
            "digests": record.digests.model_dump(),
            "faceaudit": record.software.get("faceaudit", "unknown"),
        },
    }


def to_sign(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed names the type of the payload too.

    >>> to_sign(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def sealed(payload: bytes, key_id: str, signature: bytes) -> bytes:
    """Write an envelope with one signature."""
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
        }
    )


def opened(text: bytes, name: str) -> tuple[bytes, str, bytes]:
    """Take an envelope apart.

    Returns
    -------
    (payload, key id, signature)

    Raises
    ------
    DataError
        If it is not exactly what `sealed` would write.
    """
    found = parsed(text, name)
    if found.get("payloadType") != PAYLOAD_TYPE:
        raise DataError(f"{name}#/payloadType", f"is {found.get('payloadType')!r:.80}", f"It is {PAYLOAD_TYPE!r}")
    try:
        (one,) = found["signatures"]
        payload, signature = (base64.b64decode(part, validate=True) for part in (found["payload"], one["sig"]))
        key_id = one["keyid"]
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise DataError(name, "is no envelope with one signature", "Get the bundle again") from None
    if not isinstance(key_id, str) or sealed(payload, key_id, signature) != text:
        raise DataError(name, "is not written in canonical form", "Somebody wrote it again: get the bundle anew")
    return payload, key_id, signature


def digest(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()
