"""A record held against another one of the same plan: every place of it compared, every difference judged.

Nothing is left out by kind: both documents are walked whole, so that a part which is added to the record is compared
without a line here. Left out are what differs from run to run by nature: when, on what, how long, and what was said of
locks.
"""

from __future__ import annotations

from audit.reproducing.compare import compare

__all__ = ["compare"]
