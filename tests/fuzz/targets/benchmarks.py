"""Benchmarks in every layout: descriptor, tables, lists."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from .base import ROOT, Target, home


def collection(folder: Path) -> None:
    """A collection in the general layout, with every table that it may have."""
    from made_up import SAMPLES, SUBJECTS, describe
    from PIL import Image

    (folder / "images").mkdir()
    for image in ("a1", "a2", "b1", "b2", "c1", "s1", "s2"):
        Image.new("RGB", (8, 8), (len(image), ord(image[0]), ord(image[1]))).save(folder / "images" / f"{image}.png")
    (folder / "subjects.csv").write_text(SUBJECTS)
    (folder / "samples.csv").write_text(SAMPLES)
    (folder / "croissant.json").write_text(json.dumps(describe(folder)))


PAIRS = (
    b"probe,reference,fold\na1,a2,1\na1,b1,1\nb1,b2,2\na2,c1,2\n",
    b"probe,reference\na1,a2\na1,b1\nb1,b2\na2,c1\n",
)
SERIES = b"""sample_id,path,subject_id,factor,level,position,own
s1,images/s1.png,001,light,dim,0,yes
s2,images/s2.png,001,light,bright,1,no
"""
BOXES = b"sample_id,path,subject_id,box_left,box_top,box_width,box_height\na1,images/a1.png,001,1,1,5,5.5\n"


def _described() -> list[bytes]:
    from made_up import describe

    made = json.dumps(describe(Path(__file__).parent / "none"), ensure_ascii=False, indent=1).encode()
    return [made, (ROOT / "benchmarks/synthetic/croissant.json").read_bytes()]


def _described_there() -> list[bytes]:
    """The descriptor of the collection itself."""
    place = home() / "collection"
    if not place.exists():
        place.mkdir()
        collection(place)
    return [(place / "croissant.json").read_bytes()]


def _samples() -> list[bytes]:
    from made_up import SAMPLES

    return [SAMPLES.encode(), BOXES]


def subjects() -> list[bytes]:
    from made_up import SUBJECTS

    return [SUBJECTS.encode(), b"subject_id,gender\n001,female\n002,male\n003,\n"]


def _loaded(path: Path) -> object:
    from audit import benchmarks

    return benchmarks.load(str(path.parent))


def _checked(path: Path) -> object:
    from audit.benchmarks import checks

    return checks.check(str(path.parent))


def _withdrawn() -> list[bytes]:
    import datetime as dt

    from audit.benchmarks import withdrawals

    folder = home() / "list"
    folder.mkdir(exist_ok=True)
    if not (folder / withdrawals.LIST).exists():
        withdrawals.add(folder, "001", dt.date(2026, 1, 2))
    return [(folder / withdrawals.LIST).read_bytes()]


def _with_salt(folder: Path) -> None:
    from audit.benchmarks import withdrawals

    collection(folder)
    _withdrawn()
    shutil.copy(home() / "list" / withdrawals.SALT, folder)


def _published(make: str, table: str) -> tuple[Callable[[], list[bytes]], Callable[[Path], None]]:
    """Seeds and folder of a layout, from the generator that its tests use."""

    def folder(here: Path) -> None:
        import datetime as dt

        import published

        if make == "fhibe":
            made = published.Fhibe(here)
            for person in (20, 21):
                made.add(person, 0)
                made.add(person, 1)
            made.write(str(dt.datetime.now(tz=dt.UTC).date()))
        else:
            getattr(published, make)(here)
        shutil.copy(ROOT / "benchmarks" / make / "croissant.json", here)

    def seeds() -> list[bytes]:
        place = home() / make
        if not place.exists():
            place.mkdir()
            folder(place)
        return [(place / table).read_bytes()]

    return seeds, folder


def _read_layout(path: Path) -> object:
    from audit.benchmarks import descriptor, reader_of

    home = next(one for one in path.parents if (one / "croissant.json").exists())
    described = descriptor.read(home / "croissant.json")
    return reader_of(described)(home, described)


def _descriptor(path: Path) -> object:
    from audit.benchmarks import descriptor

    return descriptor.read(path)


def _tem(path: Path) -> object:
    from audit.benchmarks import london, tem

    points = tem.read(path)
    return (london.face_box(points), london.five(points)) if len(points) >= 189 else points


def _tem_seeds() -> list[bytes]:
    rows = [f"{10 * k % 320}.5\t{7 * k % 300}" for k in range(189)]
    return ["\n".join(["189", *rows, "3", "0", "5", "0 1 2 3 4"]).encode(), b"2\n1.5 2\n3 4\n"]


def _literal(path: Path) -> object:
    from audit.benchmarks import literals

    try:
        return literals.values(path.read_bytes().decode("utf-8", "replace"))
    except ValueError as error:  # its readers put the place before it
        from audit.errors import DataError

        raise DataError("cell", str(error)) from None


def _toml(path: Path) -> object:
    from audit.benchmarks import own_copy

    return own_copy.read(path.parent)


_FHIBE = "fhibe.20250708.x_downsampled_public/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"
_CCV2 = "annotations/CasualConversationsV2.json"

TARGETS = (
    Target("descriptor", "croissant.json", "json", _described, _descriptor),
    Target("benchmark", "croissant.json", "json", _described_there, _loaded, collection),
    Target("samples", "samples.csv", "csv", _samples, _loaded, collection),
    Target("subjects", "subjects.csv", "csv", subjects, _loaded, collection),
    Target("pairs", "pairs.csv", "csv", lambda: list(PAIRS), _loaded, collection),
    Target("series", "series.csv", "csv", lambda: [SERIES], _loaded, collection),
    Target("withdrawals", "withdrawn.csv", "csv", _withdrawn, _loaded, _with_salt),
    Target("copy", "copy.toml", "toml", lambda: [b'last_checked = 2026-11-26\nversion = "2"\n'], _toml),
    Target("check", "samples.csv", "csv", _samples, _checked, collection),
    Target("fhibe", _FHIBE, "csv", _published("fhibe", _FHIBE)[0], _read_layout, _published("fhibe", _FHIBE)[1]),
    Target("ccv2", _CCV2, "json", _published("ccv2", _CCV2)[0], _read_layout, _published("ccv2", _CCV2)[1]),
    Target("literal", "cell.txt", "text", lambda: [b"['1. She/her/hers', '3. They']", b"[102, 78, 65]"], _literal),
    Target("tem", "a.tem", "text", _tem_seeds, _tem),
)
