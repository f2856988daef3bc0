"""The recipe for templates that somebody else extracted: from a file of templates to the same record as a run.

Images are out of reach here, so what `run` knows of them is asked for: whose templates these are (a table of people, or
a benchmark of the catalogue), and which samples have none. From the comparisons on the code is that of a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from audit import benchmarks, groups, plan, provenance, results, template_table
from audit.benchmarks import consent, recognise, undescribed, withdrawals
from audit.domain import Benchmark, Subject
from audit.errors import DataError, NothingMeasured, PlanError
from audit.evaluation import Evaluation
from audit.inputs import People, require_protocol, silent
from audit.metrics.evaluation import Acquired
from audit.recipe import from_scores, from_templates, publishing
from audit.record import Digests, ModelPart
from audit.scoring import UNDOCUMENTED
from audit.template_table import TemplateTable

PREFIX = "templates:"
UNDESCRIBED = "templates"
"""Stands for the benchmark where none is named: the people are those of --subjects."""
NOTICE = "Nothing is documented about the consent of the people behind these templates: no benchmark card was given."
WITHOUT = "no template in the file"


def is_given(model: str) -> bool:
    """Whether a model of a plan is a file of templates."""
    return model.startswith(PREFIX)


@dataclass(frozen=True, eq=False)
class _Whose:
    """Templates sorted out: who is judged, whose the templates are, and the samples that have none."""

    benchmark: Benchmark
    subjects: tuple[Subject, ...]
    owner: Mapping[str, str]


def evaluate(asked: plan.AuditPlan, subjects: Path | None, options: plan.RunOptions) -> Evaluation:
    """Audit templates; the record and its report are written below `options.out`.

    Parameters
    ----------
    asked : its model is `templates:FILE`; its benchmark a name of the catalogue, a folder, or `UNDESCRIBED`
    subjects : table with `subject_id` and attributes, where no benchmark is named

    Raises
    ------
    Refused
        The benchmark's tier or terms forbid it.
    AuditError
        See `audit.errors`.
    """
    path = Path(asked.model.removeprefix(PREFIX)).expanduser()
    lock = publishing.lock_of(options)
    results.require_writable(options.out)
    _refuse_what_needs_images(asked)
    for entry in recognise.by_name([path.stem]):
        consent.check_entry(entry, place=str(path))
    whose = _known(asked, path, subjects, options)
    table = template_table.read(path)
    recognise.check_paths(table.samples, place=str(path))
    whose, table = _without_withdrawn(whose, table, path, subjects)
    whose = _owners(whose, table, path)
    benchmark = whose.benchmark
    shown = asked.model_copy(
        update={
            "benchmark": benchmark.name,
            "model": f"{PREFIX}{path.stem}",
            "by": benchmark.default_by if asked.by is None else asked.by,
            "similarity": asked.similarity or "cosine",
        }
    )
    digests = Digests(
        benchmark=benchmark.digest,
        samples=_digest(table, whose),
        weights="unknown",
        plan=shown.digest(),
        code=provenance.code_digest(),
    )
    revision = table.digest[:12]
    folder = options.out / results.folder(benchmark.name, path.stem, revision, shown.digest())
    publishing.withdraw(benchmark, (), {}, folder, options)
    made = None if options.fresh else results.finished(folder / "record.json", digests)
    if made is not None:
        return publishing.published(publishing.Made(made), folder, options, lock, reused=True)
    scored = _scored(shown, path, table, whose, digests, options)
    done = publishing.published(from_scores.record_of(scored, options.cache), folder, options, lock, reused=False)
    from_templates.checkpoint_of(digests, "judged", options.cache).clear()
    return done


def _refuse_what_needs_images(asked: plan.AuditPlan) -> None:
    if asked.task != "verification":
        raise PlanError("templates", f"task {asked.task!r} needs pictures", "Templates can be audited for verification")
    for name in ("calibration", "limit", "covariates"):
        if getattr(asked, name):
            raise PlanError("templates", f"the setting {name!r} needs a benchmark's pictures", f"Leave {name!r} out")


def _known(asked: plan.AuditPlan, path: Path, subjects: Path | None, options: plan.RunOptions) -> _Whose:
    """What is known of the people before the templates are read."""
    if asked.benchmark != UNDESCRIBED:
        if subjects is not None:
            raise PlanError("run", "both --benchmark and --subjects are given", "Keep one of them")
        found = benchmarks.load(
            asked.benchmark,
            data=benchmarks.data_entries(options.data),
            obtain=options.obtain,
            acknowledge=asked.acknowledge,
            purposes=asked.all_purposes,
            progress=options.progress or silent,
        )
        require_protocol(asked, found)
        return _Whose(found, found.subjects, {sample.sample_id: sample.subject_id for sample in found.samples})
    if subjects is None:
        raise PlanError(
            "run",
            "templates were given without --subjects",
            "Give a table with subject_id and attributes, or --benchmark",
        )
    people, attributes, _ = undescribed.read(subjects)
    digest = hashlib.sha256(subjects.read_bytes()).hexdigest()
    agreed = replace(UNDOCUMENTED, notices=(NOTICE,))
    name = path.stem
    benchmark = Benchmark(
        name, name, "", Path(), agreed, "", attributes, tuple(attributes)[:1], people, (), digest
    )  # fmt: skip
    return _Whose(benchmark, people, {})


def _without_withdrawn(
    whose: _Whose, table: TemplateTable, path: Path, subjects: Path | None
) -> tuple[_Whose, TemplateTable]:
    """Take out whoever is on a list of withdrawals of the benchmark, or beside the people or the templates."""
    folders = [path.parent, *([whose.benchmark.root] if subjects is None else [subjects.parent])]
    out = withdrawals.among(table.subjects, folders)
    if out is None:
        return whose, table
    table = template_table.without(table, out.subjects)
    if not table.samples:
        raise NothingMeasured(str(path), "everybody in it has withdrawn", "Nothing can be measured")
    left = tuple(subject for subject in whose.subjects if subject.subject_id not in out.subjects)
    benchmark = replace(whose.benchmark, subjects=left, withdrawn=out)
    return replace(whose, benchmark=benchmark, subjects=left), table


def _owners(whose: _Whose, table: TemplateTable, path: Path) -> _Whose:
    """Check whose every template is; a benchmark says so itself."""
    known = {subject.subject_id for subject in whose.subjects}
    for row, (sample, subject) in enumerate(zip(table.samples, table.subjects, strict=True), start=1):
        if whose.owner and whose.owner.get(sample) != subject:
            of = f"belongs to {whose.owner[sample]!r}" if sample in whose.owner else "is none of its samples"
            raise DataError(
                f"{path}, row {row}", f"sample {sample!r} of {subject!r} {of} in {whose.benchmark.name}", "Mend the ids"
            )
        if subject not in known:
            raise DataError(
                f"{path}, row {row}, column 'subject_id'", f"{subject!r} is not in the table of people", "Add it there"
            )
    owner = dict(whose.owner) or dict(zip(table.samples, table.subjects, strict=True))
    seen = set(owner.values())
    return _Whose(whose.benchmark, tuple(s for s in whose.subjects if s.subject_id in seen), owner)


def _scored(
    shown: plan.AuditPlan,
    path: Path,
    table: TemplateTable,
    whose: _Whose,
    digests: Digests,
    options: plan.RunOptions,
) -> from_scores.Scored:
    """Comparisons, people and failures, as the recipe wants them."""
    names = tuple(subject.subject_id for subject in whose.subjects)
    place = {name: index for index, name in enumerate(names)}
    index = np.array([row for row in range(len(table.samples)) if row not in table.failed], dtype=np.int64)
    if len(index) < 2:
        raise NothingMeasured(
            str(path), f"{len(index)} of {len(table.samples):,} templates can be used", "Give templates"
        )
    grouping = groups.make(whose.benchmark, shown.by or (), whose.subjects, shown.impostors)
    subject = np.array([place[table.subjects[row]] for row in index], dtype=np.int64)
    similarity = shown.similarity or "cosine"
    chosen = from_templates.Templates(
        [table.samples[row] for row in index], from_templates.rows_of(table.rows, index), subject
    )
    kept_at = from_templates.checkpoint_of(digests, "judged", options.cache)
    comparisons, sampling, lossy = from_templates.compared(
        whose.benchmark, chosen, grouping, similarity, shown, options, kept_at
    )
    everyone = People(names, grouping, ())
    absent = len(whose.benchmark.subjects) - len(names)
    remarks = [f"{absent:,} people of the table have no sample; they are not counted."] if absent else []
    remarks += [f"Templates are stored as {table.stored} in the file."] if table.stored != "float32" else []
    return from_scores.Scored(
        shown,
        whose.benchmark,
        _model(path, table, similarity),
        digests,
        everyone,
        everyone,
        comparisons,
        comparisons,
        _acquired(table, whose, place),
        similarity,
        remarks=tuple(remarks),
        device=options.device,
        sampling=sampling,
        lossy=lossy,
    )


def _acquired(table: TemplateTable, whose: _Whose, place: Mapping[str, int]) -> Acquired:
    """Samples and failures of every subject."""
    size = len(place)
    samples = np.bincount([place[subject] for subject in whose.owner.values()], minlength=size)
    reasons: dict[tuple[str, str], Any] = {}
    why = {table.samples[row]: reason for row, reason in table.failed.items()}
    why |= dict.fromkeys(set(whose.owner) - set(table.samples), WITHOUT)
    for sample, reason in why.items():
        row = reasons.setdefault(("template", reason), np.zeros(size, dtype=np.int64))
        row[place[whose.owner[sample]]] += 1
    failed = sum(reasons.values(), np.zeros(size, dtype=np.int64))
    return Acquired(failed, samples, reasons, unit="sample")


def _model(path: Path, table: TemplateTable, similarity: str) -> ModelPart:
    """All that is known of what extracted the templates: a name."""
    return ModelPart(
        name=path.stem,
        revision=table.digest[:12],
        weights_sha256="unknown",
        licence="",
        training_data="",
        training_consent="",
        source="templates given by somebody else; faceaudit did not run the model",
        similarity=similarity,
        dimension=table.rows.shape[1],
        preprocessing="unknown",
        preprocessing_text="Not known: only templates were given.",
    )


def _digest(table: TemplateTable, whose: _Whose) -> str:
    """Everything that decides a number: templates, whose they are, and labels."""
    labels = sorted(
        [subject.subject_id, sorted((name, *values) for name, values in subject.attributes.items())]
        for subject in whose.subjects
    )
    pairs = None if whose.benchmark.pairs is None else sorted(whose.benchmark.pairs)
    parts: list[object] = [table.digest, sorted(whose.owner.items()), labels, pairs]
    if whose.benchmark.folds:
        parts.append(["folds", sorted([*pair, fold] for pair, fold in whose.benchmark.folds.items())])
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
