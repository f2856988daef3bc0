"""The general layout: cells stay what is written, and every mistake is named by file, row, column and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import attribute

from audit import provenance
from audit.benchmarks import load
from audit.errors import DataError

Make = Callable[..., Path]
SAMPLES = "sample_id,path,subject_id\n"
SUBJECTS = "subject_id,gender,origin,age\n"
FOLDS = "probe,reference,fold\na1,a2,1\na1,b1,1\n"


def test_reads_every_cell_as_text(collection: Make) -> None:
    made = load(str(collection()))
    people = {subject.subject_id: subject.attributes for subject in made.subjects}
    assert list(people) == ["001", "002", "003"]
    assert people["001"] == {"gender": ("female",), "origin": ("x", "y"), "age": ("31",)}
    assert people["002"] == {"gender": ("male",), "origin": ("NA",), "age": ()}
    first = made.samples[0]
    assert (first.sample_id, first.subject_id, first.session, first.conditions) == ("a1", "001", "s1", {"light": "dim"})
    assert made.samples[-1].session is None
    assert first.sha256 is not None
    assert len(first.sha256) == 64
    assert made.pairs is None
    assert made.attributes["age"].edges == (40.0,)
    assert made.attributes["origin"].note.startswith("Perceived")
    assert made.notes == ("age: 1 of 3 people have no label; they form a group of their own.",)


def test_pairs_are_kept_in_order(collection: Make) -> None:
    made = load(str(collection(pairs="probe,reference\na2,a1\na1,b1\n")))
    assert made.pairs == (("a2", "a1"), ("a1", "b1"))


def test_folds_are_read_beside_their_pairs_and_change_the_digest(collection: Make) -> None:
    first = FOLDS + "b1,b2,2\nb1,c1,2\n"
    made = load(str(collection(pairs=first)))
    assert made.folds == {("a1", "a2"): "1", ("a1", "b1"): "1", ("b1", "b2"): "2", ("b1", "c1"): "2"}
    moved = first.replace("a1,b1,1", "a1,b1,2").replace("b1,c1,2", "b1,c1,1")
    other = load(str(collection(pairs=moved, name="other")))
    assert made.pairs == other.pairs
    digests = {
        provenance.samples_digest(one, one.samples, dict.fromkeys((s.sample_id for s in one.samples), "x"))
        for one in (made, other, replace(made, folds={}))
    }
    assert len(digests) == 3


def test_missing_and_extra_files_are_counted_not_named(collection: Make) -> None:
    folder = collection()
    (folder / "images" / "b1.png").unlink()
    (folder / "images" / "stranger.jpg").write_bytes(b"x")
    made = load(str(folder))
    assert len(made.samples) == 5
    text = " ".join(made.notes)
    assert "1 of 5 image files are missing" in text
    assert "1 image file(s) have no row" in text
    assert "b1" not in text
    assert "stranger" not in text


def test_undescribed_columns_and_silent_people_are_noted(collection: Make) -> None:
    header = SUBJECTS.strip() + ",shoe\n"
    rows = "001,female,x,30,41\n002,male,x,30,44\n003,male,y,3,40\n004,male,y,3,40\n"
    made = load(str(collection(subjects=header + rows)))
    assert "Columns without a description are left out: shoe." in made.notes
    assert "1 of 4 people have no sample." in made.notes


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"samples": SAMPLES + "a1,images/a1.png,001\na1,images/a2.png,001\n"},
         ["samples.csv, row 3, column 'sample_id'", "'a1' stands in row 2 too"]),
        ({"subjects": SUBJECTS + "001,female,x,30\n001,male,x,30\n"},
         ["subjects.csv, row 3, column 'gender'", "'001' has 'male' here and 'female' in row 2"]),
        ({"samples": SAMPLES + "a1,images/a1.png,009\n"}, ["column 'subject_id'", "'009' is not in subjects.csv"]),
        ({"samples": "sample_id,file,subject_id\na1,x,001\n"}, ["samples.csv", "the column 'path' is missing"]),
        ({"samples": "sample_id,pth,subject_id\na1,x,001\n"}, ["Is it the one called 'pth'?"]),
        ({"subjects": "subject_id,gender,origin\n001,female,x\n"}, ["column 'age' is missing", "descriptor declares"]),
        ({"samples": SAMPLES + "a1,../a1.png,001\n"}, ["row 2, column 'path'", "'../a1.png' does not stay inside"]),
        ({"samples": SAMPLES + "a1,/etc/passwd,001\n"}, ["'/etc/passwd' does not stay inside"]),
        ({"samples": SAMPLES + "a1,images\\a1.png,001\n"}, ["does not stay inside"]),
        ({"samples": SAMPLES + "a1,C:/a1.png,001\n"}, ["does not stay inside"]),
        ({"samples": SAMPLES + "a1,images/a1.png,001\nz,images/a1.png,001\n"}, ["is the image of row 2 too"]),
        ({"samples": SAMPLES + "a1,images/a1.png,001,extra\n"}, ["csv, row 2", "has 4 cells, the header has 3"]),
        ({"samples": SAMPLES + "a1,images/a1.png\n"}, ["has 2 cells"]),
        ({"samples": SAMPLES + ",images/a1.png,001\n"}, ["row 2, column 'sample_id'", "is empty"]),
        ({"samples": SAMPLES}, ["samples.csv", "has no rows"]),
        ({"samples": "sample_id,path,path,subject_id\n1,2,3,4\n"}, ["the column 'path' stands twice"]),
        ({"samples": SAMPLES + '"a1,images/a1.png,001\n'}, ["samples.csv, row 2", "is not CSV"]),
        ({"subjects": SUBJECTS + "001,female,x,old\n"}, ["row 2, column 'age'", "'old' is no number", "missingValues"]),
        ({"subjects": SUBJECTS + "001,female,x,inf\n"}, ["'inf' is no number"]),
        ({"subjects": SUBJECTS + "001,female,x,30|40\n"}, ["several values of a numeric attribute"]),
        ({"pairs": "probe,reference\na1,zz\n"}, ["pairs.csv, row 2, column 'reference'", "'zz' is not in samples.csv"]),
        ({"pairs": "probe,reference\na1,a1\n"}, ["'a1' is compared with itself"]),
        ({"pairs": "probe,reference\na1,a2\na2,a1\n"}, ["pairs.csv, row 3", "stand in row 2 too"]),
        ({"pairs": FOLDS + "b1,b2,2\nb1,c1,\n"}, ["pairs.csv, row 5, column 'fold'", "is empty", "or none"]),
        ({"pairs": FOLDS + "b1,b2,2\nb1,c1, \n"}, ["row 5, column 'fold'", "is empty"]),
        ({"pairs": FOLDS}, ["pairs.csv, column 'fold'", "fold '1' is the only one", "Take two folds or more"]),
        ({"pairs": FOLDS + "b1,b2,2\n"}, ["fold '2' has no non-mated pair"]),
        ({"pairs": FOLDS + "b1,c1,2\nb2,c1,2\n"}, ["fold '2' has no mated pair"]),
        ({"pairs": "probe,reference,fold\na1,a2,1\na1,b1,2\n"}, ["fold '1' has no non-mated pair"]),
        ({"pairs": FOLDS.replace("fold", "Folds")}, ["pairs.csv, column 'Folds'", "Call it 'fold'"]),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_its_place(collection: Make, change: dict[str, str], parts: list[str]) -> None:
    folder = collection(**change)
    with pytest.raises(DataError) as caught:
        load(str(folder))
    text = str(caught.value)
    assert "\n" not in text
    assert str(folder) in text
    for part in parts:
        assert part in text
    assert caught.value.exit_code == 2


def test_a_link_to_outside_is_refused(collection: Make, tmp_path: Path) -> None:
    folder = collection()
    (tmp_path / "elsewhere.png").write_bytes(b"bytes of a1")
    (folder / "images" / "a1.png").unlink()
    (folder / "images" / "a1.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(DataError, match=r"'images/a1\.png' is a link to outside the folder"):
        load(str(folder))


def test_a_table_that_is_not_utf8_is_named(collection: Make) -> None:
    folder = collection()
    (folder / "subjects.csv").write_bytes("subject_id,gender,origin,age\n001,female,é,3\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"subjects\.csv: is not UTF-8 \(byte 40\)"):
        load(str(folder))


def test_a_byte_order_mark_and_quoted_line_breaks_are_read(collection: Make) -> None:
    folder = collection(subjects="\ufeff" + SUBJECTS + '001,female,"x\ny",30\n\n002,male,x,30\n003,male,x,zz\n')
    with pytest.raises(DataError, match=r"row 6, column 'age'"):
        load(str(folder))


def test_rows_that_say_the_same_again_are_noted(collection: Make) -> None:
    made = load(str(collection(subjects=SUBJECTS + "001,female,x,3\n002,male,x,3\n003,male,x,3\n001,female,x,3\n")))
    assert "1 row(s) of the table of people repeat an earlier row." in made.notes


def test_images_without_a_digest_stop_the_run(collection: Make) -> None:
    folder = collection()
    (folder / "images" / "new.png").write_bytes(b"new")
    with (folder / "samples.csv").open("a", encoding="utf-8") as stream:
        stream.write("new,images/new.png,003,,\n")
    with pytest.raises(DataError, match=r"1 of 6 images have no known SHA-256, the first is 'new\.png'"):
        load(str(folder))


def test_undocumented_values_are_kept_and_counted(collection: Make) -> None:
    made = load(str(collection(subjects=SUBJECTS + "001,female,x,3\n002,other,x,3\n003,,x,3\n")))
    assert [subject.attributes["gender"] for subject in made.subjects] == [("female",), ("other",), ()]
    assert "gender: 'other' is no documented value; 1 of 3 people have it. Kept." in made.notes


def test_labels_of_several_annotators_are_kept_beside_the_ones_that_are_used(collection: Make) -> None:
    attributes = [
        attribute("gender", values=["female", "male"], annotators=["first", "second"], provenance="annotated")
    ]
    table = "subject_id,gender,first,second\n001,female,female,male\n002,male,male,\n003,female,female,female\n"
    made = load(str(collection(subjects=table, faceaudit__attribute=attributes)))
    people = {subject.subject_id: subject.attributes for subject in made.subjects}
    assert people["001"] == {"gender": ("female",), "gender@1": ("female",), "gender@2": ("male",)}
    assert people["002"]["gender@2"] == ()
    assert made.attributes["gender"].annotators == ("gender@1", "gender@2")
    with pytest.raises(DataError, match="the column 'second' is missing, but the descriptor declares it"):
        load(
            str(collection(name="second", subjects=table.replace(",second", ",other"), faceaudit__attribute=attributes))
        )
    single = [attribute("gender", values=["female", "male"], annotators=["first"])]
    with pytest.raises(DataError, match="two columns or more"):
        load(str(collection(name="third", subjects=table, faceaudit__attribute=single)))
