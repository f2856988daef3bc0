"""Whether images may leave this machine: only to a host that the user named, and only where their terms let them.

A model behind an address is sent images of people. That is a decision of its own, which no plan, card or default takes:
it needs `--send-images-to HOST` on the command line, and a benchmark that may be passed on (`Consent.sending`).
"""

from __future__ import annotations

from audit.benchmarks.tiers import refused
from audit.domain import Benchmark
from audit.errors import PlanError
from audit.models.card import ModelCard
from audit.plan import RunOptions


def allowed(card: ModelCard, benchmark: Benchmark, options: RunOptions) -> ModelCard:
    """Refuse a model that sends images elsewhere, unless that was allowed; before any image is read.

    Returns
    -------
    ModelCard
        Which says where images may go: without that its model sends none.

    Raises
    ------
    PlanError
        If the user did not name every host of the card.
    Refused
        If the terms of the benchmark do not let its images go there.
    """
    service = card.service
    if service is None:
        return card
    hosts = service.hosts
    for host in hosts:
        if host not in options.send_images_to:
            raise PlanError(
                f"model {card.name}",
                f"would send images of people to {host}, and you did not allow that",
                f"If it may be done: --send-images-to {host}",
            )
    if not service.local and benchmark.consent.sending:
        raise refused("sending", benchmark.name, what=", ".join(hosts), why=benchmark.consent.sending)
    return card.model_copy(update={"may_send_to": hosts})


def said(card: ModelCard, people: int) -> str | None:
    """What a reader of the record has to know; None for a model that sends nothing."""
    if card.service is None:
        return None
    what = "Aligned faces" if card.service.picture == "crop" else "Whole pictures"
    return f"{what} of {people:,} people were sent to {', '.join(card.service.hosts)}, which computed their templates."
