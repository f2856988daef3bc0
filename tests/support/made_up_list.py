"""A made-up list: eighty people in three groups, and a record of comparisons of two that it can be added to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audit import groups, watch_list
from audit import record as records
from audit.assemble_identification import ListInputs
from audit.compare.blocks import ArrayRows
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.plan import make
from audit.record import EvaluationRecord

HERE = Path(__file__).resolve().parents[1]
COLOURS = ["red"] * 40 + ["blue"] * 39 + ["rare"]
IMAGES = 4
SUBJECT = "person-{}-of-nobody"


def inputs(**settings: Any) -> ListInputs:
    """Eighty people, four pictures each; nobody but one is of the group 'rare'. The first picture has no template."""
    rng = np.random.default_rng(8)
    subjects = tuple(Subject(SUBJECT.format(k), {"colour": (c,)}) for k, c in enumerate(COLOURS))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    colour = {"colour": Attribute("colour", "annotated", values=("red", "blue", "rare"))}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", colour, ("colour",), subjects, (), "")
    grouping = groups.make(benchmark, ["colour"], subjects)
    owner = np.repeat(np.arange(len(COLOURS)), IMAGES)
    middle = rng.standard_normal((len(COLOURS), 8), dtype=np.float32)
    vectors = middle[owner] + np.float32(0.7) * rng.standard_normal((len(owner), 8), dtype=np.float32)
    plan = make({"benchmark": "s", "model": "dlib", "task": "identification", "draws": 400, "splits": 4, **settings})
    row = np.arange(len(owner)) - 1
    drawn = watch_list.draw(owner, grouping, plan, "s")
    return ListInputs(plan, grouping, "cosine", "s", drawn, owner, row, ArrayRows(vectors[1:]))


def base() -> EvaluationRecord:
    """Any record of comparisons of two: the part on lists is added to it."""
    made = records.read(HERE / "report" / "snapshots" / "record.json")
    sizes: list[tuple[dict[str, str], int]] = [({}, 80), ({"colour": "red"}, 40), ({"colour": "blue"}, 39)]
    counted = [
        records.GroupCount(group=group, subjects=size, samples=IMAGES * size, mated=6 * size, nonmated=16 * size)
        for group, size in [*sizes, ({"colour": "rare"}, 1)]
    ]
    colour = records.AttributePart(provenance="annotated", values=["red", "blue", "rare"])
    return made.model_copy(
        update={
            "samples": made.samples.model_copy(update={"subjects": 80, "total": 320, "by_group": counted}),
            "benchmark": made.benchmark.model_copy(update={"attributes": {"colour": colour}}),
        }
    )
