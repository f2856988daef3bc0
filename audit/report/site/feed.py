"""The feed of new evaluations (Atom, RFC 4287), and the site map."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from audit.report.site.shown import Shown
from audit.report.strings import say

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST = 100
"""Entries of the feed, the newest first."""


def feed(evaluations: Sequence[Shown], base: str) -> bytes:
    """Make an Atom feed.

    Parameters
    ----------
    evaluations : newest first
    base : address of the site ending in '/', or '': then links are relative to the feed
    """
    root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _add(root, "title", say("publish.title"))
    _add(root, "subtitle", say("publish.lead"))
    _add(root, "id", base or _identity("faceaudit site"))
    _add(root, "updated", max((e.moment for e in evaluations), default="1970-01-01T00:00:00Z"))
    author = ET.SubElement(root, "author")
    _add(author, "name", say("publish.author"))
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": urljoin(base, "index.html")})
    if base:
        ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": urljoin(base, "feed.xml")})
    for e in evaluations[:MOST]:
        entry = ET.SubElement(root, "entry")
        _add(entry, "title", say("publish.feed_entry", title=e.title, state=e.state_text))
        _add(entry, "id", _identity(f"{e.name} {e.digest}"))
        _add(entry, "updated", e.moment)
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": urljoin(base, e.page)})
        _add(entry, "summary", " ".join([*e.alerts, e.headline, e.evidence, e.state_reason]).strip())
    return _bytes(root)


def sitemap(addresses: Sequence[str], base: str) -> bytes:
    """List the pages of a site whose address is known."""
    root = ET.Element("urlset", {"xmlns": SITEMAP})
    for address in sorted(addresses):
        _add(ET.SubElement(root, "url"), "loc", urljoin(base, address))
    return _bytes(root)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _identity(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'faceaudit:{name}')}"


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"
