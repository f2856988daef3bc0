"""Take in what somebody downloaded behind a form: unpack it, compare it with what is known, say what is not known.

A digest is compared where the descriptor has one. Where nobody published any, those of this copy are computed and
listed beside it (`sums`): from then on a changed picture is noticed, but that the copy is the published one is the
user's word (`receipt`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit import whole_file
from audit.benchmarks import archives, consent, content, own_copy, places, receipt, recognise, sums
from audit.benchmarks import descriptor as descriptors
from audit.benchmarks.archives import Limits
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.obtain import is_packed
from audit.benchmarks.receipt import Receipt, Source
from audit.benchmarks.schema import FileSet
from audit.errors import DataError

Progress = Callable[[str, int, int], None]
Reader = Callable[[Path, Descriptor], content.Content]


@dataclass(frozen=True, slots=True)
class Taken:
    """Where it lies, and what was found, in sentences."""

    folder: Path
    said: tuple[str, ...]


def take(
    paths: Sequence[Path],
    target: Path,
    *,
    name: str,
    described: Descriptor | None,
    reader: Reader | None,
    digests: Mapping[str, str] | None = None,
    checked_on: dt.date | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Taken:
    """Take in archives, or look at a folder where it lies.

    Parameters
    ----------
    paths : sequence of Path
        Archives, or one folder.
    target : Path
        Where archives are unpacked to.
    name : str
        Of the benchmark, for messages.
    described : Descriptor, optional
        The shipped descriptor, if there is one.
    reader : callable, optional
        Reads the layout of the descriptor.
    digests : mapping, optional
        Name of an archive to the SHA-256 that the user was given; "" is the only one.
    checked_on : date, optional
        The day on which the user saw that this is the latest version, of a set from which people may withdraw.
    limits : Limits, optional
    progress : callable, optional

    Raises
    ------
    DataError
        If it is not what it should be; of an archive nothing was kept then.
    Refused
        If it is arranged like a set that the gate refuses.
    """
    if len(paths) == 1 and paths[0].is_dir():
        if digests:
            raise DataError("--sha256", "is the digest of one file, and a folder was given", "Leave it out")
        recognise.check_folder(paths[0], place=name)
        return Taken(paths[0], tuple(_settle(paths[0], name, described, reader, (), checked_on, progress)))
    sources = _sources(paths, digests or {}, name)
    said: list[str] = [_of_source(source) for source in sources]

    def settle(folder: Path) -> None:
        _lift(folder, described)
        said.extend(_settle(folder, name, described, reader, sources, checked_on, progress))

    done = archives.unpack(
        paths,
        target,
        limits=limits,
        look=lambda found: recognise.check_paths(found, place=name),
        settle=settle,
        progress=progress,
    )
    litter = f"; {done.left_out} that a file manager made are left out" if done.left_out else ""
    return Taken(target, (f"{done.files} files unpacked, {done.size / 1e6:.1f} MB{litter}.", *said))


def _sources(paths: Sequence[Path], digests: Mapping[str, str], name: str) -> list[Source]:
    """Digest every archive, and compare it with what the user was given."""
    names = [path.name for path in paths]
    for given in digests:
        if given not in names and not (given == "" and len(paths) == 1):
            raise DataError(f"--sha256 {given}", "is of no archive that was named", f"Archives are {', '.join(names)}")
    sources = []
    for path in paths:
        if not archives.is_archive(path):
            found = "is a folder" if path.is_dir() else "is no archive that can be read"
            found = found if path.exists() else "no such file"
            raise DataError(
                str(path), found, "Give archives (zip, tar, tar.gz, tar.bz2, tar.xz), or one unpacked folder"
            )
        for entry in recognise.by_name([path.name.partition(".")[0]]):
            consent.check_entry(entry, place=name)
        digest = _digest(path)
        wanted = digests.get(path.name, digests.get(""))
        if wanted not in (None, digest):
            raise DataError(str(path), f"its SHA-256 is {digest}, not the one that was given", "Download it again")
        basis: receipt.Basis = "computed" if wanted is None else "self-declared"
        sources.append(Source(name=path.name, size=path.stat().st_size, sha256=digest, basis=basis))
    return sources


def _of_source(source: Source) -> str:
    if source.basis == "self-declared":
        return f"{source.name} has the SHA-256 that you gave (recorded as self-declared)."
    return f"{source.name}: SHA-256 {source.sha256}, compared with nothing, since none is known here."


def _settle(
    root: Path,
    name: str,
    described: Descriptor | None,
    reader: Reader | None,
    sources: Sequence[Source],
    checked_on: dt.date | None,
    progress: Progress | None,
) -> list[str]:
    """Compare a folder with its descriptor, and write down what nobody published."""
    own = root / descriptors.FILE_NAME
    if own.exists():
        found = descriptors.read(own)
        if described is not None and found.dataset.name != described.dataset.name:
            raise DataError(str(own), f"describes {found.dataset.name!r}, not {name!r}", "Give what belongs to it")
        described = found
    if described is None or reader is None:
        return [f"Nothing is known here of how its files lie: describe it in {descriptors.FILE_NAME} before a run."]
    said = _check_files(root, described, progress)
    read = reader(root, described)
    recognise.check_samples((sample.path for sample in read.samples), root, place=name)
    people = len({sample.subject_id for sample in read.samples})
    said.append(f"{people} people with {len(read.samples)} samples, in the layout {described.dataset.layout!r}.")
    said.extend(read.notes)
    unknown = not described.dataset.live and _without_digest(described)
    if unknown:
        said.append(_list_digests(root, progress))
    if described.dataset.live and checked_on:
        own_copy.write_checked(root, checked_on)
    if sources:
        receipt.write(root, Receipt.now(described.dataset.name, sources, "computed" if unknown else "described"))
    if described.dataset.live:
        said.append(
            f"People may withdraw from it; that this is its latest version was checked on {checked_on}."
            if checked_on
            else "People may withdraw from it: if this is its latest version, say on which day you saw that, with "
            "--checked-on."
        )
    return said


def _check_files(root: Path, described: Descriptor, progress: Progress | None) -> list[str]:
    """Compare every file whose digest is known.

    Raises
    ------
    DataError
        If one is missing, or another than was described.
    """
    known = [file for file in described.files.values() if file.sha256 not in (None, "unknown") and not is_packed(file)]
    missing = [file.path for file in known if not (root / file.path).is_file()]
    if missing:
        raise DataError(
            described.dataset.name,
            f"{len(missing)} of {len(known)} described files are missing, the first is {missing[0]!r}",
            "Give all archives of it, one --from each",
        )
    for done, file in enumerate(known, start=1):
        if _digest(content.inside(root, file.path, place=described.dataset.name)) != file.sha256:
            raise DataError(
                described.dataset.name,
                f"the file {file.path!r} is another than was described (SHA-256)",
                "Download it again; if it is a later release, describe that one",
            )
        if progress is not None:
            progress("read", done, len(known))
    return [f"{len(known)} files are those that were described (SHA-256)."] if known else []


def _without_digest(described: Descriptor) -> bool:
    return any(isinstance(part, FileSet) or part.sha256 in (None, "unknown") for part in described.dataset.distribution)


def _list_digests(root: Path, progress: Progress | None) -> str:
    """Write the list of this copy's digests, or compare the copy with the list that is there.

    Raises
    ------
    DataError
        If a file is not the one that the list names.
    """
    listed = sums.read(root)
    ours = {sums.FILE_NAME, descriptors.FILE_NAME, receipt.FILE_NAME, own_copy.FILE_NAME}
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    found = {}
    for done, path in enumerate(files, start=1):
        relative = path.relative_to(root).as_posix()
        if relative not in ours:
            found[relative] = _digest(path)
        if progress is not None:
            progress("read", done, len(files))
    wrong = [name for name, digest in listed.items() if name not in ours and found.get(name) != digest]
    if wrong:
        raise DataError(
            str(root / sums.FILE_NAME),
            f"{len(wrong)} of {len(listed)} files are missing or others than it lists, the first is {wrong[0]!r}",
            "Download them again; if the change is yours, write the list again",
        )
    if listed:
        return f"{len(listed)} files are those that {sums.FILE_NAME} lists (self-declared)."
    lines = "".join(f"{digest}  ./{name}\n" for name, digest in found.items())
    _write_text(root / sums.FILE_NAME, lines)
    return (
        f"Nobody published digests of its files: those of this copy are written into {sums.FILE_NAME} (self-declared)."
    )


def _write_text(path: Path, text: str) -> None:
    try:
        whole_file.write(path, text.encode())
    except OSError as error:
        raise DataError(str(path), f"cannot be written: {error.strerror}", "Make the folder writable") from None


def _lift(folder: Path, described: Descriptor | None) -> None:
    """Take the one folder away that an archive often wraps everything in, where the layout does not have it."""
    marks = [descriptors.FILE_NAME, *(described.dataset.recognised_by if described else ())]
    found = list(folder.iterdir())
    if len(found) != 1 or not found[0].is_dir() or places.there(folder, marks[-1]):
        return
    if not any(places.there(found[0], mark) for mark in marks):
        return
    wrapper = found[0].rename(folder / ".wrapper")
    for path in list(wrapper.iterdir()):
        path.rename(folder / path.name)
    wrapper.rmdir()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Make it readable") from None
