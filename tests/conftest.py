"""Where tests find the shared data, and when a skip is a failure."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from london_run import Run

ROOT = Path(__file__).resolve().parents[1]
MUST_NOT_SKIP = ("oracle", "browser", "london", "performance")
MUST_RUN = os.environ.get("CI", "").lower() in {"1", "true"}

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell that starts tests in the background has Ctrl-C ignored, and the commands under test would inherit that."""


SHARED_AUDITS = {"london_results": "london_results", "bundled": "bundled", "bundled_env": "bundled"}
"""Fixtures that take a minute and more, or whose cache holds what took it: tests that use one run in one process."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Side by side is for the whole suite: not for a file that somebody asks for, and never for measured times."""
    asked = config.args_source is pytest.Config.ArgsSource.ARGS
    marks = config.option.markexpr
    measured = "performance" in marks and "not performance" not in marks
    return 0 if asked or measured else os.cpu_count() or 1


LONGEST = (
    "bundled",
    "london_results",
    "tests/browser/test_site_pages.py",
    "tests/test_model_contract.py",
    "tests/test_determinism.py",
    "tests/faults/test_campaign.py",
    "tests/bundle/test_verify.py",
    "tests/fuzz/test_fuzz.py",
    "tests/browser/test_report_page.py",
    "tests/release/test_build.py",
    "tests/tasks/test_attributes_london.py",
    "tests/test_faults.py",
    "tests/test_hostile_images.py",
    "tests/tasks/test_detection_verbs.py",
    "tests/cli/test_reproduce.py",
    "tests/models/",
    "tests/tasks/",
    "tests/bundle/",
    "tests/cli/",
    "tests/oracles/",
    "tests/test_",
)
"""Groups of tests that take longest, which begin first: one that began last would leave the other processes idle."""


def _turn(group: str) -> int:
    return next((turn for turn, name in enumerate(LONGEST) if group.startswith(name)), len(LONGEST))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests side by side (pytest-xdist): those of a file together, those of a shared audit together."""
    turns = {}
    for item in items:
        used = [group for name, group in SHARED_AUDITS.items() if name in getattr(item, "fixturenames", ())]
        group = used[0] if used else item.location[0]
        item.add_marker(pytest.mark.xdist_group(group))
        turns[item] = _turn(group)
    if hasattr(config, "workerinput"):
        items.sort(key=turns.__getitem__)


class _Grouped:
    """Looks whether pytest-xdist has taken the groups: with releases that do not fit it silently takes none."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        lost = next((item.nodeid for item in items if "@" not in item.nodeid.rpartition("]")[2]), None)
        if lost is not None:
            raise pytest.UsageError(f"{lost} is in no group: this pytest-xdist does not fit this pytest")


def pytest_configure(config: pytest.Config) -> None:
    """In a process of several."""
    if hasattr(config, "workerinput") and config.getoption("loadgroup", False):
        config.pluginmanager.register(_Grouped())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """With CI=true, a skipped test of the kinds that must run is a failure."""
    report = yield
    if MUST_RUN and report.skipped and any(item.get_closest_marker(kind) for kind in MUST_NOT_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI runs it: {report.longrepr}"
    return report


def _need(path: Path) -> Path:
    if not path.exists():
        message = f"{path.name} is not beside the project: these tests need ../shared"
        if MUST_RUN:
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    return _need(ROOT.parent / "shared")


@pytest.fixture(scope="session")
def london(shared: Path) -> Path:
    return _need(shared / "benchmarks" / "london")


@pytest.fixture(scope="session")
def oracles(shared: Path) -> Path:
    return _need(shared / "oracles")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's cache or reads the user's data folders."""
    monkeypatch.setenv("FACEAUDIT_CACHE", str(tmp_path / "faceaudit-cache"))
    monkeypatch.delenv("FACEAUDIT_DATA", raising=False)


@pytest.fixture(scope="session")
def london_env(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a user who has the shared data and a cache of her own."""
    return {
        "FACEAUDIT_DATA": f"{shared / 'benchmarks'}:{shared / 'models'}",
        "FACEAUDIT_CACHE": str(tmp_path_factory.mktemp("cache")),
    }


@pytest.fixture(scope="session")
def london_results(
    london: Path, london_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Run]:
    """The audit of both real models on the London Set: where its results are, and how the command went."""
    from london_run import LONDON, faceaudit  # noqa: PLC0415 - beside this file

    folder = tmp_path_factory.mktemp("london")
    run = faceaudit(*LONDON, "--out", folder / "results", env=london_env, cwd=folder, new=True)
    assert run.code == 0, run.stderr
    return folder / "results", run


@pytest.fixture(scope="session")
def bundled_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a user who has installed the product and nothing else.

    FACEAUDIT_TESTS_CACHE may name the cache of somebody who has run the README's first command already.
    """
    folder = tmp_path_factory.mktemp("bundled-cache")
    if known := os.environ.get("FACEAUDIT_TESTS_CACHE"):
        shutil.copytree(known, folder, dirs_exist_ok=True)
    return {"FACEAUDIT_DATA": "", "FACEAUDIT_CACHE": str(folder)}


@pytest.fixture(scope="session")
def bundled(bundled_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run, Run]:
    """The audit without arguments and the counterfactual one, without a network: their folder, and how both went."""
    from london_run import faceaudit  # noqa: PLC0415 - beside this file

    folder = tmp_path_factory.mktemp("bundled")
    offline = ("unshare", "--net", "--map-root-user")
    can = (
        shutil.which("unshare") and subprocess.run([*offline, "true"], check=False, capture_output=True).returncode == 0
    )
    (folder / "offline").write_text("yes" if can else "cannot")
    run = partial(faceaudit, env=bundled_env, cwd=folder, prefix=offline if can else (), new=True)
    verification = run("run", "--json", "--out", folder / "results")
    assert verification.code == 0, verification.stderr
    counterfactual = run("run", "--task", "counterfactual", "--json", "--out", folder / "results")
    assert counterfactual.code == 0, counterfactual.stderr
    return folder, verification, counterfactual
