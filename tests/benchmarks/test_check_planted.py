"""One defect planted into a sound copy is found, in its place, and nothing else is called a defect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from planted import Copy, bomb, encoded, exif, sound

from audit.benchmarks import checks, withdrawals
from audit.benchmarks.checks import CHECKS

Plant = Callable[[Copy], object]


def cell(table: str, row: int, column: int, value: str) -> Plant:
    """Write a cell; rows as in the file: the header is row 1."""
    return lambda copy: getattr(copy, table)[row - 1].__setitem__(column, value)


def row(table: str, *cells: str) -> Plant:
    return lambda copy: getattr(copy, table).append(list(cells))


def image(row_number: int, make: Callable[[Path], bytes], suffix: str = ".webp") -> Plant:
    def plant(copy: Copy) -> None:
        old = copy.image(row_number - 1)
        content = make(old)
        old.unlink()
        copy.samples[row_number - 1][1] = f"images/{old.stem}{suffix}"
        copy.put(row_number - 1, content)

    return plant


def other(row_number: int) -> Plant:
    """Give row 2's bytes to another row."""
    return lambda copy: copy.put(row_number - 1, copy.image(1).read_bytes())


def later(action: Callable[[Copy], object]) -> Plant:
    return lambda copy: copy.after.append(lambda: action(copy))


def change(**changes: object) -> Plant:
    return lambda copy: copy.changes.update(changes)


def link(copy: Copy) -> None:
    away = copy.root.parent / "away.webp"
    away.write_bytes(copy.image(1).read_bytes())
    copy.image(1).unlink()
    copy.image(1).symlink_to(away)


def small(path: Path) -> bytes:
    with Image.open(path) as picture:
        reduced = path.with_name("reduced.png")
        picture.resize((40, 40)).save(reduced)
    content = reduced.read_bytes()
    reduced.unlink()
    return content


def tables(name: str, edit: Callable[[bytes], bytes]) -> Plant:
    return later(lambda copy: (copy.root / name).write_bytes(edit((copy.root / name).read_bytes())))


def write(name: str, text: str) -> Plant:
    return later(lambda copy: (copy.root / name).write_text(text, encoding="utf-8"))


def both(*plants: Plant) -> Plant:
    return lambda copy: [plant(copy) for plant in plants]


def withdrawn_by_name(copy: Copy) -> None:
    def list_() -> None:
        withdrawals.add(copy.root, "p1", dt.date(2026, 3, 1))
        text = (copy.root / "withdrawn.csv").read_text(encoding="utf-8").split("\n")[1].split(",")
        (copy.root / "withdrawn.csv").write_text(",".join(withdrawals.COLUMNS) + "\n" + ",".join(["p1", *text[1:]]))

    copy.after.append(list_)


def folds(*column: str) -> Plant:
    """A mated and a non-mated pair by turns, with this column."""
    rows = [["p1-studio", "p1-indoors"], ["p1-studio", "p2-studio"], ["p2-studio", "p2-indoors"],
            ["p2-studio", "p3-studio"], ["p3-studio", "p3-indoors"]]  # fmt: skip

    def plant(copy: Copy) -> None:
        copy.pairs[1:] = rows[: len(column) - 1]
        for line, value in zip(copy.pairs, column, strict=True):
            line.append(value)

    return plant


LIVE = {"isLiveDataset": True, "faceaudit__lastChecked": "2026-01-01", "faceaudit__maximumAgeDays": 30}
PLANTS: dict[str, tuple[Plant, str, int | None]] = {
    "no-descriptor": (later(lambda copy: (copy.root / "croissant.json").unlink()), "croissant.json", None),
    "consent-missing": (change(faceaudit__consentStatement=None), "croissant.json", None),
    "descriptor-invalid": (change(rai__dataBiasses=["x"]), "croissant.json", None),
    "stale-live-set": (change(**LIVE), "croissant.json", None),
    "withdrawals-unreadable": (withdrawn_by_name, "withdrawn.csv", 2),
    "readme-count": (write("README.md", "Six people.\n\n14 images.\n"), "README.md", 3),
    "attribute-without-column": (cell("subjects", 1, 1, "sex"), "subjects.csv", 1),
    "table-missing": (later(lambda copy: (copy.root / "samples.csv").unlink()), "samples.csv", None),
    "duplicate-column": (tables("samples.csv", lambda old: old.replace(b"sha256", b"sha256,note,note").replace(
        b"\n", b",,\n").replace(b"note,note,,", b"note,note")), "samples.csv", 1),
    "ragged-row": (lambda copy: copy.samples[4].append("extra"), "samples.csv", 5),
    "empty-cell": (cell("samples", 5, 0, " "), "samples.csv", 5),
    "duplicate-sample-id": (cell("samples", 12, 0, "p4-studio"), "samples.csv", 12),
    "unknown-subject": (cell("samples", 3, 2, "nobody"), "samples.csv", 3),
    "subject-without-sample": (
        both(row("subjects", "p9", "male", "33"), write("README.md", "7 people")), "subjects.csv", 8),
    "unknown-pair-id": (row("pairs", "p1-studio", "p77"), "pairs.csv", 4),
    "self-pair": (row("pairs", "p3-studio", "p3-studio"), "pairs.csv", 4),
    "doubled-pair": (row("pairs", "p1-indoors", "p1-studio"), "pairs.csv", 4),
    "fold-column": (folds("Fold", "1", "2", "1", "2"), "pairs.csv", 1),
    "empty-fold": (folds("fold", "1", "1", "2", "2", ""), "pairs.csv", 6),
    "fold-lacks": (folds("fold", "1", "1", "2", "2", "3"), "pairs.csv", None),
    "missing-label": (cell("subjects", 3, 2, "NA"), "subjects.csv", 3),
    "undocumented-label": (cell("subjects", 5, 1, "woman"), "subjects.csv", 5),
    "label-spelling": (cell("subjects", 5, 1, "Female "), "subjects.csv", 5),
    "two-values": (row("subjects", "p2", "male", "30"), "subjects.csv", 8),
    "not-a-number": (cell("subjects", 2, 2, "about 30"), "subjects.csv", 2),
    "implausible-number": (cell("subjects", 2, 2, "250"), "subjects.csv", 2),
    "minor": (cell("subjects", 4, 2, "17"), "subjects.csv", 4),
    "path-escapes": (row("samples", "x", "../x.webp", "p1", "0" * 64), "samples.csv", 14),
    "link-outside": (link, "samples.csv", 2),
    "path-twice": (row("samples", "again", "images/p1-studio.webp", "p1", ""), "samples.csv", 14),
    "file-without-row": (lambda copy: copy.samples.pop(), "images/p6-indoors.webp", None),
    "row-without-file": (later(lambda copy: copy.image(6).unlink()), "samples.csv", 7),
    "declared-file-missing": (write("SHA256SUMS", f"{'0' * 64}  ./licence.txt\n"), "SHA256SUMS", 1),
    "digest-mismatch": (cell("samples", 6, 3, "0" * 64), "samples.csv", 6),
    "digest-malformed": (cell("samples", 6, 3, "abc"), "samples.csv", 6),
    "empty-file": (image(8, lambda _: b""), "samples.csv", 8),
    "not-an-image": (image(8, lambda _: b"<html>404</html>"), "samples.csv", 8),
    "undecodable": (image(8, lambda path: encoded(path, "JPEG")[:3000], ".jpg"), "samples.csv", 8),
    "format-suffix": (image(8, lambda path: encoded(path, "PNG")), "samples.csv", 8),
    "huge-dimensions": (image(8, lambda _: bomb(), ".png"), "samples.csv", 8),
    "tiny-image": (image(8, small, ".png"), "samples.csv", 8),
    "exif-rotation": (image(8, lambda path: encoded(path, "JPEG", exif=exif(0x0112, 6)), ".jpg"), "samples.csv", 8),
    "duplicate-across-subjects": (other(6), "samples.csv", 6),
    "duplicate-within-subject": (other(3), "samples.csv", 3),
    "near-duplicate": (lambda copy: image(8, lambda _: encoded(copy.image(1), "JPEG", quality=40), ".jpg")(copy),
                       "samples.csv", 8),
}  # fmt: skip


def unicode_forms(copy: Copy) -> None:
    copy.changes["faceaudit__attribute"] = [
        {**spec, "faceaudit:values": ["f\u00e9minin", "male"]} if spec["faceaudit:name"] == "gender" else spec
        for spec in copy.changes["faceaudit__attribute"]
    ]
    for line in copy.subjects[1:]:
        line[1] = line[1].replace("female", "f\u00e9minin")
    copy.subjects[2][1] = "fe\u0301minin"


def latin(copy: Copy) -> None:
    copy.samples[0].append("place")
    for line in copy.samples[1:]:
        line.append("Zurich")
    tables("samples.csv", lambda old: old.replace(b"Zurich\np1-indoors", b"Z\xfcrich\np1-indoors"))(copy)


def missing_digest(copy: Copy) -> None:
    tables("samples.csv", lambda old: b"\n".join(
        line.rsplit(b",", 1)[0] + b"," if line.startswith(b"p2-studio") else line for line in old.split(b"\n")
    ))(copy)  # fmt: skip


PLANTS["label-unicode"] = (unicode_forms, "subjects.csv", 3)
PLANTS["not-utf8"] = (latin, "samples.csv", 2)
PLANTS["digest-missing"] = (missing_digest, "samples.csv", 4)


def found(root: Path) -> list[checks.Finding]:
    outcome = checks.check(str(root), today=dt.date(2026, 11, 24))
    return [finding for finding in outcome.findings if finding.severity == "defect"]


def test_at_least_thirty_kinds_of_defect_are_planted() -> None:
    assert len([name for name in PLANTS if CHECKS[name].severity == "defect"]) >= 30


def test_a_sound_copy_has_no_defect(tmp_path: Path) -> None:
    assert found(sound(tmp_path / "made").write()) == []


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_defect_is_found_in_its_place_and_no_other(kind: str, tmp_path: Path) -> None:
    plant, file, line = PLANTS[kind]
    copy = sound(tmp_path / "made")
    plant(copy)
    defects = found(copy.write())
    assert {(defect.check, defect.file, defect.row) for defect in defects} == {(kind, file, line)}


def test_people_on_the_list_of_withdrawals_are_notes_as_long_as_their_rows_are_there(tmp_path: Path) -> None:
    root = sound(tmp_path / "made").write()
    withdrawals.add(root, "p3", dt.date(2026, 3, 1))
    withdrawals.add(root, "gone already", dt.date(2026, 3, 1))
    outcome = checks.check(str(root), today=dt.date(2026, 11, 24))
    assert outcome.defects == 0
    notes = [finding for finding in outcome.findings if finding.check == "withdrawn-row"]
    assert [(note.file, note.row, note.value) for note in notes] == [("subjects.csv", 4, "p3")]
