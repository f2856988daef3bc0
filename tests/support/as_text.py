"""Published files as text, tables included: what a reader could find in them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq


def as_text(path: Path) -> str:
    """All of a file; of a table the names of its columns and every cell."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pandas().to_csv())
    return path.read_text(encoding="utf-8")
