"""The report as one self-contained page: no script, no outside request, a strict Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
import itertools
from functools import cache
from importlib import resources
from operator import attrgetter

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit.report import charts, parts
from audit.report.strings import say


@cache
def style(name: str = "report.css") -> str:
    """Read a style sheet."""
    return resources.files("audit.report").joinpath("templates", name).read_text(encoding="utf-8")


def source_hash(text: str) -> str:
    """The hash by which a Content-Security-Policy allows a text.

    >>> source_hash("a{}")
    "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def environment() -> Environment:
    """Templates of this room; everything that is filled in is escaped, and nothing may be missing."""
    made = Environment(
        loader=PackageLoader("audit.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["groupby_order"] = lambda items, name: [
        (key, list(found)) for key, found in itertools.groupby(items, key=attrgetter(name))
    ]
    made.filters["kind"] = lambda block: type(block).__name__
    made.globals |= {"t": say, "svgs": _svgs, "refuse": _refuse}
    return made


def _refuse(kind: str) -> str:
    raise TypeError(f"no page knows how to show {kind}")


def page(view: parts.ReportView, stamp: str = "") -> str:
    """Render a report as HTML text; the same view gives the same bytes.

    Parameters
    ----------
    stamp : what `audit.report.stamp` calls the page; empty leaves it unmarked
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(view=view, stamp=stamp, style=Markup(style()), policy=source_hash(style()))  # noqa: S704 - our own
    )


def _svgs(figure: parts.Figure) -> tuple[Markup, Markup]:
    wide, narrow = charts.svgs(figure.picture, figure.id)
    opening = Markup('<svg role="img" focusable="false" aria-label="{}" ').format(figure.alt)
    made = [opening + Markup(svg.removeprefix("<svg ")) for svg in (wide, narrow)]  # noqa: S704 - drawn by vl-convert, text escaped
    return made[0], made[1]
