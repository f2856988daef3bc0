"""Reference pages are what their generator makes, and the documents lead nowhere that is not there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "reference" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_is_current(make: ModuleType) -> None:
    made = make.pages()
    assert set(made) == {path.name for path in (DOCS / "reference").glob("*.md")}
    for name, text in made.items():
        there = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert there == text, f"{name} is not current: run 'python docs/reference/make.py'"


def test_reference_has_every_command_every_setting_and_every_public_name(make: ModuleType) -> None:
    import audit  # noqa: PLC0415
    from audit.plan import AuditPlan  # noqa: PLC0415

    made = make.pages()
    assert {f"audit.{name}" for name in audit.__all__} <= set(re.findall(r"^## (audit\.\w+)$", made["python.md"], re.M))
    assert set(re.findall(r"^\| `(\w+)` \|", made["plan.md"], re.M)) == set(AuditPlan.model_fields)
    commands = re.findall(r"^## faceaudit (.+)$", made["cli.md"], re.M)
    assert {"run", "init", "score", "compare", "gate", "publish", "benchmarks list", "models show"} <= set(commands)
    assert "| `--yes` | Ask nothing: defaults for what no flag says. |" in made["cli.md"]
    assert "`DataError`" in made["python.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_pictures_of_documents_are_there(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "#")):
            continue
        place, _, part = target.partition("#")
        file = path.parent / place
        assert file.exists(), f"{path.relative_to(ROOT)} leads to {target}"
        if part and file.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
            assert part in anchors, f"{path.relative_to(ROOT)} leads to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_that_documents_show_exist_with_their_options(path: Path, make: ModuleType) -> None:
    """A reader copies them; whatever `faceaudit ... --option` stands in a block of code is one that can be typed."""
    known = {" ".join(words[1:]): command for words, command in make.commands()}
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.M)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    for line in lines:
        shown = re.match(r"(?:\.venv/bin/)?faceaudit ([a-z]+)(?: ([a-z]+))?(.*)", line.strip())
        if shown is None:
            continue
        verb = " ".join(shown.groups("")[:2]) if f"{shown[1]} {shown[2]}" in known else shown[1]
        assert verb in known, line
        options = {name for parameter in known[verb].params for name in parameter.opts}
        for option in re.findall(r"(?<![\w-])--[a-z-]+", line.split("#")[0]):
            assert option in options, f"{path.name}: {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_overclaim_nothing(path: Path) -> None:
    assert not re.search(r"unbiased|bias-free|\bno bias\b|\bis fair\b", path.read_text(encoding="utf-8"), re.IGNORECASE)


def test_every_document_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\(([^)#\s]+)\)", index))
    documents = {p.relative_to(DOCS).as_posix() for p in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]}
    assert documents - {"README.md"} <= listed
