"""What hostile files and failing disks have brought to light: each failure that was found, once more."""

from __future__ import annotations

import base64
import csv
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from made_up import SAMPLES, SUBJECTS, describe

from audit import (
    answered,
    benchmarks,
    cell_table,
    cli,
    counted,
    parquet_size,
    plan,
    report,
    results,
    score_table,
    template_table,
    whole_file,
)
from audit.benchmarks import archives, checks, descriptor, own_copy, undescribed, withdrawals
from audit.bundle import Finding, keys, rebuild
from audit.domain import DURING, FailureToAcquire, Picture
from audit.errors import AuditError, DataError, ModelError
from audit.models import MODELS, card_file, deepid_h5, dlib_net, guard, onnx_network
from audit.models.service_client import _asked_for
from audit.policy import rules
from audit.record import EvaluationRecord
from audit.record import read as read_record
from audit.report.site import publish
from audit.scan import Ids, tables

ROOT = Path(__file__).resolve().parents[2]
DEEP = "a = " + "[" * 100_000
LONG_KEY = ".".join(["a"] * 100_000) + " = 1"
LONG_NUMBER = "a = " + "9" * 5000
TOML: dict[str, Callable[[Path], object]] = {
    "plan": plan.read,
    "policy": rules.read,
    "card": lambda path: card_file.own(path, MODELS),
    "copy": lambda path: own_copy.read(path.parent),
}


def collection(folder: Path, *, samples: str = SAMPLES, **changes: Any) -> Path:
    (folder / "images").mkdir(parents=True)
    for image in ("a1", "a2", "b1", "b2", "c1"):
        (folder / "images" / f"{image}.png").write_bytes(f"bytes of {image}".encode())
    (folder / "subjects.csv").write_text(SUBJECTS)
    (folder / "samples.csv").write_text(samples)
    (folder / "croissant.json").write_text(json.dumps(describe(folder, **changes)))
    return folder


@pytest.mark.parametrize("reader", TOML)
@pytest.mark.parametrize("text", [DEEP, LONG_KEY, LONG_NUMBER, "#" * (2 << 20)], ids=["deep", "key", "number", "long"])
def test_toml_that_its_library_stumbles_over_is_one_line_in_time(reader: str, text: str, tmp_path: Path) -> None:
    """RecursionError, a plain ValueError, and half a minute for one key with 200,000 parts."""
    path = tmp_path / "copy.toml"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(AuditError, match="TOML"):
        TOML[reader](path)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("part", ["\x1b[31mred", "a\u202eb", "\ufeff", "\0", "x" * 1_000_000, "one\ntwo\x85three"])
def test_what_a_file_holds_neither_steers_a_terminal_nor_floods_it(part: str) -> None:
    said = str(DataError(part, part, part))
    assert said.isprintable()
    assert len(said) < 4000


def test_a_name_that_no_file_can_have_is_one_line(tmp_path: Path) -> None:
    """OSError 36 from the first look at it."""
    folder = collection(tmp_path / "made", samples=SAMPLES.replace("images/a1.png", "a" * 300))
    with pytest.raises(DataError, match=r"row 2, column 'path': 'aaa.*at most 255 bytes"):
        benchmarks.load(str(folder))
    assert "path-escapes" in {finding.check for finding in checks.check(str(folder)).findings}


def test_links_that_run_in_a_circle_are_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    """RuntimeError and OSError 40 from the first look at them."""
    folder = collection(tmp_path / "made")
    (folder / "images/a1.png").unlink()
    (folder / "images/a1.png").symlink_to("a1.png")
    made = benchmarks.load(str(folder))
    assert any("1 of 5 image files are missing" in note for note in made.notes)
    assert "row-without-file" in {finding.check for finding in checks.check(str(folder)).findings}


def test_a_header_of_many_columns_is_refused_in_time(tmp_path: Path) -> None:
    """Counting each of 200,000 names among all took minutes; filling short rows up to so many took gigabytes."""
    folder = collection(tmp_path / "made", samples=",".join(["[1"] * 200_000) + "\n1\n2\n")
    began = time.process_time()
    with pytest.raises(DataError, match="has 200,000 columns"):
        benchmarks.load(str(folder))
    assert "table-unreadable" in {finding.check for finding in checks.check(str(folder)).findings}
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("rows", "message"), [("{}\n1\n", "has 200,000 columns"), ("sample_id,subject_id\n{}\n", "has 200000 cells")]
)
def test_a_table_of_ids_with_endless_columns_is_refused_in_time(rows: str, message: str, tmp_path: Path) -> None:
    """Minutes, in pandas: names that stand twice are numbered, and cells beyond the header become an index."""
    body = np.ones((1, 4), "<f4").tobytes()
    header = json.dumps({"t": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}}).encode()
    (tmp_path / "t.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + body)
    (tmp_path / "t.csv").write_text(rows.format(",".join(["[1"] * 200_000)))
    began = time.process_time()
    with pytest.raises(DataError, match=message):
        template_table.read(tmp_path / "t.safetensors")
    assert time.process_time() - began < 5


def test_a_descriptor_with_a_number_for_a_path_is_one_line(tmp_path: Path) -> None:
    folder = collection(tmp_path / "made")
    described = json.loads((folder / "croissant.json").read_text())
    described["distribution"][0]["@id"] = 0.5
    (folder / "croissant.json").write_text(json.dumps(described))
    with pytest.raises(DataError, match="should be a valid string"):
        benchmarks.load(str(folder))


def test_a_column_without_a_name_is_one_line(tmp_path: Path) -> None:
    """ValidationError, of a class that users do not know."""
    (tmp_path / "people.csv").write_text("subject_id,gender,\t\n001,f,x\n")
    with pytest.raises(DataError, match="row 1: the column 3 has no name"):
        undescribed.read(tmp_path / "people.csv")


def test_a_number_of_thousands_of_digits_in_a_table_is_one_line(tmp_path: Path) -> None:
    """ValueError, of Python's own limit."""
    folder = collection(tmp_path / "made")
    many = "9" * 5000
    (folder / "series.csv").write_text(
        f"sample_id,path,subject_id,factor,level,position,own\ns1,images/s1.png,001,light,dim,{many},yes\n"
    )
    with pytest.raises(DataError, match="row 2, column 'position'"):
        benchmarks.load(str(folder))
    (tmp_path / "people.csv").write_text(f"subject_id,images\n001,{many}\n")
    with pytest.raises(DataError, match="row 2, column 'images'"):
        undescribed.read(tmp_path / "people.csv")


@pytest.mark.parametrize("header", ["a" * 200_000, "a" * (17 << 20)])
def test_a_table_of_scores_with_one_endless_name_is_one_line(header: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(header)
    assert csv.field_size_limit() == 131_072
    with pytest.raises(DataError, match="row 1"):
        score_table.read(path)


@pytest.mark.parametrize("read", [score_table.read, template_table.read])
def test_parquet_whose_names_are_not_utf8_is_one_line(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"probe_subject": ["1"], "reference_subject": ["2"], "score": [0.5], "sample_id": ["a"]})
    frame.assign(subject_id="1", template=[[0.5, 0.25]]).to_parquet(path)
    path.write_bytes(path.read_bytes().replace(b"sample_id", b"s\xe3mple_id"))
    with pytest.raises(DataError, match=r"Parquet|cannot be read"):
        read(path)


def test_weights_with_sizes_beyond_memory_are_one_line(tmp_path: Path) -> None:
    """OverflowError."""
    huge = b"\x01\x02" + b"\x08" + b"\xff" * 8 + b"\x01\x01" * 3
    with pytest.raises(AuditError, match="does not hold dlib's face network"):
        dlib_net.read(b"\x05con_4" + huge + bytes(64), tmp_path / "w.dat")
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["a"] = np.zeros(4, np.float32)
    sound = (tmp_path / "w.h5").read_bytes()
    for place in range(8, 96, 8):
        for value in (2**63, 2**64 - 2, 2**63 - 1):
            with pytest.raises(AuditError):
                deepid_h5.read_state(
                    tmp_path / "w.h5", sound[:place] + value.to_bytes(8, "little") + sound[place + 8 :]
                )


def test_a_record_nested_without_end_is_not_a_finished_one(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("[" * 200_000)
    assert results.finished(path, None) is None  # type: ignore[arg-type] - it is not come to


def published() -> dict[str, Any]:
    """A record of this repository, as JSON."""
    (path, *_) = sorted((ROOT / "results" / "london").rglob("record.json"))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_record_that_fits_the_schema_and_makes_no_sense_is_one_line(tmp_path: Path) -> None:
    """KeyError or ZeroDivisionError while its report was drawn, it was judged, compared or published."""
    said = published()
    sound = EvaluationRecord.model_validate(said)
    said["operating_points"][0] |= {"target_fmr": 0.0, "threshold": None}
    (tmp_path / "results").mkdir()
    (tmp_path / "results/record.json").write_text(json.dumps(said))
    odd = read_record(tmp_path / "results/record.json")
    with pytest.raises(DataError, match="fits the schema, but makes no sense"):
        report.render(odd, tmp_path / "out")
    with pytest.raises(AuditError):
        publish(tmp_path / "results", tmp_path / "site")
    assert report.render(sound, tmp_path / "out")


def test_a_descriptor_that_is_wrong_as_a_whole_is_one_line(tmp_path: Path) -> None:
    """IndexError: half a character in a key has no place in the document."""
    (tmp_path / "croissant.json").write_text('{"\\ud800": 1}')
    with pytest.raises(DataError, match=r"croissant\.json#/: "):
        descriptor.read(tmp_path / "croissant.json")


def test_a_network_whose_names_steer_a_terminal_is_refused_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """onnxruntime printed lines of its own, with the names that the file gives to its parts."""
    from onnx import TensorProto, helper

    one, other = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y"))
    reshape = helper.make_node("Reshape", ["x", "s"], ["y"], name="\x1b[2Jowned")
    shape = helper.make_tensor("s", TensorProto.INT64, [1], [3])
    model = helper.make_model(
        helper.make_graph([reshape], "g", [one], [other], [shape]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    path = tmp_path / "m.onnx"
    with pytest.raises((ModelError, guard.NoTemplateError)) as refused:
        onnx_network.load(path, model.SerializeToString(), lanes=1).run(np.zeros((1, 4), np.float32))
    assert "\x1b" not in str(refused.value)
    assert "owned" not in "".join(capfd.readouterr())


def test_a_key_that_would_take_an_hour_to_unlock_is_one_line_at_once(tmp_path: Path) -> None:
    """Two thousand million rounds of PBKDF2, which the file asks for."""
    path = tmp_path / "key.pem"
    keys.make(path, "pass")
    assert keys.private(path, lambda: "pass")
    body = base64.b64decode(b"".join(path.read_bytes().split(b"\n")[1:-2]))
    at = body.index(b"\x04\x10")  # the salt; two of its bytes make room for a longer number behind it
    hostile = body[:at] + b"\x04\x0e" + body[at + 2 : at + 16] + b"\x02\x04\x7f\xff\xff\xff" + body[at + 22 :]
    name = b"ENCRYPTED PRIVATE KEY-----\n"
    path.write_bytes(b"-----BEGIN " + name + base64.encodebytes(hostile) + b"-----END " + name)
    began = time.process_time()
    with pytest.raises(DataError, match=r"asks for 2.15e\+09 rounds of PBKDF2"):
        keys.private(path, lambda: "pass")
    assert time.process_time() - began < 5


def test_tables_of_a_bundle_without_a_row_are_read(tmp_path: Path) -> None:
    """ValueError, from counts.parquet without a row: `verify` ended in a traceback."""
    import pyarrow.parquet as pq

    for name, schema in counted.SCHEMAS.items():
        pq.write_table(schema.empty_table(), tmp_path / name, store_schema=False)
    found = counted.Counted.read(tmp_path)
    assert (found.scores, found.looks) == ((), ())


@pytest.mark.parametrize("name", [counted.COUNTS, counted.CELLS, counted.COVARIANCE])
def test_a_small_table_of_a_bundle_that_unpacks_to_millions_of_rows_is_one_line(name: str, tmp_path: Path) -> None:
    """Some thousand bytes took gigabytes and minutes: a Python object for every cell of every row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = counted.SCHEMAS[name]
    rows = np.arange(1 << 20)
    cell = {"string": "a", "bool": rows % 2 == 0, "double": 0.5, "int64": 1, "int32": 0}
    columns = {field.name: pa.array(np.full(len(rows), cell[str(field.type)]), field.type) for field in schema} | (
        {"operating_point": pa.array([f"p{row}" for row in rows])} if name == counted.COVARIANCE else {}
    )
    if name == counted.COUNTS:
        columns["high"] = pa.array(np.full(len(rows), 0.75))
    for each in (counted.COUNTS, counted.CELLS, counted.COVARIANCE):
        empty = pa.table(
            {field.name: pa.array([], field.type) for field in counted.SCHEMAS[each]}, counted.SCHEMAS[each]
        )
        table = pa.table(columns, schema) if each == name else empty
        pq.write_table(table, tmp_path / each, store_schema=False)
    began = time.process_time()
    with pytest.raises(DataError, match="more than"):
        counted.Counted.read(tmp_path)
    assert time.process_time() - began < 10


def test_a_long_text_that_stands_in_a_million_rows_is_one_line() -> None:
    """A file of some kilobytes took gigabytes, as it was scanned and as it was read."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, rows = counted.SCHEMAS[counted.COVARIANCE], 1 << 20
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["a" * 10_000]))
    numbers = [pa.array(np.zeros(rows), field.type) for field in list(schema)[1:]]
    made = io.BytesIO()
    pq.write_table(pa.table([texts, *numbers], names=schema.names), made, store_schema=False, compression="zstd")
    assert len(made.getvalue()) < 1 << 16
    assert parquet_size.too_large(made.getvalue())
    assert tables.of_parquet(made.getvalue(), Ids()) == ["has more texts than can be looked at"]


@pytest.mark.parametrize("spoilt", [b"r\xffws", b"r\x80"])
def test_texts_of_a_table_that_are_not_utf8_are_one_line(spoilt: bytes) -> None:
    """UnicodeDecodeError, as a bundle was scanned."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    made = io.BytesIO()
    texts = pa.Array.from_buffers(pa.string(), 1, pa.array([spoilt], pa.binary()).buffers())
    rest = [pa.array([0], field.type) for field in list(counted.SCHEMAS[counted.COVARIANCE])[1:]]
    pq.write_table(
        pa.table([texts, *rest], schema=counted.SCHEMAS[counted.COVARIANCE]), made,
        store_schema=False, write_statistics=False,
    )  # fmt: skip
    assert tables.of_parquet(made.getvalue(), Ids()) == ["is no Parquet table"]
    with pytest.raises(DataError, match="cannot be read"):
        counted.unpacked(made.getvalue(), counted.COVARIANCE)


@pytest.mark.parametrize("name", ["probe_subject", "probe", "subject_id"])
def test_texts_of_scores_and_templates_that_are_not_utf8_are_one_line(name: str, tmp_path: Path) -> None:
    """UnicodeDecodeError, from a Parquet file of scores whose sample ids were spoilt."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    spoilt = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\x80a"], pa.binary()).buffers())
    texts = ["probe_subject", "reference_subject", "probe", "reference", "sample_id", "subject_id"]
    made = {text: spoilt if text == name else pa.array([f"a{text}"]) for text in texts}
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({**made, "score": pa.array([0.5]), "t0": pa.array([1.0])}), path, write_statistics=False)
    with pytest.raises(DataError, match=r"cannot be read|is not Parquet"):
        template_table.read(path) if name == "subject_id" else score_table.read(path)


def test_what_a_check_of_a_bundle_finds_is_one_line() -> None:
    """Names of files in a statement went to the terminal as they were: long, or with escape sequences."""
    detail = Finding("files", "failed", "\x1b[2J" + "a" * 100_000 + "\nb").detail
    assert detail.isprintable()
    assert len(detail) < 2000


def test_a_record_of_more_groups_than_memory_has_covariances_for_is_one_line() -> None:
    """A square of numbers for each operating point: five thousand groups would take 13 GiB."""
    said = published()
    said["samples"]["by_group"] *= 1000
    record = EvaluationRecord.model_validate(said)
    with pytest.raises(DataError, match=r"lacks cells"):
        rebuild.rebuild(record, counted.Counted((), ()))
    names = tuple(cell_table.Name("group", str(k), None, 1) for k in range(cell_table.LARGEST_MATRIX // 4))
    nothing, metrics = np.zeros(0, dtype=np.int64), ("FMR", "FNMR", "GFMR", "GFNMR")
    zeros = np.zeros((4, len(names), 3), dtype=np.int64)
    look = cell_table.Look("p", "", names, metrics, zeros, nothing, nothing, np.zeros(0))
    rebuild.require_few([look] * 4)
    with pytest.raises(DataError, match="5 settings have too many covariances"):
        rebuild.require_few([look] * 5)


def test_a_service_that_asks_to_wait_for_thousands_of_digits_of_seconds_is_not_heeded() -> None:
    """ValueError, from `Retry-After`."""
    assert [_asked_for(text) for text in ("9" * 5000, "soon", "7", None)] == [None, None, 7.0, None]


def test_texts_without_a_dictionary_have_a_size() -> None:
    """AttributeError, from a damaged table of a bundle."""
    texts = pa.chunked_array([pa.array(["ab", "c"]), pa.array(["d"])])
    assert 4 <= parquet_size.bytes_of(texts) < 200
    assert parquet_size.bytes_of(texts.dictionary_encode()) == 4


# A disk that fails, a process that is killed


def test_a_record_that_counts_failures_of_the_machine_is_no_finished_one(tmp_path: Path) -> None:
    """It answered the same command for ever after."""
    said = published()
    path = tmp_path / "record.json"
    path.write_text(json.dumps(said))
    digests = EvaluationRecord.model_validate(said).digests
    assert results.finished(path, digests) is not None
    said["acquisition"].append(said["acquisition"][0] | {"stage": "read", "reason": f"missing file {DURING}"})
    path.write_text(json.dumps(said))
    assert results.finished(path, digests) is None


class NoMemory:
    """A network for which there is none, in each runtime's words."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def extract(self, _: object) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("shapes do not fit"), False),
    ],
)
def test_memory_that_runs_out_is_no_failure_of_a_face(error: Exception, passing: bool) -> None:
    (found,) = guard.outcomes(NoMemory(error), [Picture(np.zeros((4, 4, 3), np.uint8))], 4)  # type: ignore[arg-type]
    assert isinstance(found, FailureToAcquire)
    assert found.passing is passing


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(5, "Input/output error", "a/b.csv"), "a/b.csv: Input/output error"),
        (RuntimeError("can't start new thread"), "too many threads"),
    ],
)
def test_what_no_room_has_words_for_is_one_line(
    error: Exception, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback, and exit 1."""

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("faceaudit: ")
    assert text in line


def test_an_unpacking_removes_what_killed_ones_left_and_no_other(tmp_path: Path) -> None:
    """Pictures of people stayed in a folder for ever."""
    fcntl = pytest.importorskip("fcntl")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"a")
    dead, alive = tmp_path / ".out.unfinished-dead", tmp_path / ".out.unfinished-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "face.jpg").write_bytes(b"x")
    handle = os.open(alive, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    archives.unpack([tmp_path / "a.zip"], tmp_path / "out")
    os.close(handle)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.unfinished-alive", "a.zip", "out"]


def test_a_publication_removes_what_an_interrupted_one_left(tmp_path: Path) -> None:
    """Half a page was served with the site."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results/record.json").write_text(json.dumps(published()))
    publish(tmp_path / "results", tmp_path / "site")
    manifest = tmp_path / "site/faceaudit-site.json"
    manifest.write_text(manifest.read_text().replace('"complete"', '"building"'))
    left, other = tmp_path / "site/.index.html.a1b2c3d4", tmp_path / "site/.htaccess"
    for path in (left, other):
        path.write_text("half")
    publish(tmp_path / "results", tmp_path / "site")
    assert not left.exists()
    assert other.exists()


def test_two_runs_that_try_the_same_folder_at_once_do_not_meet(tmp_path: Path) -> None:
    """One removed the other's trial file in between: "cannot be written: No such file or directory"."""
    wrong: list[BaseException] = []

    def try_it() -> None:
        try:
            for _ in range(150):
                results.require_writable(tmp_path / "out")
        except BaseException as error:  # noqa: BLE001 - carried out of the thread
            wrong.append(error)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert not list((tmp_path / "out").iterdir())


def test_a_salt_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was killed while it made the salt left an empty one, and the list was locked for ever."""
    import datetime as dt

    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(DataError, match=r"withdrawn\.salt: cannot be written: Input/output error"):
            withdrawals.add(tmp_path, "001", dt.date(2026, 1, 2))
    assert not list(tmp_path.iterdir())
    assert withdrawals.add(tmp_path, "001", dt.date(2026, 1, 2)) is None
    assert withdrawals.add(tmp_path, "001", dt.date(2026, 1, 2)) == dt.date(2026, 1, 2)


def test_what_a_killed_process_left_beside_a_file_goes_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / ".record.json.abc", tmp_path / ".record.json.def"
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    whole_file.write(tmp_path / "record.json", b"{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".record.json.def", "record.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v is of Linux")
def test_without_addresses_for_charts_a_report_is_one_line(tmp_path: Path) -> None:
    """V8 ended the process with SIGTRAP and a page of addresses."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n"
        "from audit.report.charts.lettering import drawn\ndrawn({'layer': []})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "DataError: report: no chart can be drawn" in run.stderr.splitlines()[-1]


def test_an_answer_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    """Both lines ran together, and the second answer of a paid service was lost as well."""
    path = tmp_path / "answers"
    kept = answered._Kept(path, fresh=False)
    kept.put(["a", "b"], 0.5)
    kept.close()
    path.write_text(path.read_text() + '["0123')
    kept = answered._Kept(path, fresh=False)
    kept.put(["a", "c"], 0.25)
    kept.close()
    again = answered._Kept(path, fresh=False)
    assert (again.get(["a", "b"]), again.get(["a", "c"])) == (0.5, 0.25)
    again.close()
