"""The arrows of the house go one way, and importing it does nothing."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "audit"

ALLOWED = {
    "audit.errors": set(),
    "audit.domain": {"errors"},
    "audit.stats": {"stats", "errors"},
    "audit.toml_text": set(),
    "audit.whole_file": set(),
    "audit.plan": {"errors", "toml_text"},
    "audit.plan_file": {"plan", "errors"},
    "audit.groups": {"domain", "errors"},
    "audit.record": {"record", "domain", "errors", "whole_file"},
    "audit.frames": {"record"},
    "audit.evaluation": {"errors", "frames", "record", "report"},
    "audit.provenance": {"domain"},
    "audit.environment": {"errors", "plugins", "provenance", "record"},
    "audit.preregistration": {"errors", "plan", "provenance", "record", "results"},
    "audit.results": {"record", "errors"},
    "audit.remarks": {"compare", "domain", "extract", "groups", "inputs", "metrics", "plan", "record"},
    "audit.sampling": {"compare", "groups", "metrics", "plan", "record"},
    "audit.score_table": {"errors"},
    "audit.template_table": {"benchmarks", "compare", "errors"},
    "audit.degradations": set(),
    "audit.decode": {"domain", "errors", "decode"},
    "audit.cluster": {"errors"},
    "audit.extract_on_cluster": {"cluster", "decode", "domain", "errors", "extract", "models", "provenance"},
    "audit.compare": {"cluster", "compare", "domain", "errors", "whole_file"},
    "audit.alike": set(),
    "audit.cache_root": set(),
    "audit.download": {"errors"},
    "audit.benchmarks": {
        "alike",
        "benchmarks",
        "cache_root",
        "decode",
        "domain",
        "download",
        "errors",
        "plugins",
        "record",
        "toml_text",
        "whole_file",
    },
    "audit.capture": {"domain"},
    "audit.captured": {"capture", "domain", "extract", "models", "plan", "store"},
    "audit.models": {
        "models",
        "cache_root",
        "capture",
        "domain",
        "download",
        "errors",
        "plan",
        "plugins",
        "sandbox",
        "skin",
        "toml_text",
    },
    "audit.missing_scores": {"metrics", "score_table"},
    "audit.plugins": set(),
    "audit.sandbox": {"sandbox", "errors"},
    "audit.sending": {"benchmarks", "domain", "errors", "models", "plan"},
    "audit.skin": {"skin", "domain", "errors"},
    "audit.measured": {"domain", "extract", "forgetting", "influence", "models", "plan", "skin", "store"},
    "audit.store": {"cache_root", "domain", "errors", "store", "whole_file"},
    "audit.upkeep": {"errors", "store"},
    "audit.extract": {"domain", "errors", "models", "store", "decode", "plan", "extract"},
    "audit.metrics": {"metrics", "stats", "compare", "groups", "domain", "errors"},
    "audit.recorded": {"record"},
    "audit.influence": {"compare", "errors", "groups", "metrics", "record", "store", "whole_file"},
    "audit.forgetting": {"decode", "domain", "errors", "influence", "store"},
    "audit.superseded": {"domain", "errors", "results", "whole_file"},
    "audit.policy": {"policy", "record", "recorded", "stats", "errors", "toml_text"},
    "audit.comparison": {"domain", "record"},
    "audit.reproduction": set(),
    "audit.reproducing": {"reproducing", "reproduction", "environment", "record"},
    "audit.side_by_side": {
        "side_by_side",
        "comparison",
        "domain",
        "influence",
        "record",
        "recorded",
        "metrics",
        "stats",
        "errors",
    },
    "audit.report": {
        "report",
        "alike",
        "comparison",
        "frames",
        "record",
        "reproduction",
        "domain",
        "errors",
        "whole_file",
    },
    "audit.assemble_extras": {"assemble", "record", "metrics", "compare", "domain", "groups", "plan"},
    "audit.assemble_bootstrap": {"assemble", "record", "metrics", "compare", "domain", "groups", "plan"},
    "audit.assemble_series": {"record", "metrics", "compare", "domain", "extract"},
    "audit.assemble_scenario": {"assemble", "record", "metrics", "compare", "domain", "groups", "plan"},
    "audit.assemble_conditions": {
        "assemble",
        "capture",
        "captured",
        "record",
        "metrics",
        "compare",
        "groups",
        "plan",
    },
    "audit.watch_list": {"groups", "plan", "errors"},
    "audit.assemble_identification": {
        "assemble",
        "assemble_cells",
        "cell_table",
        "counted",
        "record",
        "metrics",
        "compare",
        "domain",
        "errors",
        "groups",
        "plan",
        "watch_list",
    },
    "audit.forecast": {"benchmarks", "domain", "errors", "groups", "metrics", "plan", "record"},
    "audit.synthesis": {"synthesis", "errors"},
    "audit.trained_on": {"benchmarks", "record"},
    "audit.cell_table": {"errors"},
    "audit.counted": {"cell_table", "errors", "parquet_size"},
    "audit.parquet_size": set(),
    "audit.assemble_cells": {"cell_table", "counted", "metrics", "domain", "groups"},
    "audit.assemble_counted": {
        "assemble",
        "assemble_cells",
        "cell_table",
        "counted",
        "metrics",
        "compare",
        "domain",
        "groups",
    },
    "audit.scan": {"parquet_size", "scan"},
    "audit.bundle": {
        "assemble",
        "benchmarks",
        "bundle",
        "cell_table",
        "counted",
        "domain",
        "errors",
        "groups",
        "metrics",
        "record",
        "report",
        "scan",
        "stats",
    },
    "audit.assemble": {"record", "compare", "domain", "groups", "metrics", "stats", "trained_on"},
}
FREE = {
    "audit.answered",
    "audit.recipe",
    "audit.rerun",
    "audit.scoring",
    "audit.stated",
    "audit.templates",
    "audit.inputs",
    "audit.tasks",
    "audit.cli",
    "audit",
    "audit.__main__",
}
"""The recipes and their inputs know the order, the command line joins; the package's front names them."""


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("audit", *path.relative_to(PACKAGE).with_suffix("").parts)
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def imported(path: Path) -> set[str]:
    """Rooms of ours that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            if node.module == "audit":
                names |= {f"audit.{alias.name}" for alias in node.names}
            else:
                names.add(node.module)
    return {room(name).removeprefix("audit.") for name in names if name.startswith("audit.")}


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_arrows_go_one_way(module: str, path: Path) -> None:
    if room(module) in FREE or module in FREE:
        return
    assert room(module) in ALLOWED, f"{module} is a new room: say what it may import"
    assert imported(path) <= ALLOWED[room(module)]


def test_benchmarks_and_models_never_meet() -> None:
    assert "models" not in ALLOWED["audit.benchmarks"]
    assert "benchmarks" not in ALLOWED["audit.models"]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize("what", ["import audit", "from audit.cli import app"])
def test_importing_loads_nothing_heavy(what: str) -> None:
    heavy = "{'torch', 'torchvision', 'facenet_pytorch', 'dlib', 'onnxruntime', 'altair', 'numba', 'pandas'}"
    assert python(f"{what}; import sys; print(sorted({heavy} & set(sys.modules)))").strip() == "[]"


def test_public_names_are_few_and_exist() -> None:
    import audit  # noqa: PLC0415 - the import itself is tested

    assert len(audit.__all__) <= 14
    for name in audit.__all__:
        assert getattr(audit, name) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        _ = audit.enrol


WHO = {
    "enrol", "enroll", "identify", "search", "track", "recognise", "recognize", "lookup", "who", "gallery",
    "deanonymise", "reidentify", "suspect", "match_person", "find_person", "nearest_person",
}  # fmt: skip


def test_no_public_name_answers_who_somebody_is() -> None:
    """Nothing enrols, searches for, names or tracks a person."""
    for module, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert node.name.lower() not in WHO
                assert not set(node.name.lower().split("_")) & WHO, f"{module}.{node.name}"


def test_no_command_and_no_option_answers_who_somebody_is() -> None:
    """Every verb and flag of the command line; `--task identification` measures a list and names nobody on it."""
    import typer.main  # noqa: PLC0415 - the command line is walked as its user sees it

    from audit.cli import app  # noqa: PLC0415

    def walk(command: object, place: str) -> Iterator[tuple[str, str]]:
        for parameter in getattr(command, "params", ()):
            yield from ((place, option) for option in (parameter.name, *parameter.opts))
        for name, one in getattr(command, "commands", {}).items():
            yield place, name
            yield from walk(one, f"{place} {name}")

    found = list(walk(typer.main.get_command(app), "faceaudit"))
    assert len(found) > 100
    for place, name in found:
        assert not set(re.split(r"[-_ ]+", name.lower())) & WHO, f"{place} {name}"


PERSONAL = re.compile(r"(subject|sample|person|probe|template|image|file|picture|candidate)(_ids?|_names?|_paths?)?$")
COUNTED = {"candidate", "image"}
"""A group of candidates, and the unit that is counted: of the record, `candidate` is a group and not a person."""


def test_no_field_of_what_is_published_is_of_a_person() -> None:
    """Record, comparison, gate: every key of every schema; and the columns of the tables beside a record."""
    from audit.counted import SCHEMAS  # noqa: PLC0415 - loads pyarrow

    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name == "properties":
                    yield from inner
                yield from keys(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    found = {
        *(key for path in PACKAGE.glob("schemas/*.json") for key in keys(json.loads(path.read_text(encoding="utf-8")))),
        *(field.name for schema in SCHEMAS.values() for field in schema),
    }
    assert len(found) > 200
    assert {name for name in found if PERSONAL.fullmatch(name)} <= COUNTED


def test_what_the_public_names_return_holds_no_person() -> None:
    """Public functions give evaluations, descriptions and groups: no annotation promises a template or an id."""
    import audit  # noqa: PLC0415 - the import itself is tested

    returned = set()
    for name in audit.__all__:
        thing = getattr(audit, name)
        methods = [m for n, m in vars(thing).items() if not n.startswith("_")] if inspect.isclass(thing) else [thing]
        for method in methods:
            plain = getattr(method, "func", getattr(method, "fget", method))
            plain = getattr(plain, "__func__", plain)
            if inspect.isfunction(plain):
                returned.add(str(inspect.signature(plain).return_annotation))
    assert len(returned) > 5
    assert not [text for text in returned if re.search(r"Template|Sample|Subject|Picture", text)], returned
