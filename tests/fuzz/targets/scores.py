"""Scores, people and templates that somebody else made."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from .base import Target
from .benchmarks import subjects

SCORES = (
    b"""probe_subject,reference_subject,score,probe,reference
001,001,0.9,a1,a2
001,002,0.1,a1,b1
002,002,,b1,b2
003,002,NA,c1,b2
""",
    b"probe_subject,reference_subject,score\n001,001,0.9\n001,002,-1e-3\n",
)


def _scores(path: Path) -> object:
    from audit import score_table

    return score_table.read(path)


def _scored(path: Path) -> object:
    """The verb `score` as far as its tables: people and samples that somebody else listed."""
    from audit import score_table
    from audit.benchmarks import undescribed

    people, *_ = undescribed.read(path)
    return score_table.read(path.with_name("scores.csv"), subjects=[one.subject_id for one in people])


def _with_scores(folder: Path) -> None:
    (folder / "scores.csv").write_bytes(SCORES[0])


def _parquet(rows: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        import pandas as pd

        scores = pd.read_csv(io.BytesIO(SCORES[0]))
        templates = pd.DataFrame(
            {"sample_id": ["a", "b", "c"], "subject_id": ["1", "1", "2"], "template": [[0.1, 0.2], [0.3, 0.4], None]}
        )
        wide = pd.DataFrame({"sample_id": ["a", "b"], "subject_id": ["1", "2"], "t0": [0.1, 0.2], "t1": [1.0, 2.0]})
        made = []
        for frame in [scores] if rows == "scores" else [templates, wide]:
            stream = io.BytesIO()
            frame.to_parquet(stream)
            made.append(stream.getvalue())
        return made

    return seeds


def _templates(path: Path) -> object:
    from audit import template_table

    return template_table.read(path)


def safetensors() -> list[bytes]:
    import numpy as np

    made = []
    for kind, dtype in (("F32", "<f4"), ("F16", "<f2"), ("BF16", "<u2")):
        body = np.ones((3, 4), dtype).tobytes()
        header = json.dumps({"templates": {"dtype": kind, "shape": [3, 4], "data_offsets": [0, len(body)]}}).encode()
        made.append(len(header).to_bytes(8, "little") + header + body)
    return made


IDS = b"sample_id,subject_id\na,1\nb,1\nc,2\n"


def _with_ids(folder: Path) -> None:
    (folder / "t.csv").write_bytes(IDS)


def _with_tensors(folder: Path) -> None:
    (folder / "t.safetensors").write_bytes(safetensors()[0])


def _ids(path: Path) -> object:
    return _templates(path.with_suffix(".safetensors"))


TARGETS = (
    Target("scores", "scores.csv", "csv", lambda: list(SCORES), _scores),
    Target("scores-parquet", "scores.parquet", "binary", _parquet("scores"), _scores),
    Target("people", "subjects.csv", "csv", subjects, _scored, _with_scores),
    Target("templates-parquet", "t.parquet", "binary", _parquet("templates"), _templates),
    Target("safetensors", "t.safetensors", "binary", safetensors, _templates, _with_ids),
    Target("template-ids", "t.csv", "csv", lambda: [IDS], _ids, _with_tensors),
)
