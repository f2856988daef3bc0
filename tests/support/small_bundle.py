"""A small audit of scores that are drawn, sealed as a user does: people in groups, one of two people, one of one."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import scoring
from audit.bundle import envelope, keys
from audit.bundle.folder import ENVELOPE, OWN, SIGNER, STATEMENT, content, listed
from audit.evaluation import Evaluation
from audit.plan import RunOptions
from audit.record import read

TONES = ("dark", "mid", "light", "light")


def people(number: int) -> list[tuple[str, str, str]]:
    made = [(f"u{k:04d}", "fm"[k % 2], TONES[k // 2 % 4]) for k in range(number)]
    made[0], made[1], made[2] = ("u0000", "f", "other"), ("u0001", "m", "other"), ("u0002", "x", "light")
    return made


def write_tables(folder: Path, number: int, images: int, seed: int) -> tuple[Path, Path]:
    """Scores of every pair of samples, and whose they are; one sample has none."""
    rng = np.random.default_rng(seed)
    known = people(number)
    common = {tone: rng.normal(size=24) for tone in (*TONES, "other")}
    own = np.array([rng.normal(size=24) + (0.9 if t == "dark" else 0.3) * common[t] for _, _, t in known])
    who = np.repeat(np.arange(number), images)
    vectors = own[who] + 0.75 * rng.normal(size=(len(who), 24))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    one, two = np.triu_indices(len(who), 1)
    scores = np.einsum("ij,ij->i", vectors[one], vectors[two])
    subjects, table = folder / "subjects.csv", folder / "scores.csv"
    with subjects.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("subject_id", "sex", "tone"), *known])
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("probe_subject", "reference_subject", "score", "probe", "reference"))
        for i, j, score in zip(one, two, scores, strict=True):
            text = "" if i == 7 else f"{score:.6f}"
            writer.writerow((known[who[i]][0], known[who[j]][0], text, f"img{i:05d}", f"img{j:05d}"))
    return table, subjects


def audited(folder: Path, number: int = 120, images: int = 2, seed: int = 5) -> Evaluation:
    """The audit of such scores, with every report but the CSV tables (they take longest)."""
    table, subjects = write_tables(folder, number, images, seed)
    given = scoring.Given(table, subjects)
    settings = {"by": ("sex", "tone"), "fmr": (0.01, 0.001), "draws": 400}
    made = scoring.evaluate(given, settings, RunOptions(out=folder / "out"))
    made.report(formats=("html", "pdf", "md", "card"))
    return made


def sealed_again(folder: Path, signing: Ed25519PrivateKey | None = None) -> None:
    """What an attacker does after a change: make every digest fit again, with a key of his own or without one."""
    for name in OWN:
        (folder / name).unlink(missing_ok=True)
    digests = {name: envelope.digest(content(folder, name)) for name in listed(folder)}
    payload = envelope.canonical(envelope.statement(digests, read(folder / "record.json")))
    if signing is None:
        (folder / STATEMENT).write_bytes(payload)
        return
    public = signing.public_key()
    (folder / SIGNER).write_bytes(keys.written(public))
    signature = signing.sign(envelope.to_sign(payload))
    (folder / ENVELOPE).write_bytes(envelope.sealed(payload, keys.key_id(public), signature))


def copied(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target))


def edit_record(folder: Path, change) -> None:
    """Change the record as a text document, in the form that its writer gives it."""
    path = folder / "record.json"
    said = json.loads(path.read_bytes())
    change(said)
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
