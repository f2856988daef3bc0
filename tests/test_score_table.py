"""A table of scores is read as it stands, or refused in one line that names file, row, column and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit import score_table
from audit.errors import DataError

HEAD = "probe_subject,reference_subject,score\n"
IDS = "probe_subject,reference_subject,probe,reference,score\n"


def write(folder: Path, text: str | bytes, name: str = "scores.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, **more) -> str:
    with pytest.raises(DataError) as caught:
        score_table.read(path, **more)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_it_reads_what_is_written(tmp_path: Path) -> None:
    text = "score,extra,reference_subject,probe_subject\n0.5,x,001,1\n,y,1,1\n -2e-1 ,z,2,001\nNaN,,2,1\nNA,,2,2\n"
    found = score_table.read(write(tmp_path, "\ufeff" + text))
    assert found.subjects == ("1", "001", "2")  # ids are text: 001 is not 1
    np.testing.assert_array_equal(found.score, [0.5, np.nan, -0.2, np.nan, np.nan])
    assert found.missing.tolist() == [False, True, False, True, True]
    names = np.array(found.subjects)
    assert names[found.probe].tolist() == ["1", "1", "001", "1", "2"]
    assert names[found.reference].tolist() == ["001", "1", "2", "2", "2"]
    assert found.unread == ("extra",)
    assert found.samples is None


def test_distances_are_negated(tmp_path: Path) -> None:
    found = score_table.read(write(tmp_path, HEAD + "a,b,0.25\na,a,\n"), distance=True)
    np.testing.assert_array_equal(found.score, [-0.25, np.nan])


def test_parquet_gives_the_same(tmp_path: Path) -> None:
    rows = {"probe_subject": ["1", "1"], "reference_subject": ["2", "1"], "score": [0.125, None]}
    pq.write_table(pa.table(rows), tmp_path / "s.parquet")
    pq.write_table(
        pa.table(
            {"probe_subject": [1, 1], "reference_subject": [2, 1], "score": pa.array([0.125, None], pa.float32())}
        ),
        tmp_path / "numbers.parquet",
    )
    text = score_table.read(write(tmp_path, HEAD + "1,2,0.125\n1,1,\n"))
    for name in ("s.parquet", "numbers.parquet"):
        found = score_table.read(tmp_path / name)
        assert found.subjects == text.subjects
        np.testing.assert_array_equal(found.score, text.score)
        np.testing.assert_array_equal(found.reference, text.reference)


def test_samples_belong_to_one_person(tmp_path: Path) -> None:
    found = score_table.read(write(tmp_path, IDS + "a,b,a1,b1,0.1\na,a,a1,a2,0.9\n"))
    assert found.samples == ("a1", "a2", "b1") or set(found.samples or ()) == {"a1", "a2", "b1"}
    owners = {name: found.subjects[owner] for name, owner in zip(found.samples or (), found.owner, strict=True)}
    assert owners == {"a1": "a", "a2": "a", "b1": "b"}


def test_rows_are_numbered_as_an_editor_does_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_table, "BLOCK", 1 << 12)
    rows = [f"a,b,{k / 5000}" for k in range(5000)]
    rows[4000] = "a,b,zero point two"
    assert refusal(write(tmp_path, HEAD + "\n".join(rows) + "\n")).startswith(
        "scores.csv, row 4002, column 'score': 'zero"
    )
    rows.insert(10, "")
    assert "row 4003" in refusal(write(tmp_path, HEAD + "\n".join(rows) + "\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the column 'probe_subject' is missing"),
        (HEAD, "has no rows"),
        (HEAD + "\n\n", "has no rows"),
        ("probe_subject,refrence_subject,score\na,b,1\n", "Is it the one called 'refrence_subject'?"),
        ("probe_subject,reference_subject,score,score\na,b,1,2\n", "the column 'score' stands twice"),
        ("probe_subject,reference_subject,probe,score\na,b,x,1\n", "has the column 'probe' but not 'reference'"),
        (HEAD + "a,b,0.1\na,b,0.2,7\n", "row 3: has 4 cells, the header has 3"),
        (HEAD + "a,b,0.1\na,b,1;5\n", "row 3, column 'score': '1;5' is no number"),
        (HEAD + "a,b,0.1\na,b,inf\n", "row 3, column 'score': inf is no score"),
        (HEAD + "a,b,0.1\na,b,-2e100\n", "row 3, column 'score': -2e+100 is no score"),
        (HEAD + "a,b,-Infinity\n", "row 2, column 'score': -inf is no score"),
        (HEAD + "a,b,0.1\n,b,0.2\n", "row 3, column 'probe_subject': is empty"),
        (HEAD.encode() + b"a,b,0.1\nJos\xe9,b,0.2\n", "row 3: is not UTF-8 (byte 3 of the row)"),
        (b"\xff\xfe" + HEAD.encode("utf-16-le"), "row 1: is not UTF-8"),
        (IDS + "a,b,a1,b1,0.1\na,b,a1,b1,0.1\n", "row 3: 'a1' and 'b1' stand in row 2 too"),
        (IDS + "a,b,a1,b1,0.1\nb,a,b1,a1,0.2\n", "row 3: 'b1' and 'a1' stand in row 2 too"),
        (IDS + "a,b,a1,b1,0.1\na,a,a1,a1,1\n", "row 3: 'a1' is compared with itself"),
        (IDS + "a,b,a1,b1,0.1\nb,a,b2,b1,1\n", "row 2, column 'reference': 'b1' is a sample of 'b' here, and of 'a'"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_in_one_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    found = refusal(write(tmp_path, text))
    assert said in found
    assert "\n" not in found


def test_strangers_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "anna,bob,0.1\nanna,bib,0.3\n")
    found = refusal(path, subjects=["anna", "bob"])
    assert found.startswith("scores.csv, row 3, column 'reference_subject': 'bib' is not in the table of --subjects.")
    assert "Did you mean 'bob'?" in found
    path = write(tmp_path, IDS + "a,b,a1,b1,0.1\na,b,a2,b1,0.1\n")
    assert "row 3, column 'probe': 'a2' is not in the table of --samples" in refusal(
        path, subjects=["a", "b"], samples={"a1": "a", "b1": "b"}
    )
    wrong = refusal(path, subjects=["a", "b"], samples={"a1": "b", "b1": "b", "a2": "a"})
    assert "row 2, column 'probe': 'a1' is a sample of 'a' here, and of 'b' in the table of --samples" in wrong


def test_a_million_columns_are_no_harm(tmp_path: Path) -> None:
    more = ",".join(f"c{k}" for k in range(1_000_000))
    cells = "," * 999_999
    path = write(tmp_path, f"probe_subject,{more},reference_subject,score\na,{cells},b,0.5\na,{cells},a,0.75\n")
    found = score_table.read(path)
    assert found.score.tolist() == [0.5, 0.75]
    assert len(found.unread) == 1_000_000
    path = write(tmp_path, f"{more},score\n{cells},1\n")
    assert "Columns are 'c0', 'c1'" in refusal(path)
    assert len(refusal(path)) < 500


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"probe_subject": ["a"], "reference_subject": ["b"], "score": ["high"]}, "'high' is no number"),
        ({"probe_subject": ["a"], "reference_subject": ["b"], "score": [[1.0]]}, "not numbers"),
        ({"probe_subject": ["a"], "reference_subject": ["b"]}, "the column 'score' is missing"),
        (
            {"probe_subject": [None], "reference_subject": ["b"], "score": [1.0]},
            "row 1, column 'probe_subject': is empty",
        ),
    ],
)
def test_bad_parquet(table: dict, said: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "s.parquet")
    assert said in refusal(tmp_path / "s.parquet")


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "no such table of scores" in refusal(tmp_path / "none.csv")
    assert "cannot be read" in refusal(tmp_path)
    assert "is not Parquet" in refusal(write(tmp_path, "PAR1 not really", "s.parquet"))
