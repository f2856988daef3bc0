"""Sigstore, an optional extra: a statement signed by an identity (a workflow, a person), in a public log.

It needs the network, and a workload's identity that the surroundings give (a CI job with an OIDC token). The log is
public for good: it shows who sealed what, and when. Both ways here are the library's own (`sigstore`, sigstore-python);
a bundle that it signs holds the same statement as any other.
"""

from __future__ import annotations

from typing import Any

from audit.bundle.envelope import PAYLOAD_TYPE
from audit.errors import PlanError


def _library() -> Any:
    try:
        import sigstore.sign  # noqa: PLC0415 - an extra
    except ImportError:
        raise PlanError(
            "--sigstore", "the extra is not installed", "pip install 'faceaudit[sigstore]', or sign with --key"
        ) from None
    return sigstore


def sign(payload: bytes) -> bytes:
    """Sign a statement with the identity of this workload.

    Raises
    ------
    PlanError
        If the extra is missing, there is no such identity, or the service cannot be reached.
    """
    _library()
    from sigstore import dsse, errors, models, oidc, sign as signing  # noqa: I001, PLC0415 - an extra

    try:
        token = oidc.detect_credential()
        if token is None:
            raise PlanError(
                "--sigstore", "no identity is given here", "Seal in a CI job with an OIDC token, or use --key"
            )
        context = signing.SigningContext.from_trust_config(models.ClientTrustConfig.production())
        with context.signer(oidc.IdentityToken(token)) as signer:
            return str(signer.sign_dsse(dsse.Statement(payload)).to_json()).encode()
    except (errors.Error, oidc.IssuerError, OSError) as error:
        raise _out_of_reach(error) from None


def check(signed: bytes, payload: bytes, identity: str, issuer: str) -> str | None:
    """Say what is wrong with the signature of a statement by an identity; None: it holds.

    Raises
    ------
    PlanError
        If the extra is missing, or the service's keys cannot be had.
    """
    _library()
    from sigstore import errors, models, verify  # noqa: PLC0415 - an extra

    try:
        verifier = verify.Verifier.production()
    except (errors.Error, OSError) as error:
        raise _out_of_reach(error) from None
    try:
        bundle = models.Bundle.from_json(signed)
        kind, found = verifier.verify_dsse(bundle, verify.policy.Identity(identity=identity, issuer=issuer))
    except (errors.VerificationError, models.InvalidBundle, ValueError) as error:
        return f"it is not by {identity} ({type(error).__name__})"
    return None if (kind, found) == (PAYLOAD_TYPE, payload) else "it is of another statement"


def _out_of_reach(error: Exception) -> PlanError:
    kind = type(error).__name__
    return PlanError(
        "--sigstore", f"the service cannot be reached ({kind})", "Try where there is a network, or use --key"
    )
