"""Models that other packages add; see `audit.plugins`.

An entry point of the group `faceaudit.models` is the `Path` of a card in TOML, or a `plugins.Model` where the package
brings an adapter of its own. The card's weights are checked against its digest like any other's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from audit import plugins
from audit.errors import ModelError
from audit.models import card_file, resolve
from audit.models.adapters import Adapter
from audit.models.card import ModelCard
from audit.plan import AuditPlan

WAY_OUT = "Mend its package, or uninstall it"


def describe(name: str, known: Mapping[str, str], data: Sequence[Path], plan: AuditPlan) -> ModelCard | None:
    """Make the card of the plug-in of this name; None: there is none.

    Raises
    ------
    ModelError
        If the plug-in is broken, or its weights are missing or wrong.
    """
    entry = found(known).entries.get(name)
    if entry is None:
        return None
    try:
        made = plugins.load(entry, Path, plugins.Model)
    except plugins.BrokenError as error:
        raise ModelError(f"model {name}", str(error), WAY_OUT) from None
    adapter = None if isinstance(made, Path) else Adapter(made.loader, made.packages)
    path = made if isinstance(made, Path) else made.card
    if card_file.own(path, known).name != name:
        raise ModelError(f"model {name}", f"{plugins.named(entry)} is broken: its card has another name", WAY_OUT)
    return resolve.own(path, known, data, plan, adapter=adapter)


def found(known: Collection[str]) -> plugins.Found:
    """Plug-ins by name, and a line for each that is left out; nothing is imported."""
    return plugins.found(plugins.MODELS, known)


def broken(card: ModelCard, error: Exception) -> ModelError:
    """What to say of a model whose loader cannot be had."""
    text = " ".join(str(error).split())[:200]
    return ModelError(
        f"model {card.name}", f"its plug-in is broken: {card.loader}: {type(error).__name__}: {text}", WAY_OUT
    )
