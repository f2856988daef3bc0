"""Texts, JSON, pages and notebooks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from audit.scan import pictures
from audit.scan.found import Ids

PATHS = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|opt|usr|var|work|mnt|srv|Users)/\w|\b[A-Za-z]:\\\w|file://")
PICTURES = re.compile(r"[\w-]\.(?:jpe?g|png|webp|bmp|tiff?|heic|tem|npy|npz)\b", re.I)
INLINE = re.compile(
    r"data:(?!image/svg\+xml[,;])[\w.+-]+/[\w.+-]+[;,]|<image\b|<img\b[^>]{0,2000}\bsrc\s*=\s*[\"']?(?!pictures/)", re.I
)
PACKED = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
VECTOR = re.compile(r"(?:-?\d+\.\d+(?:[eE][-+]?\d+)?[,;\s]+){48,}-?\d+\.\d+")
DRAWN = re.compile(r"\s(?:d|points|transform|style)=\"[^\"]*\"")
"""Attributes of a drawing that are long lists of positions."""
LONGEST = 15
"""Numbers in a list of a document that is no record: a template has 64 and more."""
KEY = "PRIVATE KEY-----"


def of_text(content: bytes, ids: Ids) -> list[str]:
    """Any text."""
    text = _decoded(content)
    return ["is not UTF-8"] if text is None else list(_in(text, ids))


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _in(text: str, ids: Ids) -> Iterator[str]:
    for pattern, reason in (
        (PATHS, "holds a path of a machine"),
        (PICTURES, "names a file of a picture or a template"),
        (INLINE, "holds a picture"),
        (PACKED, "holds packed bytes, as pictures and templates are"),
        (VECTOR, "holds a long list of numbers, as a template is"),
    ):
        if pattern.search(text):
            yield reason
    if KEY in text:
        yield "holds a private key"
    if ids.names and ids.word_in(text):
        yield "holds an id of the benchmark"


def of_page(content: bytes, ids: Ids) -> list[str]:
    """HTML or SVG: positions of a drawing are no list of numbers, and a script is nothing that a report has."""
    text = _decoded(content)
    if text is None:
        return ["is not UTF-8"]
    found = list(_in(DRAWN.sub("", text), ids))
    if re.search(r"<script\b|<iframe\b|<object\b|<embed\b|<foreignObject\b|\bon\w+\s*=\s*[\"']", text, re.I):
        found.append("holds a script or a page inside the page")
    return found


def of_json(content: bytes, ids: Ids) -> list[str]:
    """JSON; the lists of a record are those of its schema, which its reader holds it to."""
    value = _loaded(content)
    if value is None:
        return ["is no JSON"]
    record = isinstance(value, dict) and str(value.get("schema", "")).startswith("faceaudit/record-")
    try:
        return [reason for reason, _ in _walk(value, ids, longest=None if record else LONGEST)]
    except RecursionError:
        return ["is nested too deeply to be looked into"]


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _walk(value: Any, ids: Ids, longest: int | None) -> Iterator[tuple[str, None]]:
    if isinstance(value, str):
        for reason in _in(value, ids):
            yield reason, None
        if ids.is_value(value):
            yield "holds an id of the benchmark", None
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(key, ids, longest)
            yield from _walk(item, ids, longest)
    elif isinstance(value, list):
        if longest is not None and len(value) > longest and all(_number(item) for item in value):
            yield "holds a long list of numbers, as a template is", None
        for item in value:
            if not _number(item):
                yield from _walk(item, ids, longest)


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def of_notebook(content: bytes, ids: Ids) -> list[str]:
    """A notebook: what was typed, and every output, pictures among them."""
    value = _loaded(content)
    if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
        return ["is no notebook"]
    found: list[str] = []
    for cell in value["cells"]:
        if not isinstance(cell, dict):
            return ["is no notebook"]
        found += of_text(_joined(cell.get("source", "")).encode(), ids)
        for output in cell.get("outputs") or []:
            found += _of_output(output, ids)
    return found


def _of_output(output: Any, ids: Ids) -> list[str]:
    if not isinstance(output, dict):
        return ["is no notebook"]
    found = of_text(_joined(output.get("text", "")).encode(), ids)
    found += of_text(_joined(output.get("traceback", "")).encode(), ids)
    data = output.get("data")
    for kind, text in (data if isinstance(data, dict) else {}).items():
        if kind == "image/png":
            try:
                found += pictures.of_picture(base64.b64decode(_joined(text)), ids)
            except ValueError:
                found.append("holds a picture that cannot be looked at")
        elif kind.startswith(("image/", "application/octet", "application/pdf")) and kind != "image/svg+xml":
            found.append("holds a picture")
        elif kind.endswith("json"):
            found += [reason for reason, _ in _walk(text, ids, LONGEST)]
        else:
            found += of_page(_joined(text).encode(), ids)
    return found


def _joined(text: Any) -> str:
    return "".join(str(line) for line in text) if isinstance(text, list) else str(text)
