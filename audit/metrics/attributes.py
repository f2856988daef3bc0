"""Errors of what a model says of a face, by person: from labels to rates in two views.

Definitions. CER, the classification error rate: of the pictures of people with a true label, the share in which the
model says another one. Within one true class it is 1 - recall of that class, the reading of Buolamwini & Gebru (2018),
Gender Shades, whose tables call that recall "PPV". NPR: the share that was *not processed* (no face, the model failed,
or a true label that it has no word for). Two views, always both: `conditional` leaves these out, `generalised` counts
them as errors. Balanced accuracy is the mean recall over the true classes (Brodersen et al. 2010, ICPR).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare.counts import Ints
from audit.domain import UNKNOWN, Attribute, DemographicGroup, Interval, Subject
from audit.groups import Grouping
from audit.metrics.by_person import Trials, nobody
from audit.metrics.evaluation import Metric
from audit.metrics.rates import by_subject, interval, joint_covariance

NO_WORD = -1
NO_TRUTH = -1


@dataclass(frozen=True)
class Vocabulary:
    """What a benchmark's labels and a model's labels have in common.

    Parameters
    ----------
    values : true labels that occur, in the benchmark's words and order
    words : what the model can say: the benchmark's word where both have it, else the model's own
    """

    values: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def unsayable(self) -> tuple[str, ...]:
        """True labels that the model cannot say: its every answer about these people would be wrong."""
        return tuple(value for value in self.values if value not in self.words)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Words of the model that are nobody's true label here."""
        return tuple(word for word in self.words if word not in self.values)

    def word_of(self) -> Ints:
        """Index of the word for each value, (values,); NO_WORD where there is none."""
        known = {word: k for k, word in enumerate(self.words)}
        return np.array([known.get(value, NO_WORD) for value in self.values], dtype=np.int64)


def vocabulary(values: Sequence[str], labels: Sequence[str], words: Mapping[str, str]) -> Vocabulary:
    """Match a model's labels with a benchmark's: by the words declared for them, else by being the same.

    Parameters
    ----------
    values : true labels that occur
    labels : of the model
    words : the model's label to the benchmark's word for it

    Raises
    ------
    ValueError
        If two labels of the model get one word.

    >>> vocabulary(["female", "male", "nonbinary"], ["Woman", "Man"], {"Woman": "female", "Man": "male"}).unsayable
    ('nonbinary',)
    """
    said = tuple(words.get(label, label) for label in labels)
    twice = {word for word in said if said.count(word) > 1}
    if twice:
        raise ValueError(f"two labels of the model are called {', '.join(sorted(twice))}")
    return Vocabulary(tuple(values), said)


def true_labels(subjects: Sequence[Subject], attribute: Attribute) -> tuple[tuple[str, ...], Ints, dict[str, int]]:
    """The true label of each person.

    Returns
    -------
    (values, truth, without)
        Values that occur, in the descriptor's order; index of each person's, (n,), NO_TRUTH where there is none; how
        many people have none, by reason.
    """
    held = [subject.attributes.get(attribute.name, ()) for subject in subjects]
    single = [one[0] if len(one) == 1 and one[0] != UNKNOWN else None for one in held]
    present = {value for value in single if value is not None}
    values = tuple([v for v in attribute.values if v in present] + sorted(present - set(attribute.values)))
    truth = np.array([NO_TRUTH if value is None else values.index(value) for value in single], dtype=np.int64)
    several = sum(len(one) > 1 for one in held)
    reasons = {"no label": int((truth == NO_TRUTH).sum()) - several, "several labels": several}
    return values, truth, {why: number for why, number in reasons.items() if number}


@dataclass(frozen=True, eq=False)
class LabelOutcomes:
    """What a model said of each person's pictures.

    Parameters
    ----------
    vocabulary : of both
    truth : int, (n,), index of the true label; NO_TRUTH where it is not known
    said : int, (n, words): pictures of the person of which the model said the word
    lost : int, (n,): pictures of which it said nothing
    """

    vocabulary: Vocabulary
    truth: Ints
    said: Ints
    lost: Ints

    @property
    def sayable(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """People whose true label is known, and the model has a word for it, (n,)."""
        return np.asarray((self.truth != NO_TRUTH) & (self._word() != NO_WORD))

    def _word(self) -> Ints:
        word = np.append(self.vocabulary.word_of(), NO_WORD)  # the last is for people without truth
        return np.asarray(word[self.truth], dtype=np.int64)

    def right(self) -> Ints:
        """Pictures of which the true label was said, (n,)."""
        word = self._word()
        found = self.said[np.arange(len(self.truth)), np.maximum(word, 0)] if self.said.shape[1] else self.lost * 0
        return np.asarray(np.where(self.sayable, found, 0), dtype=np.int64)

    def confusion(self, people: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
        """Pictures of these people by true label and word said, (values, words + 1); last: not processed."""
        made = np.zeros((len(self.vocabulary.values), self.said.shape[1] + 1), dtype=np.int64)
        for k in range(len(made)):
            chosen = people & (self.truth == k)
            made[k, :-1], made[k, -1] = self.said[chosen].sum(axis=0), self.lost[chosen].sum()
        return made


@dataclass(frozen=True, eq=False)
class Decided:
    """Trials of one kind of decision, by person.

    Parameters
    ----------
    id : the decision, as an operating point's id
    metric : what an error is called
    errors, trials : int, (n,): wrong, and of how many pictures
    lost : int, (n,): pictures that ought to have been decided and were not processed
    set_on : the rule in words
    years : the number that the rule is about; None where it is about a label
    """

    id: str
    metric: Metric
    errors: Ints
    trials: Ints
    lost: Ints
    set_on: str
    years: float | None = None

    def counted(self) -> Trials:
        """Errors among what was processed, and how often it was not."""
        return {self.metric: (self.errors, self.trials), "NPR": (self.lost, self.trials + self.lost)}

    def generalised(self) -> Trials:
        """Errors, what was not processed among them."""
        return {self.metric: (self.errors + self.lost, self.trials + self.lost)}


def decided(outcomes: LabelOutcomes, name: str) -> Decided:
    """Classification errors among what was processed; a true label that the model cannot say is not processed."""
    can = outcomes.sayable
    total = outcomes.said.sum(axis=1)
    trials = np.where(can, total, 0)
    unsaid = np.where((outcomes.truth != NO_TRUTH) & ~can, total, 0)
    lost = np.where(outcomes.truth != NO_TRUTH, outcomes.lost, 0) + unsaid
    return Decided(name, "CER", trials - outcomes.right(), trials, lost, "the most probable label")


@dataclass(frozen=True, slots=True)
class Balanced:
    """Balanced accuracy of a group; None with a reason where a true class has nobody."""

    group: DemographicGroup
    value: float | None
    interval: Interval | None
    pictures: int
    subjects: int
    reason: str | None = None


def balanced_accuracies(
    outcomes: LabelOutcomes, grouping: Grouping, *, level: float, min_subjects: int
) -> list[Balanced]:
    """Mean recall over the true classes that the model can say, of every group; clustered by person.

    A group without a picture of one of these classes has none: a mean over other classes is another quantity.
    """
    one = decided(outcomes, "")
    classes = [k for k, word in enumerate(outcomes.vocabulary.word_of()) if word != NO_WORD]
    members = grouping.member[:, grouping.atom_of]
    made = []
    for group, row in zip(grouping.groups, members, strict=True):
        cells = np.array([row & (outcomes.truth == k) for k in classes]).reshape(len(classes), len(row))
        tally = by_subject(one.errors, one.trials, cells)
        people, pictures = int(tally.subjects.sum()), int(tally.trials.sum())
        empty = [outcomes.vocabulary.values[k] for k, tried in zip(classes, tally.trials, strict=True) if not tried]
        why = f"nobody in it is {', '.join(empty)}" if empty else None
        if not classes:
            why = "the model has no word for any true label"
        elif not why and tally.subjects.min() < min_subjects:
            why = f"a true class has fewer than {min_subjects} people"
        if why:
            made.append(Balanced(group, None, None, pictures, people, why))
            continue
        value = 1 - float(tally.rates.mean())
        sigma = joint_covariance(nobody(len(row)), tally)
        variance = float(sigma.sum()) / len(classes) ** 2
        found = interval(value, variance, int(tally.subjects.min()), level, paired=False)
        made.append(Balanced(group, value, found, pictures, people))
    return made
