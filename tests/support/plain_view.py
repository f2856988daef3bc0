"""A report's view as plain text: everything that a reader is shown, and where the marks of a picture stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from audit.report import parts


def text_of(view: parts.ReportView) -> str:
    """One line a piece, indented by depth; numbers of pictures with four digits."""
    return "\n".join(_lines(view, 0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, parts.Cell):
        yield pad + " | ".join(x for x in (value.text, value.note, value.mark and f"[{value.mark}]") if x)
    elif dataclasses.is_dataclass(value):
        yield f"{pad}{type(value).__name__}"
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            if held in ("", (), None):
                continue
            if isinstance(held, str | int | float | bool):
                yield f"{pad}  {field.name}: {_plain(held)}"
            else:
                yield f"{pad}  {field.name}:"
                yield from _lines(held, depth + 2)
    elif isinstance(value, tuple) and value and all(isinstance(x, int | float) for x in value):
        yield pad + " ".join(_plain(x) for x in value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _lines(item, depth)
    else:
        yield pad + _plain(value)


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
