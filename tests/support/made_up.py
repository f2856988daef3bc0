"""Descriptors of made-up collections in the general layout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = "subject_id,gender,origin,age\n001,female,x|y,31\n002,male,NA,NA\n003,female,y,45.5\n"
SAMPLES = (
    "sample_id,path,subject_id,session,light\n"
    "a1,images/a1.png,001,s1,dim\na2,images/a2.png,001,s2,bright\n"
    "b1,images/b1.png,002,s1,dim\nb2,images/b2.png,002,s2,dim\nc1,images/c1.png,003,,dim\n"
)


def attribute(name: str, **more: Any) -> dict[str, Any]:
    """An attribute of a descriptor, self-reported unless told otherwise."""
    made = {
        "@type": "faceaudit:Attribute",
        "faceaudit:name": name,
        "faceaudit:provenance": "self-reported",
        "faceaudit:kind": "categorical",
    }
    return made | {f"faceaudit:{key}": value for key, value in more.items()}


def describe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A valid descriptor of a folder, tier own; `changes` replace keys (None removes), '__' standing for ':'."""
    shipped = json.loads((ROOT / "benchmarks" / "london" / "croissant.json").read_text(encoding="utf-8"))
    made = {key: value for key, value in shipped.items() if key not in ("recordSet", "sameAs", "usageInfo")}
    made |= {
        "name": "Made-up collection",
        "faceaudit:name": "made_up",
        "faceaudit:layout": "general",
        "faceaudit:recognisedBy": [],
        "faceaudit:consentTier": "own",
        "faceaudit:consentStatement": "I agree that my photographs are used to test face models.",
        "faceaudit:signedOffBy": "A. Person, data protection officer",
        "faceaudit:signedOffOn": "2026-01-05",
        "faceaudit:biometricUse": "allowed",
        "faceaudit:minorsNote": "",
        "faceaudit:defaultBy": ["gender"],
        "faceaudit:attribute": [
            attribute("gender", values=["female", "male"]),
            attribute("origin", provenance="annotated"),
            attribute("age", kind="numeric", edges=[40], missingValues=["NA"]),
        ],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path.relative_to(folder).as_posix(),
                "name": path.name,
                "contentUrl": path.relative_to(folder).as_posix(),
                "encodingFormat": "image/png",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in (".png", ".jpg")
        ],
    }
    for key, value in changes.items():
        name = key.replace("__", ":")
        if value is None:
            del made[name]
        else:
            made[name] = value
    return made
