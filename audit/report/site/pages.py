"""The pages of the site: which there are, and what each is filled with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from markupsafe import Markup

from audit.report import html, stamp
from audit.report.parts import Cell, Figure, Section, Table
from audit.report.site import feed, history, shown
from audit.report.site.gather import Evaluation, Unreadable
from audit.report.site.method import MethodPage
from audit.report.site.names import shown as name_of
from audit.report.site.shown import Shown
from audit.report.site.status import Status
from audit.report.strings import say, spoken
from audit.report.view import background, words
from audit.report.view.clean import clean
from audit.report.view.rates import name_cell, people_cell

NAVIGATION = (
    ("evaluations", "index.html"), ("models", "models/index.html"), ("benchmarks", "benchmarks/index.html"),
    ("history", "history.html"), ("catalogue", "catalogue.html"), ("method", "method/index.html"),
)  # fmt: skip
COLUMNS = ("model", "benchmark", "day", "people", "found", "target", "state")
GATE = ("allowed", "acknowledge", "refused")
HEAD = 1000
"""Bytes of a page that hold the digest of what it was made of."""
MOST_SERIES = 2
"""Series of evaluations whose rates are drawn on a model's page: the longest."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A data set of the catalogue, in the catalogue's own words."""

    id: str
    name: str
    tier: str
    verdict: str
    reason: str
    alternatives: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Site:
    """Everything that the pages are made of."""

    evaluations: Sequence[Evaluation]
    states: dict[str, Status]
    unreadable: Sequence[Unreadable]
    catalogue: Sequence[CatalogueEntry]
    method: Sequence[MethodPage]
    base: str = ""
    current: Callable[[str], bytes | None] = lambda _: None
    """What the site has under an address, if it made it and nobody changed it since."""

    @cached_property
    def shown(self) -> dict[str, Shown]:
        """Every evaluation as it is shown, newest first, by its place."""
        return {e.place: shown.show(e, self.states[e.place]) for e in self.evaluations}

    @cached_property
    def style(self) -> str:
        """The report's style sheet and what the site adds."""
        return html.style() + html.style("site/style.css")

    def pages(self) -> Iterable[tuple[str, Callable[[], str | bytes]]]:
        """Every page but the reports: address, and how it is made."""
        rows = list(self.shown.values())
        yield "index.html", lambda: self._index(rows)
        yield "history.html", lambda: self._page("history", "history.html", years=_by_day(rows))
        yield "catalogue.html", self._catalogue
        yield "404.html", lambda: self._page("missing", "404.html", home=self.base or "")
        yield "filter.js", lambda: html.style("site/filter.js")
        yield "feed.xml", lambda: feed.feed(rows, self.base)
        yield from self._models()
        yield from self._benchmarks()
        yield "method/index.html", lambda: self._page("methods", "method/index.html", documents=self.method)
        for document in self.method:
            address = f"method/{document.name}.html"
            yield address, partial(self._page, "method", address, document=document)
        for e in self.evaluations:
            one = self.shown[e.place]
            yield one.page, partial(self._evaluation, e, one)

    def _page(self, name: str, address: str, **values: Any) -> str:
        """Fill in a template, or keep the page that was filled in with the same before."""
        style = self.style
        made_of = repr((name, address, self.base, values)).encode("utf-8", "backslashreplace")
        mark = f"{stamp.renderer(())[:16]}-{hashlib.sha256(made_of).hexdigest()[:32]}"
        old = self.current(address)
        if old is not None and f'<meta name="faceaudit-page" content="{mark}">\n'.encode() in old[:HEAD]:
            return old.decode()
        return (
            html.environment()
            .get_template(f"site/{name}.html.j2")
            .render(
                language=spoken(),
                style=Markup(style),  # noqa: S704 - our own style sheets
                policy=html.source_hash(style),
                mark=mark,
                up="../" * address.count("/"),
                address=address,
                navigation=[(name, say(f"publish.room_{name}"), target) for name, target in NAVIGATION],
                columns=[(key, say(f"publish.column_{key}")) for key in COLUMNS],
                base=self.base,
                **values,
            )
        )

    def _index(self, rows: list[Shown]) -> str:
        benchmarks = [self._benchmark_summary(group) for group in self._grouped("benchmark").values()]
        counts = {state: sum(r.state == state for r in rows) for state in ("current", "superseded", "stale")}
        unread = [(name_of(u.place), clean(u.reason)) for u in self.unreadable]
        return self._page("index", "index.html", rows=rows, benchmarks=benchmarks, counts=counts, unreadable=unread)

    def _grouped(self, kind: str) -> dict[str, list[Evaluation]]:
        found: dict[str, list[Evaluation]] = {}
        for e in self.evaluations:
            found.setdefault(getattr(e.record, kind).name, []).append(e)
        return dict(sorted(found.items(), key=lambda item: (item[0].casefold(), item[0])))

    def _rows(self, evaluations: Iterable[Evaluation]) -> list[Shown]:
        return [self.shown[e.place] for e in evaluations]

    def _models(self) -> Iterable[tuple[str, Callable[[], str]]]:
        groups = self._grouped("model")
        summaries = []
        for name, evaluations in groups.items():
            chief = shown.latest(evaluations, self.states)
            summaries.append({
                "name": name_of(name), "page": shown.model_page(name), "n": words.number(len(evaluations)),
                "licence": name_of(chief.record.model.licence), "consent": clean(chief.record.model.training_consent),
                "rows": self._rows(evaluations),
            })  # fmt: skip
            address = shown.model_page(name)
            yield address, partial(self._model, name, address, evaluations, chief)
        yield "models/index.html", lambda: self._page("models", "models/index.html", models=summaries)

    def _model(self, name: str, address: str, evaluations: list[Evaluation], chief: Evaluation) -> str:
        revisions = list(dict.fromkeys((e.record.model.revision, e.record.model.weights_sha256) for e in evaluations))
        table = Table(
            "revisions",
            say("publish.revisions"),
            (say("model.revision"), say("model.weights")),
            tuple((Cell(name_of(r), kind="name"), Cell(name_of(w, empty=say("word.unknown")))) for r, w in revisions),
        )
        return self._page(
            "model",
            address,
            model=name_of(name),
            rows=self._rows(evaluations),
            card=background.model_section(chief.source),
            revisions=table,
            figures=self._figures(evaluations),
        )

    def _figures(self, evaluations: Sequence[Evaluation]) -> list[Figure]:
        chiefs = history.most_repeated(evaluations)[:MOST_SERIES]
        made = [history.rates_figure(evaluations, chief, n) for n, chief in enumerate(chiefs, 1)]
        return [f for f in (*made, history.history_figure(evaluations, self.states)) if f is not None]

    def _benchmark_summary(self, evaluations: list[Evaluation]) -> dict[str, Any]:
        chief = shown.latest(evaluations, self.states)
        row, part = self.shown[chief.place], chief.source.record.benchmark
        alerts = [text for text in row.alerts if text != say("alert.limit")]
        return {
            "name": row.benchmark, "page": row.benchmark_page, "tier": row.tier, "tier_text": row.tier_text,
            "alerts": alerts, "statement": part.consent_statement or say("consent.no_statement"),
            "source": part.consent_source or say("consent.no_source"), "n": words.number(len(evaluations)),
        }  # fmt: skip

    def _benchmarks(self) -> Iterable[tuple[str, Callable[[], str]]]:
        summaries = []
        for name, evaluations in self._grouped("benchmark").items():
            summaries.append(self._benchmark_summary(evaluations))
            address = shown.benchmark_page(name)
            yield address, partial(self._benchmark, address, evaluations)
        yield (
            "benchmarks/index.html",
            lambda: self._page("benchmarks", "benchmarks/index.html", benchmarks=summaries),
        )

    def _benchmark(self, address: str, evaluations: list[Evaluation]) -> str:
        chief = shown.latest(evaluations, self.states)
        consent: Section = background.consent_section(chief.source)
        return self._page(
            "benchmark",
            address,
            summary=self._benchmark_summary(evaluations),
            versions=", ".join(dict.fromkeys(self.shown[e.place].version for e in evaluations)),
            consent=consent,
            sizes=_sizes(chief),
            rows=self._rows(evaluations),
        )

    def _evaluation(self, e: Evaluation, one: Shown) -> str:
        facts = tuple(
            (say(f"digest.{k}"), v or say("word.unknown")) for k, v in e.source.record.digests.model_dump().items()
        )
        return self._page("evaluation", one.page, one=one, facts=facts)

    def _catalogue(self) -> str:
        counts = {v: sum(c.verdict == v for c in self.catalogue) for v in GATE}
        gates = [
            (v, say(f"publish_gate.{v}"), say(f"publish_gate.lead_{v}"), [c for c in self.catalogue if c.verdict == v])
            for v in GATE
        ]
        return self._page("catalogue", "catalogue.html", gates=gates, n=len(self.catalogue), counts=counts)


def _by_day(rows: Sequence[Shown]) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = {}
    for row in rows:
        found.setdefault(row.day, []).append(row)
    return found


def _sizes(e: Evaluation) -> Table:
    """People and images of every group, as the largest evaluation counted them."""
    source = e.source
    columns = (
        say("groups.column_group"),
        say("groups.column_people"),
        say(f"groups.column_tried_{source.record.samples.unit}"),
    )
    rows = tuple(
        (
            name_cell(count.group),
            people_cell(source, count.group),
            Cell("–" if source.banded(count.group) else words.number(count.samples), kind="number"),
        )
        for count in source.record.samples.by_group
    )
    return Table("sizes", say("publish.sizes"), columns, rows)
