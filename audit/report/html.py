"""The report as one self-contained page: no script, no outside request, a strict Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit.report import charts, parts
from audit.report.strings import say


def page(view: parts.ReportView) -> str:
    """Render a report as HTML text; the same view gives the same bytes."""
    style = resources.files("audit.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("audit.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment.get_template("report.html.j2").render(
        view=view,
        t=say,
        style=Markup(style),  # noqa: S704 - our own stylesheet
        policy=f"'sha256-{digest}'",
        svgs=_svgs,
    )


def _svgs(figure: parts.Figure) -> tuple[Markup, Markup]:
    wide, narrow = charts.svgs(figure.picture, figure.id)
    opening = Markup('<svg role="img" focusable="false" aria-label="{}" ').format(figure.alt)
    made = [opening + Markup(svg.removeprefix("<svg ")) for svg in (wide, narrow)]  # noqa: S704 - drawn by vl-convert, text escaped
    return made[0], made[1]
