"""Write a site: only what changed, each file whole or not at all, and never over what is somebody else's.

`faceaudit-site.json` lists the files that were made, with their SHA-256. A file that is no longer made is removed if it
is still as it was made; one that somebody changed, or put there, stays.
"""

from __future__ import annotations

import glob
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from audit import whole_file
from audit.errors import DataError

MANIFEST = "faceaudit-site.json"
SCHEMA = "faceaudit/site-1"


class Writer:
    """A folder that holds a site.

    Parameters
    ----------
    out : Path
        Empty, not there yet, or a site of ours.

    Raises
    ------
    DataError
        If it is anything else.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.written: list[str] = []
        self.kept = 0
        self._made: dict[str, str] = {}
        self._folders: set[Path] = set()
        self._before, self._interrupted = self._manifest()
        self._begun = False

    def current(self, name: str) -> bytes | None:
        """What this site has under a name, if it made it and nobody changed it since."""
        content = self._on_disk(name)
        known = self._before.get(name)
        return content if content is not None and hashlib.sha256(content).hexdigest() == known else None

    def put(self, name: str, content: str | bytes) -> None:
        """Write a file, unless it is there with the same content.

        Raises
        ------
        DataError
            If another file is in its way, or the folder cannot be written.
        """
        data = content.encode() if isinstance(content, str) else content
        there = self._on_disk(name)
        self._made[name] = hashlib.sha256(data).hexdigest()
        if there == data:
            self.kept += 1
            return
        if there is not None and name not in self._before and not self._interrupted:
            raise DataError(
                str(self.out / name), "is in the way, and this site did not make it", "Move it, or give another --out"
            )
        self._begin()
        self._replace(name, data)
        self.written.append(name)

    def finish(self) -> list[str]:
        """Remove what is no longer made, and list what is; returns the names removed."""
        removed = []
        for name in sorted(set(self._before) - set(self._made)):
            if self.current(name) is not None:
                self._begin()
                self._folder((self.out / name).parent)
                (self.out / name).unlink()
                removed.append(name)
        for folder in sorted({p for name in removed for p in (self.out / name).parents}, reverse=True):
            if self.out in folder.parents and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        if self._interrupted:
            self._sweep()
        self._list("complete", self._made)
        return removed

    def _sweep(self) -> None:
        """Remove what an interrupted publication left beside its files: a site is served as it lies there."""
        for name in self._made:
            path = self.out / name
            for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
                with suppress(OSError):
                    left.unlink()

    def _manifest(self) -> tuple[dict[str, str], bool]:
        try:
            if not self.out.exists() or (self.out.is_dir() and not any(self.out.iterdir())):
                return {}, False
            found: Any = json.loads((self.out / MANIFEST).read_bytes())
            files = found["files"]
            if found["schema"] == SCHEMA and all(isinstance(v, str) and _plain(k) for k, v in files.items()):
                return files, found["state"] != "complete"
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise DataError(
            str(self.out),
            f"is not empty and not a site of faceaudit (no {MANIFEST})",
            "Give an empty or new folder with --out",
        )

    def _begin(self) -> None:
        """Say that a change is under way: after a crash, files of ours that are not listed yet may be replaced."""
        if not self._begun:
            self._begun = True
            self._list("building", self._before)

    def _list(self, state: str, files: dict[str, str]) -> None:
        said = {"schema": SCHEMA, "state": state, "files": dict(sorted(files.items()))}
        data = (json.dumps(said, indent=1) + "\n").encode()
        if self._on_disk(MANIFEST) != data:
            self._replace(MANIFEST, data)

    def _on_disk(self, name: str) -> bytes | None:
        try:
            return (self.out / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._cannot(name, error) from None

    def _replace(self, name: str, data: bytes) -> None:
        path = self.out / name
        try:
            self._folder(path.parent)
            whole_file.write(path, data, durable=name == MANIFEST)
        except OSError as error:
            raise self._cannot(name, error) from error

    def _folder(self, folder: Path) -> None:
        if folder in self._folders:
            return
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self.out.resolve()):
            raise DataError(str(folder), "is a link that leads out of the site", "Remove the link")
        self._folders.add(folder)

    def _cannot(self, name: str, error: OSError) -> DataError:
        return DataError(
            str(self.out / name), f"cannot be written: {error.strerror}", "Give a writable folder with --out"
        )


def _plain(name: str) -> bool:
    """Whether a name of a manifest stays inside the site: the manifest may have been changed."""
    parts = name.split("/")
    return not any(part in {"", ".", ".."} for part in parts) and "\\" not in name and "\0" not in name
