"""Small records made by the real recipe from made-up scores, for policies to be judged on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audit.record import EvaluationRecord, read

SHIFT = {"a": 0.0, "b": 0.05, "c": 0.6}


def write_scores(folder: Path, *, seed: int = 1, people: int = 40, shift: dict[str, float] | None = None) -> None:
    """Write scores.csv and subjects.csv: group c's non-mated scores lie higher, so it is matched falsely more often."""
    rng = np.random.default_rng(seed)
    groups = shift or SHIFT
    rows, subjects = ["probe_subject,reference_subject,score"], ["subject_id,grp"]
    names = [(f"{group}{k}", group) for group in groups for k in range(people)]
    own = {name: rng.normal(0, 0.15) for name, _ in names}
    subjects += [f"{name},{group}" for name, group in names]
    for i, (one, mine) in enumerate(names):
        rows += [f"{one},{one},{rng.normal(2.6 + own[one], 0.8):.6f}" for _ in range(3)]
        for other, yours in names[i + 1 :]:
            more = groups[mine] if mine == yours else 0.0
            rows.append(f"{one},{other},{rng.normal(more + own[one] + own[other], 0.5):.6f}")
    (folder / "scores.csv").write_text("\n".join(rows) + "\n")
    (folder / "subjects.csv").write_text("\n".join(subjects) + "\n")


def made_record(folder: Path, cache: Path | None = None, **more: object) -> tuple[Path, EvaluationRecord]:
    """Score them; the record's path and the record. The private cache lies in the folder unless it is named."""
    from london_run import faceaudit  # noqa: PLC0415 - beside the other support modules

    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder, **more)  # type: ignore[arg-type]
    run = faceaudit(
        "score", "scores.csv", "--subjects", "subjects.csv", "--by", "grp", "--fmr", "1e-2", "--json", "--out", "out",
        env={"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(cache or folder / "cache")}, cwd=folder,
    )  # fmt: skip
    assert run.code == 0, run.stderr
    path = folder / run.evaluations[0]["record"]
    return path, read(path)
