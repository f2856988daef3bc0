"""`faceaudit seal`: list every file of a folder of results with its digest, and sign the list."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder of results, with record.json.")] = None,
    key: Annotated[Path | None, typer.Option(help="Ed25519 private key in PEM; without it digests alone.")] = None,
    new_key: Annotated[Path | None, typer.Option(help="Make a key pair: FILE and FILE.pub; nothing is sealed.")] = None,
    sigstore: Annotated[
        bool, typer.Option("--sigstore", help="Sign by a CI job's identity in a public log: extra sigstore, network.")
    ] = False,
    trust: Annotated[
        Path | None, typer.Option("--sigstore-trust", help="Services of one's own to sign at: ClientTrustConfig, JSON.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Where benchmarks lie, beside FACEAUDIT_DATA.")] = None,
    ids: Annotated[
        list[Path] | None, typer.Option(help="CSV with subject_id or sample_id, where the benchmark is not at hand.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> None:
    """Make a folder of results a bundle that anyone can check: see `verify`. What tells of a person is refused."""
    from audit.bundle import keys, seal  # noqa: PLC0415 - the help text needs none of it
    from audit.errors import PlanError  # noqa: PLC0415

    if new_key is not None:
        if folder is not None or key is not None:
            raise PlanError("--new-key", "stands beside DIR or --key", "Make the key first, then seal with --key")
        made, shown = keys.make(new_key, _passphrase("Passphrase of the new key (empty: none)", again=True))
        name = keys.key_id(keys.public_file(shown))
        typer.echo(f'{{"key": "{name}"}}' if as_json else f"{made}: keep it secret\n{shown}: publish it\nkey {name}")
        return
    if folder is None:
        raise PlanError("seal", "no folder was given", "Give the folder that holds record.json")
    if sigstore and key is not None:
        raise PlanError("--sigstore", "stands beside --key", "Take one of them")
    if trust is not None and not sigstore:
        raise PlanError("--sigstore-trust", "stands without --sigstore", "Add --sigstore, or leave it out")
    from audit.cli.known_ids import from_tables, known_ids  # noqa: PLC0415

    if ids:
        known, said = from_tables(ids), "ids of the tables given were looked for"
    else:
        known, said = known_ids(folder, data)  # type: ignore[assignment]
    typer.echo(f"faceaudit: note: {said}", err=True)
    asked = partial(_passphrase, "Passphrase of the key")
    sealed = seal(folder, key, ids=known, ask=asked, sigstore=sigstore, trust=trust)
    signed = key is not None or sigstore
    if as_json:
        import json  # noqa: PLC0415

        typer.echo(json.dumps({"sealed": str(sealed), "signed": signed}))
    else:
        typer.echo(f"{sealed}" if signed else f"{sealed} (unsigned: add --key FILE to say who says it)")


def _passphrase(question: str, *, again: bool = False) -> str | None:
    """From the environment, or asked for where somebody can answer."""
    from audit.bundle.keys import PASSPHRASE  # noqa: PLC0415

    known = os.environ.get(PASSPHRASE)
    if known is not None or not sys.stdin.isatty():
        return known or None
    asked = typer.prompt(question, default="", hide_input=True, show_default=False, err=True, confirmation_prompt=again)
    return str(asked) or None
