"""What can go wrong, and what the command line exits with.

::

    AuditError                     2   the user's mistake: place, value, way out in one line
    ├── PlanError                  2   a plan or a flag that cannot be honoured
    ├── DataError                  2   a benchmark, score or record file that is not what it says
    ├── ModelError                 2   unknown model, missing extra, missing or wrong weights
    │   └── StoppedError           2   a model that has stopped so often that it is asked nothing more
    ├── Refused                    3   governance of the benchmark forbids the run
    └── NothingMeasured            4   no operating point could be estimated

Ctrl-C is Python's own KeyboardInterrupt (130; the same command resumes).
A failure to process one *image* is none of these: it is a value (`audit.domain.FailureToAcquire`) and is counted.
"""

from __future__ import annotations

_LONGEST = 1000
"""Characters of each part that are shown; what was found may be the whole of a hostile file."""


def shown(text: str) -> str:
    """Text of strangers as one line that a terminal only shows: cut, without breaks, letters that steer written out."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 120]} ... {line[-100:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


class AuditError(Exception):
    """Root of the tree.

    Parameters
    ----------
    place : str
        File, row, flag or name where it went wrong.
    found : str
        What was found there.
    way_out : str
        What is allowed, and what to do.
    """

    exit_code = 2

    def __init__(self, place: str, found: str, way_out: str = "") -> None:
        super().__init__(place, found, way_out)
        self.place = place
        self.found = found
        self.way_out = way_out

    def __str__(self) -> str:
        """One line that a terminal only shows: what a file holds can neither break, steer nor flood it."""
        text = f"{shown(self.place)}: {shown(self.found)}"
        return f"{text}. {shown(self.way_out)}" if self.way_out else text


class PlanError(AuditError):
    """A plan, a flag or a combination of them that cannot be honoured."""


class DataError(AuditError):
    """A benchmark, a score file or a record that is not what it says it is."""


class ModelError(AuditError):
    """Unknown model, missing extra, missing or wrong weights.

    Parameters
    ----------
    missing : str
        What of a known model is not here, if that is all: "extra", "weights", "right weights" (the file has another
        digest), or "digest" (nobody knows it).
    """

    def __init__(self, place: str, found: str, way_out: str = "", *, missing: str = "") -> None:
        super().__init__(place, found, way_out)
        self.missing = missing


class StoppedError(ModelError):
    """A model that ran, and has stopped so often that it is asked nothing more: not one image is to blame."""


class Refused(AuditError):
    """The benchmark's consent, purpose, freshness or withdrawal status forbids the run."""

    exit_code = 3


class NothingMeasured(AuditError):
    """No operating point could be estimated from what was left."""

    exit_code = 4
