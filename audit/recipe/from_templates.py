"""From templates to comparisons."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audit import record as records
from audit.compare import Comparisons
from audit.compare.counts import Ints
from audit.domain import Benchmark
from audit.extract import Extraction
from audit.groups import Grouping
from audit.inputs import Inputs, People, Progress, silent
from audit.plan import AuditPlan, RunOptions
from audit.store import COMPARISONS, default_root

if TYPE_CHECKING:
    from audit.compare.blocks import Rows, Similarity
    from audit.compare.lossy import Lossy
    from audit.compare.parts import Checkpoint


@dataclass(frozen=True, eq=False)
class Templates:
    """Templates of the samples that have one: ids, numbers, and the subject of each, (templates,)."""

    names: Sequence[str]
    rows: Rows
    subject: Ints


def rows_of(rows: Rows, index: Ints) -> Rows:
    """Some of many templates."""
    from audit.compare.blocks import Chosen  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    return Chosen(rows, index)


def checkpoint_of(digests: records.Digests, whose: str, cache: Path | None) -> Checkpoint:
    """Where the comparisons of a run are kept until they are all made."""
    from audit.compare.parts import Checkpoint  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    return Checkpoint(parts_folder(digests, whose, cache), say)


def parts_folder(digests: records.Digests, whose: str, cache: Path | None) -> Path:
    """The folder of that checkpoint; making its name loads no compiler."""
    key = hashlib.sha256(json.dumps([digests.model_dump(), whose], sort_keys=True).encode()).hexdigest()
    return (cache or default_root()) / COMPARISONS / key[:32]


def say(text: str) -> None:
    """Tell whoever runs it."""
    print(text, file=sys.stderr)


def of_templates(
    inputs: Inputs, people: People, extraction: Extraction, options: RunOptions, progress: Progress
) -> tuple[Comparisons, records.Sampling | None, Lossy | None]:
    """As `compared`, of the people's templates."""
    from audit.compare.blocks import ArrayRows  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    place = {subject: index for index, subject in enumerate(people.subjects)}
    own = [k for k, index in enumerate(extraction.template_index) if inputs.samples[index].subject_id in place]
    kept = [inputs.samples[extraction.template_index[k]] for k in own]
    subject = np.array([place[sample.subject_id] for sample in kept], dtype=np.int64)
    templates = Templates([sample.sample_id for sample in kept], ArrayRows(extraction.templates[own]), subject)
    shown = replace(options, progress=progress)
    whose = "judged" if people is inputs.judged else "setters"
    kept_at = checkpoint_of(inputs.digests, whose, options.cache)
    return compared(inputs.benchmark, templates, people.grouping, inputs.card.similarity, inputs.plan, shown, kept_at)


def compared(
    benchmark: Benchmark,
    templates: Templates,
    grouping: Grouping,
    similarity: Similarity,
    plan: AuditPlan,
    options: RunOptions,
    checkpoint: Checkpoint | None = None,
) -> tuple[Comparisons, records.Sampling | None, Lossy | None]:
    """All pairs, or the pairs of the benchmark's protocol; or some of all, and how they were drawn.

    Where templates are kept in fewer bits than float32, also what says which decisions that changes.
    """
    from audit.compare.all_pairs import AllPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need
    from audit.compare.blocks import stored  # noqa: PLC0415
    from audit.compare.lossy import Lossy  # noqa: PLC0415
    from audit.compare.pairs import listed, places  # noqa: PLC0415
    from audit.compare.sampled import Population  # noqa: PLC0415
    from audit.sampling import chosen  # noqa: PLC0415

    progress = options.progress or silent
    rows, lossy = stored(templates.rows, plan.storage), None
    if plan.storage != "float32":
        everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
        allowed = everybody if grouping.allowed is None else grouping.allowed
        population = Population(templates.subject, grouping.atom_of, allowed)
        pairs = None if benchmark.pairs is None else places(benchmark.pairs, templates.names)
        lossy = Lossy(templates.rows, population, similarity, plan.storage, pairs, plan.seed)
    if benchmark.pairs is not None:
        values = rows.take(np.arange(len(templates.names)))
        found = listed(
            benchmark.pairs, templates.names, values, templates.subject, grouping.atom_of, grouping.atoms, similarity,
            benchmark.folds, by_sample=bool(plan.covariates),
        )  # fmt: skip
        return found, None, lossy

    def every() -> Comparisons:
        return AllPairs(
            rows,
            templates.subject,
            grouping.atom_of,
            grouping.atoms,
            similarity,
            progress=lambda done, total: progress("compare", done, total),
            workers=options.workers,
            checkpoint=checkpoint,
            device=options.device,
            cluster=options.cluster,
            # Thresholds are some of these scores, and a list is multiplied by BLAS: it has to find them again.
            by_terms=False if plan.task == "identification" else None,
        )

    if plan.samples:
        return *chosen(plan, rows, templates.subject, grouping, similarity, every), lossy
    return every(), None, lossy
