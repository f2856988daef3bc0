"""Every refused tier, by every way to it: exit code 3, one line, and nothing read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from london_run import Run
from made_up import SAMPLES, SUBJECTS, describe
from PIL import Image

from audit import decode
from audit.cli import main

ROOT = Path(__file__).resolve().parents[2]
SETS = {
    "T4": ("ppb", "Pilot Parliaments Benchmark", ["PPB-2017/PPB-2017-metadata.csv", "PPB-2017/imgs/1.jpg"]),
    "T5": ("meds", "NIST MEDS-II", ["data/S001-01-t10_01.jpg", "data/S002-01-t10_01.jpg"]),
    "T6": ("lfw", "Labeled Faces in the Wild", ["Ann_Other/Ann_Other_0001.jpg", "Bo_Dy/Bo_Dy_0002.jpg"]),
    "T7": ("vggface2", "VGGFace2", ["test/n000001/0001_01.jpg", "test/n000001/0002_01.jpg"]),
    "T7d": ("rfw", "RFW", ["test/txts/Asian/Asian_pairs.txt", "test/data/Asian/m.0107_f/m.0107_f_0001.jpg"]),
}
"""Refused tier: a set of it, a name of that set, and files as it was published."""
ADDRESS = {"T4": "gender-shades", "T5": "nist-meds"}
"""Words of addresses, where the short name means other things too."""

Command = Callable[..., tuple[int, str, str]]
tiers = pytest.mark.parametrize("tier", SETS)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, in this process; whoever opens an image fails the test."""
    monkeypatch.chdir(tmp_path)

    def opened(path: Path) -> bytes:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(decode, "read", opened)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def assert_refused(outcome: tuple[int, str, str], tier: str) -> None:
    code, out, err = outcome
    assert code == 3, err
    assert out == ""
    assert err.startswith("faceaudit: ")
    assert err.count("\n") == 1
    assert "refused" in err
    assert f"tier {tier}" in err or f"/{tier}" in err
    assert "No flag opens it. Consented alternatives: london" in err
    assert not list(Path().rglob("record.json"))


def write(folder: Path, descriptor: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A small collection with real pictures; `descriptor` replaces its own."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(("a1", "a2", "b1", "b2", "c1")):
        Image.fromarray(np.full((8, 8, 3), 40 * k, np.uint8)).save(folder / "images" / f"{name}.png")
    (folder / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (folder / "samples.csv").write_text(SAMPLES, encoding="utf-8")
    (folder / "croissant.json").write_text(json.dumps(descriptor or describe(folder, **changes)), encoding="utf-8")
    return folder


def lay(folder: Path, tier: str) -> Path:
    """Files arranged like the refused set of a tier."""
    for path in SETS[tier][2]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"not an image")
    return folder


def run(folder: str | Path) -> tuple[str, ...]:
    return ("run", "--benchmark", str(folder), "--model", "dlib", "--acknowledge", "T3", "--out", "out")


@tiers
@pytest.mark.parametrize(
    "verb",
    [
        ("run", "--model", "dlib", "--benchmark", "{}"),
        ("run", "--model", "dlib", "--obtain", "--fresh", "--benchmark", "{}"),
        ("run", "--model", "dlib", "--task", "counterfactual", "--benchmark", "{}"),
        ("power", "--benchmark", "{}"),
        ("benchmarks", "check", "{}"),
        ("benchmarks", "obtain", "{}"),
        ("benchmarks", "withdraw", "{}", "001"),
    ],
    ids=" ".join,
)
def test_by_name(command: Command, tier: str, verb: tuple[str, ...]) -> None:
    short, long, _ = SETS[tier]
    for name in (short, long.upper()):
        assert_refused(command(*(word.format(name) for word in verb)), tier)


@tiers
def test_by_name_in_a_plan(command: Command, tier: str) -> None:
    Path("plan.toml").write_text(f'benchmark = "{SETS[tier][0]}"\nmodel = "dlib"\n')
    assert_refused(command("run", "plan.toml"), tier)


@tiers
@pytest.mark.parametrize("flag", [("--acknowledge", "{}"), ("--purpose", "evaluation")])
def test_no_flag_opens_it(command: Command, tier: str, flag: tuple[str, str]) -> None:
    flags = [word.format(tier) for word in flag]
    assert_refused(command("run", "--model", "dlib", "--benchmark", SETS[tier][0], *flags), tier)


@tiers
def test_by_a_folder_that_is_arranged_so_with_a_doctored_descriptor(command: Command, tier: str) -> None:
    folder = lay(write(Path("ours")), tier)
    for verb in (run(folder.absolute()), ("benchmarks", "check", "./ours"), ("power", "--benchmark", "./ours")):
        assert_refused(command(*verb), tier)


@tiers
@pytest.mark.parametrize("key", ["name", "faceaudit:name", "alternateName", "url", "sameAs", "contentUrl"])
def test_by_a_descriptor_that_gives_the_set_away_in_one_key(command: Command, tier: str, key: str) -> None:
    short, long, _ = SETS[tier]
    folder = write(Path("ours"))
    raw = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    if key == "contentUrl":
        raw["distribution"][0][key] = f"https://example.org/data/{ADDRESS.get(tier, short)}/1.png"
    else:
        value = {"name": long, "faceaudit:name": short, "alternateName": ["a", long]}
        raw[key] = value.get(key, f"https://example.org/{ADDRESS.get(tier, short)}/")
    (folder / "croissant.json").write_text(json.dumps(raw), encoding="utf-8")
    assert_refused(command(*run(folder.absolute())), tier)


@tiers
def test_by_a_descriptor_that_says_so(command: Command, tier: str) -> None:
    folder = write(Path("ours"), faceaudit__consentTier=tier)
    assert_refused(command(*run(folder.absolute())), tier)
    assert_refused(command("benchmarks", "check", folder.absolute()), tier)


@tiers
def test_by_the_folders_name(command: Command, tier: str) -> None:
    folder = write(Path("somewhere") / SETS[tier][0])
    assert_refused(command(*run(folder.absolute())), tier)
    assert_refused(command("run", "--model", "dlib", "--data", "somewhere", "--benchmark", SETS[tier][0]), tier)


@tiers
@pytest.mark.parametrize("way", ["the folder", "a folder in it", "an entry", "a part", "files"])
def test_by_a_symbolic_link(command: Command, tier: str, way: str, tmp_path: Path) -> None:
    real = lay(tmp_path / "elsewhere" / "x", tier)
    named = "./ours"
    if way == "the folder":
        write(real)
        Path("ours").symlink_to(real)
    elif way == "an entry":
        write(real)
        (tmp_path / "entry").mkdir()
        (tmp_path / "entry" / "made_up").symlink_to(real)
        assert_refused(command(*run("made_up"), "--data", tmp_path / "entry"), tier)
        return
    elif way == "a folder in it":
        write(Path("ours"))
        (Path("ours") / "images" / "more").symlink_to(real)
    elif way == "a part":  # of the set: what lies above the link's target says what it is
        part = (real / SETS[tier][2][0]).parent
        (part / "Ann_Other_0002.jpg").write_bytes(b"")
        write(part)
        Path("ours").symlink_to(part)
    else:
        folder = write(Path("ours"))
        for k, path in enumerate(SETS[tier][2]):
            (folder / "images" / f"p{k}.png").symlink_to(real / path)
    assert_refused(command(*run(named)), tier)


def scores(folder: Path, people: tuple[str, ...] = ("001", "002", "003"), suffix: str = "") -> tuple[str, ...]:
    """A table of scores and one of people; with a suffix also samples, called after their people."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    rows, taken = [], [(who, k) for who in people for k in (1, 2)]
    for i, (one, a) in enumerate(taken):
        for two, b in taken[:i]:
            names = f",{one}_{a:04}{suffix},{two}_{b:04}{suffix}" if suffix else ""
            rows.append(f"{one},{two},{rng.normal():.4f}{names}")
    head = "probe_subject,reference_subject,score" + (",probe,reference" if suffix else "")
    (folder / "s.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    (folder / "people.csv").write_text(SUBJECTS, encoding="utf-8")
    return ("score", str(folder / "s.csv"), "--fmr", "0.2", "--out", "out")


@tiers
@pytest.mark.parametrize("way", ["tier", "name", "files", "folder", "link"])
def test_by_a_card(command: Command, tier: str, way: str) -> None:
    short, long, files = SETS[tier]
    card = write(Path("card") if way != "folder" else Path(short)) / "croissant.json"
    raw = json.loads(card.read_text(encoding="utf-8"))
    if way == "tier":
        raw["faceaudit:consentTier"] = tier
    elif way == "name":
        raw["name"] = long
    elif way == "files":
        raw["distribution"] = [raw["distribution"][0] | {"@id": path} for path in files]
    card.write_text(json.dumps(raw), encoding="utf-8")
    if way == "link":
        Path(short).mkdir()
        card.rename(Path(short) / "croissant.json")
        card.symlink_to(Path(short).absolute() / "croissant.json")
    tables = scores(Path("tables"))
    assert_refused(command(*tables, "--subjects", "tables/people.csv", "--benchmark-card", card), tier)


def test_by_the_scores_themselves(command: Command) -> None:
    for suffix in (".jpg", ".png"):
        table = scores(Path("tables"), people=("Ann_Other", "Bo_Van_Dy"), suffix=suffix)
        assert_refused(command(*table), "T6")
    Path("lfw.csv").write_bytes(Path("tables/s.csv").read_bytes())
    assert_refused(command("score", "lfw.csv", "--out", "out"), "T6")


@pytest.fixture(scope="module")
def finished(bundled: tuple[Path, Run, Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit whose benchmark is a folder of the user's own."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(ROOT / "benchmarks" / "synthetic", folder / "people")
    shutil.copytree(bundled[0] / "results", folder / "results")
    return folder


@tiers
def test_by_a_finished_run_whose_descriptor_changed(
    finished: Path, bundled_env: dict[str, str], command: Command, tier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUDIT_CACHE", bundled_env["FACEAUDIT_CACHE"])
    path = finished / "people" / "croissant.json"
    before = path.read_text(encoding="utf-8")
    records = {record: record.read_bytes() for record in (finished / "results").rglob("*.json")}
    again = ("run", "--benchmark", finished / "people", "--model", "dlib", "--out", finished / "results")
    try:
        path.write_text(json.dumps(json.loads(before) | {"faceaudit:consentTier": tier}), encoding="utf-8")
        assert_refused(command(*again), tier)
        path.write_text(json.dumps(json.loads(before) | {"name": SETS[tier][1]}), encoding="utf-8")
        assert_refused(command(*again, "--json"), tier)
        assert_refused(command(*again[:-1], "new"), tier)  # every template is in the cache, and none is used
    finally:
        path.write_text(before, encoding="utf-8")
    assert {record: record.read_bytes() for record in (finished / "results").rglob("*.json")} == records


@tiers
def test_by_finished_scores_whose_card_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tier: str
) -> None:
    monkeypatch.chdir(tmp_path)
    card = write(Path("card")) / "croissant.json"
    again = [*scores(Path("tables")), "--subjects", "tables/people.csv", "--benchmark-card", str(card), "--json"]
    with pytest.raises(SystemExit) as left:
        main(again)
    assert left.value.code == 0, capsys.readouterr().err
    (record,) = Path("out").rglob("record.json")
    assert json.loads(capsys.readouterr().out)["evaluations"][0]["record"] == str(record)
    raw = json.loads(card.read_text(encoding="utf-8"))
    card.write_text(json.dumps(raw | {"faceaudit:consentTier": tier}), encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(again)
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (3, "")
    assert f"tier {tier}" in said.err


@pytest.mark.parametrize(
    ("change", "flags", "said"),
    [
        ({"faceaudit:consentTier": "T3"}, (), "needs an acknowledgement"),
        ({"faceaudit:minors": "yes"}, (), "people under 18"),
        ({"faceaudit:biometricUse": "forbidden"}, (), "the terms forbid biometric use"),
        ({"faceaudit:evaluationUse": "forbidden"}, (), "the terms forbid evaluation use"),
        ({"faceaudit:commercialUse": "forbidden"}, ("--purpose", "commercial"), "the terms forbid commercial use"),
        (
            {"license": "CC BY-NC 4.0"},
            ("--purpose", "commercial"),
            "licence (CC BY-NC 4.0) excludes commercial use",
        ),
        ({"faceaudit:signedOffOn": "2999-01-01"}, (), "signed off on 2999-01-01, which is still to come"),
        (
            {"isLiveDataset": True, "faceaudit:lastChecked": "2020-01-01", "faceaudit:maximumAgeDays": 31},
            (),
            "last checked on 2020-01-01",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_other_reasons_exit_with_3_too(
    command: Command, change: dict[str, Any], flags: tuple[str, ...], said: str
) -> None:
    folder = write(Path("ours"))
    raw = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    (folder / "croissant.json").write_text(json.dumps(raw | change), encoding="utf-8")
    code, out, err = command("run", "--benchmark", "./ours", "--model", "dlib", *flags)
    assert (code, out, err.count("\n")) == (3, "", 1), err
    assert said in err


def test_a_purpose_that_is_none_is_a_mistake(command: Command) -> None:
    code, _, err = command("run", "--benchmark", "london", "--model", "dlib", "--purpose", "fun")
    assert code == 2
    assert "purposes" in err
