"""The table on the terminal."""

from __future__ import annotations

from types import ModuleType

from rich.console import Console

from audit.record import EvaluationRecord
from audit.report import terminal_table


def shown(record: EvaluationRecord, width: int = 160) -> str:
    console = Console(width=width, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal_table(record))
    return capture.get()


def test_it_shows_people_comparisons_rates_support_and_verdicts(london_like: EvaluationRecord) -> None:
    text = shown(london_like)
    line = next(x for x in text.splitlines() if "female, black" in x)
    for part in ("5", "5 / 40", "9 of 40", "0 of 5", "○ counts only"):
        assert part in line
    assert "▲ Disparity  false matches, gender × ethnicity" in text
    assert "False matches at 1 in 100" in " ".join(text.split())
    assert "? The data cannot tell  false non-matches, gender" in text


def test_markup_and_escapes_in_names_do_nothing(builder: ModuleType) -> None:
    record = builder.renamed(builder.london_like(), {"black": "[bold red]x[/] \x1b[2J"})
    text = shown(record)
    assert "\x1b" not in text
    assert "[bold red]x[/] \\u001b[2J" in text


def test_it_prints_when_nothing_was_measured(any_record: EvaluationRecord) -> None:
    assert len(shown(any_record, 100).splitlines()) > 3
