"""Headless Chromium, and pages to open."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import large_record
import pytest
import site_results
from playwright.sync_api import Browser, sync_playwright

from audit.cli.publish import gated_catalogue
from audit.report import render
from audit.report.site import publish

HERE = Path(__file__).resolve().parent
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without it the tests are skipped, and fail in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Rendered reports by name."""
    spec = importlib.util.spec_from_file_location("report_builder", HERE.parent / "report" / "report_builder.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    names = ("london_like", "beside", "hostile", "crossing", "empty")
    made = {name: getattr(builder, name)() for name in names} | {"large": large_record.large()}
    return {name: render(record, tmp_path_factory.mktemp(name))[0] for name, record in made.items()}


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Folder of the pictures that CI keeps."""
    folder = HERE.parents[1] / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of known content with the real catalogue, opened from its folder."""
    folder = tmp_path_factory.mktemp("published")
    publish(site_results.mixed(folder / "results"), folder / "site", catalogue=gated_catalogue())
    return folder / "site"
