"""People and samples that are read from the names of files, for sets that have no table.

A layout gives a pattern of relative paths. Its groups say what each part means: `subject` is the person's id, a group
called like a label holds its letter, `session` is the session, and every other group is a capture condition. What a
letter means stands in a table; a letter that is not in it is an error, since guessing would be labelling.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from audit.benchmarks import content, people
from audit.benchmarks.content import IMAGE_SUFFIXES, Content
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Sample
from audit.errors import DataError

Letters = Mapping[str, Mapping[str, str]]
KEY = "subject"


def read(
    root: Path,
    descriptor: Descriptor,
    *,
    pattern: re.Pattern[str],
    form: str,
    letters: Letters,
    contradiction: Callable[[re.Match[str]], str | None] = lambda _: None,
) -> Content:
    """Read a folder whose file names say whose picture they are and which labels that person has.

    Parameters
    ----------
    root : Path
        Folder of the set.
    descriptor : Descriptor
        Its attributes must be labels of the layout.
    pattern : compiled pattern
        Of a whole relative path, with '/'; groups as the module says.
    form : str
        The pattern in the words of the set's documentation, for messages.
    letters : mapping of label to (mapping of letter to value)
    contradiction : function of a match
        What is wrong with a path whose folder says something else than its name; None where they agree.

    Returns
    -------
    Content
        Image files of other names are left out, and counted in the notes.

    Raises
    ------
    DataError
        If no file has such a name, a letter is unknown, a folder contradicts a name, or two files have one name.
    """
    _check_labels(descriptor, letters)
    labels: dict[str, dict[str, str]] = {}
    samples: dict[str, Sample] = {}
    others = 0
    for path in _images(root):
        match = pattern.fullmatch(path)
        if match is None:
            others += 1
            continue
        held = {label: _meaning(root / path, match[label], label, table) for label, table in letters.items()}
        wrong = contradiction(match)
        if wrong:
            raise DataError(str(root / path), wrong, "Move or rename the file, or remove it")
        labels.setdefault(match[KEY], held)
        sample = _sample(root, path, match, letters)
        if sample.sample_id in samples:
            raise DataError(
                str(root / path),
                f"another file is called so too: {samples[sample.sample_id].path.relative_to(root).as_posix()!r}",
                "One picture is one sample: remove one of them",
            )
        samples[sample.sample_id] = sample
    if not samples:
        raise DataError(str(root), f"no image file is called {form}", "Give the folder as it was published")
    frame = pd.DataFrame([{KEY: name, **held} for name, held in labels.items()], dtype=str)
    subjects, notes = people.subjects(frame, root, key=KEY, specs=descriptor.dataset.attributes)
    if others:
        notes = (*notes, f"{others} image file(s) are left out: their names are not of the form {form}.")
    return Content(subjects, tuple(samples.values()), None, notes)


def own_folder(form: str) -> Callable[[re.Match[str]], str | None]:
    """Make what tells a picture that lies in a folder called like an id, of this form, of somebody else.

    >>> told = own_folder("[A-Z]{2}[0-9]+")
    >>> told(re.fullmatch("(?P<folder>.*)/(?P<subject>.*)_1", "BF02/BF03_1"))
    "a picture of 'BF03' lies in the folder of 'BF02'"
    """

    def contradiction(match: re.Match[str]) -> str | None:
        folder, subject = match["folder"], match[KEY]
        if folder != subject and re.fullmatch(form, folder):
            return f"a picture of {subject!r} lies in the folder of {folder!r}"
        return None

    return contradiction


def _check_labels(descriptor: Descriptor, letters: Letters) -> None:
    for k, spec in enumerate(descriptor.dataset.attributes):
        column = spec.column or spec.name
        if column not in letters:
            raise DataError(
                f"{descriptor.path}#/faceaudit:attribute/{k}",
                f"file names of this layout hold no label {column!r}",
                f"They hold {' and '.join(letters)}; a set with more labels fits the general layout",
            )


def _images(root: Path) -> Iterator[str]:
    """Relative paths of image files, in order; folders that are links are not entered."""
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield (Path(folder) / name).relative_to(root).as_posix()


def _meaning(place: Path, letter: str, label: str, table: Mapping[str, str]) -> str:
    if letter not in table:
        known = ", ".join(f"{key} ({value})" for key, value in table.items())
        raise DataError(str(place), f"the letter {letter!r} of {label} is unknown", f"Letters are {known}")
    return table[letter]


def _sample(root: Path, path: str, match: re.Match[str], letters: Letters) -> Sample:
    groups = {name: text for name, text in match.groupdict().items() if text is not None}
    return Sample(
        sample_id=Path(path).stem,
        subject_id=groups[KEY],
        path=content.inside(root, path, place=str(root / path)),
        session=groups.get("session"),
        conditions={
            name: text
            for name, text in groups.items()
            if name not in (KEY, "session", "folder") and name not in letters
        },
    )
