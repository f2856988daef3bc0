"""What a withdrawal deletes: nothing of the person is left in the cache, byte by byte, and no record is lost."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from london_run import Run, faceaudit

from audit import forgetting, influence, superseded
from audit.benchmarks import load, take_out
from audit.domain import Benchmark, Consent, Sample, Subject, Template, Withdrawals
from audit.errors import DataError, Refused
from audit.extract import hash_samples
from audit.record import EvaluationRecord, read
from audit.store import Key, TemplateStore

ROOT = Path(__file__).resolve().parents[1]
WHO = "p003"
OTHERS = "0" * 64
DOMAIN = "benchmark made_up"


def holds(cache: Path, needles: list[bytes]) -> list[str]:
    """Files of a cache in whose name, bytes or unpacked sums one of the needles stands."""
    found = []
    for path in sorted(path for path in cache.rglob("*") if path.is_file()):
        text = str(path.relative_to(cache)).encode() + b"\0" + path.read_bytes()
        if path.suffix == ".people":
            kept = influence._parse(path)
            assert kept is not None
            text += b"\0".join(kept.people.tolist())
        if any(needle in text for needle in needles):
            found.append(path.name)
    return found


@pytest.fixture(scope="module")
def rerun(
    bundled: tuple[Path, Run, Run], bundled_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[bytes], Run]:
    """One of the rendered people withdraws after both audits; the verification is asked for again."""
    folder = tmp_path_factory.mktemp("withdrawn")
    shutil.copytree(ROOT / "benchmarks" / "synthetic", folder / "people")
    shutil.copytree(bundled[0] / "results", folder / "results")
    shutil.copytree(bundled_env["FACEAUDIT_CACHE"], folder / "cache")
    before = load(str(folder / "people"))
    theirs = [s for s in (*before.samples, *(row.sample for row in before.series)) if s.subject_id == WHO]
    digests = {str(found) for found in hash_samples(theirs).values()}
    needles = [digest.encode() for digest in digests]
    kept = [path for path in (folder / "cache" / "templates").rglob("*.outcome") if path.stem in digests]
    body = len(b"faceaudit-outcome-1\n") + 32
    needles += [path.read_bytes()[-64:] for path in kept if path.read_bytes()[body : body + 1] == b"T"]
    needles += [name.encode() for name in influence.hashes([WHO], "benchmark synthetic", folder / "cache")]
    assert len(holds(folder / "cache", needles)) > 2 * len(digests)
    take_out(str(folder / "people"), WHO, dt.date(2026, 3, 1))
    env = {"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(folder / "cache")}
    run = faceaudit(
        "run", "--benchmark", folder / "people", "--model", "dlib", "--json", "--out", "results", env=env, cwd=folder
    )
    assert run.code == 0, run.stderr
    return folder, needles, run


def test_nothing_of_a_withdrawn_person_is_left_in_the_cache(rerun: tuple[Path, list[bytes], Run]) -> None:
    folder, needles, _ = rerun
    assert holds(folder / "cache", needles) == []


def test_the_record_has_no_sample_and_no_comparison_of_theirs(rerun: tuple[Path, list[bytes], Run]) -> None:
    folder, _, run = rerun
    record = read(folder / run.evaluations[0]["record"])
    assert (record.samples.total, record.samples.subjects) == (1296 - 4, 323)
    assert record.samples.mated == 323 * 6
    assert record.samples.nonmated == 1292 * 1291 // 2 - 323 * 6
    out = record.benchmark.withdrawn
    assert out is not None
    assert (out.listed, out.people, out.date) == (1, 1, "2026-03-01")
    said = "1 person has withdrawn from this benchmark (list of 2026-03-01); nothing of theirs was used."
    assert said in record.warnings
    page = (folder / run.evaluations[0]["report"]).read_text(encoding="utf-8")
    assert "nothing of theirs was used" in page
    text = (folder / run.evaluations[0]["record"]).read_text(encoding="utf-8")
    assert WHO not in text
    assert (folder / "people" / "withdrawn.csv").read_text(encoding="utf-8").split("\n")[1].split(",")[0] not in text


def test_earlier_records_are_kept_and_marked(rerun: tuple[Path, list[bytes], Run]) -> None:
    folder, _, run = rerun
    now = Path(run.evaluations[0]["record"])
    earlier = Path(run.evaluations[0]["supersedes"])
    before = read(folder / earlier)
    assert before.samples.subjects == 324
    assert before.benchmark.withdrawn is None
    reason = "1 person has withdrawn since this was measured (list of 2026-03-01)."
    marked = json.loads((folder / earlier.parent / "superseded.json").read_text(encoding="utf-8"))
    assert (marked["reason"], marked["by"]) == (reason, now.parent.relative_to("results").as_posix())
    assert not (folder / now.parent / "superseded.json").exists()
    markers = sorted((folder / "results").rglob("superseded.json"))
    assert len(markers) == 2
    other = json.loads(next(path for path in markers if path.parent != folder / earlier.parent).read_text())
    assert (other["reason"], other["by"]) == (reason, None)


def test_the_same_command_again_answers_from_the_new_record(rerun: tuple[Path, list[bytes], Run]) -> None:
    folder, needles, run = rerun
    env = {"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(folder / "cache")}
    again = faceaudit(
        "run", "--benchmark", folder / "people", "--model", "dlib", "--json", "--out", "results", env=env, cwd=folder
    )
    assert again.code == 0, again.stderr
    assert again.evaluations[0]["reused"]
    assert again.evaluations[0]["record"] == run.evaluations[0]["record"]
    assert holds(folder / "cache", needles) == []


CONSENT = Consent("T2", "", "", "", {}, "no", False, "none")


def made(tmp_path: Path, *people: str, out: Withdrawals | None = None, live: bool = False) -> Benchmark:
    """A benchmark with one picture a person."""
    samples = []
    for name in people:
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"picture of {name}".encode())
        samples.append(Sample(f"s-{name}", name, path))
    subjects = tuple(Subject(name, {}) for name in people)
    consent = replace(CONSENT, live=live)
    return Benchmark(
        "made_up", "", "1", tmp_path, consent, "", {}, (), subjects, tuple(samples), "", withdrawn=out
    )  # fmt: skip


def run_of(benchmark: Benchmark, root: Path) -> forgetting.Forgotten:
    """Clear the cache as a run does, then file a template of everybody under two models."""
    files = hash_samples(benchmark.samples)
    found = forgetting.clear(benchmark, benchmark.samples, files, DOMAIN, root)
    for weights in ("1" * 64, "2" * 64):
        for sample in benchmark.samples:
            TemplateStore(root).put(Key(str(files[sample.sample_id]), weights, "p"), Template(np.ones(4, np.float32)))
    return found


def images(root: Path) -> int:
    return len(list(root.rglob("*.outcome")))


@pytest.mark.parametrize("live", [False, True])
def test_who_has_no_rows_any_more_is_found_by_what_the_cache_remembers(tmp_path: Path, live: bool) -> None:
    root = tmp_path / "cache"
    assert run_of(made(tmp_path, "a", "b", "c", live=live), root) == forgetting.Forgotten()
    assert images(root) == 6
    (tmp_path / "pictures" / "b.png").unlink()
    out = None if live else Withdrawals(1, "2026-03-01", "d")
    assert run_of(made(tmp_path, "a", "c", out=out, live=live), root) == forgetting.Forgotten(people=1, templates=2)
    assert images(root) == 4
    remembered = json.loads(next((root / "people").iterdir()).read_bytes())
    assert (len(remembered["people"]), remembered["listed"]) == (2, 0 if live else 1)


def test_a_fixed_set_without_a_list_forgets_nobody(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    run_of(made(tmp_path, "a", "b"), root)
    assert run_of(made(tmp_path, "a"), root) == forgetting.Forgotten()
    assert images(root) == 4


@pytest.mark.parametrize("now", [None, Withdrawals(1, "2026-03-01", "d")])
def test_a_list_that_became_shorter_brings_nobody_back(tmp_path: Path, now: Withdrawals | None) -> None:
    root = tmp_path / "cache"
    run_of(made(tmp_path, "a", out=Withdrawals(2, "2026-03-01", "d")), root)
    with pytest.raises(Refused, match=r"shorter than before \([01] instead of 2 people\)") as caught:
        run_of(made(tmp_path, "a", "b", out=now), root)
    assert caught.value.exit_code == 3
    next((root / "people").iterdir()).write_bytes(b"{")
    assert run_of(made(tmp_path, "a", "b", out=now), root) == forgetting.Forgotten()


def test_the_memory_is_for_nobody_else_and_names_nobody(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    run_of(made(tmp_path, "Ann Other", "Bo Dy"), root)
    (file,) = (root / "people").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert b"Ann" not in file.read_bytes()
    assert b"made_up" not in str(file).encode()


def test_pictures_of_our_own_copy_are_emptied_and_those_of_the_user_are_not(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    benchmark = made(tmp_path, "a", "b")
    ours = root / "benchmarks" / "made_up" / "b2.png"
    ours.parent.mkdir(parents=True)
    ours.write_bytes(b"another picture of b")
    theirs = (benchmark.samples[1], Sample("s-b2", "b", ours))
    left = replace(made(tmp_path, "a"), withdrawn=Withdrawals(1, "2026-03-01", "d", subjects=("b",), samples=theirs))
    assert run_of(left, root).pictures == 1
    assert ours.read_bytes() == b""
    assert theirs[0].path.read_bytes() == b"picture of b"


def test_without_a_place_for_its_key_the_cache_cannot_tell_whom_it_knows(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataError, match="cache: cache cannot be written"):
        run_of(made(tmp_path, "a", live=True), tmp_path / "cache")


def test_a_memory_that_cannot_be_written_matters_only_when_somebody_is_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    root = tmp_path / "cache"
    run_of(made(tmp_path, "a", "b"), root)
    monkeypatch.setattr(influence, "write_private", refuse)
    run_of(made(tmp_path, "a", "b", "c"), root)
    with pytest.raises(DataError, match="something of a withdrawn person cannot be deleted: No space left"):
        run_of(made(tmp_path, "a", out=Withdrawals(1, "2026-03-01", "d")), root)


def _record(out: Path, name: str, model: str = "m@1", **benchmark: object) -> Path:
    folder = out / "made_up" / model / name
    folder.mkdir(parents=True)
    text = {"benchmark": {"name": "made_up", **benchmark}, "digests": {"samples": "abcdef0123456789"}}
    (folder / "record.json").write_text(json.dumps(text), encoding="utf-8")
    return folder


def test_only_records_that_counted_more_people_are_marked(tmp_path: Path) -> None:
    old = _record(tmp_path, "aaa")
    older_list = _record(tmp_path, "bbb", withdrawn={"listed": 1})
    same_list = _record(tmp_path, "ccc", withdrawn={"listed": 2})
    other_model = _record(tmp_path, "aaa", model="n@1")
    (tmp_path / "made_up" / "m@1" / "ddd").mkdir()
    (tmp_path / "made_up" / "m@1" / "ddd" / "record.json").write_text("[1")
    _record(tmp_path, "eee")
    (tmp_path / "made_up" / "m@1" / "eee" / "record.json").write_text('{"benchmark": {"name": "another"}}')
    out = Withdrawals(2, "2026-03-01", "d")
    assert superseded.mark(tmp_path, "made_up", None, old) == []
    assert superseded.mark(tmp_path, "made_up", replace(out, listed=0), old) == []
    assert superseded.mark(tmp_path, "made_up", out, old) == [old, older_list, other_model]
    assert superseded.mark(tmp_path, "made_up", out, old) == []
    said = {folder: json.loads((folder / "superseded.json").read_text()) for folder in (old, older_list, other_model)}
    assert [said[folder]["by"] for folder in said] == ["made_up/m@1/aaa", None, None]
    assert said[old]["reason"].startswith("2 people have withdrawn")
    assert said[older_list]["reason"].startswith("1 person has withdrawn")
    assert not (same_list / "superseded.json").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"on": "2026-03-02", "reason": "One left.", "by": "a/b/c"}',
            "since 2026-03-02: One left. a/b/c replaces it.",
        ),
        ('{"on": "2026-03-02", "reason": "One left.", "by": null}', "since 2026-03-02: One left."),
        ('{"on": "\\u001b[2J", "reason": "a\\nb"}', "since  [2J: a b"),
        ("[", "since some day: Somebody marked it."),
    ],
)
def test_a_marker_is_read_aloud_whatever_is_in_it(tmp_path: Path, text: str, expected: str) -> None:
    folder = _record(tmp_path, "aaa")
    assert superseded.said(folder) is None
    (folder / "superseded.json").write_text(text, encoding="utf-8")
    assert superseded.said(folder) == superseded.said(folder / "record.json") == f"superseded {expected}"


def test_a_marked_record_moves_aside_and_none_is_lost(tmp_path: Path) -> None:
    first = _record(tmp_path, "aaa")
    assert superseded.set_aside(first) is None
    assert superseded.set_aside(tmp_path / "nowhere") is None
    places = []
    for _ in range(3):
        (first / "superseded.json").write_text("{}")
        places.append(superseded.set_aside(first))
        _record(tmp_path, "aaa")
    assert [place.name for place in places if place] == ["aaa-abcdef01", "aaa-abcdef01-2", "aaa-abcdef01-3"]
    assert all(place and (place / "record.json").exists() for place in places)


def test_the_schema_takes_a_record_of_either_kind(bundled: tuple[Path, Run, Run]) -> None:
    record = read(Path(bundled[1].evaluations[0]["record"]))
    assert record.benchmark.withdrawn is None
    text = record.model_dump(mode="json", by_alias=True)
    del text["benchmark"]["withdrawn"]
    assert EvaluationRecord.model_validate(text).benchmark.withdrawn is None
