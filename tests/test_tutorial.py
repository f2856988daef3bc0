"""The tutorial notebook runs from top to bottom, offline, as a reader would run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_committed_without_outputs() -> None:
    """An output that is committed is a number that no test checks and that the next version makes wrong."""
    nbformat.validate(read())
    for cell in read().cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.fixture(scope="module")
def executed(bundled_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """Templates that the audit of the bundled set has left in its cache are taken from there."""
    notebook, folder = read(), tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bundled_env.items():
            patch.setenv(name, value)
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode, start: str) -> list[dict[str, Any]]:
    cell = next(c for c in notebook.cells if c.cell_type == "code" and start in c.source)
    return [o.data for o in cell.outputs if "data" in o]


def test_every_cell_runs_and_nothing_is_complained_of(executed: nbformat.NotebookNode) -> None:
    spoken = [
        o for c in executed.cells if c.cell_type == "code" for o in c.outputs if o.output_type != "execute_result"
    ]
    assert [o.text for o in spoken if o.get("name") == "stderr"] == []
    printed = "".join(o.text for o in spoken if o.get("name") == "stdout")
    assert "record.json" in printed
    assert "report.html" in printed


def test_it_shows_the_card_the_tables_and_the_charts(executed: nbformat.NotebookNode) -> None:
    card = outputs(executed, "audit.run(")[0]["text/html"]
    assert "40 people" in card
    assert "No real person" in card or "rendered" in card.lower()
    assert "<table" in outputs(executed, "at_one_threshold[[")[0]["text/html"]
    for start in ("chart_rates()", "chart_heat(", "chart_scores()"):
        assert outputs(executed, start)[0]["image/svg+xml"].startswith("<svg")
