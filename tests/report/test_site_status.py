"""Which evaluations still stand, on every order of versions and dates."""

from __future__ import annotations

from pathlib import Path

import pytest
import site_results as given
from hypothesis import given as having
from hypothesis import strategies as st

from audit.report.site.gather import gather
from audit.report.site.names import shown, slug
from audit.report.site.status import statuses, version_key


def states(folder: Path) -> dict[str, tuple[str, str | None]]:
    found, unreadable = gather(folder, without=folder / "site")
    assert not unreadable
    return {place: (s.state, s.by.place if s.by else None) for place, s in statuses(found).items()}


def test_a_later_evaluation_with_the_same_plan_supersedes(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        given.put(tmp_path, f"d{day}", given.small(created=f"2026-01-0{day}T00:00:00Z"))
    assert states(tmp_path) == {"d1": ("superseded", "d3"), "d2": ("superseded", "d3"), "d3": ("current", None)}


def test_a_newer_version_of_the_benchmark_supersedes_whatever_the_date(tmp_path: Path) -> None:
    given.put(tmp_path, "old", given.small(benchmark={"version": "1.9"}, created="2026-05-01T00:00:00Z"))
    given.put(tmp_path, "new", given.small(benchmark={"version": "1.10"}, created="2026-01-01T00:00:00Z"))
    assert states(tmp_path) == {"old": ("superseded", "new"), "new": ("current", None)}


def test_another_model_revision_or_plan_supersedes_nothing_but_an_old_version_is_stale(tmp_path: Path) -> None:
    record = given.small()
    given.put(tmp_path, "base", record)
    given.put(tmp_path, "plan", given.changed(record, plan={**record.plan, "fmr": [0.1]}, created="2027-01-01T00:00Z"))
    given.put(tmp_path, "revision", given.changed(record, model={"revision": "2"}, created="2027-01-01T00:00Z"))
    given.put(tmp_path, "model", given.changed(record, model={"name": "other"}, benchmark={"version": "4"}))
    assert states(tmp_path) == {
        "base": ("current", None), "plan": ("current", None), "revision": ("current", None), "model": ("stale", None),
    }  # fmt: skip


def test_equals_supersede_neither(tmp_path: Path) -> None:
    for name in "ab":
        given.put(tmp_path, name, given.small())
    assert states(tmp_path) == {"a": ("current", None), "b": ("current", None)}


def test_times_are_compared_across_zones(tmp_path: Path) -> None:
    given.put(tmp_path, "early", given.small(created="2026-01-01T10:00:00+05:00"))
    given.put(tmp_path, "late", given.small(created="2026-01-01T06:00:00+00:00"))
    assert states(tmp_path)["early"] == ("superseded", "late")


def test_a_marker_supersedes_and_cannot_point_out_of_the_results(tmp_path: Path) -> None:
    folder = given.put(tmp_path, "marked", given.small(model={"name": "m"}))
    given.put(tmp_path, "next", given.small())
    for by, expected in (
        ('"next"', "next"),
        ('"next/record.json"', "next"),
        ('"../../etc"', None),
        ("null", None),
        ("7", None),
    ):
        (folder / "superseded.json").write_text(f'{{"on": "2026-01-01", "reason": "r", "by": {by}}}')
        assert states(tmp_path) == {"marked": ("superseded", expected), "next": ("current", None)}


def test_links_to_folders_are_not_followed_and_the_site_is_left_out(tmp_path: Path) -> None:
    given.put(tmp_path, "results/one", given.small())
    given.put(tmp_path, "results/site/evaluations/copy", given.small())
    (tmp_path / "results" / "loop").symlink_to(tmp_path / "results", target_is_directory=True)
    assert list(states(tmp_path / "results")) == ["one"]


@pytest.mark.parametrize("versions", [["", "1", "1.9-beta", "1.9", "1.9.1", "1.10", "2", "10"], ["5", "2024-01-01"]])
def test_versions_are_ordered_as_people_do(versions: list[str]) -> None:
    mixed = versions[::-1]
    assert sorted(mixed, key=version_key) == versions


@having(st.text(max_size=200), st.text(max_size=200))
def test_names_are_plain_short_and_distinct(one: str, other: str) -> None:
    names = [slug(one), slug(other)]
    for name in names:
        assert name.isascii()
        assert len(name) <= 49
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert name[0] != "-"
    assert (names[0] == names[1]) == (one == other)
    assert len(shown(one)) <= 64
    assert "\n" not in shown(one)
