"""Landmark files: what they say, what London's mean, and every mistake by its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.benchmarks import load, tem
from audit.benchmarks.london import FACE
from audit.errors import DataError

SQUARE = "4\n0 0\n10.5\t0\n10.5 20\n0 20\n1\n0\n2\n0 1\n"


def test_points_are_read_and_what_follows_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.tem"
    path.write_text(SQUARE)
    assert tem.read(path).tolist() == [[0, 0], [10.5, 0], [10.5, 20], [0, 20]]
    path.write_bytes(SQUARE.replace("\n", "\r\n").encode())
    assert tem.read(path).shape == (4, 2)


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        (b"", "line 1", "'' is no number of points"),
        (b"-3\n", "line 1", "'-3' is no number"),
        (b"99999999999999\n1 1\n", "line 1", "is no number of points (1 to 10000)"),
        (b"3\n1 1\n2 2", "a.tem", "announces 3 points and has 2"),
        (b"2\n1 1\n1 x\n", "line 3", "'1 x' is no point: two numbers"),
        (b"1\n1 2 3\n", "line 2", "'1 2 3' is no point"),
        (b"1\nnan 2\n", "line 2", "'nan 2' is no point"),
        (b"1\n1e300 2\n", "line 2", "'1e300 2' is no point"),
        (b"1\n\xff 2\n", "byte 2", "is no text"),
        (b"1\n" + b" " * 2**20, "a.tem", "is larger than 1024 KiB"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: bytes, place: str, said: str) -> None:
    path = tmp_path / "a.tem"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        tem.read(path)
    assert place in caught.value.place
    assert said in str(caught.value)


@given(content=st.one_of(st.binary(max_size=60), st.text("0123456789 .\n-einf", max_size=60).map(str.encode)))
def test_whatever_a_file_holds_it_is_points_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tem"
    path.write_bytes(content)
    try:
        points = tem.read(path)
    except DataError:
        return
    assert points.ndim == 2
    assert points.shape[1] == 2
    assert np.isfinite(points).all()


def lines(path: Path) -> list[list[int]]:
    """Points that the file itself joins, line by line: behind the points, three lines each."""
    rows = path.read_text().split("\n")[191:]
    return [[int(point) for point in row.split()] for row in rows[2::3] if row.strip()]


@pytest.mark.london
def test_the_face_of_london_is_what_its_files_draw_as_one(london: Path) -> None:
    """The lines of ears, hairline and jaw close up round the face: their points are the outline."""
    drawn = lines(london / "neutral_front/001_03.tem")
    ends = [(109, 112), (112, 114), (132, 114), (126, 132), (111, 126), (109, 111)]
    outline = {point for a, b in ends for line in drawn if {line[0], line[-1]} == {a, b} for point in line}
    ears = set(range(115, 125))
    assert outline - ears == set(FACE)


@pytest.mark.london
def test_londons_box_by_hand(london: Path) -> None:
    """Of the first picture, read off its file: where ears meet the head, the hairline and the chin; and five points."""
    first, smiling = load(str(london)).samples[:2]
    assert first.box == (452.0, 368.0, 913.0, 995.0)
    nose = ((646 + 670 + 693) / 3, (734 + 778 + 735) / 3)
    assert first.points == ((565, 632), (778, 624), pytest.approx(nose), (590, 855), (754, 851))
    assert (smiling.box, smiling.points) == (None, None)


@pytest.mark.london
def test_a_landmark_file_that_was_changed_is_refused_and_one_that_is_lacking_is_not(
    london: Path, tmp_path: Path
) -> None:
    root = tmp_path / "london"
    (root / "neutral_front").mkdir(parents=True)
    (root / "smiling_front").mkdir()
    (root / "london_info.csv").write_bytes((london / "london_info.csv").read_bytes())
    (root / "neutral_front/001_03.tem").write_text(SQUARE)
    with pytest.raises(DataError, match=r"001_03\.tem: has SHA-256 .* but the descriptor declares"):
        load(str(root))
    (root / "neutral_front/001_03.tem").unlink()
    assert {sample.box for sample in load(str(root)).samples} == {None}
