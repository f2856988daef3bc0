"""The card of a black box: what is known of a service that answers over HTTP, from a user's own TOML file.

Its weights are unknown, and so is what it does before and behind them. What identifies it is what the card declares.
Credentials are not in it: the card names the environment variable that holds them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.errors import ModelError
from audit.models import adapters, card_file
from audit.models.card import Detection, ModelCard
from audit.models.service import Service
from audit.plan import AuditPlan

UNKNOWN = "weights unknown: a service answered; known is what its card declares"
KEYS = (
    "The card of a service has the keys of any card, a revision, and in place of weights a table [service] with "
    "url and template or score (where it stands in the answer), optionally second, distance, send, field, format,"
    " picture, also, failure, no_face, header, prefix, credentials, version_header, redirect_hosts, per_second, "
    "at_once, timeout_s, tries and largest_answer; docs/own-model.md explains them"
)
_UNSCALED: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "deviation": (1.0, 1.0, 1.0)}
_WHOLE: dict[str, Any] = {"size": 112, "alignment": "box", **_UNSCALED}
"""Stands where a card has an [input]; nothing is cut out for a service that takes whole pictures."""


def own(path: Path, known: Mapping[str, str], plan: AuditPlan) -> ModelCard:
    """Read the card; neither an image nor the network is touched.

    Parameters
    ----------
    path : a TOML file
    known : the table of published models; no card has their names
    plan : its detection settings are part of the preprocessing, unless the service takes whole pictures

    Raises
    ------
    ModelError
        If it is not valid, or the plan wants what it cannot do.
    """
    values = card_file.read(path)
    service = _service(values.pop("service", None), path)
    if not values.get("revision"):
        raise ModelError(f"{path}: revision", "is missing", "Say which version of the service is audited")
    _refuse_settings(service, values, path, plan)
    if service.compares:
        values |= {"dimension": 1, "similarity": "euclidean" if service.distance else "cosine"}
    values["input"] = _WHOLE if service.picture == "whole" else {**_UNSCALED, **values.get("input", {})}
    identity = json.dumps([service.deciding(), values.get("name"), values["revision"]], sort_keys=True)
    sha256 = hashlib.sha256(identity.encode()).hexdigest()
    values["weights"] = {"file": path.name, "sha256": sha256, "digest_source": UNKNOWN}
    file = card_file.validate({**values, "adapter": "http"}, str(path))
    card_file.require_name(file.name, path, known)
    adapter = adapters.of("http", str(path))
    return ModelCard(
        **file.model_dump(exclude={"adapter", "weights", "parts", "options"}),
        weights_sha256=sha256,
        digest_source=UNKNOWN,
        self_declared=True,
        detection=Detection.of(plan),
        packages=("pillow",) if service.picture == "whole" else adapter.packages,
        loader=adapter.loader,
        weights=path,
        service=service,
    )


def _service(table: Any, path: Path) -> Service:
    if not isinstance(table, dict):
        raise ModelError(f"{path}: service", "is missing", KEYS)
    try:
        return Service.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("service", *first["loc"]))
        found = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise ModelError(f"{path}: {key}", f"{found[:1].lower()}{found[1:]}", KEYS) from None


def _refuse_settings(service: Service, values: Mapping[str, Any], path: Path, plan: AuditPlan) -> None:
    for key in ("weights", "parts", "options"):
        if key in values:
            raise ModelError(f"{path}: {key}", "a service has none", KEYS)
    for key in ("dimension", "similarity"):
        if service.compares and key in values:
            raise ModelError(f"{path}: {key}", "a service that gives scores has none", "Leave it out")
    if service.picture != "whole":
        return
    if "input" in values:
        raise ModelError(f"{path}: input", "nothing is cut out for a service that takes whole pictures", "Leave it out")
    if plan.detector != "mtcnn" or plan.alignment != "model":
        raise ModelError(
            f"{path}: service.picture",
            "the service finds faces itself, and the plan says how to",
            "Leave detector and alignment out of the plan",
        )
