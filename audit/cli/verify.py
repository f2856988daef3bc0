"""`faceaudit verify`: what a bundle establishes, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audit.bundle import Finding

MARKS = {"established": "yes", "failed": "NO", "not established": "-"}


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A sealed folder of results.")],
    public_key: Annotated[Path | None, typer.Option(help="Whose signature is demanded: a public key in PEM.")] = None,
    identity: Annotated[
        str | None,
        typer.Option("--sigstore-identity", help="Who has to have signed in the public log; needs a network or keys."),
    ] = None,
    issuer: Annotated[
        str, typer.Option("--sigstore-issuer", help="Who vouches for that identity.")
    ] = "https://token.actions.githubusercontent.com",
    trust: Annotated[
        Path | None,
        typer.Option("--sigstore-trust", help="Keys of the log and its services (JSON): without a network, or own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print what failed, and the last line.")] = False,
) -> None:
    """Check digests and signature, compute every number again, draw the report again. Exit 1 if anything is wrong."""
    from audit.bundle import verify  # noqa: PLC0415 - the help text needs none of it
    from audit.errors import PlanError  # noqa: PLC0415

    if trust is not None and identity is None:
        raise PlanError("--sigstore-trust", "stands without --sigstore-identity", "Say who has to have signed")
    demanded = None if identity is None else (identity, issuer)
    findings = verify(folder, public_key, sigstore=demanded, trust=trust)
    failed = [one for one in findings if one.outcome == "failed"]
    if as_json:
        said = [{"question": x.question, "outcome": x.outcome, "detail": x.detail} for x in findings]
        typer.echo(json.dumps({"verified": not failed, "signed": _signed(findings), "findings": said}, indent=1))
    else:
        for one in failed if quiet else findings:
            typer.echo(f"{MARKS[one.outcome]:>4}  {one.question}: {one.detail}")
        typer.echo(_last(findings, len(failed)))
    raise typer.Exit(1 if failed else 0)


def _signed(findings: list[Finding]) -> bool:
    return any(one.question.startswith("signature") and one.outcome == "established" for one in findings)


def _last(findings: list[Finding], failed: int) -> str:
    open_ = sum(one.outcome == "not established" for one in findings)
    signed = "signed" if _signed(findings) else "unsigned"
    verdict = f"NOT verified: {failed} of {len(findings)} checks failed" if failed else "verified"
    return f"{verdict}; {signed}; {len(findings) - failed - open_} established, {open_} could not be established"
