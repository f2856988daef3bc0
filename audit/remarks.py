"""What a reader must know before the numbers, and what the numbers cannot show."""

from __future__ import annotations

from collections.abc import Sequence

from audit.compare.counts import ScoreCounts
from audit.domain import Benchmark, ErrorRate, Threshold
from audit.extract import Extraction
from audit.groups import Grouping
from audit.inputs import Inputs
from audit.plan import AuditPlan
from audit.record import FoldsPart, Sampling, StorageEffect

HERE = "Rates hold for this benchmark's pictures and people; they do not transfer to other cameras, ages or places."


def of_extraction(inputs: Inputs, extraction: Extraction) -> list[str]:
    """What was noticed while images were processed."""
    made = []
    if extraction.failures:
        made.append(f"{len(extraction.failures)} of {len(inputs.samples)} images could not be processed.")
    passing = sum(failure.passing for failure in extraction.failures.values())
    if passing:
        made.append(f"{passing} of these failures lie with the machine: the same command tries those images again.")
    if extraction.unsaved:
        made.append(f"{extraction.unsaved} outcomes could not be kept in the cache: another run computes them again.")
    if extraction.several_faces:
        made.append(
            f"More than one face was seen in {extraction.several_faces} of {len(inputs.samples)} images; "
            f"the {inputs.plan.several_faces} one was taken."
        )
    return made + without_sample(inputs.benchmark)


def without_sample(benchmark: Benchmark) -> list[str]:
    """That people of the table stand behind no number."""
    owners = {sample.subject_id for sample in benchmark.samples}
    unseen = sum(subject.subject_id not in owners for subject in benchmark.subjects)
    return [f"{unseen} people of the table have no sample; they are not counted."] if unseen else []


def of_groups(grouping: Grouping) -> list[str]:
    """That groups overlap, where somebody carries several values of an attribute."""
    total = len(grouping.atom_of)
    return [
        f"{people} of {total} people carry several values of {name} and count in each: these groups overlap. Their "
        "counts add up to more than the total; comparisons of them take into account whom they share."
        for name, people in grouping.several().items()
    ]


def warnings(
    noticed: Sequence[str],
    plan: AuditPlan,
    benchmark: Benchmark,
    placed: Sequence[Threshold],
    acquisition: Sequence[ErrorRate],
) -> list[str]:
    """What a reader must know before the numbers."""
    made = ["Nothing is documented about consent."] if benchmark.consent.tier == "undocumented" else []
    made += [
        f"Nothing of {rate.group} could be compared: {rate.errors} of {rate.trials} failed."
        for rate in acquisition
        if rate.trials and rate.errors == rate.trials
    ]
    made += noticed
    made += [
        f"Target FMR {point.target_fmr:g} is {point.reason}." for point in placed
        if point.policy == "global" and point.value is None
    ]  # fmt: skip
    out = benchmark.withdrawn
    if out is not None and out.listed:
        who = "1 person has" if out.listed == 1 else f"{out.listed} people have"
        made.append(f"{who} withdrawn from this benchmark (list of {out.date}); nothing of theirs was used.")
    made += list(benchmark.notes)
    if plan.limit:
        made.append(f"A trial run: only the first {plan.limit} subjects were used.")
    return made


def limits(
    benchmark: Benchmark,
    aside: int | None,
    scores: ScoreCounts,
    sampling: Sampling | None = None,
    storage: Sequence[StorageEffect] = (),
    folds: FoldsPart | None = None,
) -> list[str]:
    """What these numbers cannot show; `aside` is how many people set the thresholds without being judged."""
    made = [
        _set_on(aside, folds),
        HERE,
    ]
    if not scores.exact:
        made.append("AUC, EER, d' and curves come from a fine histogram; thresholds and error counts are exact.")
    if sampling is not None:
        made.append(_sample(sampling))
    made += [
        f"Templates were kept as {row.kept_in}: at {row.operating_point}, {row.nonmated:,} of {row.nonmated_of:,} "
        f"non-mated and {row.mated:,} of {row.mated_of:,} mated decisions differ from those on float32."
        for row in storage
    ]
    return made + list(benchmark.limits)


def _set_on(aside: int | None, folds: FoldsPart | None) -> str:
    """Whose comparisons set the thresholds, and whether they are others than those judged."""
    if folds is not None:
        people = "Nobody stands in more than one fold."
        if folds.several:
            people = (
                f"{folds.several:,} of {folds.people:,} people stand in more than one fold: the comparisons that set a "
                "threshold are others than those judged, but not all of other people."
            )
        return f"The threshold of each of the {folds.number} folds was set on the other {folds.number - 1}. {people}"
    if aside is not None:
        return f"Thresholds were set on {aside} people who are not among the judged."
    return (
        "Thresholds were set on the comparisons that they are judged on; separate calibration data would be stricter."
    )


def _sample(sampling: Sampling) -> str:
    """How many comparisons were drawn, what each stands for, and why no more."""
    if sampling.weight is None or sampling.drawn == sampling.of:
        return f"A sample of the non-mated comparisons was asked for; {sampling.stopped}."
    rounds = "" if sampling.precision is None else f" in {len(sampling.rounds)} rounds"
    return (
        f"{sampling.drawn:,} of {sampling.of:,} non-mated comparisons were drawn at random{rounds} (seed "
        f"{sampling.seed}), each with the same chance; each stands for {sampling.weight:,.4g}. Intervals include what "
        f"drawing adds. No more were drawn: {sampling.stopped}. All mated comparisons were made."
    )
