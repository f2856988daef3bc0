"""The table of parsers that are fed hostile files: a line a target, in the module of what it reads.

A target is a file that somebody else may have written and the product's own way in. It either takes the file, or
raises an AuditError of one line; where a benchmark's files or images are read, failures are values and are counted.
"""

from __future__ import annotations

from . import benchmarks, bundles, files, models, networks, records, scores, services, tasks
from .base import ROOT, Parse, Target, never, scratch

__all__ = ["BY_NAME", "OFFLINE", "ROOT", "TARGETS", "Parse", "Target", "never", "scratch"]

TARGETS: tuple[Target, ...] = tuple(
    target
    for room in (benchmarks, files, scores, models, networks, services, tasks, records, bundles)
    for target in room.TARGETS
)

BY_NAME: dict[str, Target] = {target.name: target for target in TARGETS}

OFFLINE = frozenset({"sandbox"})
"""Every input starts a process that loads torch: not in the shortened form."""
