"""A plan as a file that people read: what was decided, in TOML, with a comment on each decision.

What was left open stands in it too, as a comment with its default, so that nobody has to look settings up.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.errors import PlanError
from audit.plan import expand

DECIDED: Mapping[str, str] = {
    "benchmark": "Who is tested: a name of 'faceaudit benchmarks list', or a folder with a descriptor.",
    "acknowledge": "A consent tier that the auditor knowingly accepts; every report says so.",
    "models": "What is tested: names of 'faceaudit models list', or onnx:FILE; each gives a record of its own.",
    "by": "Whom to tell apart: each attribute alone, and every intersection. An empty list: everyone together.",
    "fmr": "The decision: how often two different people may be taken for one. One threshold for everyone is set so "
    "that this share is not exceeded; the strictest that can be estimated is the headline.",
    "margin_fmr": "Which ratio of two groups' false match rates counts as a disparity. Declared before the run.",
    "margin_fnmr": "The same for false non-matches.",
}
OPEN: Sequence[tuple[str, str, str]] = (
    ("thresholds", "[0.6]", "Thresholds judged as given, in the model's own unit; default: the one in its card."),
    ("reference", '{gender = "male"}', "Whom groups are compared with; default: the group with most people."),
    ("impostors", '["gender"]', "Compare two different people only if they share these; default: any two."),
    ("calibration", "0.5", "This share of the people sets thresholds and is not judged; default: none."),
    ("limit", "20", "The first N people only: a trial run, and marked so."),
    ("seed", "20260101", "Of every random draw."),
)
"""Settings that no question asks for, each with an example."""
WIDTH = 100


def text(settings: Mapping[str, Any], remarks: Iterable[str] = ()) -> str:
    """Write settings as a commented plan.

    Parameters
    ----------
    settings : some of `DECIDED`, as `audit.plan.expand` takes them; the order is that of `DECIDED`
    remarks : sentences for the head of the file

    Raises
    ------
    PlanError
        If the settings make no plan; nothing is written that `faceaudit run` would refuse to read.
    """
    lines = ["# An audit plan: every setting that decides a number. Run it with: faceaudit run THIS_FILE"]
    for remark in remarks:
        lines += _comment(remark)
    for name, why in DECIDED.items():
        if name in settings:
            lines += ["", *_comment(why), f"{name} = {_value(settings[name])}"]
    lines += ["", "# Left open. Take away the '#' of a line to decide it."]
    for name, example, why in OPEN:
        lines += [*_comment(why), f"# {name} = {example}"]
    made = "\n".join(lines) + "\n"
    if expand(tomllib.loads(made)) != expand(settings):
        raise PlanError("plan", "these settings cannot be written as TOML", "Take plain names")
    return made


def _comment(sentence: str) -> list[str]:
    """A sentence as comment lines; nothing in it can end the comment."""
    lines, line = [], "#"
    for word in "".join(c if c.isprintable() else " " for c in sentence).split():
        if len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _value(value: Any) -> str:
    """A number, a text, or a list of them."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    return repr(value)
