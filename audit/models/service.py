"""A service that answers over HTTP: what its card declares of it, and how its answers are read.

A vendor's black box takes an image and gives a template, or takes two and gives a score. Where in its answer that
stands is a path of names and places, as in `result.faces[0].embedding`; nothing of a card is ever evaluated.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audit.domain import FailureToAcquire, Stage
from audit.models.guard import NoTemplateError

PATH = r"^[A-Za-z_][A-Za-z0-9_-]*(\[\d{1,4}\])*(\.[A-Za-z_][A-Za-z0-9_-]*(\[\d{1,4}\])*)*$"
_HOST = r"[A-Za-z0-9.-]+(:\d{1,5})?"
_LOOPBACK = {"127.0.0.1", "localhost"}
_MISSING = object()
UNREADABLE = "the service's answer could not be read"
WRONG = "the service's answer holds no template of the card's dimension"
NOT_FINITE = "the service's template is not finite"
NO_SCORE = "the service's answer holds no score"
LARGEST = 1e100
"""Scores of larger size are none: their squares are infinite."""
NO_FACE = "the service found no face"
FAILED = "the service reported a failure"


class Service(BaseModel):
    """The table [service] of a card."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    url: str = Field(description="https://HOST/PATH; http:// only on this machine")
    send: Literal["multipart", "json"] = Field("multipart", description="The image as a form's file, or in base64")
    field: str = Field("image", min_length=1, max_length=100, description="Of the form, or key of the JSON object")
    format: Literal["png", "jpeg"] = "png"
    picture: Literal["crop", "whole"] = Field("crop", description="The aligned face as [input] says, or all of it")
    also: dict[str, str] = Field(default_factory=dict, description="Other fields to send with every image")
    template: str | None = Field(None, pattern=PATH, description="Where in the answer the template stands")
    score: str | None = Field(None, pattern=PATH, description="Where the score of two images stands, in place of it")
    second: str = Field("image2", min_length=1, max_length=100, description="Field of the other image, for a score")
    distance: bool = Field(False, description="A smaller score is more alike")
    failure: str | None = Field(
        None, pattern=PATH, description="Where a failure stands: anything there but null is one"
    )
    no_face: tuple[str, ...] = Field((), description="Values of `failure` that mean that there is no face")
    header: str = Field("Authorization", pattern=r"^[A-Za-z0-9-]+$", description="That carries the credentials")
    prefix: str = Field("", description='Before the credentials, for example "Bearer "')
    credentials: str | None = Field(
        None, pattern=r"^[A-Z_][A-Z0-9_]*$", description="Environment variable that holds the credentials"
    )
    version_header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]+$", description="Of the answer; it must equal the card's revision"
    )
    redirect_hosts: tuple[str, ...] = Field((), description="Hosts that may be redirected to; no others are followed")
    per_second: float = Field(5.0, gt=0, le=1000, description="Requests started")
    at_once: int = Field(2, ge=1, le=64)
    timeout_s: float = Field(30.0, gt=0, le=600)
    tries: int = Field(4, ge=1, le=10)
    largest_answer: int = Field(1 << 20, ge=64, le=1 << 26, description="Bytes")

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if not value.isascii() or not re.fullmatch(_HOST, parts.netloc) or parts.fragment:
            raise ValueError("not of the form https://HOST/PATH, without a user and a password")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("images travel over https:// alone; http:// is for 127.0.0.1 and localhost")
        return value

    @field_validator("redirect_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not re.fullmatch(_HOST, host):
                raise ValueError(f"{host!r} is no host")
        return value

    @field_validator("prefix")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("a header is one line")
        return f"{value} " if value else ""

    @model_validator(mode="after")
    def _apart(self) -> Service:
        if self.field in self.also or self.second in self.also or self.field == self.second:
            raise ValueError(f"{self.field!r} and {self.second!r} are the images' fields, and two")
        if (self.template is None) == (self.score is None):
            raise ValueError("one of template and score is where the answer stands")
        return self

    @property
    def compares(self) -> bool:
        """Whether it takes two images."""
        return self.score is not None

    @property
    def host(self) -> str:
        """Where images go first: HOST or HOST:PORT, as in the address."""
        return urlsplit(self.url).netloc

    @property
    def hosts(self) -> tuple[str, ...]:
        """Everywhere images may go."""
        return tuple(dict.fromkeys((self.host, *self.redirect_hosts)))

    @property
    def local(self) -> bool:
        """Whether images stay on this machine, as far as it can tell."""
        return all(host.partition(":")[0] in _LOOPBACK for host in self.hosts)

    def deciding(self) -> dict[str, Any]:
        """What of it decides a template: not how fast and how often it is asked, nor with whose credentials."""
        names = {"url", "send", "field", "format", "picture", "also", "template", "score", "second", "distance"}
        names |= {"failure", "no_face"}
        return self.model_dump(mode="json", include=names)


def looked_up(answer: Any, path: str) -> Any:
    """What stands at a path of an answer; None also where there is no such place.

    Examples
    --------
    >>> looked_up({"faces": [{"embedding": [1, 2]}]}, "faces[0].embedding")
    [1, 2]
    >>> looked_up({"faces": []}, "faces[0].embedding") is None
    True
    """
    found = answer
    for name, place in re.findall(r"([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]", path):
        if name:
            found = found.get(name, _MISSING) if isinstance(found, Mapping) else _MISSING
        else:
            found = found[int(place)] if isinstance(found, list) and int(place) < len(found) else _MISSING
        if found is _MISSING:
            return None
    return found


def parsed(body: bytes) -> Any:
    """The JSON of an answer.

    Raises
    ------
    NoTemplateError
        If it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoTemplateError(FailureToAcquire("template", UNREADABLE)) from None


def _check(answer: Any, service: Service, stage: Stage) -> None:
    said = None if service.failure is None else looked_up(answer, service.failure)
    if said is None or said is False:
        return
    if str(said) in service.no_face:
        raise NoTemplateError(FailureToAcquire("detect", NO_FACE))
    raise NoTemplateError(FailureToAcquire(stage, FAILED))


def score_of(answer: Any, service: Service) -> float:
    """The score of an answer; larger means more alike.

    Raises
    ------
    NoTemplateError
        With the reason, as `template_of`.
    """
    _check(answer, service, "score")
    found = looked_up(answer, service.score or "")
    if type(found) not in (int, float):
        raise NoTemplateError(FailureToAcquire("score", NO_SCORE))
    try:
        value = float(found)
    except OverflowError:
        value = math.inf
    if not abs(value) <= LARGEST:
        raise NoTemplateError(FailureToAcquire("score", NO_SCORE))
    return -value if service.distance else value


def template_of(answer: Any, service: Service, dimension: int) -> NDArray[np.float32]:
    """The template of an answer.

    Raises
    ------
    NoTemplateError
        With the reason: a failure that the service reports, or no template where one should be. Its own words go
        nowhere: they might name a file or a person.
    """
    _check(answer, service, "template")
    found = looked_up(answer, service.template or "")
    if not isinstance(found, list) or len(found) != dimension or not all(type(x) in (int, float) for x in found):
        raise NoTemplateError(FailureToAcquire("template", WRONG))
    try:
        values = [float(x) for x in found]
    except OverflowError:
        raise NoTemplateError(FailureToAcquire("template", NOT_FINITE)) from None
    largest = float(np.finfo(np.float32).max)
    if not all(math.isfinite(x) and abs(x) <= largest for x in values):
        raise NoTemplateError(FailureToAcquire("template", NOT_FINITE))
    return np.array(values, np.float32)
