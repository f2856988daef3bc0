"""Write the reference pages from docstrings and from the command line itself: `python docs/reference/make.py`.

A test holds the pages to what this makes; nothing in them is written by hand.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import typer

import audit
from audit import frames
from audit.cli import app
from audit.plan import AuditPlan

FOLDER = Path(__file__).resolve().parent
MADE = "*Made from the docstrings by `docs/reference/make.py`; change them, not this page.*"
SECTION = re.compile(r"^(?P<title>[A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Every reference page: file name to text."""
    return {"cli.md": _joined(_cli()), "python.md": _joined(_python()), "plan.md": _joined(_plan())}


def _joined(lines: Iterator[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _cli() -> Iterator[str]:
    """One section a command, in the order of `faceaudit --help`."""
    yield from ("# Command line", "", MADE, "", _paragraphs(inspect.getdoc(audit.cli) or ""))
    for words, command in commands():
        yield from ("", f"## {' '.join(words)}", "", _paragraphs(command.help or ""), "")
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
        usage = [*words, *(_metavar(p) for p in arguments), *(["[OPTIONS]"] if options else [])]
        yield from ("```", " ".join(usage), "```", "")
        rows = [(f"`{_metavar(p)}`", p.help or "", "") for p in arguments]
        rows += [(_option(p), p.help or "", _default(p)) for p in options]
        if rows:
            yield from ("| | | default |", "|---|---|---|")
            yield from (f"| {name} | {_cell(text)} | {default} |" for name, text, default in rows)


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    yield from _commands(typer.main.get_command(app), ("faceaudit",))


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from _commands(inner, (*words, name))
        else:
            yield (*words, name), inner


def _metavar(parameter: Any) -> str:
    """What stands for a value: no type names, which differ between versions of the parser."""
    word = str(parameter.metavar or (parameter.name.upper() if parameter.param_type_name == "argument" else "VALUE"))
    return f"{word}..." if parameter.nargs == -1 else word


def _option(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    return names if parameter.is_flag else f"{names} {_metavar(parameter)}"


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value in ((), "") or callable(value):
        return ""
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"


def _plan() -> Iterator[str]:
    """Every setting of a plan: what it means, what it is by default, what it may be."""
    yield from ("# Settings of a plan", "", MADE, "")
    yield "In `PLAN.toml` for `faceaudit run`, as `faceaudit init` writes it, or in `audit.AuditPlan(...)`. In a file,"
    yield "`models` may stand in place of `model`: a list, each with a record of its own."
    yield from ("", "| setting | what | default | allowed |", "|---|---|---|---|")
    for name, field in AuditPlan.model_fields.items():
        default = "*required*" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        allowed = [
            f"{sign} {getattr(m, attribute)}"
            for m in field.metadata
            for attribute, sign in BOUNDS
            if hasattr(m, attribute)
        ]
        allowed += [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
        yield f"| `{name}` | {_cell(field.description or '')} | {_cell(default)} | {', '.join(allowed)} |"


BOUNDS = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))


def _python() -> Iterator[str]:
    """One section a public name."""
    yield from ("# Python", "", MADE, "", _paragraphs(inspect.getdoc(audit) or ""))
    for name in audit.__all__:
        thing = getattr(audit, name)
        yield from ("", f"## audit.{name}", "")
        if inspect.isclass(thing):
            yield from _class(name, thing)
        else:
            yield from (
                "```python",
                f"audit.{name}{_signature(thing)}",
                "```",
                "",
                _paragraphs(inspect.getdoc(thing) or ""),
            )
    yield from ("", "## Frames", "", _paragraphs(inspect.getdoc(frames) or ""))
    for function in (frames.rates, frames.contrasts, frames.differentials):
        yield from ("", f"### Evaluation.{function.__name__}", "", _paragraphs(inspect.getdoc(function) or ""))


def _class(name: str, kind: type) -> Iterator[str]:
    yield _paragraphs(inspect.getdoc(kind) or "")
    if kind is AuditPlan:
        yield from ("", "Its settings: [plan.md](plan.md).")
    elif hasattr(kind, "model_fields"):
        yield from ("", "| field | what |", "|---|---|")
        for field, about in kind.model_fields.items():
            inner = [
                t
                for t in (about.annotation, *get_args(about.annotation))
                if inspect.isclass(t) and t.__module__ == kind.__module__
            ]
            text = about.description or " ".join((inner[0].__doc__ or "").split("\n\n")[0].split() if inner else ())
            yield f"| `{about.alias or field}` | {_cell(text)} |"
    elif dataclasses.is_dataclass(kind) and "Parameters\n" not in (kind.__doc__ or ""):
        yield from ("", f"Fields: {', '.join(f'`{f.name}`' for f in dataclasses.fields(kind))}.")
    for member, thing in vars(kind).items():
        text = inspect.getdoc(getattr(kind, member, None) or thing)
        if member.startswith("_") or not text or member in ("model_config", *getattr(kind, "model_fields", ())):
            continue
        plain = inspect.unwrap(thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing)
        if inspect.isfunction(plain) and plain.__module__ == kind.__module__:
            yield from ("", f"### {name}.{member}{_signature(plain)}", "", _paragraphs(text))
        elif isinstance(thing, property) or type(thing).__name__ == "cached_property":
            yield from ("", f"### {name}.{member}", "", _paragraphs(text))


def _signature(function: Any) -> str:
    """Names and defaults; types stand in the text, as far as they are worth saying."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}".replace("'", '"')
        star = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        shown.append(f"{star}{parameter.name}{default}")
    return f"({', '.join(shown)})"


def _paragraphs(doc: str) -> str:
    """Turn a docstring into Markdown: its sections become headings, their entries a list, examples code."""
    parts = SECTION.split(inspect.cleandoc(doc))
    text = [_prose(parts[0])]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        text += ["", f"**{title}**", "", _entries(body.strip("\n"), kinds=title in {"Raises", "Returns"})]
    return "\n".join(text).strip()


def _prose(text: str) -> str:
    made = []
    for block in re.split(r"\n{2,}", text.strip()):
        if block.startswith((">>>", "::")):
            body = block.removeprefix("::").strip("\n")
            made.append(f"```\n{inspect.cleandoc(body)}\n```" if body else "")
        elif block.startswith("    "):
            made.append(f"```\n{inspect.cleandoc(block)}\n```")
        else:
            made.append(block)
    return "\n\n".join(block for block in made if block)


def _entries(body: str, *, kinds: bool) -> str:
    """Turn `name : what`, or a name with its text below it, into a list; a kind before a text stands in brackets."""
    lines: list[list[str]] = []
    for line in body.splitlines():
        if line.startswith(" ") and lines:
            lines[-1].append(line.strip())
        elif line.strip():
            lines.append([line])
    made = []
    for first, *below in lines:
        name, colon, rest = first.partition(" : ")
        text = " ".join(below)
        if colon:
            made.append(f"- `{name}` ({rest}): {text}" if text else f"- `{name}`: {rest}")
        elif kinds and re.fullmatch(r"[A-Za-z]+", first):
            made.append(f"- `{first}`: {text}".removesuffix(": "))
        else:
            made.append(f"- {first} {text}".rstrip())
    return "\n".join(made)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for file, content in pages().items():
        (FOLDER / file).write_text(content, encoding="utf-8")
        print(FOLDER / file)
