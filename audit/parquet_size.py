"""How much memory a Parquet table would take: a file of some thousand bytes may hold a long text a million times."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

MOST = 1 << 28
"""Bytes of a table of counts, unpacked."""


def too_large(content: bytes) -> bool:
    """Whether more than `MOST` bytes would be unpacked; texts are looked at once each, as a dictionary.

    Raises
    ------
    pyarrow.ArrowException, OSError
        If it is no Parquet.
    """
    about = pq.ParquetFile(io.BytesIO(content))
    groups = [about.metadata.row_group(k) for k in range(about.metadata.num_row_groups)]
    if sum(max(0, one.total_byte_size) for one in groups) > MOST:
        return True
    texts = [field.name for field in about.schema_arrow if pa.types.is_string(field.type)]
    found = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts).read(texts) if texts else None
    if found is not None:
        found.validate(full=True)  # else a place beyond the dictionary is a crash
    return found is not None and sum(bytes_of(column) for column in found.itercolumns()) > MOST


def bytes_of(column: pa.ChunkedArray) -> int:
    """Bytes of a column's texts, if each cell had its own."""
    made = 0
    for chunk in column.chunks:
        if not pa.types.is_dictionary(chunk.type):  # a file may have no dictionary to read
            made += chunk.nbytes
            continue
        lengths = pa.compute.binary_length(chunk.dictionary).to_numpy(zero_copy_only=False)
        used = chunk.indices.drop_null().to_numpy()
        made += int(lengths[used].sum()) if len(used) else 0
    return made
