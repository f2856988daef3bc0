"""Every shipped benchmark is a case: valid Croissant, valid for us, true to its files, and inside the wheel."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from audit.benchmarks import LAYOUTS, catalogue, consent, descriptor

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "benchmarks").glob("*/croissant.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_valid_for_us_and_known(folder: Path) -> None:
    read = descriptor.read(folder / "croissant.json")
    assert read.dataset.name == folder.name
    assert read.dataset.layout in LAYOUTS
    assert read.dataset.statement_source
    entry = catalogue.find(folder.name)
    assert entry is not None
    assert consent.strictest([read.dataset.tier], place="") == consent.strictest([entry.tier], place="")
    copy = read.dataset.model_copy(update={"last_checked": dt.datetime.now(tz=dt.UTC).date(), "minors": "no"})
    assert consent.gate(copy, place=folder.name, known=[entry], acknowledge=["T3", "S2"]).notices
    assert (folder / "README.md").is_file()
    assert {path.name for path in folder.iterdir()} <= {
        "croissant.json", "README.md", "samples.csv", "subjects.csv", "series.csv", "people.jsonl", "images", "series",
    }  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_it_is_valid_croissant(folder: Path) -> None:
    import mlcroissant  # noqa: PLC0415 - slow to load

    made = mlcroissant.Dataset(folder / "croissant.json")
    issues = made.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    assert made.metadata.ctx.is_v1_1()
    ours = descriptor.read(folder / "croissant.json").dataset
    assert tuple(made.metadata.data_limitations) == ours.limitations
    assert len(made.metadata.distribution) == len(ours.distribution)
    assert made.metadata.cite_as == ours.citation


def test_london_is_true_to_its_files(london: Path) -> None:
    read = descriptor.shipped()["london"]
    lines = (london / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {path.removeprefix("./"): digest for digest, path in (line.split() for line in lines)}
    assert {path: file.sha256 for path, file in read.files.items()} == sums
    assert len(sums) == 307
    for path, file in read.files.items():
        assert file.bytes == (london / path).stat().st_size
        place = "data-raw" if path == "london_info.csv" else "inst"
        commit = "fa8b78fda2d659bb74ce62fcd99c4407551d2a77"
        assert file.url == f"https://raw.githubusercontent.com/debruine/webmorphR.stim/{commit}/{place}/{path}"
    quoted = (london / "README.md").read_text(encoding="utf-8").split('"')[1]
    assert " ".join(quoted.split()) in read.dataset.statement
    with (london / "london_info.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    documented = {spec.name: spec for spec in read.dataset.attributes}
    assert {row["face_eth"] for row in rows} - set(documented["ethnicity"].documented) == {"east_asian/white"}
    assert {row["face_gender"] for row in rows} == set(documented["gender"].documented)
    ages = [int(row["face_age"]) for row in rows if row["face_age"] not in documented["age"].missing_values]
    assert (min(ages), max(ages), len(ages)) == (18, 54, 100)


def test_descriptors_and_catalogue_are_inside_the_wheel(tmp_path: Path) -> None:
    # with the build backend at hand the test needs no network
    offline = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *offline, "-w", str(tmp_path)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    assert "audit/benchmarks/catalogue.toml" in names
    for folder in FOLDERS:
        assert f"audit/_data/benchmarks/{folder.name}/croissant.json" in names
    script = (
        "import json; from audit.benchmarks import catalogue, descriptor; "
        "print(json.dumps([str(descriptor.shipped_folder()), sorted(descriptor.shipped()), len(catalogue.entries())]))"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); {script}"
    run = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    where, shipped, entries = json.loads(run.stdout)
    assert Path(where) == tmp_path / "installed" / "audit" / "_data" / "benchmarks"
    assert shipped == [folder.name for folder in FOLDERS]
    assert entries == 59


def test_the_page_of_benchmarks_describes_every_shipped_one() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line.lower() for line in page.splitlines() if line.startswith("| `")}
    for folder in FOLDERS:
        read = descriptor.read(folder / "croissant.json").dataset
        row = rows[folder.name]
        assert f"| {read.tier.lower()} |" in row
        assert folder.name == "synthetic" or f"### {folder.name}\n" in page
        for attribute in read.attributes:
            said = attribute.name.split("_")[0] if folder.name != "cc0_fixture" else "one person"
            assert said in row or folder.name == "synthetic", attribute.name
        entry = catalogue.find(folder.name)
        assert entry is not None
        if entry.mark("subjects") == "M":
            assert f"{entry.subjects.split(' ')[0]}" in row
            assert "(m)" in row
