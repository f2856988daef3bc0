"""Nothing that is rendered says more than its verdicts: planted overclaims are found, and no output holds one."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import overclaims
import pytest
import site_results
from rich.console import Console

from audit.record import EvaluationRecord
from audit.report import html, terminal_table
from audit.report.site import publish
from audit.report.strings import catalogue
from audit.report.view import make
from audit.report.view.clean import claims, clean

ROOT = Path(__file__).resolve().parents[2]
WORDS = (
    "An unbiased model.", "This model is un-biased", "UNBIASED", "bias-free", "Bias – free", "bias<b>-free</b>",
    "There is no bias here.", "NO  BIAS", "no\nbias", "This benchmark is fair.", "is\u00a0fair", "un&shy;biased",
    "&#117;nbiased", "we do not say that it is unbiased", "“bias-free”, says the vendor", "ｕｎｂｉａｓｅｄ",
    "unbi\u0430sed", "u\u200dnbiased", "<script>var t = 'no bias'</script>", '<p title="is fair">x</p>',
    '{"note": "\\u006eo bias"}', "<!-- unbiased -->", "no_bias", "ünbiased",
)  # fmt: skip
NEVER = (
    "free of bias", "The system does not discriminate.", "non-discriminatory", "zero bias", "bias has been removed",
    "fair to everyone", "certified fair", "guarantees equal treatment", "conforms to ISO/IEC 19795-10",
    "ISO 19795-10 compliant", "It treats everybody equally.", "suitable for any use", "No group is disadvantaged.",
    "a gender-neutral model", "without discrimination",
)  # fmt: skip
EQUAL = (
    "No difference was found.", "There are no significant differences.", "no measurable gap between groups",
    "It works equally well for all.", "performs the same for women and men", "equally accurate",
    "Error rates are equal.", "the same accuracy for all", "no evidence of bias", "The groups do not differ.",
    "All groups lie within 2 times of each other.", "accurate regardless of gender", "Differences are negligible.",
    "no disparity", "No disparities between ethnicities",
)  # fmt: skip


@pytest.mark.parametrize("text", [*WORDS, *NEVER])
def test_planted_claims_are_found_whatever_the_verdict(text: str) -> None:
    assert overclaims.found(f"Before. {text} After.", {"EQUIVALENT", "DISPARITY"})


@pytest.mark.parametrize("text", EQUAL)
def test_claims_of_equality_need_their_verdict(text: str) -> None:
    for verdicts in (set(), {"INCONCLUSIVE"}, {"DISPARITY", "INCONCLUSIVE"}):
        assert overclaims.found(text, verdicts)


@pytest.mark.parametrize(
    "text",
    [
        "No false match was seen in any group. None seen is not none possible.",
        "These data cannot tell whether error rates differ between the groups.",
        "No difference of 2 times or more could be shown, so none is sized here.",
        "if all rates were equal", "a fair test", "biased towards", "FairFace", "Equivalent within the margin",
    ],
)  # fmt: skip
def test_what_may_be_said_is_left_alone(text: str) -> None:
    assert overclaims.found(text) == []


def test_a_planted_claim_in_a_real_page_is_found(london_page: str) -> None:
    at = london_page.index("</main>")
    for claim in (*WORDS[:4], *NEVER[:4], *EQUAL[:4]):
        assert overclaims.found(f"{london_page[:at]}<p>{claim}</p>{london_page[at:]}", {"DISPARITY"})


def test_no_report_overclaims(any_record: EvaluationRecord, any_page: str) -> None:
    assert overclaims.found(any_page, overclaims.verdicts_of(any_record)) == []


def test_no_terminal_table_overclaims(any_record: EvaluationRecord) -> None:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(terminal_table(any_record))
    assert overclaims.found(capture.get(), overclaims.verdicts_of(any_record)) == []


@pytest.mark.parametrize(
    "names", [{"female": "fair", "male": "biased"}, {"black": "fair", "white": "bias", "dlib": "free"}]
)
def test_groups_of_such_names_make_no_claim(builder: ModuleType, names: dict[str, str]) -> None:
    """A skin tone may be called fair: no sentence puts `is` before a name."""
    record = builder.renamed(builder.crossing(), names)
    assert overclaims.found(html.page(make(record)), overclaims.verdicts_of(record)) == []


@pytest.mark.parametrize("text", [t for t in WORDS if "<" not in t and "&" not in t and "\\u" not in t])
def test_such_words_of_strangers_are_withheld(text: str) -> None:
    """Names of models and benchmarks, quotations, notes: the word is replaced, whatever alphabet hides it."""
    assert claims(text)
    assert "[claim withheld]" in clean(text)
    assert overclaims.found(clean(text), {"EQUIVALENT"}) == []


def test_no_page_of_the_site_overclaims(tmp_path: Path) -> None:
    publish(site_results.mixed(tmp_path / "results"), tmp_path / "site")
    pages = [p for p in (tmp_path / "site").rglob("*") if p.suffix in {".html", ".xml", ".js", ".css", ".json"}]
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        if page.name != "record.json":  # somebody's record, offered unchanged for download
            assert overclaims.found(text, {"EQUIVALENT"}) == [], page


def test_no_sentence_of_the_catalogue_claims_equality_but_those_of_the_verdict() -> None:
    held = {key for key, text in catalogue().items() if overclaims.found(text)}
    assert all("equivalent" in key for key in held), held
    assert not {key for key, text in catalogue().items() if overclaims.found(text, {"EQUIVALENT"})}


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name)
def test_no_document_overclaims(path: Path) -> None:
    assert overclaims.found(path.read_text(encoding="utf-8")) == []
