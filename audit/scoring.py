"""The recipe for scores that somebody else computed: from a table of comparisons to the same record as a run.

Templates and images are out of reach here, so what `run` knows of them is asked for or counted: who took part (a table
of people), which samples were tried (a table of samples), and which comparisons have no score. From there on the code
is that of `from_scores.record_of`.

Failures are counted by sample where sample ids are given and every missing score is explained by a sample that has no
score at all; otherwise by side of a comparison, and the record says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from audit import groups, missing_scores, plan, provenance, results, score_table
from audit.benchmarks import descriptor, pass_gate, people, recognise, tables, undescribed, withdrawals
from audit.benchmarks.places import Found
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.errors import DataError, NothingMeasured, PlanError
from audit.evaluation import Evaluation
from audit.inputs import People
from audit.recipe import from_scores, publishing
from audit.record import Digests, ModelPart
from audit.score_table import ScoreTable

UNDOCUMENTED = Consent(
    tier="undocumented",
    statement="",
    statement_source="",
    licence="",
    purposes={},
    minors="unknown",
    live=False,
    withdrawal="",
    notices=(
        "Nothing is documented about the consent of the people behind these scores: no benchmark card was given.",
    ),
)
SOURCE = "scores given by somebody else; faceaudit did not run the model"
NO_IDS = "The table names no samples: a comparison that stands in it twice cannot be told."


@dataclass(frozen=True, slots=True)
class Given:
    """The files of `faceaudit score`.

    Parameters
    ----------
    scores : table of comparisons
    subjects : table with `subject_id` and attributes; None: nobody's labels are known
    samples : table with `sample_id` and `subject_id`, failed ones included
    card : descriptor (croissant.json) of the benchmark behind the scores; None: consent is not documented
    distance : scores are dissimilarities
    model_name, model_revision : what computed the scores
    """

    scores: Path
    subjects: Path | None = None
    samples: Path | None = None
    card: Path | None = None
    distance: bool = False
    model_name: str = "scores"
    model_revision: str = ""


def evaluate(given: Given, settings: Mapping[str, Any], options: plan.RunOptions) -> Evaluation:
    """Audit scores; the record and its report are written below `options.out`.

    Parameters
    ----------
    settings : fields of `AuditPlan` but benchmark and model

    Raises
    ------
    Refused
        The card's tier or terms forbid it.
    AuditError
        See `audit.errors`.
    """
    results.require_writable(options.out)
    for path in (given.scores, given.subjects, given.samples):
        if path is not None:
            recognise.check_file(path, place=str(path))
    stated = plan.make({**settings, "benchmark": "unknown", "model": given.model_name}, place="score")
    benchmark = _benchmark(given, stated)
    known = [subject.subject_id for subject in benchmark.subjects] or None
    samples = _samples(given.samples, known)
    table = score_table.read(given.scores, subjects=known, samples=samples, distance=given.distance)
    if table.samples is not None:
        recognise.check_paths(_as_paths(table), place=str(given.scores))
    if known is None:
        benchmark = replace(benchmark, subjects=tuple(Subject(name, {}) for name in table.subjects))
    revision = given.model_revision or _digest(given, table, samples, benchmark)[:12]
    benchmark, table = _without_withdrawn(given, benchmark, table)
    wanted = plan.make(
        {"by": benchmark.default_by, **settings, "benchmark": benchmark.name, "model": given.model_name}, place="score"
    )
    _refuse_what_needs_images(wanted)
    digests = Digests(
        benchmark=benchmark.digest,
        samples=_digest(given, table, samples, benchmark),
        weights="unknown",
        plan=wanted.digest(),
        code=provenance.code_digest(),
    )
    folder = options.out / results.folder(benchmark.name, given.model_name, revision, wanted.digest())
    publishing.withdraw(benchmark, (), {}, folder, options)
    made = None if options.fresh else results.finished(folder / "record.json", digests)
    if made is not None:
        return publishing.published(publishing.Made(made), folder, options, reused=True)
    return publishing.published(
        from_scores.record_of(_scored(given, table, benchmark, wanted, digests, revision), options.cache),
        folder,
        options,
        reused=False,
    )


def _as_paths(table: ScoreTable) -> Iterator[str]:
    """Sample ids as the paths that they are or stand for: with the folder of their person, and with a suffix."""
    for name, owner in zip(table.samples or (), table.owner, strict=True):
        yield name
        if "/" not in name:
            yield f"{table.subjects[owner]}/{name}" + ("" if Path(name).suffix else ".jpg")


def _without_withdrawn(given: Given, benchmark: Benchmark, table: ScoreTable) -> tuple[Benchmark, ScoreTable]:
    """Take out whoever is on a list of withdrawals beside the card, the people or the scores."""
    folders = [path.parent for path in (given.card, given.subjects, given.scores) if path is not None]
    out = withdrawals.among(table.subjects, folders)
    if out is None:
        return benchmark, table
    table = score_table.without(table, out.subjects)
    if not len(table.score):
        raise NothingMeasured(str(given.scores), "everybody in it has withdrawn", "Nothing can be measured")
    left = tuple(subject for subject in benchmark.subjects if subject.subject_id not in out.subjects)
    return replace(benchmark, subjects=left, withdrawn=out), table


def _refuse_what_needs_images(wanted: plan.AuditPlan) -> None:
    if wanted.task != "verification":
        raise PlanError("score", f"task {wanted.task!r} needs pictures", "Scores can be audited for verification only")
    for name in ("calibration", "limit"):
        if getattr(wanted, name):
            raise PlanError("score", f"the setting {name!r} needs a benchmark", f"Leave {name!r} out")
    if wanted.samples:
        raise PlanError("score", "a sample of comparisons is asked for, and all are given", "Leave the sample out")


def _scored(
    given: Given, table: ScoreTable, benchmark: Benchmark, wanted: plan.AuditPlan, digests: Digests, revision: str
) -> from_scores.Scored:
    """Comparisons, people and failures, as the recipe wants them."""
    from audit.compare.pairs import ListedPairs  # noqa: PLC0415 - loads the compiler, which a finished run does not need

    rows = ~table.missing
    used = table.score[rows]
    if not len(used):
        raise NothingMeasured(str(given.scores), f"none of {len(rows):,} comparisons has a score", "Give scores")
    if (used == used[0]).all():
        raise NothingMeasured(
            str(given.scores),
            f"every score is {used[0]:g}: no threshold tells anybody apart",
            "Give the scores themselves",
        )
    seen = np.zeros(len(table.subjects), dtype=bool)
    seen[table.probe] = seen[table.reference] = True
    seen[table.owner] = True
    by_id = {subject.subject_id: subject for subject in benchmark.subjects}
    names = tuple(name for name, kept in zip(table.subjects, seen, strict=True) if kept)
    grouping = groups.make(benchmark, wanted.by or (), [by_id[name] for name in names], wanted.impostors)
    place = np.cumsum(seen, dtype=np.int32) - 1
    probe, reference = place[table.probe[rows]], place[table.reference[rows]]
    comparisons = ListedPairs(probe, reference, used, grouping.atom_of, grouping.atoms)
    everyone = People(names, grouping, ())
    return from_scores.Scored(
        wanted,
        benchmark,
        _model(given, revision),
        digests,
        everyone,
        everyone,
        comparisons,
        comparisons,
        missing_scores.acquired(table, place, len(names)),
        "euclidean" if given.distance else "given",
        remarks=_noticed(table, rows.sum(), len(benchmark.subjects) - len(names)),
        device="none",
    )


def _noticed(table: ScoreTable, scored: int, absent: int) -> tuple[str, ...]:
    made = []
    gone = len(table.score) - scored
    if gone:
        made.append(f"{gone:,} of {len(table.score):,} comparisons have no score; they are counted as failures.")
    if table.samples is None:
        made.append(NO_IDS)
    if table.blank:
        made.append(f"{table.blank:,} rows of the scores are empty; they are not counted.")
    if absent:
        made.append(f"{absent:,} people of the table stand in no comparison; they are not counted.")
    if table.unread:
        more = f" and {len(table.unread) - 5:,} more" if len(table.unread) > 5 else ""
        made.append(f"Columns of the scores that were not read: {', '.join(table.unread[:5])}{more}.")
    return tuple(made)


def _model(given: Given, revision: str) -> ModelPart:
    """All that is known of what computed the scores: a name."""
    kind = "distance, negated" if given.distance else "similarity"
    return ModelPart(
        name=given.model_name,
        revision=revision,
        weights_sha256="unknown",
        licence="",
        training_data="",
        training_consent="",
        source=SOURCE,
        similarity=f"given as {kind}",
        dimension=0,
        preprocessing="unknown",
        preprocessing_text="Not known: only scores were given.",
    )


def _benchmark(given: Given, stated: plan.AuditPlan) -> Benchmark:
    """What is known of the people behind the scores."""
    if given.card is None:
        subjects: tuple[Subject, ...] = ()
        attributes: dict[str, Attribute] = {}
        if given.subjects is not None:
            subjects, attributes, _ = undescribed.read(given.subjects)
        name = given.scores.stem
        by = tuple(attributes)[:1]
        return Benchmark(
            name, name, "", Path(), UNDOCUMENTED, "", attributes, by, subjects, (),
            hashlib.sha256(b"").hexdigest() if given.subjects is None else _file_digest(given.subjects),
        )  # fmt: skip
    described = descriptor.read(given.card)
    dataset = described.dataset
    recognise.check_file(given.card, place=str(given.card), of_folder=True)
    agreed = pass_gate(
        Found(described, None, recognise.by_descriptor(dataset)),
        place=str(given.card),
        acknowledge=stated.acknowledge,
        purposes=stated.all_purposes,
    )
    if given.subjects is None:
        raise PlanError(
            "score", "--benchmark-card was given without --subjects", "Give the table of people it describes"
        )
    frame = tables.read(given.subjects, required=["subject_id"])
    specs = []
    for spec in dataset.attributes:
        column = next((name for name in (spec.column, spec.name) if name in frame.columns), None)
        if column is None:
            raise DataError(
                str(given.subjects),
                f"the column {spec.name!r} is missing, but the card describes it",
                f"Columns are {', '.join(frame.columns)}",
            )
        specs.append(spec.model_copy(update={"column": column}))
    subjects, notes = people.subjects(frame, given.subjects, key="subject_id", specs=specs, separator="|")
    return Benchmark(
        name=dataset.name,
        title=dataset.title,
        version=dataset.version,
        root=Path(),
        consent=agreed,
        citation=dataset.citation,
        attributes=described.attributes,
        default_by=dataset.default_by,
        subjects=subjects,
        samples=(),
        digest=described.digest,
        limits=(*dataset.limitations, *dataset.biases),
        notes=notes,
        descriptor=described.published,
    )


def _samples(path: Path | None, known: list[str] | None) -> dict[str, str] | None:
    """Sample id to subject id."""
    if path is None:
        return None
    frame = tables.read(path, required=["sample_id", "subject_id"], key="sample_id")
    people_ = set(known or ())
    for row, subject in frame["subject_id"].items():
        if known is not None and subject not in people_:
            raise DataError(
                f"{path}, row {row}, column 'subject_id'",
                f"{subject!r} is not in the table of --subjects",
                "Add it there",
            )
    return dict(zip(frame["sample_id"], frame["subject_id"], strict=True))


def _digest(given: Given, table: ScoreTable, samples: Mapping[str, str] | None, benchmark: Benchmark) -> str:
    """Everything that decides a number: scores, which way they point, samples, and labels."""
    labels = sorted(
        [subject.subject_id, sorted((name, *values) for name, values in subject.attributes.items())]
        for subject in benchmark.subjects
    )
    parts = [table.digest, given.distance, None if samples is None else sorted(samples.items()), labels]
    if benchmark.withdrawn is not None:
        parts.append(["withdrawn", benchmark.withdrawn.digest])
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
