"""A translation is one file: with it, nothing of a report's own words stays English; without it, nothing is made."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import audit.report
from audit.errors import DataError
from audit.record import EvaluationRecord
from audit.report import html, render, strings
from audit.report.view import make

ROOM = Path(audit.report.__file__).parent


class Beside:
    """The room's files with one more language beside English."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, _: str) -> Path:
        return self.folder


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language in which every sentence stands between brackets, made as a translator makes one."""
    english = (ROOM / "en.toml").read_text(encoding="utf-8")
    (tmp_path / "en.toml").write_text(english, encoding="utf-8")
    lines = [
        f"[{section}]\n"
        + "\n".join(f"{json.dumps(key)} = {json.dumps(f'⟦{text}⟧')}" for key, text in sentences.items())
        for section, sentences in strings.tomllib.loads(english).items()
    ]
    (tmp_path / "xx.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(strings, "resources", Beside(tmp_path))
    strings.catalogue.cache_clear()
    yield "xx"
    strings.catalogue.cache_clear()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)


def test_every_sentence_of_a_report_is_said_in_the_language(builder: ModuleType, marked: str) -> None:
    """What is left without brackets are names, numbers and what the record itself says."""
    for record in (builder.beside(), builder.crossing(), builder.empty()):
        with strings.speaking(marked):
            view = make(record)
            page = html.page(view)
        assert view.language == "xx"
        assert '<html lang="xx">' in page
        recorded = json.dumps(record.model_dump(mode="json"), ensure_ascii=False)
        named = [count.group for count in record.samples.by_group], record.benchmark.model_dump(mode="json")
        names = set(re.findall("[a-z]+", json.dumps(named)))
        english = [
            text
            for text in texts(view)
            if "⟦" not in text
            and " " in text
            and text not in recorded
            and len(set(re.findall(r"[a-z]{3,}", text)) - names) >= 3
        ]
        assert english == []
        assert make(record).language == "en"


def test_a_language_without_a_catalogue_is_refused(london_like: EvaluationRecord, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Known languages: en"):
        render(london_like, tmp_path, language="xx")
    assert list(tmp_path.iterdir()) == []


def test_what_a_translation_lacks_is_said_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en.toml").write_text((ROOM / "en.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "xx.toml").write_text('[word]\neveryone = "tutti"\n', encoding="utf-8")
    monkeypatch.setattr(strings, "resources", Beside(tmp_path))
    strings.catalogue.cache_clear()
    with strings.speaking("xx"):
        assert strings.say("word.everyone") == "tutti"
        assert strings.say("word.none") == "none"
    assert strings.say("word.everyone") == "everyone"
    strings.catalogue.cache_clear()


def test_every_language_keeps_the_placeholders_of_english() -> None:
    """Of whatever catalogues lie in the room."""
    english = strings.catalogue()
    for language in strings.languages():
        for key, text in strings.catalogue(language).items():
            assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", english[key])), (language, key)
