"""Factors are crossed, hair is independent of all, and one change changes one thing."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from audit.synthesis import design, shape, views
from audit.synthesis.assets import assets
from audit.synthesis.design import Cast, Settings


@pytest.fixture(scope="module")
def cast() -> list[Cast]:
    return design.cast(Settings(), assets().modifiers)


def factors(member: Cast) -> dict[str, str]:
    person = member.person
    return {
        "morph": person.morph,
        "tone": design.tone_band(person.skin.ita),
        "gender": person.gender,
        "age": design.age_band(person.age),
        "style": person.hair.style,
        "colour": person.hair.colour,
    }


def test_the_shipped_set_is_fully_crossed(cast: list[Cast]) -> None:
    assert len(cast) == 324
    cells = Counter(
        tuple(factors(member)[name] for name in ("morph", "tone", "gender", "age", "style")) for member in cast
    )
    assert set(cells.values()) == {1}
    assert len(cells) == 3 * 2 * 2 * 3 * 9
    groups = Counter((factors(member)["morph"], factors(member)["tone"]) for member in cast)
    assert set(groups.values()) == {54}


def test_no_two_factors_go_together(cast: list[Cast]) -> None:
    rows = [factors(member) for member in cast]
    for a, b in combinations(rows[0], 2):
        table = np.array(
            [[sum(r[a] == x and r[b] == y for r in rows) for y in sorted({r[b] for r in rows})]
             for x in sorted({r[a] for r in rows})]
        )  # fmt: skip
        assert chi2_contingency(table).pvalue > 0.01, (a, b)


def test_a_small_set_has_every_default_group() -> None:
    few = design.cast(Settings(people=12, series=0), assets().modifiers)
    groups = Counter((factors(member)["morph"], factors(member)["tone"]) for member in few)
    assert set(groups.values()) == {2}


def test_series_are_even_over_groups_hair_gender_age_and_tone(cast: list[Cast]) -> None:
    chosen = [member for member in cast if member.series is not None]
    assert len(chosen) == 60
    rows = [factors(member) for member in chosen]
    assert set(Counter((r["morph"], r["tone"]) for r in rows).values()) == {10}
    assert set(Counter(r["style"] for r in rows)) == set(design.HAIR_STEPS)
    assert max(Counter(r["style"] for r in rows).values()) <= 18
    assert {member.person.skin.ita for member in chosen} == set(design.TONE_STEPS)


def test_every_change_changes_one_thing(cast: list[Cast]) -> None:
    member = next(member for member in cast if member.series is not None)
    assert member.series is not None
    seen: Counter[str] = Counter()
    for factor, level, person, view in design.changes(member.person, member.series):
        seen[factor] += 1
        before, after = member.person.model_dump(), person.model_dump()
        differing = {key for key in before if before[key] != after[key]}
        assert differing == {"tone": {"skin"}, "light": set(), "hair": {"hair"}, "morph": {"morph"}}[factor], level
        assert (view == member.series) == (factor != "light")
        if factor == "light":
            changed = {k for k, v in view.model_dump().items() if v != member.series.model_dump()[k]}
            assert changed == {"key", "fill"}
    assert seen == {"tone": 5, "light": 3, "hair": 3, "morph": 2}


def test_tone_changes_no_vertex_and_a_morph_does(cast: list[Cast]) -> None:
    member = next(member for member in cast if member.series is not None)
    rest = shape.vertices(member.person, "neutral", assets())
    for ita in design.TONE_STEPS:
        assert np.array_equal(shape.vertices(member.person.with_tone(ita), "neutral", assets()), rest)
    assert np.array_equal(shape.vertices(member.person.with_hair("long"), "neutral", assets()), rest)
    others = [morph for morph in "ABC" if morph != member.person.morph]
    for morph in others:
        moved = np.abs(shape.vertices(member.person.with_morph(morph), "neutral", assets()) - rest).max()  # type: ignore[arg-type]
        assert moved > 0.02  # decimetres


def test_yaw_reaches_45_degrees_and_everything_varies(cast: list[Cast]) -> None:
    taken = [view for member in cast for view in member.views]
    assert {view.name for view in taken} == set(views.NAMES)
    yaws = np.array([abs(view.yaw) for view in taken])
    assert 42 < yaws.max() <= 45
    assert len({view.expression for view in taken}) == 7
    for name in ("azimuth", "key", "warmth", "exposure", "blur", "noise", "jpeg"):
        assert len({getattr(view, name) for view in taken}) > 20, name
    assert 0.03 < np.mean([view.glasses for view in taken]) < 0.2


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    first, again, other = (
        design.cast(Settings(people=6, series=0, seed=seed), assets().modifiers) for seed in (4, 4, 5)
    )
    assert first == again
    assert not {member.person.seed for member in first} & {member.person.seed for member in other}


def test_shared_hair_and_skin_leave_shapes_alone() -> None:
    usual = design.cast(Settings(people=6, series=0), assets().modifiers)
    shared = design.cast(Settings(people=6, series=0, shared=("hair", "skin")), assets().modifiers)
    assert [m.person.shape for m in usual] == [m.person.shape for m in shared]
    assert {m.person.hair.style for m in shared} == {"bald"}
    assert len({m.person.skin.model_dump_json() for m in shared}) == 1
    assert len({m.person.brows.model_dump_json() for m in shared}) == 1
