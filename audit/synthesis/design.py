"""Who is in the set and what is changed in whom: factors crossed, everything else drawn.

Morph, tone band, age band and gender are crossed with equal counts; hair style is balanced inside every such cell, and
hair colour is independent of all. So no group differs from another by anything but what names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audit.synthesis import people, views
from audit.synthesis.assets import Modifier
from audit.synthesis.people import MORPHS, Gender, HairColour, HairStyle, Morph, Person
from audit.synthesis.views import View

Shared = Literal["hair", "skin"]
Factor = Literal["tone", "light", "hair", "morph"]

TONES: dict[str, tuple[float, float]] = {"darker": (-50.0, 5.0), "lighter": (15.0, 60.0)}
"""Bands of skin tone: ITA in degrees, least and most."""
AGES: dict[str, tuple[float, float]] = {"20-34": (20.0, 35.0), "35-49": (35.0, 50.0), "50-70": (50.0, 70.0)}
STYLES: tuple[HairStyle, ...] = get_args(HairStyle)
COLOURS: tuple[HairColour, ...] = get_args(HairColour)
GENDERS: tuple[Gender, ...] = get_args(Gender)

TONE_STEPS = (-45.0, -25.0, -5.0, 15.0, 35.0, 55.0)
"""ITA of the tone series, degrees."""
LIGHT_STEPS = {"1": 1.0, "1/4": 1 / 4, "1/16": 1 / 16, "1/64": 1 / 64}
"""Light of the light series, as shares; the exposure stays that of the first."""
HAIR_STEPS: tuple[HairStyle, ...] = ("bald", "short", "curls", "long")
STEPS: dict[Factor, tuple[str, ...]] = {
    "tone": tuple(f"{ita:g}" for ita in TONE_STEPS),
    "light": tuple(LIGHT_STEPS),
    "hair": HAIR_STEPS,
    "morph": MORPHS,
}
"""Levels of every factor of the series, in order."""
_ONE_SKIN = 25.0
"""ITA of the skin that all have where skin is shared."""


class Settings(BaseModel):
    """What decides a set: how many people, of how many of them series are made, the seed, what all people share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(324, ge=2, le=99_999)
    series: int = Field(60, ge=0)
    seed: int = Field(1, ge=0, lt=2**32)
    shared: tuple[Shared, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast:
    """A person of the set by id, with the photographs taken; `series` is None for those who have none."""

    subject_id: str
    person: Person
    views: tuple[View, ...]
    series: View | None


def tone_band(ita: float) -> str:
    """Band of a skin tone: the nearer one where the tone lies between two."""
    return min(TONES, key=lambda band: max(TONES[band][0] - ita, ita - TONES[band][1]))


def age_band(age: float) -> str:
    """Band of an age."""
    return next(band for band, (_, most) in AGES.items() if age < most or band == list(AGES)[-1])


def cast(settings: Settings, modifiers: dict[str, Modifier]) -> list[Cast]:
    """Draw the people of a set and their photographs; the same settings give the same people."""
    rng = np.random.default_rng([settings.seed, 0])
    rows = _crossed(settings.people, rng)
    chosen = _for_series(rows, settings.series, rng)
    made = [_person(k, row, settings, modifiers, chosen.get(k)) for k, row in enumerate(rows)]
    digits = max(3, len(str(len(made))))
    return [
        Cast(
            f"p{k + 1:0{digits}d}",
            person,
            tuple(views.draw(person.seed, name) for name in views.NAMES),
            views.draw(person.seed, "series") if k in chosen else None,
        )
        for k, person in enumerate(made)
    ]


def changes(person: Person, view: View) -> Iterator[tuple[Factor, str, Person, View]]:
    """Every photograph of a series that is not the person's own: one factor changed at a time."""
    for ita in TONE_STEPS:
        if ita != person.skin.ita:
            yield "tone", f"{ita:g}", person.with_tone(ita), view
    for name, share in LIGHT_STEPS.items():
        if share != 1:
            yield "light", name, person, view.dimmed(share)
    for style in HAIR_STEPS:
        if style != person.hair.style:
            yield "hair", style, person.with_hair(style), view
    for morph in MORPHS:
        if morph != person.morph:
            yield "morph", morph, person.with_morph(morph), view


def own_levels(person: Person) -> dict[Factor, str]:
    """The person's own level of every factor."""
    return {"tone": f"{person.skin.ita:g}", "light": "1", "hair": person.hair.style, "morph": person.morph}


@dataclass(frozen=True, slots=True)
class _Row:
    morph: Morph
    tone: str
    gender: Gender
    age: str
    style: HairStyle
    colour: HairColour

    @property
    def group(self) -> tuple[str, str]:
        return self.morph, self.tone


def _crossed(count: int, rng: np.random.Generator) -> list[_Row]:
    """Cells in turn; inside a cell styles in turn, from a random one; colours in turn in random order."""
    cells = list(product(MORPHS, TONES, GENDERS, AGES))
    order = [cells[i] for i in rng.permutation(len(cells))]
    # The six default groups come first in every stretch of the list, so that a small set has all of them.
    order = [cell for _, cell in sorted(enumerate(order), key=lambda pair: _rank(pair[0], order))]
    styles = {cell: rng.permutation(len(STYLES)) for cell in cells}
    colours = rng.permutation(np.arange(count) % len(COLOURS))
    made = []
    for k in range(count):
        cell = order[k % len(cells)]
        style = STYLES[int(styles[cell][k // len(cells) % len(STYLES)])]
        morph, tone, gender, age = cell
        made.append(_Row(morph, tone, gender, age, style, COLOURS[int(colours[k])]))
    return made


def _rank(index: int, order: Sequence[tuple[Morph, str, Gender, str]]) -> tuple[int, int]:
    """How many cells of the same morph and tone come before, then the place."""
    return sum(other[:2] == order[index][:2] for other in order[:index]), index


def _for_series(rows: Sequence[_Row], count: int, rng: np.random.Generator) -> dict[int, float]:
    """Choose people whose own hair is a step, even over groups, hair, gender and age; each with a step of tone."""
    able = [int(k) for k in rng.permutation(len(rows)) if rows[k].style in HAIR_STEPS]
    seen: Counter[object] = Counter()
    chosen: dict[int, float] = {}
    for _ in range(min(count, len(able))):
        best = min(able, key=lambda k: (seen[rows[k].group], seen[rows[k].style], seen[rows[k].gender, rows[k].age]))
        row = rows[best]
        low, high = TONES[row.tone]
        steps = [ita for ita in TONE_STEPS if low <= ita <= high]
        step = min(steps, key=lambda ita: (seen[row.group, ita], seen[ita]))
        seen.update([row.group, row.style, (row.gender, row.age), (row.group, step), step])
        able.remove(best)
        chosen[best] = step
    return chosen


def _person(index: int, row: _Row, settings: Settings, modifiers: dict[str, Modifier], step: float | None) -> Person:
    seed = int(np.random.SeedSequence([settings.seed, 1, index]).generate_state(1)[0] >> 1)
    rng = people.stream(seed, "factors")
    low, high = AGES[row.age]
    age = float(rng.uniform(low, high - 0.1))
    tone = float(rng.uniform(*TONES[row.tone]))
    style = "bald" if "hair" in settings.shared else row.style
    person = people.draw(
        seed,
        modifiers,
        morph=row.morph,
        gender=row.gender,
        age=age,
        ita=tone if step is None else step,
        style=style,
        colour=row.colour,
    )
    if "skin" not in settings.shared:
        return person
    donor = people.draw(
        settings.seed,
        modifiers,
        morph="A",
        gender="female",
        age=age,
        ita=_ONE_SKIN,
        style=style,
        colour=row.colour,
    )
    return person.with_skin_of(donor)
