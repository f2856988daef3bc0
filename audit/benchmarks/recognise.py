"""Recognise data sets of the catalogue by what a folder or a descriptor is called and by how files are arranged.

A descriptor can say anything; the arrangement of files is harder to change. The signatures of `SIGNATURES` follow the
layouts that the sets were published with. They are one net of several, not a proof: no digest of a refused set is kept.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit import alike
from audit.benchmarks import catalogue, consent
from audit.benchmarks.content import IMAGE_SUFFIXES
from audit.benchmarks.schema import Dataset, FileObject

_OTHER_MEANING = frozenset({"bupt", "cfp", "dif", "duke", "meds", "mf2", "morph", "mtf", "ppb"})
_MOST_A_FOLDER = 400
_MOST = 20_000
_DEEPEST = 6
_MOST_WORDS = 60
"""Words of a name that are looked at."""
_ABOVE = 3
"""Folders above that count for how a folder's files are arranged, its own included: it may be a part of a set."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A refused set, and the pattern of relative paths that gives it away.

    `needed` is how many paths must match: several where one could be a coincidence.
    """

    entry: str
    pattern: re.Pattern[str]
    needed: int = 1


def _signature(entry: str, pattern: str, needed: int = 1) -> Signature:
    return Signature(entry, re.compile(rf"(?:^|/){pattern}", re.IGNORECASE), needed)


SIGNATURES: tuple[Signature, ...] = (
    _signature("lfw", r"(?P<who>(?-i:[A-Z][A-Za-z.'-]*(?:_[A-Z][A-Za-z.'-]*)+))/(?P=who)_\d{4}\.(?:jpg|png)$", 2),
    _signature("lfw", r"(?:pairsDevTest|peopleDevTest|lfw_names|lfw-names)\.(?:txt|csv)$"),
    _signature("fairface", r"fairface_label_(?:train|val)\.csv$"),
    _signature("utkface", r"\d{1,3}_[01]_[0-4]_\d{17}\.jpg(?:\.chip\.jpg)?$", 2),
    _signature("celeba", r"(?:list_attr_celeba\.(?:txt|csv)|list_eval_partition\.(?:txt|csv)|img_(?:align_)?celeba/)"),
    _signature("rfw", r"txts/(?P<race>African|Asian|Caucasian|Indian)/(?P=race)_(?:pairs|lmk|people|images)\.txt$"),
    _signature("rfw", r"data/(?:African|Asian|Caucasian|Indian)/m\.[0-9a-z_]+/m\.[0-9a-z_]+_\d{4}\.jpg$"),
    _signature("bfw", r"bfw-[^/]*datatable\.(?:pkl|csv|parquet)$"),
    _signature("bfw", r"(?:asian|black|indian|white)_(?:females|males)/n\d{6}/", 2),
    _signature("bupt", r"(?:race_per_7000|BUPT-[^/]*face)/"),
    _signature("vggface2", r"n\d{6}/\d{4}_\d{2}\.(?:jpg|png)$", 2),
    _signature("vggface2", r"identity_meta\.csv$"),
    _signature("msceleb", r"(?:MsCelebV1[^/]*\.tsv|faces_emore/|ms1m[^/]*/train\.(?:rec|idx)$)"),
    _signature("msceleb", r"m\.0[0-9a-z_]{4,7}/[^/]+\.(?:jpg|png)$", 2),
    _signature("megaface", r"(?:FlickrFinal2|megaface_images|megaface_features[^/]*|facescrub_images)/"),
    _signature("dukemtmc", r"\d{4}_c[1-8]_f\d{7}\.jpg$", 2),
    _signature("cfpfp", r"(?:Data/Images/\d{3}/(?:frontal|profile)/\d{2}\.jpg|Pair_list_[FP]\.txt)$", 2),
    _signature("agedb", r"\d+_(?-i:[A-Z][a-z]+[A-Z][A-Za-z]*)_\d{1,3}_[mf]\.jpg$", 2),
    _signature(
        "ijbc", r"(?:ijb[bc]_(?:face_tid_mid|template_pair|name_5pts|enroll|probe)[^/]*|cs[34]_1N[^/]*)\.(?:txt|csv)$"
    ),
    _signature("meds", r"S\d{3}-\d{2}-t10_\d{2}\.(?:jpg|png)$", 2),
    _signature("morph", r"\d{5,6}_\d{1,2}[MF]\d{2}\.jpg$", 2),
    _signature("ppb", r"PPB-2017[^/]*(?:/|\.csv$)"),
)


def by_name(names: Iterable[str]) -> tuple[catalogue.Entry, ...]:
    """Find the sets that names are; of refused sets also those that a name mentions as a word.

    Words that mean something else too (morph, ...) count only as the whole name. Names of several words are found in
    longer ones too; of two words only where no space parts them, since "fair face" is said of other things.

    >>> [entry.id for entry in by_name(["my copy of LFW", "Morphology study", "London set", "clean MS-Celeb-1M"])]
    ['lfw', 'frl_london', 'msceleb']
    """
    found: dict[str, catalogue.Entry] = {}
    for name in names:
        whole = catalogue.find(name)
        if whole is not None:
            found[whole.id] = whole
        for part in _parts(name):
            entry = catalogue.find(part)
            if entry is not None and _is_refused(entry):
                found[entry.id] = entry
    return tuple(found.values())


def _parts(name: str) -> Iterator[str]:
    """Words of a name, and runs of two to seven of them."""
    name = alike.plain_text(name)
    words = [match.span() for match in re.finditer(r"[a-z0-9]+", name)][:_MOST_WORDS]
    for k, (start, _) in enumerate(words):
        for length, (_, end) in enumerate(words[k : k + 7], start=1):
            run = name[start:end]
            if length == 1 and (len(run) < 3 or run in _OTHER_MEANING):
                continue
            if length != 2 or " " not in run:
                yield run


def by_descriptor(dataset: Dataset) -> tuple[catalogue.Entry, ...]:
    """Find the sets that a descriptor is of, by its names and, of refused ones, by its addresses too."""
    addresses = [dataset.url, *(dataset.same_as or ())]
    addresses += [file.url for file in dataset.distribution if isinstance(file, FileObject) and "://" in file.url]
    found = {entry.id: entry for entry in by_name([dataset.name, dataset.title, *dataset.alternate_names])}
    return (*found.values(), *(e for e in by_name(dict.fromkeys(addresses)) if e.id not in found and _is_refused(e)))


def check_described(dataset: Dataset, *, place: str) -> None:
    """Refuse a descriptor whose files are arranged like a refused set, or which describes one.

    Raises
    ------
    Refused
        Naming the set that it was recognised as.
    """
    for entry in by_descriptor(dataset):
        consent.check_entry(entry, place=place)
    check_paths((file.path for file in dataset.distribution if isinstance(file, FileObject)), place=place)


def by_paths(paths: Iterable[str]) -> catalogue.Entry | None:
    """Find the refused set whose published arrangement relative paths show.

    >>> by_paths(["lfw/Ann_Other/Ann_Other_0001.jpg", "lfw/Bo_Dy/Bo_Dy_0002.jpg"]).id
    'lfw'
    >>> by_paths(["neutral_front/001_03.jpg", "smiling_front/001_08.jpg"]) is None
    True
    """
    counts = [0] * len(SIGNATURES)
    for path in paths:
        for k, signature in enumerate(SIGNATURES):
            if signature.pattern.search(path):
                counts[k] += 1
                if counts[k] >= signature.needed:
                    return catalogue.entries()[signature.entry]
    return None


def check_folder(root: Path, *, place: str) -> None:
    """Refuse a folder that is called or arranged like a refused set, or is part of one; symbolic links are followed.

    Raises
    ------
    Refused
        Naming the set that it was recognised as.
    """
    real = root.resolve()
    above = {name for name in (real.parent.name, root.absolute().parent.name) if name.lower() not in _OTHER_MEANING}
    for entry in (*by_name({root.name, real.name}), *filter(_is_refused, by_name(above))):
        consent.check_entry(entry, place=place)
    inside = "/".join(part for part in real.parts[-_ABOVE:] if part != real.anchor)
    found = list(_walk(root))
    _check_arrangement((f"{inside}/{path}" for path in found), place=place)
    _check_folders(found, place=place)


def check_file(path: Path, *, place: str, of_folder: bool = False) -> None:
    """Refuse a table that is called like a refused set, or lies in a folder that is.

    Parameters
    ----------
    of_folder : bool
        It describes its folder: a name of that counts even if it means something else too.

    Raises
    ------
    Refused
        Naming the set that it was recognised as.
    """
    for entry in by_name([path.stem]):
        consent.check_entry(entry, place=place)
    above = {path.absolute().parent.name, path.resolve().parent.name}
    for entry in by_name(name for name in above if of_folder or name.lower() not in _OTHER_MEANING):
        consent.check_entry(entry, place=place)


def check_samples(paths: Iterable[Path], root: Path, *, place: str) -> None:
    """Refuse image files below a folder by where they lie, and where links lead; see `check_paths`.

    Raises
    ------
    Refused
        Naming the set that they were recognised as.
    """
    real = os.path.realpath(root)
    found = []
    for path in dict.fromkeys(paths):
        found.append(path.relative_to(root).as_posix())
        led = os.path.relpath(os.path.realpath(path), real).replace(os.sep, "/")
        if led != found[-1]:
            found.append(led)
    check_paths(found, place=place)


def check_paths(paths: Iterable[str], *, place: str) -> None:
    """Refuse relative paths that are arranged like a refused set, or images in a folder that is called so.

    Raises
    ------
    Refused
        Naming the set that they were recognised as.
    """
    found = list(paths)
    _check_arrangement(found, place=place)
    _check_folders(found, place=place)


def _check_arrangement(paths: Iterable[str], *, place: str) -> None:
    entry = by_paths(paths)
    if entry is not None:
        raise consent.refused("arrangement", place, **consent.about(entry))


def _check_folders(paths: Iterable[str], *, place: str) -> None:
    """Folders that images lie in must not be called like a refused set; one that leads elsewhere has no say."""
    folders = {
        path.rpartition("/")[0]
        for path in paths
        if not path.startswith("/") and os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 - many
    }
    names = {part for folder in folders for part in folder.split("/")}
    for entry in by_name(name for name in names if name.lower() not in _OTHER_MEANING):
        consent.check_entry(entry, place=place)


def _is_refused(entry: catalogue.Entry) -> bool:
    return consent.POLICY[consent.strictest([entry.tier], place=entry.id)].verdict == "refused"


def _walk(root: Path) -> Iterator[str]:
    """Relative paths, a slash after folders, and where links lead: breadth first, bounded, each folder once."""
    queue = deque([(root, "", 0)])
    seen: set[Path] = set()
    count = 0
    while queue and count < _MOST:
        folder, prefix, depth = queue.popleft()
        real = folder.resolve()
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as found:
                listed = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue  # what cannot be listed cannot be loaded either
        for entry in listed[:_MOST_A_FOLDER]:
            count += 1
            if _is_folder(entry):
                yield f"{prefix}{entry.name}/"
                if entry.is_symlink():
                    yield f"{os.path.realpath(entry.path)}/"
                if depth < _DEEPEST:
                    queue.append((folder / entry.name, f"{prefix}{entry.name}/", depth + 1))
            else:  # a link is the file that it leads to
                yield os.path.realpath(entry.path) if entry.is_symlink() else f"{prefix}{entry.name}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False
