"""Whether images may leave this machine: only to a host that the user named, and only where their terms let them.

A model behind an address is sent images of people. That is a decision of its own, which no plan, card or default takes:
it needs `--send-images-to HOST` on the command line, and a benchmark that may be passed on (`Consent.sending`).
"""

from __future__ import annotations

from dataclasses import replace

from audit.benchmarks.tiers import refused
from audit.domain import Benchmark
from audit.errors import PlanError
from audit.models.card import ModelCard
from audit.plan import AuditPlan, RunOptions


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


def require_few(card: ModelCard, benchmark: Benchmark, plan: AuditPlan) -> None:
    """Refuse what a service that compares cannot do, before any image is read.

    Raises
    ------
    PlanError
        If nothing says which comparisons to ask for, or the plan needs templates.
    """
    if card.service is None or not card.service.compares:
        return
    for name, wrong in (
        ("task", plan.task != "verification"),
        ("calibration", plan.calibration > 0),
        ("precision", plan.precision is not None),
        ("storage", plan.storage != "float32"),
    ):
        if wrong:
            raise PlanError(
                f"model {card.name}", f"gives scores, and the plan's {name} needs templates", f"Leave {name} out"
            )
    if benchmark.pairs is None and plan.sample_nonmated is None:
        number = len(benchmark.samples) * (len(benchmark.samples) - 1) // 2
        raise PlanError(
            f"model {card.name}",
            f"compares two pictures, and all of {benchmark.name} would be {number:,} requests",
            "Write sample_nonmated = 2000 (or as many as you want to pay for) into a plan, or take a benchmark with a "
            "pairs.csv",
        )
    if benchmark.pairs is not None and plan.samples:
        raise PlanError(
            benchmark.name, "comparisons are listed, and the plan asks for a sample of them", "Leave it out"
        )


def noted(benchmark: Benchmark, card: ModelCard, people: int) -> Benchmark:
    """The same benchmark; every report says, beside what its people agreed to, where their pictures went."""
    sent = said(card, people)
    if sent is None:
        return benchmark
    return replace(benchmark, consent=replace(benchmark.consent, notices=(*benchmark.consent.notices, sent)))


def said(card: ModelCard, people: int, *, yet: bool = True) -> str | None:
    """What a reader of the record has to know, or (not `yet`) whoever starts the run; None where nothing is sent."""
    if card.service is None:
        return None
    what = "Aligned faces" if card.service.picture == "crop" else "Whole pictures"
    hosts = ", ".join(card.service.hosts)
    if not yet:
        return f"{what} of {people:,} people are being sent to {hosts}, but for those that it has answered already."
    answer = "scores" if card.service.compares else "templates"
    return f"{what} of {people:,} people were sent to {hosts}, which computed their {answer}."
