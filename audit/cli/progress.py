"""Progress on stderr, with rate and remaining time."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

WORDS = {
    "obtain": "downloading",
    "unpack": "unpacking",
    "measure": "measuring pictures",
    "render": "rendering people",
    "read": "checking files",
    "check": "looking at files",
    "extract": "extracting templates",
    "compare": "comparing",
    "count": "counting errors",
}


class _Rate(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        """Write the rate of the last half minute."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s" if speed < 1000 else f"{speed:,.0f}/s")


class Progress:
    """A bar for every stage; called with (stage, done, total). Silent where `quiet` or where stderr is no terminal."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._on = console.is_terminal and not quiet
        self._stages: dict[str, object] = {}
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeElapsedColumn())
        self._bars = Bars(*columns, TimeRemainingColumn(), console=console, transient=True)
        self._title = title

    def __enter__(self) -> Self:
        if self._on:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage."""
        if not self._on:
            return
        if stage not in self._stages:
            self._stages[stage] = self._bars.add_task(f"{self._title}: {WORDS.get(stage, stage)}", total=total)
        self._bars.update(self._stages[stage], completed=done, total=total)  # type: ignore[arg-type]
