"""`faceaudit compare` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from london_run import Run, faceaudit
from policy_records import made_record

from audit.record import read


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    root = tmp_path_factory.mktemp("compare")
    return root / "cache", [made_record(root / name, root / "cache", seed=k)[0] for k, name in enumerate("ab")]


def compare(folder: Path, *arguments: str | Path, cache: Path | None = None) -> Run:
    env = {"FACEAUDIT_CACHE": str(cache or folder / "none"), "COLUMNS": "200"}
    return faceaudit("compare", *arguments, env=env, cwd=folder)


def test_with_the_cache_it_pairs_and_without_it_bounds(made: tuple[Path, list[Path]], tmp_path: Path) -> None:
    cache, records = made
    widths = []
    for where, how in ((cache, "paired"), (tmp_path / "empty", "bounded")):
        run = compare(tmp_path, *records, "--json", cache=where)
        assert run.code == 0, run.stderr
        found = json.loads(run.stdout)
        assert found["schema"] == "faceaudit/compare-1"
        rows = [d for d in found["differences"] if d["metric"] == "FMR" and d["operating_point"] == "global-fmr-0.01"]
        assert {d["how"] for d in rows} == {how}
        assert [d["group"] for d in rows] == [{"grp": "a"}, {"grp": "b"}, {"grp": "c"}]  # everyone's is the target
        widths.append([d["ratio_interval"]["high"] / d["ratio_interval"]["low"] for d in rows])
    assert all(paired < bounded for paired, bounded in zip(*widths, strict=True))


def test_the_table_and_the_files(made: tuple[Path, list[Path]], tmp_path: Path) -> None:
    cache, records = made
    run = compare(tmp_path, *[r.parent for r in records], "--out", "o", cache=cache)
    assert run.code == 0, run.stderr
    assert "120 people stand in both: differences are paired" in run.stdout
    assert "not the same samples" in run.stdout
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"compare.json", "comparison.html"}
    assert compare(tmp_path, *records, "--quiet", cache=cache).stdout == ""


@pytest.mark.parametrize(("count", "said"), [(1, "Give two records or more"), (3, "given twice")])
def test_mistakes_are_one_line(made: tuple[Path, list[Path]], tmp_path: Path, count: int, said: str) -> None:
    run = compare(tmp_path, *(made[1] * 2)[:count])
    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert said in run.stderr


def test_a_record_that_is_none_is_named(made: tuple[Path, list[Path]], tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    run = compare(tmp_path, made[1][0], "x.json")
    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert "x.json" in run.stderr


@pytest.mark.london
def test_two_models_on_london(
    london_results: tuple[Path, Run], london_env: dict[str, str], london: Path, tmp_path: Path
) -> None:
    """The same 102 people: paired; ratios are those of the records; nobody is named."""
    records = [Path(one["record"]) for one in london_results[1].evaluations]
    run = compare(tmp_path, *records, "--out", "o", "--json", cache=Path(london_env["FACEAUDIT_CACHE"]))
    assert run.code == 0, run.stderr
    found = json.loads(run.stdout)
    assert "102 people stand in both" in next(r["text"] for r in found["remarks"] if r["about"] == "people")
    assert {r["about"]: r["same"] for r in found["remarks"]}["samples"]
    first, second = (read(path) for path in records)
    for d in found["differences"]:
        if d["operating_point"] == "global-fmr-0.01" and d["metric"] == "FMR":
            a, b = (
                next(
                    r for r in record.rates if r.metric == "FMR" and r.group == d["group"] and not r.reference_group
                    and r.operating_point == "global-fmr-0.01"
                )
                for record in (first, second)
            )  # fmt: skip
            assert (d["first"]["errors"], d["second"]["errors"]) == (a.errors, b.errors)
            assert d["how"] == "paired"
            if d["ratio"]:
                assert d["ratio"] == pytest.approx(b.value / a.value)
                assert d["ratio_interval"]["low"] <= d["ratio"] <= d["ratio_interval"]["high"]
    page = (tmp_path / "o" / "comparison.html").read_text(encoding="utf-8")
    assert not [path.stem for path in london.rglob("*.jpg") if path.stem in page]
    assert str(tmp_path) not in page
