"""Whether plan, descriptor and card of a bundle are those of its record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from audit.benchmarks.descriptor import Descriptor, shipped
from audit.bundle import envelope
from audit.bundle.finding import Finding
from audit.bundle.sealing import PLAN, plan_digest, plan_of
from audit.errors import DataError
from audit.record import EvaluationRecord

CARD, DESCRIPTOR = "card.json", "benchmark.json"


def belonging(record: EvaluationRecord, files: dict[str, bytes]) -> Iterator[Finding]:
    """Plan, descriptor and card belong to the record."""
    plan = files.get(PLAN, b"")
    same = plan == plan_of(record) and plan_digest(plan) == record.digests.plan
    detail = "the plan of the record has the digest that it says" if same else "plan.json is not the record's plan"
    yield Finding("plan", "established" if same else "failed", detail)
    yield _descriptor(record, files.get(DESCRIPTOR))
    yield _card(record, files.get(CARD))


def _descriptor(record: EvaluationRecord, text: bytes | None) -> Finding:
    said = _object(text)
    if text is None:
        return Finding("descriptor", "not established", "none was written: the benchmark has no card")
    about = record.benchmark
    same = said.get("faceaudit:name") == about.name and said.get("faceaudit:consentTier", about.consent_tier) == (
        about.consent_tier
    )
    if not same:
        return Finding("descriptor", "failed", f"{DESCRIPTOR} is of another benchmark or tier than the record")
    whole = envelope.digest(text.rstrip(b"\n")) == record.digests.benchmark
    known = _shipped()
    here = next((one for one in known.values() if one.digest == record.digests.benchmark), None)
    if here is not None:
        ours = f"the one that this version ships as {here.dataset.name}, of which the record has the digest"
        if text != f"{here.published}\n".encode():
            return Finding("descriptor", "failed", f"{DESCRIPTOR} is not {ours}")
        detail = ours if whole else f"{ours}; {DESCRIPTOR} is its published form, without names of pictures"
        return Finding("descriptor", "established", detail)
    other = "; this version ships another one of that name" if about.name in known else ""
    if whole:
        return Finding("descriptor", "established", f"the very one of which the record has the digest{other}")
    detail = f"names and tier agree; names of pictures are left out of it, and the digest is of the whole{other}"
    return Finding("descriptor", "not established", detail)


def _shipped() -> dict[str, Descriptor]:
    """The descriptors of the installed package; none, where it was installed without them."""
    try:
        return shipped()
    except DataError:
        return {}


def _card(record: EvaluationRecord, text: bytes | None) -> Finding:
    if text is None:
        return Finding("model card", "not established", "none was written: only a name is known of the model")
    said, model = _object(text), record.model
    same = (said.get("name"), said.get("revision")) == (model.name, model.revision) and said.get(
        "licence", model.licence
    ) == model.licence
    if model.weights_sha256 != "unknown":
        same = same and said.get("weights_sha256") == model.weights_sha256 == record.digests.weights
    detail = "name, revision, licence and digest of the weights" if same else f"{CARD} is of another model"
    return Finding("model card", "established" if same else "failed", detail)


def _object(text: bytes | None) -> dict[str, Any]:
    try:
        said = json.loads(text or b"")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
