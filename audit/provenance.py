"""Where a record comes from: versions, hardware, digests."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from audit.domain import Benchmark, Sample, SeriesLevel

PACKAGES = (
    "faceaudit",
    "numpy",
    "scipy",
    "pandas",
    "torch",
    "torchvision",
    "facenet-pytorch",
    "onnxruntime",
    "dlib-bin",
    "pillow",
    "numba",
)


def software() -> dict[str, str]:
    """Versions of what decides numbers; read from package metadata, nothing is imported."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def hardware(device: str) -> dict[str, str]:
    """What the work was done on; no name of the machine."""
    return {
        "device": device,
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@cache
def code_digest() -> str:
    """SHA-256 over the package's own source and data files, by relative name."""
    root = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".toml", ".json"} and "__pycache__" not in path.parts:
            total.update(path.relative_to(root).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def samples_digest(
    benchmark: Benchmark, samples: Sequence[Sample], digests: Mapping[str, str], series: Sequence[SeriesLevel] = ()
) -> str:
    """SHA-256 over every sample's row and file digest, every label, the protocol and withdrawals, in any order.

    Parameters
    ----------
    samples : every picture that decides a number, those of series included
    digests : sample id to the SHA-256 of its file, or to a word for why it could not be read
    series : rows of the series that are measured
    """
    rows = sorted([sample.sample_id, sample.subject_id, digests[sample.sample_id]] for sample in samples)
    owners = {sample.subject_id for sample in samples}
    labels = sorted(
        [subject.subject_id, sorted((name, *values) for name, values in subject.attributes.items())]
        for subject in benchmark.subjects
        if subject.subject_id in owners
    )
    pairs = None if benchmark.pairs is None else sorted(benchmark.pairs)
    parts: list[object] = [rows, labels, pairs]
    marked = sorted([sample.sample_id, *sample.box, *(sample.points or ())] for sample in samples if sample.box)
    if marked:
        parts.append(["boxes", marked])
    if benchmark.folds:
        parts.append(["folds", sorted([*pair, fold] for pair, fold in benchmark.folds.items())])
    if series:
        parts.append(sorted([row.sample.sample_id, row.factor, row.level, row.position, row.own] for row in series))
    if benchmark.withdrawn is not None:
        parts.append(["withdrawn", benchmark.withdrawn.digest])
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
