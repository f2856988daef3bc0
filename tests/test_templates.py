"""Templates that somebody else extracted: both files, the record against a double loop, files that are wrong."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from audit import forgetting, template_table
from audit.benchmarks import withdrawals
from audit.cli import app
from audit.domain import Benchmark, Consent, Subject, Withdrawals
from audit.errors import AuditError, DataError
from audit.plan import AuditPlan, make

PEOPLE, IMAGES, DIMENSION = 40, 3, 8


def vectors() -> np.ndarray:
    rng = np.random.default_rng(5)
    own = rng.normal(size=(PEOPLE, DIMENSION))
    return (np.repeat(own, IMAGES, axis=0) + 0.6 * rng.normal(size=(PEOPLE * IMAGES, DIMENSION))).astype(np.float32)


def ids() -> dict[str, list[str]]:
    who = np.repeat(np.arange(PEOPLE), IMAGES)
    return {"sample_id": [f"s{k}" for k in range(len(who))], "subject_id": [f"p{k}" for k in who]}


def parquet(path: Path, values: np.ndarray, **more: object) -> Path:
    columns = {f"t{k}": values[:, k] for k in range(values.shape[1])}
    pq.write_table(pa.table({**ids(), **columns, **more}), path)
    return path


def safetensors(path: Path, values: np.ndarray, kind: str = "F32") -> Path:
    body = values.tobytes()
    header = json.dumps({"templates": {"dtype": kind, "shape": values.shape, "data_offsets": [0, len(body)]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    pd.DataFrame(ids()).to_csv(path.with_suffix(".csv"), index=False)
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    table = pd.DataFrame({"subject_id": [f"p{k}" for k in range(PEOPLE)], "g": ["a", "b"] * (PEOPLE // 2)})
    table.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def run(file: Path, people: Path, *more: str) -> dict:
    arguments = ["run", "--model", f"templates:{file}", "--subjects", str(people), "--out", str(people.parent / "out")]
    made = CliRunner().invoke(app, [*arguments, "--json", "--quiet", "--fmr", "0.05", *more])
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)["evaluations"][0]


def test_a_run_on_templates_gives_the_counts_of_a_double_loop(tmp_path: Path, people: Path) -> None:
    values = vectors()
    made = run(parquet(tmp_path / "mine.parquet", values), people)
    assert (made["benchmark"], made["model"], made["samples"], made["failures"]) == ("mine", "mine", 120, 0)
    record = json.loads(Path(made["record"]).read_bytes())
    assert record["benchmark"]["consent_tier"] == "undocumented"
    assert record["warnings"][0] == "Nothing is documented about consent."
    unit = values.astype(np.float64) / np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    who = np.repeat(np.arange(PEOPLE), IMAGES)
    threshold = next(p["threshold"] for p in made["operating_points"] if p["policy"] == "global")
    wrong = {"FMR": 0, "FNMR": 0}
    tried = {"FMR": 0, "FNMR": 0}
    for a, b in itertools.combinations(range(len(who)), 2):
        score = float(unit[a] @ unit[b])
        metric = "FNMR" if who[a] == who[b] else "FMR"
        tried[metric] += 1
        wrong[metric] += score < threshold - 1e-7 if metric == "FNMR" else score >= threshold - 1e-7
    for rate in made["rates"]:
        if not rate["group"] and rate["metric"] in wrong and rate["view"] == "conditional":
            assert (rate["errors"], rate["trials"]) == (wrong[rate["metric"]], tried[rate["metric"]])


def test_both_files_and_all_forms_give_the_same_rates(tmp_path: Path, people: Path) -> None:
    values = vectors()
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), DIMENSION)
    pq.write_table(pa.table({**ids(), "template": lists}), tmp_path / "lists.parquet")
    files = [
        parquet(tmp_path / "columns.parquet", values),
        tmp_path / "lists.parquet",
        safetensors(tmp_path / "safe.safetensors", values),
    ]
    assert len({json.dumps(run(file, people)["rates"]) for file in files}) == 1


def test_half_precision_is_read_as_what_it_is(tmp_path: Path) -> None:
    values = vectors()
    half = template_table.read(safetensors(tmp_path / "half.safetensors", values.astype(np.float16), "F16"))
    np.testing.assert_array_equal(half.rows.take(np.arange(5)), values[:5].astype(np.float16).astype(np.float32))
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    brain = template_table.read(safetensors(tmp_path / "brain.safetensors", upper, "BF16"))
    np.testing.assert_allclose(brain.rows.take(np.arange(5)), values[:5], rtol=2**-7)
    assert (half.stored, brain.stored) == ("float16", "bfloat16")


def test_templates_that_are_none_are_failures_and_counted(tmp_path: Path, people: Path) -> None:
    values = vectors()
    values[0, 3], values[4], values[7, 0] = np.nan, 0.0, np.inf
    made = run(parquet(tmp_path / "bad.parquet", values), people)
    assert made["failures"] == 3
    record = json.loads(Path(made["record"]).read_bytes())
    rows = {(row["stage"], row["reason"]): row["failures"] for row in record["acquisition"] if not row["group"]}
    assert rows[("template", template_table.NOT_FINITE)] == 2
    assert rows[("template", template_table.ZERO)] == 1
    lists = pa.array([None if k == 1 else row.tolist() for k, row in enumerate(values)], pa.list_(pa.float32()))
    pq.write_table(pa.table({**ids(), "template": lists}), tmp_path / "null.parquet")
    assert template_table.read(tmp_path / "null.parquet").failed[1] == template_table.MISSING


def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path) -> None:
    def refused(name: str, table: pa.Table, message: str) -> None:
        pq.write_table(table, tmp_path / name)
        with pytest.raises(DataError, match=message):
            template_table.read(tmp_path / name)

    ragged = pa.array([[1.0, 2.0]] * 119 + [[1.0]], pa.list_(pa.float32()))
    refused(
        "a.parquet",
        pa.table({**ids(), "template": ragged}),
        "row 120, column 'template': has 1 numbers, the one in row 1 has 2",
    )
    refused("b.parquet", pa.table({"sample_id": ["x"], "template": [[1.0]]}), "'subject_id' is missing")
    refused("c.parquet", pa.table(ids()), "'template' is missing")
    refused("d.parquet", pa.table({**ids(), "t0": [1.0] * 120, "t2": [1.0] * 120}), "'t1' is missing")
    refused("e.parquet", pa.table({**ids(), "t0": ["x"] * 120}), "no numbers")
    twice = {**ids(), "sample_id": ["s"] * 120}
    refused("f.parquet", pa.table({**twice, "t0": [1.0] * 120}), "'s' stands in row 1 too")
    path = safetensors(tmp_path / "g.safetensors", vectors())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match="its numbers are cut off"):
        template_table.read(path)
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(DataError, match="its header is cut off"):
        template_table.read(path)
    (tmp_path / "g.csv").unlink()
    with pytest.raises(DataError, match="no such table"):
        template_table.read(safetensors_without_table(tmp_path))
    (tmp_path / "x.npy").touch()
    with pytest.raises(DataError, match="unknown kind of file"):
        template_table.read(tmp_path / "x.npy")


def safetensors_without_table(tmp_path: Path) -> Path:
    path = safetensors(tmp_path / "h.safetensors", vectors())
    path.with_suffix(".csv").unlink()
    return path


def test_mistakes_on_the_command_line_cost_one_line(tmp_path: Path, people: Path) -> None:
    file = parquet(tmp_path / "mine.parquet", vectors())
    few = tmp_path / "few.csv"
    few.write_text("subject_id,g\np0,a\n")
    for arguments, code, message in (
        (["--model", f"templates:{file}"], 2, "without --subjects"),
        (["--model", f"templates:{file}", "--subjects", str(few)], 2, "is not in the table of people"),
        (["--model", f"templates:{tmp_path / 'no.parquet'}", "--subjects", str(people)], 2, "no such file"),
        (["--model", "dlib", "--subjects", str(people)], 2, "no templates are given"),
        (["--model", f"templates:{file}", "--subjects", str(people), "--similarity", "l1"], 2, "similarity"),
    ):
        made = CliRunner().invoke(app, ["run", *arguments, "--out", str(tmp_path / "out")])
        assert isinstance(made.exception, AuditError)
        assert made.exception.exit_code == code
        assert message in str(made.exception)


@pytest.mark.parametrize("similarity", ["dot", "euclidean"])
def test_other_similarities_and_storage(tmp_path: Path, people: Path, similarity: str) -> None:
    file = parquet(tmp_path / "mine.parquet", vectors())
    made = run(file, people, "--similarity", similarity)
    half = run(file, people, "--similarity", similarity, "--storage", "bfloat16")
    assert made["record"] != half["record"]
    assert all(p["threshold"] is None or p["threshold"] <= 0 or similarity == "dot" for p in made["operating_points"])


def test_templates_of_people_who_withdrew_are_not_compared(tmp_path: Path, people: Path) -> None:
    file = parquet(tmp_path / "mine.parquet", vectors())
    before = run(file, people)
    withdrawals.add(tmp_path, "p3", dt.date(2026, 3, 1))
    after = run(file, people)
    assert (before["samples"], after["samples"], after["subjects"]) == (120, 117, 39)
    record = json.loads(Path(after["record"]).read_bytes())
    assert record["benchmark"]["withdrawn"]["listed"] == 1
    assert record["samples"]["nonmated"] == 117 * 116 // 2 - 39 * 3
    assert after["supersedes"] is not None


def test_comparisons_under_way_are_dropped_when_somebody_withdraws(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "comparisons" / "x").mkdir(parents=True)
    (cache / "comparisons" / "x" / "part.npz").write_bytes(b"scores of everyone")
    agreed = Consent("T2", "", "", "", {}, "no", False, "")
    benchmark = Benchmark("b", "B", "1", tmp_path, agreed, "", {}, ("g",), (Subject("a", {}),), (), "")
    forgetting.clear(benchmark, (), {}, "benchmark b", cache)
    assert (cache / "comparisons").exists()
    out = replace(benchmark, withdrawn=Withdrawals(1, "2026-03-01", "d", subjects=("z",)))
    forgetting.clear(out, (), {}, "benchmark b", cache)
    assert not (cache / "comparisons").exists()


def test_a_sample_of_comparisons_stands_in_the_record(tmp_path: Path, people: Path) -> None:
    """120 templates of 40 people: 7,140 comparisons less the 120 mated ones; 2,000 of the rest are drawn."""
    file = parquet(tmp_path / "some.parquet", vectors())
    (tmp_path / "plan.toml").write_text(
        f'benchmark = "templates"\nmodel = "templates:{file}"\nfmr = [0.05]\nby = ["g"]\nsample_nonmated = 2000\n'
    )
    command = ["run", str(tmp_path / "plan.toml"), "--subjects", str(people), "--out", str(tmp_path / "out")]
    made = CliRunner().invoke(app, [*command, "--json", "--quiet"])
    assert made.exit_code == 0, made.output
    record = json.loads(Path(json.loads(made.stdout)["evaluations"][0]["record"]).read_bytes())
    found = record["sampling"]
    assert (found["drawn"], found["of"], found["weight"]) == (2000, 7020, 3.51)
    assert (record["samples"]["mated"], record["samples"]["nonmated"]) == (120, 2000)
    everyone = next(rate for rate in record["rates"] if rate["metric"] == "FMR" and not rate["group"])
    assert everyone["trials"] == 2000
    flags = run(file, people, "--by", "g", "--sample-nonmated", "2000")
    assert flags["reused"]  # the same plan, said on the command line
    assert any(line.startswith("2,000 of 7,020 non-mated comparisons were drawn") for line in record["limits"])


def test_flags_say_what_a_plan_says(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[AuditPlan] = []
    monkeypatch.setattr("audit.recipe.admit", lambda asked, _: seen.append(asked))
    monkeypatch.setattr("audit.recipe.run", lambda *_: 1 / 0)
    flags = ["--precision", "0.2", "--threshold", "0.4,0.5", "--impostors", "a,b", "--working-size", "512"]
    command = ["run", "--benchmark", "synthetic", "--model", "dlib", *flags, "--arithmetic", "bfloat16", "--quiet"]
    CliRunner().invoke(app, command, standalone_mode=False)
    CliRunner().invoke(app, ["run", "--benchmark", "b", "--model", "dlib", "--calibration", "0.3", "--quiet"])
    assert seen == [
        make({
            "benchmark": "synthetic", "model": "dlib", "precision": 0.2, "thresholds": (0.4, 0.5),
            "impostors": ("a", "b"), "working_size": 512, "arithmetic": "bfloat16",
        }),
        make({"benchmark": "b", "model": "dlib", "calibration": 0.3}),
    ]  # fmt: skip


def test_what_fewer_bits_change_stands_in_the_record(tmp_path: Path, people: Path) -> None:
    made = run(parquet(tmp_path / "few.parquet", vectors()), people, "--storage", "bfloat16")
    record = json.loads(Path(made["record"]).read_bytes())
    (row,) = record["storage"]
    assert (row["operating_point"], row["kept_in"]) == ("global-fmr-0.05", "bfloat16")
    assert (row["nonmated_of"], row["mated_of"]) == (7020, 120)
    assert 0 < row["nonmated"] < 100
    assert any(line.startswith("Templates were kept as bfloat16: at global-fmr-0.05") for line in record["limits"])


def test_templates_of_a_benchmark_of_the_catalogue(tmp_path: Path) -> None:
    """Made-up templates for the samples of the bundled set: its people, groups and consent; a sample without is one."""
    table = pd.read_csv(Path(__file__).resolve().parents[1] / "benchmarks" / "synthetic" / "samples.csv", dtype=str)
    rng = np.random.default_rng(8)
    who = table["subject_id"].astype("category").cat.codes.to_numpy()
    values = rng.normal(size=(who.max() + 1, DIMENSION))[who] + 0.6 * rng.normal(size=(len(who), DIMENSION))
    columns = {name: table[name].to_list() for name in ("sample_id", "subject_id")}
    columns |= {f"t{k}": values[:, k].astype(np.float32) for k in range(DIMENSION)}
    pq.write_table(pa.table(columns).slice(3), tmp_path / "theirs.parquet")
    command = [
        "run",
        "--benchmark",
        "synthetic",
        "--model",
        f"templates:{tmp_path / 'theirs.parquet'}",
        "--fmr",
        "0.05",
    ]
    made = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out"), "--json", "--quiet"])
    assert made.exit_code == 0, made.output
    record = json.loads(Path(json.loads(made.stdout)["evaluations"][0]["record"]).read_bytes())
    assert (record["benchmark"]["name"], record["model"]["name"]) == ("synthetic", "theirs")
    assert record["benchmark"]["consent_tier"] != "undocumented"
    assert (record["samples"]["total"], record["samples"]["subjects"]) == (len(table), len(set(table["subject_id"])))
    everyone = next(row for row in record["acquisition"] if not row["group"] and row["reason"])
    assert (everyone["reason"], everyone["failures"]) == ("no template in the file", 3)
    used = who[3:]
    mated = sum(n * (n - 1) // 2 for n in np.bincount(used).tolist())
    assert record["samples"]["mated"] == mated
    pq.write_table(pa.table({**columns, "sample_id": ["x", *columns["sample_id"][1:]]}), tmp_path / "wrong.parquet")
    command[4] = f"templates:{tmp_path / 'wrong.parquet'}"
    refused = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert isinstance(refused.exception, DataError)
    assert "is none of its samples in synthetic" in str(refused.exception)
