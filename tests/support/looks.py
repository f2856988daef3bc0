"""How pages are looked at in a browser: three widths, light and dark, and what axe is asked for."""

from __future__ import annotations

import os

from playwright.sync_api import Page

WIDTHS = {390: 844, 768: 1024, 1440: 900}
"""Width and height of a phone, a tablet and a desk."""
SHOWN = tuple((width, scheme) for scheme in ("light", "dark") for width in WIDTHS)
LOOKS = ((390, "light"), (768, "dark"), (1440, "light"))
"""Where axe looks: every width and both colours once; what it asks depends on the two apart, not on their pairs."""
WHOLE = LOOKS if os.environ.get("FACEAUDIT_LONG", "") == "1" else LOOKS[-1:]
"""Where a whole page is pictured, for people to look at; what is seen first is pictured at every look."""
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
"""Violations with all their places; of what passes the rules alone: to name all that passes takes half of the time."""


def show(page: Page, width: int, scheme: str) -> None:
    """Change the width and the colours of an open page: nothing is loaded again."""
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
