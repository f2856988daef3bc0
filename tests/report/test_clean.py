"""Texts of strangers."""

from __future__ import annotations

import re
import unicodedata
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record import EvaluationRecord
from audit.report.view.clean import LONGEST_NAME, claims, clean, scrub

PLANTED = [
    "unbiased", "Unbiased", "UNBIASED", "un-biased", "an unbiasedly made", "bias-free", "bias free", "Bias‑Free",
    "biasfree",
    "bias\nfree", "no bias", "No  Bias", "NO\tBIAS", "no biases", "this model is fair", "Is Fair", "is\nfair",
    "is  fair to all",
    "it is fairly", "not unbiased", "“unbiased”", "no bias found",
]  # fmt: skip


@pytest.mark.parametrize("text", PLANTED)
def test_claims_are_withheld_wherever_they_come_from(text: str) -> None:
    shown = clean(text)
    assert "[claim withheld]" in shown
    assert not re.search(r"unbiased|bias[\s-]*free|no\s+bias|is\s+fair", shown, re.IGNORECASE)


@pytest.mark.parametrize(
    "text", ["biased towards", "a fair test", "this fairground", "white", "O'Neil & Söhne", "لون", "שחור", "👩🏽‍🦱"]
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


HIDDEN = [
    "unbi\u0430sed",
    "is f\u0430ir",
    "bi\u200das-free",
    "unb\u0131ased",
    "un\u00adbiased",
    "n\u043e bias",
    "ｕｎｂｉａｓｅｄ",
]


@pytest.mark.parametrize("text", [*PLANTED, *HIDDEN])
def test_claims_are_found_in_the_middle_of_a_long_page(text: str) -> None:
    """The short way through a page finds what the long way through a name finds."""
    assert claims(f"{'a fair test – “quoted”, 2 × 3. ' * 50}{text}{' and on… ' * 50}")
    assert not claims("a fair test – “quoted”, biased towards é " * 50)


@given(st.text(alphabet="unbiased-fre nois\u0430\u200d–é\u0131", max_size=30))
def test_both_ways_find_the_same(text: str) -> None:
    assert claims(text) == ("[claim withheld]" in clean(text))


@given(st.text(max_size=200))
def test_nothing_invisible_survives(text: str) -> None:
    allowed = set("\u200c\u200d\u200e\u200f\u061c")
    assert not [c for c in clean(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in allowed]


def test_an_ordinary_record_is_only_copied(london_like: EvaluationRecord) -> None:
    assert scrub(london_like) == london_like.model_copy(update={"covariance": []})


def test_long_names_are_cut_and_stay_distinct(builder: ModuleType) -> None:
    names = {"white": "y" * 9_000 + "a", "black": "y" * 9_000 + "b"}
    groups = [count.group for count in scrub(builder.renamed(builder.london_like(), names)).samples.by_group]
    shown = {g["ethnicity"] for g in groups if g.keys() == {"ethnicity"}}
    assert len(shown) == 5
    assert all(len(name) <= LONGEST_NAME + 4 for name in shown)
