"""The table of checks: what each looks for, why that matters, and the way out.

`docs/checks.md` is made of it. A `defect` makes the command end with 1; a `note` does not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["defect", "note"]


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of finding."""

    severity: Severity
    what: str
    why: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found: which check, in which file and row (the header is row 1), what stands there.

    `value` is what is needed to find the place again, `text` says more where the check's own words do not suffice.
    """

    check: str
    file: str
    row: int | None = None
    column: str | None = None
    value: str = ""
    text: str = ""

    @property
    def severity(self) -> Severity:
        """Severity of its check."""
        return CHECKS[self.check].severity

    @property
    def place(self) -> str:
        """File, row and column in words."""
        row = f", row {self.row}" if self.row is not None else ""
        return f"{self.file}{row}" + (f", column {self.column!r}" if self.column else "")

    def to_json(self) -> dict[str, Any]:
        """All of it, with the words of its check."""
        check = CHECKS[self.check]
        return {**asdict(self), "severity": check.severity, "what": check.what, "way_out": check.way_out}


def _defect(what: str, why: str, way_out: str) -> Check:
    return Check("defect", what, why, way_out)


def _note(what: str, why: str, way_out: str) -> Check:
    return Check("note", what, why, way_out)


_EXACT = "Every comparison with it is counted wrongly."
_LOAD = "An audit stops at it."
_LOST = "It is a failure to acquire in every audit, and raises that rate for its group."

CHECKS: dict[str, Check] = {
    # the descriptor
    "no-descriptor": _defect(
        "no croissant.json", "Consent, licence and labels are unknown, so no audit starts.", "Write croissant.json"
    ),
    "consent-missing": _defect(
        "no consent statement in the descriptor",
        "Nobody can see what people agreed to.",
        "Quote the wording verbatim in faceaudit:consentStatement, with its source",
    ),
    "descriptor-invalid": _defect("a wrong key in the descriptor", _LOAD, "Mend that key"),
    "stale-live-set": _defect(
        "a live set whose copy is too old",
        "People who have withdrawn since may still be in it.",
        "Take the latest version, then set last_checked in copy.toml",
    ),
    "withdrawals-unreadable": _defect(
        "a list of withdrawals that cannot be read",
        "An audit stops at it, so that nobody who withdrew is measured.",
        "Restore withdrawn.csv and withdrawn.salt",
    ),
    "withdrawn-row": _note(
        "a person on the list of withdrawals who stands in the table of people",
        "Audits leave this person out; labels and pictures still lie here.",
        "Delete the person's rows and pictures",
    ),
    "layout-error": _defect("files that the layout cannot read", _LOAD, "Mend the place that is named"),
    "attribute-without-column": _defect("a described attribute has no column", _LOAD, "Add it or drop its description"),
    "undescribed-column": _note(
        "a column of the table of people that is not described", "It is left out.", "Describe it, or remove it"
    ),
    "readme-count": _defect(
        "a count in the README that differs from the files",
        "Readers cite the README; one of the two is wrong.",
        "Correct the README, or find what is missing",
    ),
    # tables
    "table-missing": _defect("a table that the layout needs is not there", _LOAD, "Add the table"),
    "table-unreadable": _defect("a table that is no CSV", _LOAD, "Mend that row"),
    "not-utf8": _defect("a table that is not UTF-8", "Labels read differently on each machine.", "Save it as UTF-8"),
    "duplicate-column": _defect("two columns of one name", "Which of them holds is a guess.", "Rename or remove one"),
    "missing-column": _defect("a required column is missing", _LOAD, "Add it"),
    "ragged-row": _defect(
        "a row with more or fewer cells than the header", "Labels shift to other columns.", "Quote cells with commas"
    ),
    "empty-cell": _defect("an empty required cell", _LOAD, "Fill it in, or remove the row"),
    "duplicate-sample-id": _defect("a sample id that stands twice", _LOAD, "Give every sample its own id"),
    "unknown-subject": _defect("a sample of nobody in the table of people", _LOAD, "Add the person, or correct the id"),
    "subject-without-sample": _defect(
        "a person without a sample", "Group sizes read larger than they are.", "Add images, or remove the row"
    ),
    "single-sample": _note(
        "people with one sample only", "They have no mated comparison.", "Nothing, or add a second image each"
    ),
    "zero-padded-ids": _note(
        "ids with leading zeros", "A spreadsheet that reads them as numbers loses people.", "Read the column as text"
    ),
    "formula-cell": _note(
        "a cell that a spreadsheet would run", "It may change, or send, what it shows.", "Remove =, +, - or @"
    ),
    "repeated-subject-row": _note("a person twice with the same values", "It counts once.", "Remove one of the rows"),
    "unknown-pair-id": _defect("a pair with an unknown sample", _LOAD, "Correct the id"),
    "self-pair": _defect("a sample that is compared with itself", _LOAD, "Remove the row"),
    "doubled-pair": _defect("a pair that stands twice", _LOAD, "Remove one of the rows"),
    "fold-column": _defect("a column of folds that is not called fold", _LOAD, "Call it fold"),
    "empty-fold": _defect("a pair without a fold, where others have one", _LOAD, "Give every pair a fold"),
    "fold-lacks": _defect(
        "a fold without mated or non-mated pairs, or the only one", _LOAD, "Give it pairs of one person and of two"
    ),
    # labels
    "missing-label": _defect(
        "a label that is missing or written as NA",
        "The person is in no group; groups shrink unevenly.",
        "Ask the publisher or the person; never guess. It is kept as a group of its own",
    ),
    "undocumented-label": _defect(
        "a value that the descriptor does not document",
        "It becomes a group of its own without a meaning.",
        "Correct it, or document it in faceaudit:values",
    ),
    "label-spelling": _defect(
        "a value in two spellings (case, spaces)", "One group is counted as two.", "Use one spelling"
    ),
    "label-unicode": _defect(
        "a value in two Unicode forms", "They look the same and are two groups.", "Normalise the table to NFC"
    ),
    "two-values": _defect(
        "a person with two values of an attribute", "Which of them holds is a guess.", "Correct one of the rows"
    ),
    "not-a-number": _defect("a numeric label that is no number", _LOAD, "Correct it"),
    "implausible-number": _defect("a number that cannot be", "It falls into a wrong group.", "Correct it"),
    "minor": _defect(
        "a person under 18", "Children cannot give this consent themselves.", "Remove the person's rows and images"
    ),
    "small-group": _note("a group of one person", "No comparison within it.", "Nothing, or recruit more people"),
    "constant-attribute": _note("an attribute with one value", "It has no groups to compare.", "Nothing, or drop it"),
    # files
    "path-escapes": _defect("a path that leaves the folder", _LOAD, "Give a relative path without '..'"),
    "link-outside": _defect(
        "a symbolic link to outside the folder", "What it shows may change, or be no consented image.", "Copy the file"
    ),
    "path-twice": _defect("an image that is two samples", "Compared with itself it always matches.", "Remove one row"),
    "file-without-row": _defect("an image file without a row", "It is left out.", "Add a row, or remove it"),
    "row-without-file": _defect("a row without its image file", _LOST, "Restore the file, or remove the row"),
    "declared-file-missing": _defect("a declared file that is not there", "The copy is incomplete.", "Restore it"),
    "digest-mismatch": _defect(
        "a file that differs from its declared SHA-256", "It is not the file that was described.", "Restore the file"
    ),
    "digest-missing": _defect("an image without a declared SHA-256", _LOAD, "Declare it in the column sha256"),
    "digest-malformed": _defect("a cell that is no SHA-256", _LOAD, "Write 64 hexadecimal digits in lower case"),
    "unreadable-file": _defect("a file that cannot be read", _LOST, "Mend its permissions or its size"),
    "empty-file": _defect("an image file of no bytes", _LOST, "Restore the file"),
    "not-an-image": _defect("other bytes under an image's name", _LOST, "Restore or remove the file"),
    "undecodable": _defect("an image that does not decode (cut off or damaged)", _LOST, "Restore the file"),
    "format-suffix": _defect(
        "an image of another format than its name says", "Tools that trust names fail on it.", "Rename the file"
    ),
    "huge-dimensions": _defect("an image that claims more pixels than are decoded", _LOST, "Reduce it, or remove it"),
    "tiny-image": _defect(
        "an image of fewer than 64 pixels on its short side", "Errors measure its size, not the face.", "Remove it"
    ),
    "exif-rotation": _defect(
        "an image that is turned by EXIF only", "Tools that ignore EXIF see a lying face.", "Store it upright"
    ),
    "gps-metadata": _note("a place of taking inside an image", "It can lead to a home.", "Strip the EXIF data"),
    "personal-metadata": _note(
        "names, serial numbers or descriptions inside an image", "They can name a person.", "Strip the EXIF data"
    ),
    # duplicates
    "duplicate-across-subjects": _defect("the same file under two people", _EXACT, "Find out whose it is"),
    "duplicate-within-subject": _defect(
        "the same file twice under one person", "It is a mated pair that always matches.", "Remove one of them"
    ),
    "near-duplicate": _defect("nearly the same image under two people", _EXACT, "Look at both; find out whose it is"),
}
"""Id to check, in the order of a report."""
