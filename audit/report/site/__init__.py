"""A folder of results as a static site: pages, feed, reports. It measures nothing and says what the records say.

Decisions:

- **No server, no script needed.** Every link is relative, so a site works from a folder, from any address, and from a
  memory stick. One script (`filter.js`) adds filters and sorting to the index; without it the index is a table in order
  of date, with a page a model and a page a benchmark. The policy of every page forbids outside requests.
- **Reports are copied where they are still true.** A report.html beside its record is taken over if it carries the
  stamp of this renderer and of these bytes of record.json (`audit.report.stamp`); otherwise the report is drawn from
  the record, which takes seconds, once: the next publication finds it on the site. A link back to the site is added.
- **record.json is handed on byte for byte**: digests and seals speak of these bytes. It is data; nothing renders it.
- **A sealed evaluation is handed on whole**, as `bundle.zip`: the report on the site leads back to it and is no longer
  the sealed one, so that without it nobody could check the seal that the site tells of.
- **The same results give the same bytes.** Nothing depends on today's date, the machine, or the order of folders.
- **A page that would come out the same is kept.** Each carries a digest of what it was made of; on an unchanged page of
  ours nothing is filled in or drawn again.
- **What cannot be read is named and counted**, without its content, on the index and on stderr.

Which evaluations still stand is decided in `status`; what may be overwritten, in `writer`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup

from audit.errors import DataError, NothingMeasured, PlanError
from audit.record import making_sense, read
from audit.report import html, stamp
from audit.report.site import feed, method
from audit.report.site.gather import RECORD, REPORT, Evaluation, Unreadable, gather
from audit.report.site.pages import CatalogueEntry, Site
from audit.report.site.shown import Shown
from audit.report.site.status import statuses
from audit.report.site.writer import Writer
from audit.report.strings import say
from audit.report.view import make

__all__ = ["CatalogueEntry", "Published", "publish"]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did."""

    evaluations: int
    unreadable: tuple[Unreadable, ...]
    written: tuple[str, ...]
    kept: int
    removed: tuple[str, ...]
    drawn: int
    """Reports that had to be drawn because none that was still true lay beside the record."""


def publish(
    results: Path,
    out: Path,
    *,
    catalogue: Sequence[CatalogueEntry] = (),
    base_url: str = "",
    seal: Callable[[Path], str] | None = None,
    beside: Callable[[Path], Mapping[str, bytes]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Published:
    """Write the site of a folder of results.

    Parameters
    ----------
    results : folder with record.json files at any depth
    out : folder of the site: new, empty, or a site that this function made
    base_url : address under which the site will be served; for the feed, the site map and the 404 page
    seal : names the seal of an evaluation's folder, one of `publish_seal` in the catalogue of strings; without it,
        every evaluation is "unsigned"
    beside : names and content of what else of an evaluation's folder is handed on
    progress : called with (evaluations done, of how many)

    Raises
    ------
    DataError
        No such folder; `out` is something else, or cannot be written.
    PlanError
        `base_url` is no web address.
    NothingMeasured
        No record could be read.
    """
    base = _base(base_url)
    if not results.is_dir():
        raise DataError(str(results), "is no folder", "Give the folder that 'faceaudit run --out' wrote into")
    writer = Writer(out)
    found, unreadable = gather(results, without=out)
    if not found:
        raise NothingMeasured(
            str(results), f"holds no record that can be read ({len(unreadable)} found)", "Run 'faceaudit run' first"
        )
    if seal is not None:
        found = [replace(e, seal=seal(e.folder)) for e in found]
    documents = method.render(method.shipped(), method.pictures())
    addresses = []
    with making_sense(f"one of the records below {results}"):
        site = Site(found, statuses(found), unreadable, catalogue, documents, base, current=writer.current)
        for address, content in site.pages():
            writer.put(address, content())
            addresses.append(address)
    drawn = 0
    for done, e in enumerate(found, 1):
        drawn += _put_report(writer, e, site.shown[e.place])
        page = site.shown[e.place].record.removesuffix(RECORD)
        for name, more in (beside(e.folder) if beside is not None else {}).items():
            writer.put(page + name, more)
        if progress is not None:
            progress(done, len(found))
    if base:
        pages = [a for a in addresses if a.endswith(".html") and a != "404.html"] + [
            s.report for s in site.shown.values()
        ]
        writer.put("sitemap.xml", feed.sitemap(pages, base))
    removed = writer.finish()
    return Published(len(found), tuple(unreadable), tuple(writer.written), writer.kept, tuple(removed), drawn)


def _put_report(writer: Writer, e: Evaluation, one: Shown) -> bool:
    """Put a record and its report onto the site; returns whether the report had to be drawn."""
    data = (e.folder / RECORD).read_bytes()
    writer.put(one.record, data)
    page, drawn = _beside(e), False
    if page is None:
        mark, policy = stamp.stamp(data), html.source_hash(html.style())
        old = writer.current(one.report)
        page = None if old is None else _without_link(old)
        if page is None or not stamp.is_made_here(page.decode(), policy, mark):
            with making_sense(str(e.folder / RECORD)):
                page, drawn = html.page(make(read(e.folder / RECORD)), mark).encode(), True
    writer.put(one.report, _with_link(page, one))
    return drawn


def _beside(e: Evaluation) -> bytes | None:
    """The report beside a record, if it is still the one that was found to be true."""
    if e.report is None:
        return None
    page = (e.folder / REPORT).read_bytes()
    return page if hashlib.sha256(page).hexdigest() == e.report else None


TOP = b'<header class="top">\n'
LINK, END = b'<div id="on-this-site">', b"</div>\n"


def _with_link(page: bytes, one: Shown) -> bytes:
    """Lead from a report back to the site, and say on it if it no longer stands."""
    warning = Markup('<p class="warning">{}: {}</p>').format(one.state_text, one.state_reason)
    link = Markup('<p class="note"><a href="index.html">{}</a></p>').format(say("publish.back"))
    inside = f"{'' if one.state == 'current' else warning}{link}".encode()
    return page.replace(TOP, TOP + LINK + inside + END, 1)


def _without_link(page: bytes) -> bytes:
    start = page.find(TOP + LINK)
    if start < 0:
        return page
    end = page.index(END, start)
    return page[: start + len(TOP)] + page[end + len(END) :]


def _base(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment or parts.username:
        raise PlanError("--base-url", f"{url!r} is no web address of a folder", "Such as https://example.org/audits/")
    return url.rstrip("/") + "/"
