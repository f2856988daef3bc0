"""Names of files and of pages: whatever a stranger called a model, its page has a plain, short, distinct name."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from audit.report.view.clean import clean

LONGEST_SLUG = 40
LONGEST_SHOWN = 64


def slug(text: str) -> str:
    """Make a file name: at most 40 of a-z, 0-9 and '-', then eight digits of the text's SHA-256.

    The digest keeps apart what the letters do not (case, scripts, cut tails), on every file system, and no name can be
    a device, a dot or a path.

    >>> slug("dlib"), slug("../../etc/passwd"), slug("DLIB") == slug("dlib")
    ('dlib-44e848c8', 'etc-passwd-3754d6cb', False)
    """
    plain = unicodedata.normalize("NFKD", clean(text[:4000])).encode("ascii", "ignore").decode().lower()
    letters = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_SLUG].strip("-")
    return f"{letters or 'x'}-{short_digest(text)}"


def short_digest(text: str) -> str:
    """Eight digits of a text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def shown(text: str, *, empty: str = "–") -> str:
    """Print a name from outside: cleaned, on one line, and cut with a digest so that it stays distinct.

    >>> shown("a" * 100)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… (28165978)'
    """
    line = " ".join(clean(text).split())
    if len(line) > LONGEST_SHOWN:
        line = f"{line[: LONGEST_SHOWN - 12]}… ({short_digest(text)})"
    return line or empty
