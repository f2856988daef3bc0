"""A linter for everything that is rendered: no text may say more than its verdicts allow.

Three kinds of claims are looked for, in the text as a reader sees it and in the file as it lies on the disk:
words that stand nowhere, not even in denials, quotations or scripts; claims that no evaluation can support; and claims
of equality, which need the verdict EQUIVALENT.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterable

from audit.record import EvaluationRecord

NOWHERE = r"un[\W_]?biased|bias[\W_]*free|\bno[\W_]+bias|\bis\W+fair"
UNSUPPORTED = (
    r"\b(?:free|devoid) (?:of|from) (?:any )?(?:bias|disparit|discriminat)", r"\bwithout (?:any )?(?:bias|discriminat)",
    r"\b(?:does|do|did) not discriminate", r"\bnon-?discriminat", r"\b(?:zero|nil) (?:bias|disparit)",
    r"\bbias (?:has been|was|is) (?:removed|eliminated|absent)", r"\bfair (?:to|for|towards) (?:all|every)",
    r"\b(?:certifie[sd]|guarantees?|proves?|proven) (?:to be |as |that |the )?(?:\w+ )?(?:fair|safe|equal|accura)",
    r"\bconforms? (?:to|with) (?:the )?iso", r"\biso(?:/iec)? ?\d+(?:-\d+)? (?:conform|certifi|complian)",
    r"\btreats? (?:all|every\w*)(?: \w+)? (?:alike|equally|the same)", r"\bdisparity does not exist",
    r"\b(?:safe|suitable|approved) for (?:any|all|every) (?:use|group|people|person)",
    r"\bno (?:one|group|person) is (?:affected|disadvantaged)", r"\b(?:race|gender)[- ]neutral",
    r"\bdebiased model",
)  # fmt: skip
EQUAL = (
    r"\bno (?:\w+ ){0,2}(?:differences?|disparit(?:y|ies)|gaps?|discrimination)\b(?! of \S+ times or more could)",
    r"\b(?:works?|performs?|recogni[sz]es) (?:\w+ ){0,3}(?:equally|just as) (?:\w+ )?(?:well|accurately|reliably)",
    r"\b(?:works?|performs?) (?:equally|the same|alike)", r"\bequally (?:accurate|reliable|good|well)",
    r"\b(?:error )?rates (?:are|were) (?:equal|identical|the same|alike)\b",
    r"\bsame (?:accuracy|error rates?|performance) (?:for|in|across)", r"\blie within [^.]{0,40} of each other",
    r"\bno evidence (?:of|for) (?:a |any )?(?:bias|differences?|disparit)",
    r"\bgroups (?:do not differ|are equivalent)",
    r"\bregardless of (?:gender|ethnicity|age|race|skin)", r"\bdifferences? (?:are|is) (?:negligible|insignificant)",
)  # fmt: skip
SUPPOSED = re.compile(r"\b(?:if|whether|when|under|says?|under which|words such as)\b[^.;]*$")
"""What is supposed, asked or named is not claimed."""
LIKE = str.maketrans("аеорсіѕухʙαιοᴜɴ", "aeopcisyxbaioun")
"""Letters of other alphabets that look like Latin ones, enough to write the words above."""


def found(text: str, verdicts: Iterable[str] = ()) -> list[str]:
    """List the overclaims of a text (a page, a table, a line of a log); `verdicts` are those that it may report."""
    patterns = [NOWHERE, *UNSUPPORTED, *(() if "EQUIVALENT" in set(verdicts) else EQUAL)]
    return sorted({
        f"{pattern}: {match[0]!r}" for seen in _readings(text) for pattern in patterns
        for match in re.finditer(pattern, seen)
        if pattern not in EQUAL or not SUPPOSED.search(seen[max(0, match.start() - 60) : match.start()])
    })  # fmt: skip


def _readings(text: str) -> set[str]:
    """A text as it lies in the file, without its tags, and with entities and escapes resolved; folded."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", text))
    spaced = html.unescape(re.sub(r"<[^>]*>", " ", text))
    escaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return {_folded(t) for t in (text, plain, spaced, escaped)}


def _folded(text: str) -> str:
    """Small letters without accents, joiners or look-alikes, and one space between words."""
    broken = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in broken if unicodedata.category(c) not in {"Mn", "Cf"})
    return re.sub(r"\s+", " ", kept.lower().translate(LIKE))


def verdicts_of(record: EvaluationRecord) -> set[str]:
    """Every verdict that a record holds."""
    return {one.verdict for one in (*record.contrasts, *record.differentials)}


def found_in_json(text: str, verdicts: Iterable[str] = ()) -> list[str]:
    """As `found`, for every text and every key of a JSON document."""

    def walk(value: object) -> Iterable[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield key
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, str):
            yield value

    return [line for one in walk(json.loads(text)) for line in found(one, verdicts)]
