"""What other packages add: found by name, imported when asked for, and harmless when broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in_weights import card as write_card
from stand_in_weights import network

ROOT = Path(__file__).resolve().parents[1]
Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    made.mkdir()
    return made


@pytest.fixture
def install(site: Path) -> Install:
    """A distribution as an installer leaves it: its module, and its metadata with entry points."""

    def made(name: str, code: str, **groups: dict[str, str]) -> None:
        (site / f"{name}.py").write_text(code)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for group, entries in groups.items():
            lines += [f"[faceaudit.{group}]", *(f"{key} = {value}" for key, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")

    return made


@pytest.fixture
def python(site: Path, shared: Path) -> Callable[[str], str]:
    def run(code: str) -> str:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{site}",
            "FACEAUDIT_DATA": str(shared / "benchmarks"),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=site.parent
        )
        return f"{done.returncode}\n{done.stdout}\n{done.stderr}"

    return run


DESCRIBE = """
from audit import models
from audit.errors import AuditError
from audit.plan import make
def describe(name):
    try:
        card = models.describe(name, plan=make({{"benchmark": "b", "model": name}}))
        print(card.name, card.self_declared, card.loader, card.packages)
        return card
    except AuditError as error:
        print(type(error).__name__, error)
{}
"""


def own_card(site: Path, name: str, **more: str) -> None:
    (site / f"{name}.onnx").write_bytes(network(112, 112, 512))
    write_card(site, name, f"{name}.onnx", "arcface")


LOADER = """
from pathlib import Path
import numpy as np
from audit.domain import Template
from audit.plugins import Model
MODEL = Model(card=Path(__file__).with_name("mine.toml"), loader="mine:load", packages=("mine",))
class Constant:
    def __init__(self, card):
        self.card, self.name, self.revision = card, card.name, card.revision
    def extract(self, images):
        return [Template(np.ones(512, np.float32)) for _ in images]
def load(card, *, workers, device):
    return Constant(card)
"""


def test_a_model_of_another_package_is_one_of_ours(site: Path, install: Install, python: Callable[[str], str]) -> None:
    own_card(site, "mine")
    own_card(site, "plain")
    install("mine", LOADER, models={"mine": "mine:MODEL"})
    install(
        "plain_package", 'from pathlib import Path\nCARD = Path(__file__).with_name("plain.toml")\n',
        models={"plain": "plain_package:CARD"},
    )  # fmt: skip
    said = python(
        DESCRIBE.format(
            "describe('plain'); card = describe('mine'); model = models.load(card)\n"
            "print(model.extract([None])[0].vector.sum())"
        )
    )
    assert "plain True audit.models.onnx_file:load" in said
    assert "mine True mine:load ('mine',)" in said
    assert "\n512.0\n" in said
    listed = python("from audit.cli import main; import sys; sys.argv[1:] = ['models', 'list']; main()")
    assert "mine: ready" in listed
    assert "plain: ready" in listed
    assert "Warning" not in listed


def test_weights_of_a_plug_in_are_checked_too(site: Path, install: Install, python: Callable[[str], str]) -> None:
    own_card(site, "mine")
    install("mine", LOADER, models={"mine": "mine:MODEL"})
    (site / "mine.onnx").write_bytes(b"changed")
    assert "ModelError" in (said := python(DESCRIBE.format("describe('mine')")))
    assert "SHA-256 is" in said


BROKEN = {
    "absent": ("no_such_module:X", "is broken: ModuleNotFoundError: No module named 'no_such_module'"),
    "nameless": ("fine:NOTHING", "is broken: AttributeError"),
    "number": ("fine:NUMBER", "is broken: fine:NUMBER is a int, not a Path or Model"),
    "leaving": ("leaves:X", "is broken: SystemExit: 3"),
    "cardless": ("fine:CARD", "there is no such card"),
    "misnamed": ("fine:OTHER", "its card has another name"),
    "unloadable": ("fine:MODEL", "its plug-in is broken: no_such_module:load: ModuleNotFoundError"),
}


def test_a_broken_plug_in_is_one_line_and_never_a_crash(
    site: Path, install: Install, python: Callable[[str], str]
) -> None:
    own_card(site, "other")
    own_card(site, "unloadable")
    code = """
from pathlib import Path
from audit.plugins import Model
NUMBER = 1
CARD = Path("nowhere.toml")
OTHER = Path(__file__).with_name("other.toml")
MODEL = Model(card=Path(__file__).with_name("unloadable.toml"), loader="no_such_module:load")
"""
    install("fine", code, models={name: value for name, (value, _) in BROKEN.items() if value.startswith("fine")})
    install("leaves", "raise SystemExit(3)", models={"leaving": "leaves:X"})
    install("absentee", "", models={"absent": "no_such_module:X"})
    install("shadow", "", models={"dlib": "shadow:X", "onnx": "shadow:X", "twice": "shadow:X"})
    install("shadow2", "", models={"twice": "shadow2:X"})
    said = python(
        DESCRIBE.format(
            "for name in ['absent', 'nameless', 'number', 'leaving', 'cardless', 'misnamed', 'twice']: describe(name)\n"
            "try: models.load(describe('unloadable'))\n"
            "except AuditError as error: print(type(error).__name__, error)"
        )
    )
    assert said.startswith("0\n")
    for name, (_, expected) in BROKEN.items():
        assert any(line.startswith("ModelError") and expected in line for line in said.splitlines()), (name, said)
    assert "ModelError model: unknown model 'twice'" in said
    listed = python("from audit.cli import main; import sys; sys.argv[1:] = ['models', 'list']; main()")
    warnings = [line for line in listed.splitlines() if line.startswith("Warning")]
    assert listed.startswith("0\n")
    assert len(warnings) == 9
    assert "Warning: plug-in 'dlib' of shadow 1.0 is left out: the name is that of a shipped one" in warnings
    assert "Warning: plug-ins 'twice' of shadow 1.0 and shadow2 1.0 are left out: one name twice" in warnings
    assert "dlib: " in listed


def test_nothing_of_a_plug_in_is_imported_before_it_is_asked_for(
    install: Install, python: Callable[[str], str]
) -> None:
    install("loud", "print('IMPORTED')", models={"loud": "loud:X"}, benchmarks={"loud_people": "loud:X"})
    said = python(
        DESCRIBE.format("describe('no-such-model'); describe('lout')")
        + "\nimport audit, audit.cli\nfrom audit.benchmarks import load\nload('london', data=[])"
    )
    assert "unknown model 'no-such-model'" in said
    assert "IMPORTED" not in said
    assert "IMPORTED" in python(DESCRIBE.format("describe('loud')"))


LOAD = """
from audit.benchmarks import load, data_entries
from audit.errors import AuditError
for name in {}:
    try:
        found = load(name, data=data_entries())
        print(found.name, len(found.samples))
    except AuditError as error:
        print(type(error).__name__, error)
"""


def of_london(site: Path, shared: Path, name: str, **changes: str) -> None:
    """A folder of a plug-in with a descriptor of its own, and a few images."""
    source = json.loads((ROOT / "benchmarks" / "cc0_fixture" / "croissant.json").read_text(encoding="utf-8"))
    folder = site / name
    folder.mkdir()
    (folder / "croissant.json").write_text(json.dumps({**source, "faceaudit:name": name, **changes}))
    for path in (ROOT / "benchmarks" / "cc0_fixture").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    for path in (shared / "benchmarks" / "cc0_fixture").glob("*.jpg"):
        (folder / path.name).write_bytes(path.read_bytes())


def test_a_benchmark_of_another_package_passes_the_same_gate(
    site: Path, shared: Path, install: Install, python: Callable[[str], str]
) -> None:
    of_london(site, shared, "our_people")
    of_london(site, shared, "lfw_again", **{"faceaudit:consentTier": "T6"})
    of_london(site, shared, "own_layout", **{"faceaudit:layout": "ours"})
    code = """
from pathlib import Path
from audit.benchmarks import general
HERE = Path(__file__).parent
PEOPLE, AGAIN, LAID = HERE / "our_people", HERE / "lfw_again", HERE / "own_layout"
def read(folder, described):
    print("READ")
    return general.read(folder, described)
"""
    install(
        "people", code,
        benchmarks={
            "our_people": "people:PEOPLE", "lfw_again": "people:AGAIN", "lfw": "people:PEOPLE", "vggface2": "people:X",
            "another": "people:PEOPLE", "own_layout": "people:LAID", "ours": "people:read", "wrong": "people:X",
        },
    )  # fmt: skip
    said = python(
        LOAD.format("['our_people', 'lfw_again', 'lfw', 'vggface2', 'another', 'own_layout', 'wrong', 'none']")
    ).splitlines()
    assert said[0] == "0", said
    assert said[1] == "our_people 8"
    assert said[2].startswith("Refused lfw_again: this set is refused: tier T6") or "T6" in said[2]
    assert said[3].startswith("Refused lfw")
    assert said[4].startswith("Refused vggface2")
    assert "its descriptor is of 'our_people'" in said[5]
    assert said[6:8] == ["READ", "own_layout 8"]
    assert said[8].startswith("DataError wrong: plug-in 'wrong' of people 1.0 is broken: AttributeError")
    assert said[9].startswith("DataError none: no such benchmark")
    listed = python("from audit.cli import main; import sys; sys.argv[1:] = ['benchmarks', 'list']; main()")
    assert "our_people: added by a plug-in" in listed
    assert "Warning: plug-in 'lfw' of people 1.0 is left out: the name is that of a shipped one" in listed
    assert "Warning: plug-in 'wrong' of people 1.0 is broken" in listed
