"""Sigstore, an optional extra: a statement signed by an identity (a workflow, a person), in a public log.

It needs a workload's identity that the surroundings give (a CI job with an OIDC token), and services: those of the
Sigstore project, or one's own, named in a file. A public log is so for good: it shows who sealed what, and when. Both
ways here are the library's own (`sigstore`, sigstore-python); a bundle that it signs holds the same statement as any
other. With the services' keys in a file, a signature is checked without a network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.bundle.envelope import PAYLOAD_TYPE
from audit.errors import AuditError, PlanError

TRUST = "--sigstore-trust"
CONFIG = "application/vnd.dev.sigstore.clienttrustconfig"
"""Start of the media type of keys and addresses together; other files hold keys alone (a trusted root)."""


def _library() -> Any:
    try:
        import sigstore.sign  # noqa: PLC0415 - an extra
    except ImportError:
        raise PlanError(
            "--sigstore", "the extra is not installed", "pip install 'faceaudit[sigstore]', or sign with --key"
        ) from None
    return sigstore


def sign(payload: bytes, trust: Path | None = None) -> bytes:
    """Sign a statement with the identity of this workload.

    Parameters
    ----------
    payload : the statement, canonical JSON
    trust : a ClientTrustConfig (JSON): addresses and keys of services; None: those of the Sigstore project

    Raises
    ------
    PlanError
        If the extra is missing, there is no such identity, the file does not fit, or a service cannot be reached,
        refuses, or gives an answer that its own keys do not confirm.
    """
    _library()
    try:
        return _signed(payload, trust)
    except AuditError:
        raise
    except Exception as error:  # noqa: BLE001 - services and the library's clients of them raise what they like
        raise _failed(error) from None


def _signed(payload: bytes, trust: Path | None) -> bytes:
    from sigstore import dsse, models, oidc, sign as signing, verify  # noqa: I001, PLC0415 - an extra

    token = oidc.detect_credential()
    if token is None:
        raise PlanError("--sigstore", "no identity is given here", "Seal in a CI job with an OIDC token, or use --key")
    config = models.ClientTrustConfig.production() if trust is None else _read(trust)
    if not isinstance(config, models.ClientTrustConfig):
        raise PlanError(TRUST, f"{trust} holds keys, and no addresses to sign at", "Give a ClientTrustConfig (JSON)")
    identity = oidc.IdentityToken(token)
    with signing.SigningContext.from_trust_config(config).signer(identity) as signer:
        signed = str(signer.sign_dsse(dsse.Statement(payload)).to_json()).encode()
    # The log's answer is not looked at by the client that asks for it.
    verifier = verify.Verifier(trusted_root=config.trusted_root)
    vouched = verify.policy.OIDCIssuer(identity.federated_issuer)
    if verifier.verify_dsse(models.Bundle.from_json(signed), vouched) != (PAYLOAD_TYPE, payload):
        raise PlanError("--sigstore", "another statement came back signed", "Try again, or use --key")
    return signed


def check(signed: bytes, payload: bytes, identity: str, issuer: str, trust: Path | None = None) -> str | None:
    """Say what is wrong with the signature of a statement by an identity; None: it holds.

    Parameters
    ----------
    signed : a Sigstore bundle (JSON), from anybody
    payload : the statement that it has to hold
    identity, issuer : who has to have signed, and who vouches for that
    trust : a TrustedRoot or ClientTrustConfig (JSON); None: the Sigstore project's, fetched

    Raises
    ------
    PlanError
        If the extra is missing, or the services' keys cannot be had.
    """
    _library()
    from sigstore import models, verify  # noqa: PLC0415 - an extra

    verifier = _verifier(trust)
    try:
        bundle = models.Bundle.from_json(signed)
        found = verifier.verify_dsse(bundle, verify.policy.Identity(identity=identity, issuer=issuer))
    except Exception as error:  # noqa: BLE001 - a stranger's file in another's parser: whatever it raises, it does not hold
        return f"it is not by {identity} ({type(error).__name__})"
    return None if found == (PAYLOAD_TYPE, payload) else "it is of another statement"


def _verifier(trust: Path | None) -> Any:
    from sigstore import errors, models, verify  # noqa: PLC0415 - an extra

    try:
        given = models.ClientTrustConfig.production() if trust is None else _read(trust)
        root = given.trusted_root if isinstance(given, models.ClientTrustConfig) else given
        return verify.Verifier(trusted_root=root)
    except (errors.Error, OSError, ValueError) as error:
        raise (_failed(error) if trust is None else _unfit(trust, error)) from None


def _read(trust: Path) -> Any:
    """A ClientTrustConfig or a TrustedRoot, whichever the file says that it is."""
    from sigstore import errors, models  # noqa: PLC0415 - an extra

    try:
        text = trust.read_text(encoding="utf-8")
        if str(json.loads(text).get("mediaType")).startswith(CONFIG):
            return models.ClientTrustConfig.from_json(text)
        return models.TrustedRoot.from_file(str(trust))
    except OSError as error:
        raise PlanError(TRUST, f"{trust} cannot be read: {error.strerror}", "Give a file that can be read") from None
    except (errors.Error, ValueError, AttributeError, RecursionError) as error:
        raise _unfit(trust, error) from None


def _unfit(trust: Path, error: Exception) -> PlanError:
    why = f"{trust} holds no keys of Sigstore services ({type(error).__name__})"
    return PlanError(TRUST, why, "Give a TrustedRoot or ClientTrustConfig (JSON)")


def _failed(error: Exception) -> PlanError:
    kind = type(error).__name__
    if isinstance(error, OSError) or kind in {"TUFError", "NetworkError"}:
        why, instead = f"the service cannot be reached ({kind})", f"Try where there is a network, or give {TRUST} FILE"
    else:
        why, instead = f"the service did not sign ({kind})", "Look at the job's rights and at its log, or use --key"
    return PlanError("--sigstore", why, instead)
