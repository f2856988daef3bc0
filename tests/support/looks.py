"""How pages are looked at in a browser: three widths, light and dark, and what axe is asked for."""

from __future__ import annotations

from playwright.sync_api import Page

WIDTHS = {390: 844, 768: 1024, 1440: 900}
"""Width and height of a phone, a tablet and a desk."""
SHOWN = tuple((width, scheme) for scheme in ("light", "dark") for width in WIDTHS)
LOOKS = ((390, "light"), (768, "dark"), (1440, "light"))
"""Where axe looks: every width and both colours once; what it asks depends on the two apart, not on their pairs."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def show(page: Page, width: int, scheme: str) -> None:
    """Change the width and the colours of an open page: nothing is loaded again."""
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
