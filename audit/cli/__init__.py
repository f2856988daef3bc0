"""The command line: one file a verb; an AuditError is one line and a stable exit code.

Exit codes: 0 done; 1 a negative verdict; 2 the user's mistake; 3 refused by governance of the benchmark; 4 nothing
could be measured; 130 interrupted, resumable.
"""

from __future__ import annotations

import os
import sys

import typer

from audit import __version__
from audit.cli import (
    benchmarks,
    cache,
    check,
    compare,
    gate,
    init,
    measure,
    models,
    new,
    obtain,
    plan,
    power,
    publish,
    report,
    reproduce,
    run,
    scan,
    score,
    seal,
    synthesize,
    verify,
    withdraw,
)
from audit.errors import AuditError

USAGE: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""Root of the parser's own errors; where it is defined depends on the version of typer."""

INTERRUPTED = 130
_RESUME = "What was computed is kept: the same command goes on from there"

app = typer.Typer(
    name="faceaudit",
    help="Measure demographic error disparities of face models on consented public benchmarks.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("run")(run.command)
app.command("init")(init.command)
app.command("score")(score.command)
app.command("report")(report.command)
app.command("power")(power.command)
app.command("gate")(gate.command)
app.command("compare")(compare.command)
app.command("reproduce")(reproduce.command)
app.command("scan")(scan.command)
app.command("seal")(seal.command)
app.command("verify")(verify.command)
app.command("cache")(cache.command)
app.command("publish")(publish.command)
app.command("synthesize")(synthesize.command)
benchmarks.app.command("check")(check.command)
benchmarks.app.command("obtain")(obtain.command)
benchmarks.app.command("new")(new.command)
benchmarks.app.command("measure")(measure.command)
benchmarks.app.command("withdraw")(withdraw.command)
app.add_typer(benchmarks.app, name="benchmarks")
app.add_typer(models.app, name="models")
app.add_typer(plan.app, name="plan")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faceaudit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Measure demographic error disparities of face models on consented public benchmarks."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:  # some versions of typer turn Ctrl-C into an exit of their own
            raise KeyboardInterrupt
    except AuditError as error:
        code = _complain(str(error), error.exit_code)
    except USAGE as error:
        code = _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        code = _complain("interrupted: what was computed is kept; the same command goes on from there", INTERRUPTED)
    except MemoryError:
        code = _complain(f"not enough memory. {_RESUME}", 2)
    except RuntimeError as error:
        if "start new thread" not in str(error) and "allocate memory" not in str(error):
            raise
        code = _complain(f"not enough memory, or too many threads ({str(error)[:200]}). {_RESUME}", 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:  # what no room has put into words of its own: a disk that fails, or is full
        place = f"{error.filename}: " if error.filename else ""
        code = _complain(f"{place}{error.strerror or error}. {_RESUME}", 2)
    except SystemExit:  # rich leaves so when the reader of a pipe has left: that is no verdict
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Exception) -> int:
    """A mistake in the command line itself; a group without a verb is answered with its help."""
    text = error.format_message()  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(text)
        return 0
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "faceaudit"
    return _complain(f"{path}: {text} Try '{path} --help'", 2)


def _complain(text: str, code: int) -> int:
    typer.echo(f"faceaudit: {' '.join(text.split())}", err=True)
    return code
