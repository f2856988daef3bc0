"""Unpack an archive that somebody downloaded: every member is looked at before a byte is written.

An archive is untrusted. The list of its members is read first, within bounds, and the whole archive is refused for one
that leaves the folder, is a link or a device, takes another's name, or claims more than it may. Only then is it
written, beside its place, and gets its name when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.benchmarks.archives import members
from audit.benchmarks.archives.members import BLOCK, Limits, Member
from audit.benchmarks.archives.names import check_distinct, is_litter, refused
from audit.benchmarks.staging import require_free, staged
from audit.errors import DataError

__all__ = ["Limits", "Member", "Unpacked", "is_archive", "listed", "unpack"]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was written."""

    folder: Path
    files: int
    size: int
    left_out: int


def is_archive(path: Path) -> bool:
    """Say whether a file is an archive that can be unpacked, by its bytes and not by its name."""
    return path.is_file() and members.kind(path) is not None


def listed(path: Path, limits: Limits | None = None) -> tuple[list[Member], int]:
    """Look at every member of an archive; nothing is written.

    Returns
    -------
    (members, how many were left out as a file manager's litter)

    Raises
    ------
    DataError
        If the archive is damaged, or a member is not one that may be written.
    """
    limits = limits or Limits()
    found = members.read(path, limits)
    kept = [member for member in found if not is_litter(member.path)]
    check_distinct(path, [member.path for member in kept])
    return kept, len(found) - len(kept)


def unpack(
    paths: Sequence[Path],
    target: Path,
    *,
    limits: Limits | None = None,
    look: Callable[[Sequence[str]], None] | None = None,
    settle: Callable[[Path], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Unpacked:
    """Unpack one archive, or several into one folder.

    Parameters
    ----------
    paths : sequence of Path
    target : Path
        The folder, which must not exist, or be empty.
    limits : Limits, optional
        Of all archives together; `ratio` of each.
    look : callable, optional
        Given every path before anything is written; it may raise.
    settle : callable, optional
        Given the folder when all is written and before it gets its name; it may raise, and nothing is kept then.
    progress : callable, optional
        Called with ("unpack", files done, files in all).

    Raises
    ------
    DataError
        Naming archive and member; nothing was written then.
    """
    limits = limits or Limits()
    require_free(target)
    plans, left_out = [], 0
    for path in paths:
        kept, litter = listed(path, limits)
        plans.append((path, kept))
        left_out += litter
    names = [member.path for _, kept in plans for member in kept]
    size = sum(member.size for _, kept in plans for member in kept)
    together = paths[0] if len(paths) == 1 else Path(f"{len(paths)} archives")
    if not names:
        raise DataError(str(together), "holds no files", "Download it again")
    members.check_count(together, len(names), limits)
    members.check_size(together, size, limits)
    check_distinct(together, names)
    if look is not None:
        look(names)
    done = 0
    with staged(target, size=size) as folder:
        for path, kept in plans:
            for _ in _write(path, kept, folder):
                done += 1
                if progress is not None:
                    progress("unpack", done, len(names))
        if settle is not None:
            settle(folder)
    return Unpacked(target, len(names), size, left_out)


def _write(path: Path, kept: Sequence[Member], folder: Path) -> Iterator[None]:
    """Write members one by one, each exactly as long as it claims."""
    with members.opened(path) as archive:
        for member in kept:
            place = folder / member.path
            place.parent.mkdir(parents=True, exist_ok=True)
            with members.content(path, archive, member, folder) as stream, place.open("xb") as out:
                left = member.size
                while block := stream.read(min(BLOCK, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise refused(path, member.path, f"is longer than the {member.size} bytes that it claims")
                    out.write(block)
            if left:
                raise refused(path, member.path, f"is {left} bytes shorter than it claims")
            yield
