"""Tables of series and digests in tables: what is read, and every mistake by row and column."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.benchmarks import load
from audit.errors import DataError

Make = Callable[..., Path]
HEADER = "sample_id,path,subject_id,factor,level,position,own\n"
GOOD = HEADER + (
    "s1,series/s1.png,001,light,full,0,yes\ns2,series/s2.png,001,light,half,1,no\n"
    "s1,series/s1.png,001,hair,long,0,yes\n"
)


def with_series(collection: Make, text: str, **changes: object) -> Path:
    folder = collection(**changes)
    (folder / "series").mkdir()
    for name in ("s1", "s2"):
        (folder / "series" / f"{name}.png").write_bytes(f"bytes of {name}".encode())
    (folder / "series.csv").write_text(_with_digests(folder, text), encoding="utf-8")
    return folder


def _with_digests(folder: Path, text: str) -> str:
    head, *rows = text.splitlines()
    at = head.split(",").index("path")
    made = [f"{head},sha256"]
    for row in rows:
        file = folder / row.split(",")[at]
        made.append(f"{row},{hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ''}")
    return "\n".join(made) + "\n"


def test_series_are_read_beside_the_samples(collection: Make) -> None:
    made = load(str(with_series(collection, GOOD)))
    assert len(made.samples) == 5
    assert [(r.sample.sample_id, r.factor, r.level, r.position, r.own) for r in made.series] == [
        ("s1", "light", "full", 0, True),
        ("s2", "light", "half", 1, False),
        ("s1", "hair", "long", 0, True),
    ]
    assert made.series[0].sample == made.series[2].sample
    assert made.series[0].sample.sha256 == hashlib.sha256(b"bytes of s1").hexdigest()
    assert made.notes == ("age: 1 of 3 people have no label; they form a group of their own.",)


@pytest.mark.parametrize(
    ("row", "place", "said"),
    [
        ("s2,series/s2.png,009,light,half,1,no", "row 3, column 'subject_id'", "not in subjects.csv"),
        ("s2,series/s2.png,001,light,full,0,no", "row 3", "in row 2 too"),
        ("s2,series/s2.png,001,light,half,1,maybe", "column 'own'", "expected yes or no"),
        ("s2,series/s2.png,001,light,half,one,no", "column 'position'", "expected 0, 1, 2"),
        ("s2,series/s2.png,001,light,half,0,no", "column 'position'", "another position"),
        ("a1,series/s2.png,001,light,half,1,no", "row 3", "is in samples.csv too"),
        ("s2,images/a1.png,001,light,half,1,no", "row 3", "is in samples.csv too"),
        ("s1,series/s2.png,001,light,half,1,no", "row 3", "another picture, person or box"),
        ("s2,series/s1.png,001,light,half,1,no", "row 3", "another picture, person or box"),
        ("s2,../../etc/x.png,001,light,half,1,no", "column 'path'", "does not stay inside"),
        ("s2,series/s2.png,001,light,half,1,yes", "series.csv", "2 own levels of 'light'"),
    ],
)
def test_mistakes_are_named(collection: Make, row: str, place: str, said: str) -> None:
    folder = with_series(collection, f"{HEADER}s1,series/s1.png,001,light,full,0,yes\n{row}\n")
    with pytest.raises(DataError) as error:
        load(str(folder))
    assert place in str(error.value)
    assert said in str(error.value)


def test_a_picture_without_a_digest_is_refused(collection: Make) -> None:
    folder = with_series(collection, GOOD)
    (folder / "series.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataError, match="no known SHA-256"):
        load(str(folder))


def test_digests_of_images_may_stand_in_the_table(collection: Make) -> None:
    digest = hashlib.sha256(b"bytes of a1").hexdigest()
    folder = collection(samples=f"sample_id,path,subject_id,sha256\na1,images/a1.png,001,{digest}\n")
    assert load(str(folder)).samples[0].sha256 == digest
    assert "sha256" not in load(str(folder)).samples[0].conditions
    (folder / "samples.csv").write_text(f"sample_id,path,subject_id,sha256\na1,images/a1.png,001,{'0' * 64}\n")
    with pytest.raises(DataError, match="differs from what the descriptor declares"):
        load(str(folder))
    (folder / "samples.csv").write_text("sample_id,path,subject_id,sha256\na1,images/a1.png,001,abc\n")
    with pytest.raises(DataError, match="row 2, column 'sha256'"):
        load(str(folder))


def test_pictures_of_series_may_have_a_box(collection: Make) -> None:
    table = GOOD.replace("own\n", "own,box_left,box_top,box_width,box_height\n").replace("yes\n", "yes,1,2,30,40\n")
    table = table.replace("no\n", "no,,,,\n")
    made = load(str(with_series(collection, table)))
    assert [row.sample.box for row in made.series] == [(1.0, 2.0, 31.0, 42.0), None, (1.0, 2.0, 31.0, 42.0)]
    with pytest.raises(DataError, match="with another picture, person or box"):
        load(str(with_series(collection, table.replace("1,2,30,40", "1,2,30,41", 1), name="other")))
    with pytest.raises(DataError, match="has no column box_top"):
        load(
            str(
                with_series(
                    collection,
                    GOOD.replace("own\n", "own,box_left\n").replace("yes\n", "yes,1\n").replace("no\n", "no,1\n"),
                    name="half",
                )
            )
        )
