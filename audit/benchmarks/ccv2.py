"""The layout of Casual Conversations v2 (Meta): annotations a video, frames by person.

`annotations/CasualConversationsV2.json` is a list with an entry a video: `video_name`, `subject_id`, `age` (a whole
number or "prefer not to say"), `gender`, `geo_location.country`, `monk_skin_tone` {scale, confidence} and
`fitzpatrick_skin_tone` {type, confidence}. Frames lie in `ccv2-frames-part-{1..5}/{subject_id}/*.jpg`, with names that
begin with the video's.

**Samples**: one frame a video, the middle one in the order of names. Frames of one video are seconds apart; comparing
them with each other would measure that a picture resembles itself, and would count as mated comparisons. The other
frames are left out and counted. A video is a session. Frames whose names begin with no video of their person are left
out and counted too. How sure the annotators were of the skin tone of a video is a condition of its sample.

**Labels**: age, gender and country are self-provided, skin tones annotated. What the videos of one person say must
agree: a difference is an error that names both. Of skin tones those of the highest confidence count.
"Prefer not to say" is a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from audit.benchmarks import content, json_file, people
from audit.benchmarks.content import IMAGE_SUFFIXES, Content
from audit.benchmarks.descriptor import Descriptor
from audit.domain import Sample
from audit.errors import DataError

TABLE = "annotations/CasualConversationsV2.json"
PARTS = re.compile(r"(?i)ccv2[-_]frames[-_]part[-_]\d+")
CONFIDENCES = ("low", "medium", "high")
TONES = {"monk_skin_tone": "scale", "fitzpatrick_skin_tone": "type"}
_KEY = "subject_id"
_PLAIN = ("age", "gender")
_COUNTRY = "country"
LABELS = (*_PLAIN, _COUNTRY, *TONES)
MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class _Video:
    """An entry of the annotations: labels as text ("" where missing), and how sure the skin tones are."""

    place: str
    name: str
    subject_id: str
    labels: Mapping[str, str]
    sure: Mapping[str, int]


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the layout of Casual Conversations v2.

    Raises
    ------
    DataError
        Naming the file, the entry of the list, the key and the value.
    """
    path = root / TABLE
    _check_labels(descriptor)
    videos = [_video(path, k, entry) for k, entry in enumerate(_entries(path))]
    _check_names(videos, path)
    settled, notes = _settle(videos)
    frame = pd.DataFrame(settled, dtype=str)
    subjects, noticed = people.subjects(frame, path, key=_KEY, specs=descriptor.dataset.attributes)
    samples, counted = _samples(root, videos)
    if not samples:
        raise DataError(
            str(root), "no frame of a video is there", "Unpack the frames: ccv2-frames-part-1 to -5, a folder a person"
        )
    return Content(subjects, samples, None, (*notes, *noticed, *counted))


def _check_labels(descriptor: Descriptor) -> None:
    for k, spec in enumerate(descriptor.dataset.attributes):
        if (spec.column or spec.name) not in LABELS:
            raise DataError(
                f"{descriptor.path}#/faceaudit:attribute/{k}",
                f"this layout reads no label {spec.column or spec.name!r}",
                f"It reads {', '.join(LABELS)}",
            )


def _entries(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(str(path), f"is larger than {MOST_BYTES} bytes", "Give the file as it was published")
    except FileNotFoundError:
        raise DataError(str(path), "no such file", "Unpack the annotations into this folder") from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    read = json_file.read(path, way_out="Give the file as it was published")
    if not isinstance(read, list) or not read:
        raise DataError(str(path), "is no list of videos", "Give the file as it was published")
    return read


def _video(path: Path, k: int, entry: Any) -> _Video:
    place = f"{path}#/{k}"
    if not isinstance(entry, dict):
        raise DataError(place, f"is no object but {type(entry).__name__}", "An entry describes one video")
    labels = {key: _text(entry, place, key, needed=False) for key in _PLAIN}
    labels[_COUNTRY] = _text(_part(entry, place, "geo_location"), f"{place}/geo_location", _COUNTRY, needed=False)
    sure = {}
    for key, inner in TONES.items():
        part = _part(entry, place, key)
        labels[key] = _text(part, f"{place}/{key}", inner, needed=False)
        word = _text(part, f"{place}/{key}", "confidence", needed=bool(labels[key]))
        if word and word not in CONFIDENCES:
            raise DataError(
                f"{place}/{key}/confidence", f"{word!r} is no confidence", f"Allowed: {', '.join(CONFIDENCES)}"
            )
        sure[key] = CONFIDENCES.index(word) if word else -1
    name = _text(entry, place, "video_name", needed=True)
    return _Video(place, name, _text(entry, place, _KEY, needed=True), labels, sure)


def _part(entry: Mapping[str, Any], place: str, key: str) -> Mapping[str, Any]:
    part = entry.get(key)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise DataError(f"{place}/{key}", f"is no object but {part!r:.60}", "Give the file as it was published")
    return part


def _text(entry: Mapping[str, Any], place: str, key: str, *, needed: bool) -> str:
    """A text or a whole number, as text; "" where it is missing and may be."""
    value = entry.get(key)
    if value is None or value == "":
        if needed:
            raise DataError(f"{place}/{key}", "is missing", "Every video needs it")
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise DataError(f"{place}/{key}", f"{value!r:.60} is no text and no whole number", "Correct that value")
    if not str(value).isprintable() or not str(value).strip():
        raise DataError(f"{place}/{key}", f"{value!r:.60} cannot be printed", "Correct that value")
    return str(value)


def _check_names(videos: Iterable[_Video], path: Path) -> None:
    first: dict[str, _Video] = {}
    for video in videos:
        before = first.setdefault(video.name, video)
        if before is not video:
            raise DataError(
                f"{video.place}/video_name", f"{video.name!r} stands at {before.place} too", "Remove one of them"
            )
        if video.subject_id in (".", "..") or "/" in video.subject_id or "\\" in video.subject_id:
            raise DataError(
                f"{video.place}/{_KEY}", f"{video.subject_id!r} is no name of a folder", f"Mend {path.name}"
            )


def _settle(videos: Sequence[_Video]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """One row a person: what all videos say, and the skin tone of the highest confidence."""
    of: dict[str, list[_Video]] = {}
    for video in videos:
        of.setdefault(video.subject_id, []).append(video)
    rows, changed = [], dict.fromkeys(TONES, 0)
    for name, own in of.items():
        row = {_KEY: name}
        for label in LABELS:
            best = max((video.sure[label] for video in own), default=0) if label in TONES else 0
            heard = [video for video in own if label not in TONES or video.sure[label] == best]
            row[label] = _agreed(label, heard, name)
            if label in TONES:
                changed[label] += len({video.labels[label] for video in own}) > 1
        rows.append(row)
    notes = tuple(
        f"{label}: the videos of {count} people differ; the value of the highest confidence is taken."
        for label, count in changed.items()
        if count
    )
    return rows, notes


def _agreed(label: str, videos: Sequence[_Video], subject: str) -> str:
    said = [video for video in videos if video.labels[label]]
    for video in said[1:]:
        if video.labels[label] != said[0].labels[label]:
            raise DataError(
                f"{video.place}/{label}",
                f"{subject!r} has {video.labels[label]!r} here and {said[0].labels[label]!r} at {said[0].place}",
                "A person has one value of an attribute: correct one of the videos",
            )
    return said[0].labels[label] if said else ""


def _samples(root: Path, videos: Sequence[_Video]) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
    frames, others = _frames(root)
    videos_of: dict[str, dict[str, _Video]] = {}
    for video in videos:
        videos_of.setdefault(video.subject_id, {})[Path(video.name).stem] = video
    taken: dict[str, list[str]] = {}
    unknown = 0
    for subject, paths in frames.items():
        stems = videos_of.get(subject, {})
        for path in paths:
            stem = _longest_prefix(Path(path).stem, stems)
            if stem is None:
                unknown += 1
            else:
                taken.setdefault(stems[stem].name, []).append(path)
    samples = []
    for video in videos:
        own = sorted(taken.get(video.name, []), key=lambda path: (len(Path(path).name), Path(path).name))
        if own:
            path = own[(len(own) - 1) // 2]
            samples.append(_sample(root, path, video))
    silent = len(videos) - len(samples)
    spare = sum(len(own) - 1 for own in taken.values())
    counts = (
        (silent, f"of {len(videos)} videos have no frame here."),
        (spare, "frame(s) are left out: one a video is a sample, the middle one."),
        (unknown, "frame(s) are left out: their names begin with no video of the person in whose folder they lie."),
        (others, "image file(s) are left out: they lie in no folder ccv2-frames-part-{n}/{subject_id}."),
    )
    return tuple(samples), tuple(f"{count} {text}" for count, text in counts if count)


def left_out(root: Path, made: Content) -> set[str]:
    """Frames of known videos beside the one that is a sample, as relative paths."""
    stems: dict[str, list[str]] = {}
    for sample in made.samples:
        stems.setdefault(sample.subject_id, []).append(Path(sample.session or "").stem)
    used = {sample.sample_id for sample in made.samples}
    return {
        path
        for subject, own in _frames(root)[0].items()
        for path in own
        if path not in used and _longest_prefix(Path(path).stem, stems.get(subject, ())) is not None
    }


def _longest_prefix(name: str, stems: Iterable[str]) -> str | None:
    """The longest stem that a name begins with, up to a '_' or its end."""
    fitting = [stem for stem in stems if name == stem or name.startswith(f"{stem}_")]
    return max(fitting, key=len, default=None)


def _frames(root: Path) -> tuple[dict[str, list[str]], int]:
    """Relative paths of frames by person, and how many images lie elsewhere."""
    found: dict[str, list[str]] = {}
    others = 0
    for folder, inner, names in os.walk(root):
        inner.sort()
        images = sorted(name for name in names if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES)  # noqa: PTH122 - 264,670 frames: a Path for each is slow
        parts = Path(folder).relative_to(root).parts
        if len(parts) == 2 and PARTS.fullmatch(parts[0]):
            found.setdefault(parts[1], []).extend(f"{parts[0]}/{parts[1]}/{name}" for name in images)
        else:
            others += len(images)
    return found, others


def _sample(root: Path, path: str, video: _Video) -> Sample:
    sure = {f"{key}_confidence": CONFIDENCES[level] for key, level in video.sure.items() if level >= 0}
    return Sample(
        sample_id=path,
        subject_id=video.subject_id,
        path=content.inside(root, path, place=str(root / path)),
        session=video.name,
        conditions=sure,
    )
