"""The page on one's own model keeps its word: 15 lines, run as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_archives import Small, scripted

from audit import models, recipe
from audit.bundle import seal as seal_folder
from audit.bundle import state
from audit.plan import RunOptions, make
from audit.sandbox import seal

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "own-model.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_it_is_15_lines() -> None:
    first = [blocks(language)[0] for language in ("python", "toml", "sh")]
    assert sum(bool(line.strip()) for text in first for line in text.splitlines()) <= 15


@pytest.mark.skipif(seal.missing() is not None, reason="no sandbox here")
def test_the_15_lines_run_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(blocks("toml")[0])
    (tmp_path / "make.py").write_text(blocks("python")[0])
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    for command in ([sys.executable, "make.py"], ["sh", "-ec", blocks("sh")[0]]):
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (written,) = tmp_path.glob("results/synthetic/mine@*/*/record.json")
    record = json.loads(written.read_text())
    assert record["samples"]["subjects"] == 5
    assert "ran in a sandbox" in record["model"]["preprocessing_text"]
    assert record["model"]["self_declared"] is True


@pytest.mark.skipif(seal.missing() is not None, reason="no sandbox here")
@pytest.mark.parametrize("edit", [('"nothing: its', '"hardly anything: its'), ("[128, 128, 128]", "[64, 64, 64]")])
def test_an_edited_card_is_not_answered_from_the_record_of_the_one_before(
    tmp_path: Path, edit: tuple[str, str]
) -> None:
    (tmp_path / "mine.pt").write_bytes(scripted(Small()))
    card = blocks("toml")[0].replace("dimension = 64", "dimension = 16")
    options = RunOptions(out=tmp_path / "results", cache=tmp_path / "cache")
    plan = make({"benchmark": "synthetic", "model": f"exported:{tmp_path / 'mine.pt'}", "limit": 3, "fmr": [0.1]})

    (tmp_path / "mine.toml").write_text(card)
    first, again = recipe.run(plan, options), recipe.run(plan, options)
    assert [first.reused, again.reused] == [False, True]
    seal_folder(first.folder)
    (tmp_path / "mine.toml").write_text(card.replace(*edit))
    changed, again = recipe.run(plan, options), recipe.run(plan, options)
    assert [changed.reused, again.reused] == [False, True]
    assert changed.folder == first.folder
    assert state(changed.folder) == "unsigned", "the seal was of other files"


def test_the_card_of_a_service_is_a_card(tmp_path: Path) -> None:
    (tmp_path / "vendor.toml").write_text(blocks("toml")[1])
    spec = f"http:{tmp_path / 'vendor.toml'}"
    card = models.describe(spec, plan=make({"benchmark": "b", "model": spec}))
    assert card.service is not None
    assert card.service.host == "api.vendor.example"
    assert f"--model http:vendor.toml --send-images-to {card.service.host}" in PAGE
