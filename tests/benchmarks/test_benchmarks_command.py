"""`faceaudit benchmarks list|show|obtain`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.benchmarks import catalogue, consent, descriptor, obtain
from audit.cli.benchmarks import app
from audit.errors import AuditError, DataError, PlanError, Refused

run = partial(CliRunner(env={"COLUMNS": "80"}).invoke, app)


def _fail(result: object, kind: type[Exception]) -> str:
    error = result.exception  # type: ignore[attr-defined]
    assert isinstance(error, kind)
    return str(error)


def test_list_names_every_set_and_what_the_gate_does() -> None:
    result = run(["list"])
    assert result.exit_code == 0
    assert "59 of 59" in result.stdout
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    order = list(lines)
    assert order.index("Allowed:") < order.index("london") < order.index("frl_canada") < order.index("Refused;")
    assert order.index("Refused;") < order.index("lfw")
    assert "(M) 5749" in lines["lfw"]
    assert "not legal advice" in result.stdout
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 80


def test_list_filters_and_prints_json() -> None:
    def names(*options: str) -> list[str]:
        return [row["name"] for row in json.loads(run(["list", "--json", *options]).stdout)]

    assert len(names()) == 59
    assert names("--tier", "T1") == ["fhibe", "ccv1", "ccv2"]
    assert "columbia_megastudy" in names("--tier", "T3")
    assert names("--tier", "T2", "--licence", "cc by 4.0", "--task", "verification") == ["frl_london", "amfd"]
    assert "ccv2" in names("--attribute", "monk")
    assert "frl_cc0" not in names("--access", "form")
    assert "lfw" in names("--gate", "refused")
    assert names("--gate", "allowed", "--tier", "T6") == []
    assert "'open' is nothing that the gate does" in _fail(run(["list", "--gate", "open"]), PlanError)
    assert "No set fits all filters" in run(["list", "--attribute", "zzz"]).stdout
    _fail(run(["list", "--tier", "T9"]), DataError)


@pytest.mark.parametrize("entry", catalogue.entries().values(), ids=lambda entry: entry.id)
def test_show_prints_every_fact_and_what_the_gate_does(entry: catalogue.Entry) -> None:
    text = " ".join(run(["show", entry.id]).stdout.split())
    for fact in ("citation", "minors", "licence"):
        assert " ".join(entry.fact(fact).split()[:1]) in text
    verdict = consent.POLICY[consent.strictest([entry.tier], place="")].verdict
    assert ("refused: never loaded, fetched or scored" in text) == (verdict == "refused")
    assert ("Consented alternatives: london" in text) == (verdict == "refused")
    assert ("--acknowledge" in text) == (verdict == "acknowledge")
    assert ("only a copy without them" in text) == (verdict != "refused" and entry.minors.startswith("YES"))


def test_groups_of_facts_are_all_facts() -> None:
    from audit.cli.benchmarks_shown import GROUPS  # noqa: PLC0415 - the command's own table

    assert sorted(fact for facts in GROUPS.values() for fact in facts) == sorted(catalogue.FACTS)


def test_show_gives_facts_with_their_marks() -> None:
    text = " ".join(run(["show", "radiate"]).stdout.split())
    assert "109 (from memory, unverified)" in text
    shown = json.loads(run(["show", "--json", "london"]).stdout)
    assert shown["gate"] == "allowed"
    assert shown["descriptor_sha256"] == descriptor.shipped()["london"].digest
    assert "lab-based and web-based studies" in shown["consent_statement"]
    assert shown["facts"]["subjects"] == "102"


def test_show_explains_a_refusal_and_names_an_alternative() -> None:
    text = " ".join(run(["show", "rfw"]).stdout.split())
    assert "is refused: tier T7d" in text
    assert "subset of MS-Celeb-1M (withdrawn)" in text
    assert "Consented alternatives: london" in text
    shown = json.loads(run(["show", "--json", "fairface"]).stdout)
    assert shown["gate"] == "refused"
    assert "ccv2" in shown["alternatives"]


def test_show_suggests_the_nearest_name() -> None:
    assert "Did you mean 'london'?" in _fail(run(["show", "londn"]), DataError)


def test_obtain_refuses_and_explains(tmp_path: Path) -> None:
    assert "refused" in _fail(run(["obtain", "lfw", "--into", str(tmp_path)]), Refused)
    assert not list(tmp_path.iterdir())


def test_obtain_shows_the_steps_to_a_set_behind_a_form() -> None:
    result = run(["obtain", "fhibe"])
    assert "is not fetched by a program" in _fail(result, DataError)
    assert "1. Ask for access: registration" in result.stdout
    assert "https://fairnessbenchmark.ai.sony/download\n" in result.stdout
    assert "https://doi.org/10.1038/s41586-025-09716-2\n" in result.stdout
    assert "obtain fhibe --from FILE" in result.stdout
    assert "from memory, unverified" in run(["obtain", "radiate"]).stdout
    result = run(["obtain", "synthetic"])
    assert result.exit_code == 0
    assert (Path(result.stdout.strip()) / "samples.csv").is_file()


def test_obtain_fetches_what_is_described_and_prints_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(described: descriptor.Descriptor, folder: Path, **more: Any) -> Path:
        asked.append((described.dataset.name, folder, more["digests"]))
        more["received"](1_000_000)
        more["progress"]("obtain", 1, 307)
        return folder

    monkeypatch.setattr(obtain, "fetch", fetch)
    result = run(["obtain", "london", "--into", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "london")
    assert "lab-based and web-based studies" in " ".join(result.stderr.split())
    assert asked == [("london", tmp_path / "london", {})]
    assert "london: 1.0 MB arrived in" in result.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--sha256", "abc"], "'abc' is no SHA-256"),
        (["--sha256", "0" * 64, "--sha256", "1" * 64], "two digests for 'one file'"),
        (["--sha256", "0" * 64], "has 0 files without a known SHA-256"),
        (["--sha256", "london_info.csv=" + "0" * 64], "the descriptor knows the SHA-256 of this file"),
        (["--sha256", "nothing.csv=" + "0" * 64], "no such file"),
        (["--from", "a.zip", "--checked-on", "soon"], "'soon' is no day"),
        (["--from", "a.zip", "--checked-on", "2999-01-01"], "is yet to come"),
        (["--from", "a.zip"], "no such file"),
    ],
)
def test_obtain_names_what_is_wrong_with_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert text in _fail(run(["obtain", "london", *options]), AuditError)
