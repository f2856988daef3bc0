"""What a sealed audit establishes; every change of it is found, whoever sealed it again."""

from __future__ import annotations

import base64
import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_kept import Kept
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from small_bundle import copied, edit_record, sealed_again

from audit.bundle import Finding, envelope, keys, seal, state, verify
from audit.bundle.folder import ENVELOPE, SIGNER, STATEMENT
from audit.errors import DataError

PUBLISHED = sorted(p.parent for p in (Path(__file__).resolve().parents[2] / "results").glob(f"london/*/*/{STATEMENT}"))
"""Sealed ones: whoever runs the README's commands in a clone has written one anew."""
LONG = os.environ.get("FACEAUDIT_LONG", "") == "1"
FLIPS = 400
"""Flipped bits of each kind of bundle, beside those of every file."""


def failed(findings: list[Finding]) -> list[str]:
    return [one.question for one in findings if one.outcome == "failed"]


def outcome(findings: list[Finding], question: str) -> str:
    return next(one.outcome for one in findings if one.question == question)


def test_a_sealed_audit_is_established(kept: Kept) -> None:
    findings = verify(kept.signed, kept.public)
    assert failed(findings) == []
    established = {one.question for one in findings if one.outcome == "established"}
    assert established >= {
        "signature",
        "files are those that were sealed",
        "statement is of this record",
        "nothing tells of a single person",
        "errors and comparisons are those of the scores",
        "rates and intervals within groups",
        "rates and intervals across groups",
        "rates at the groups' own thresholds",
        "failures to acquire",
        "covariances of rates",
        "contrasts, with both adjusted p-values",
        "tests of equal rates",
        "differentials, intervals, nulls and verdicts",
        "score distributions",
        *(f"report ({name}) is what the record says" for name in ("html", "pdf", "md", "card")),
    }
    open_ = {one.question for one in findings if one.outcome == "not established"}
    assert {"cross-fit values", "det", "score shifts", "model card", "descriptor"} <= open_


def test_without_a_key_it_says_unsigned_and_nothing_fails(kept: Kept) -> None:
    findings = verify(kept.unsigned)
    assert failed(findings) == []
    assert outcome(findings, "signature") == "not established"
    assert "unsigned" in next(one.detail for one in findings if one.question == "signature")
    assert failed(verify(kept.unsigned, kept.public)) == ["signature"]


def test_without_a_public_key_a_signature_still_binds_the_files(kept: Kept) -> None:
    findings = verify(kept.signed)
    assert failed(findings) == []
    assert outcome(findings, "signature") == "established"


def flip(folder: Path, name: str, place: int, bit: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[place % len(content)] ^= 1 << bit
    (folder / name).write_bytes(content)


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("signed", "between"), [(True, 12), (False, 12 if LONG else 3)])
def test_a_flipped_bit_in_any_file_is_found(kept: Kept, tmp_path: Path, *, signed: bool, between: int) -> None:
    """The first and the last byte of every file, and seeded places between; without a signature fewer of them."""
    source = kept.signed if signed else kept.unsigned
    folder = copied(source, tmp_path / "b")
    rng = np.random.default_rng(20)
    tried = 0
    for name in files_of(folder):
        whole = (folder / name).read_bytes()
        for place in (0, len(whole) - 1, *rng.integers(len(whole), size=between).tolist()):
            flip(folder, name, place, int(rng.integers(8)))
            assert failed(verify(folder)), (name, place)
            (folder / name).write_bytes(whole)
            tried += 1
    assert tried > 300 * (2 + between) / 14
    assert failed(verify(folder)) == []


@pytest.mark.skipif(not PUBLISHED, reason="no evaluation is published in results/")
def test_a_flipped_bit_in_any_file_of_a_published_bundle_is_found(tmp_path: Path) -> None:
    """It has what an audit of scores has not: descriptor and card."""
    folder = copied(PUBLISHED[0], tmp_path / "b")
    rng = np.random.default_rng(21)
    names = files_of(folder)
    assert {"benchmark.json", "card.json", "environment.json", "plan.json", "cells.parquet"} <= set(names)
    for name in names:
        whole = (folder / name).read_bytes()
        for place in (0, len(whole) - 1, *rng.integers(len(whole), size=4).tolist()):
            flip(folder, name, place, int(rng.integers(8)))
            assert failed(verify(folder)), (name, place)
            (folder / name).write_bytes(whole)


@settings(max_examples=FLIPS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bits_anywhere_are_found(kept: Kept, tmp_path: Path, data: st.DataObject) -> None:
    """Of the smallest files, which decide, as often as of the largest."""
    folder = tmp_path / "b"
    if not folder.exists():
        copied(kept.signed, folder)
    name = data.draw(st.sampled_from(files_of(folder)))
    whole = (folder / name).read_bytes()
    flip(folder, name, data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7)))
    try:
        assert failed(verify(folder))
    finally:
        (folder / name).write_bytes(whole)


Change = Callable[[dict[str, Any]], None]


def better_rate(said: dict[str, Any]) -> None:
    rate = next(r for r in said["rates"] if r["metric"] == "FMR" and r["group"] == {"tone": "dark"} and r["errors"])
    rate["value"] /= 2


def better_interval(said: dict[str, Any]) -> None:
    next(r for r in said["rates"] if r["interval"] and r["errors"])["interval"]["low"] += 1e-4


def fewer_errors(said: dict[str, Any]) -> None:
    """Consistent in itself: errors, value and its neighbours; only the scores know better."""
    for rate in said["rates"]:
        if rate["metric"] == "FMR" and rate["group"] == {"tone": "dark"} and rate["errors"] > 1:
            rate["errors"] -= 1
            rate["value"] = rate["errors"] / rate["trials"]


def better_verdict(said: dict[str, Any]) -> None:
    one = next(d for d in said["differentials"] if d["verdict"] != "EQUIVALENT" and d["value"] is not None)
    one["verdict"] = "EQUIVALENT"


def better_p(said: dict[str, Any]) -> None:
    next(d for d in said["differentials"] if d["null_p"] is not None)["null_p"] = 0.999


def better_contrast(said: dict[str, Any]) -> None:
    next(c for c in said["contrasts"] if c["ratio"] is not None)["ratio"] *= 0.9


def other_threshold(said: dict[str, Any]) -> None:
    next(p for p in said["operating_points"] if p["policy"] == "global")["threshold"] += 0.01


def other_scores(said: dict[str, Any]) -> None:
    one = next(d for d in said["distributions"] if len(d["counts"]) > 20)
    k = next(k for k, n in enumerate(one["counts"]) if n > 1 and k + 2 < len(one["counts"]))
    one["counts"][k] -= 1
    one["counts"][k + 1] += 1


def lower_margin(said: dict[str, Any]) -> None:
    said["plan"]["margin_fmr"] = 3.0


def other_failures(said: dict[str, Any]) -> None:
    next(a for a in said["acquisition"] if a["stage"] is None)["failures"] = 0


def other_test(said: dict[str, Any]) -> None:
    next(t for t in said["global_tests"] if t["p"] is not None)["p"] = 0.5


def other_covariance(said: dict[str, Any]) -> None:
    said["covariance"][0]["matrix"][0][0] *= 1.01


def other_summary(said: dict[str, Any]) -> None:
    said["summary"]["fnmr_at_fmr"][0]["fnmr"] *= 0.9


def other_bound(said: dict[str, Any]) -> None:
    next(r for r in said["rates"] if r["upper_bound"] is not None)["upper_bound"] /= 2


def other_people(said: dict[str, Any]) -> None:
    said["samples"]["by_group"][2]["subjects"] += 10


def other_variance_across(said: dict[str, Any]) -> None:
    next(r for r in said["rates"] if r["reference_group"] and r["variance"])["variance"] *= 0.5


def narrower_across(said: dict[str, Any]) -> None:
    """Variance and what follows from it bent together: only the tables know better."""
    rate = next(r for r in said["rates"] if r["reference_group"] and r["variance"] and r["errors"] > 5)
    rate["variance"] /= 4
    rate["effective_errors"] *= 4
    rate["design_effect"] /= 4


def _own(said: dict[str, Any], metric: str) -> dict[str, Any]:
    own = {p["id"] for p in said["operating_points"] if p["policy"] == "per-group"}
    return next(r for r in said["rates"] if r["operating_point"] in own and r["metric"] == metric and r["variance"])


def other_own_variance(said: dict[str, Any]) -> None:
    _own(said, "FNMR")["variance"] *= 0.5


def better_own_interval(said: dict[str, Any]) -> None:
    _own(said, "FMR")["interval"]["high"] *= 0.9


def other_variance_of_failures(said: dict[str, Any]) -> None:
    next(r for r in said["rates"] if r["metric"] == "FTA" and r["variance"])["variance"] *= 0.5


RECORDS: dict[Change, str] = {
    other_variance_across: "rates and intervals across groups",
    narrower_across: "rates and intervals across groups",
    other_own_variance: "rates at the groups' own thresholds",
    better_own_interval: "rates at the groups' own thresholds",
    other_variance_of_failures: "failures to acquire",
    better_rate: "rates and intervals within groups",
    better_interval: "rates and intervals within groups",
    fewer_errors: "rates and intervals within groups",
    better_verdict: "differentials, intervals, nulls and verdicts",
    better_p: "differentials, intervals, nulls and verdicts",
    better_contrast: "contrasts, with both adjusted p-values",
    other_threshold: "thresholds achieve what they say",
    other_scores: "score distributions",
    lower_margin: "plan",
    other_failures: "failures to acquire",
    other_test: "tests of equal rates",
    other_covariance: "covariances of rates",
    other_summary: "overall error rates in the summary",
    other_bound: "rates and intervals within groups",
    other_people: "tables belong to the record",
}


@pytest.mark.parametrize("change", RECORDS, ids=lambda change: change.__name__)
def test_a_bent_record_is_found_though_every_digest_fits(kept: Kept, tmp_path: Path, change: Change) -> None:
    """An attacker who seals again is caught by the counts; without a report, which would differ as well."""
    folder = copied(kept.plain, tmp_path / "b")
    edit_record(folder, change)
    (folder / "plan.json").write_bytes((kept.unsigned / "plan.json").read_bytes())
    for name in ("report.html", "report.pdf", "report.md", "model_card.md"):
        (folder / name).unlink()
    shutil.rmtree(folder / "pictures")
    sealed_again(folder)
    found = failed(verify(folder))
    assert RECORDS[change] in found, found
    assert "files are those that were sealed" not in found


def bend(folder: Path, name: str, change: Callable[[dict[str, list[Any]]], None]) -> None:
    table = pq.read_table(folder / name)
    columns = table.to_pydict()
    change(columns)
    pq.write_table(pa.table(columns, table.schema), folder / name, store_schema=False)


def one_less_in_cells(columns: dict[str, list[Any]]) -> None:
    columns["errors"][next(k for k, n in enumerate(columns["errors"]) if n > 3)] -= 1


def score_moved(columns: dict[str, list[Any]]) -> None:
    """One comparison across the threshold, its cell's total kept: only rates within the group tell."""
    cells = list(zip(columns["role"], columns["group"], columns["mated"], strict=True))
    k = max(k for k, n in enumerate(columns["count"]) if n and cells[k] == ("group", "{}", False))
    first = cells.index(cells[k])
    columns["count"][k] -= 1
    columns["count"][first] += 1


def variance_less(columns: dict[str, list[Any]]) -> None:
    k = next(k for k in range(len(columns["row"])) if columns["row"][k] == columns["column"][k] == 1)
    columns["value"][k] *= 0.25


def variance_less_across(columns: dict[str, list[Any]]) -> None:
    """The last variance of everyone's first threshold is one of two groups across."""
    point = columns["operating_point"][0]
    k = max(k for k, name in enumerate(columns["operating_point"]) if name == point)
    columns["value"][k] *= 0.25


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("covariance.parquet", variance_less_across),
        ("cells.parquet", one_less_in_cells),
        ("counts.parquet", score_moved),
        ("covariance.parquet", variance_less),
    ],
)
def test_bent_tables_do_not_fit_the_record(
    kept: Kept, tmp_path: Path, name: str, change: Callable[[dict[str, list[Any]]], None]
) -> None:
    folder = copied(kept.unsigned, tmp_path / "b")
    bend(folder, name, change)
    sealed_again(folder)
    assert set(failed(verify(folder))) - {"files are those that were sealed"}


def test_another_key_is_not_the_one_demanded(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    edit_record(folder, better_rate)
    sealed_again(folder, Ed25519PrivateKey.generate())
    assert failed(verify(folder, kept.public)) == ["signature"]
    assert failed(verify(folder))  # the numbers do not fit, whoever signed


def test_a_site_says_how_a_folder_is_sealed(kept: Kept, tmp_path: Path) -> None:
    assert [state(folder) for folder in (kept.plain, kept.unsigned, kept.signed)] == ["unsigned", "sealed", "signed"]
    for name in ("report.html", "counts.parquet", "evidence.dsse.json", "signer.pem"):
        folder = copied(kept.signed, tmp_path / name)
        flip(folder, name, 60, 0)
        assert state(folder) == "broken"


def test_a_file_taken_away_added_or_renamed_is_found(kept: Kept, tmp_path: Path) -> None:
    for number, change in enumerate(
        (
            lambda folder: (folder / "report.md").unlink(),
            lambda folder: (folder / "tables").mkdir() or (folder / "tables" / "more.csv").write_text("a,b\n1,2\n"),
            lambda folder: (folder / "report.md").rename(folder / "model_card_2.md"),
            lambda folder: (folder / "cells.parquet").unlink(),
            lambda folder: (folder / "counts.parquet").write_bytes((folder / "cells.parquet").read_bytes()),
        )
    ):
        folder = copied(kept.signed, tmp_path / f"b{number}")
        change(folder)
        assert failed(verify(folder, kept.public)) == ["files are those that were sealed"]


def test_a_report_of_another_record_is_found(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.unsigned, tmp_path / "b")
    page = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "report.html").write_text(page.replace("people", "persons", 1), encoding="utf-8")
    sealed_again(folder)
    assert failed(verify(folder)) == ["report (html) is what the record says"]


def test_a_report_by_another_version_is_not_called_false(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.unsigned, tmp_path / "b")
    page = (folder / "report.html").read_bytes()
    place = page.index(b'name="faceaudit-report" content="') + len(b'name="faceaudit-report" content="')
    (folder / "report.html").write_bytes(page[:place] + b"0" * 16 + page[place + 16 :])
    sealed_again(folder)
    findings = verify(folder)
    assert failed(findings) == []
    assert outcome(findings, "report (html) is what the record says") == "not established"


def test_a_key_that_stands_twice_is_found(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.unsigned, tmp_path / "b")
    text = (folder / "record.json").read_text(encoding="utf-8")
    (folder / "record.json").write_text(text.replace('{\n "schema"', '{\n "seed": 1,\n "schema"', 1), encoding="utf-8")
    sealed_again(folder)
    assert "record is valid" in failed(verify(folder))
    statement = (kept.unsigned / STATEMENT).read_bytes()
    (folder / STATEMENT).write_bytes(statement.replace(b'{"_type"', b'{"_type":"x","_type"', 1))
    assert failed(verify(folder)) == ["seal"]


def envelope_with(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda text: envelope.canonical(json.loads(text) | changes)


def signature_spelt_otherwise(text: bytes) -> bytes:
    """64 bytes leave four bits of their last letter in base64 unused: another text of the same bytes."""
    said = json.loads(text)
    one = said["signatures"][0]
    spelt = one["sig"][:-3] + chr(ord(one["sig"][-3]) + 1) + "=="
    assert base64.b64decode(spelt) == base64.b64decode(one["sig"])
    one["sig"] = spelt
    return envelope.canonical(said)


def signature_twice(text: bytes) -> bytes:
    said = json.loads(text)
    said["signatures"] *= 2
    return envelope.canonical(said)


def payload_reordered(text: bytes) -> bytes:
    said = json.loads(text)
    payload = json.loads(base64.b64decode(said["payload"]))
    said["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    return envelope.canonical(said)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b":", b": ", 1),
        lambda text: text + b"\n",
        lambda text: json.dumps(json.loads(text), indent=1).encode(),
        envelope_with(payloadType="application/json"),
        envelope_with(more=1),
        envelope_with(signatures=[]),
        signature_spelt_otherwise,
        payload_reordered,
        signature_twice,
        lambda text: b"[" * (100_000 + len(text)),
        lambda text: text[:0],
    ],
)
def test_an_envelope_has_one_form(kept: Kept, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    (folder / ENVELOPE).write_bytes(change((folder / ENVELOPE).read_bytes()))
    assert set(failed(verify(folder))) <= {"seal", "signature"}
    assert failed(verify(folder))


def test_a_signature_cannot_be_stripped_where_it_is_demanded(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    (folder / STATEMENT).write_bytes((kept.unsigned / STATEMENT).read_bytes())
    assert failed(verify(folder, kept.public)) == ["seal"]
    for name in (ENVELOPE, SIGNER):
        (folder / name).unlink()
    assert failed(verify(folder, kept.public)) == ["signature"]


def test_links_and_devices_and_large_files_are_not_read(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    (folder / "report.md").unlink()
    (folder / "report.md").symlink_to("/etc/passwd")
    assert failed(verify(folder)) == ["files can be read safely"]
    with pytest.raises(DataError, match="link"):
        seal(folder)
    (folder / "report.md").unlink()
    (folder / "pictures" / "more").mkdir()
    (folder / "pictures" / "more" / "x").mkdir()
    (folder / "pictures" / "more" / "x" / "y").mkdir()
    assert failed(verify(folder)) == ["files can be read safely"]
    shutil.rmtree(folder / "pictures" / "more")
    monkeypatch.setattr("audit.bundle.folder.LARGEST", 1000)
    assert failed(verify(folder)) == ["files can be read safely"]


def test_a_name_in_the_statement_leads_nowhere(kept: Kept, tmp_path: Path) -> None:
    """Names are compared with those that are in the folder; none is opened because a statement says so."""
    folder = copied(kept.unsigned, tmp_path / "b")
    said = json.loads((folder / STATEMENT).read_bytes())
    said["subject"].append({"name": "../../etc/passwd", "digest": {"sha256": "0" * 64}})
    (folder / STATEMENT).write_bytes(envelope.canonical(said))
    assert failed(verify(folder)) == ["files are those that were sealed"]


def test_tables_that_are_something_else_are_refused(kept: Kept, tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"PAR1", b"PAR1" + bytes(5000) + b"PAR1")):
        folder = copied(kept.unsigned, tmp_path / f"b{number}")
        (folder / "counts.parquet").write_bytes(content)
        sealed_again(folder)
        assert "tables can be read" in failed(verify(folder))


def test_a_mark_of_withdrawal_is_told_and_does_not_break_the_seal(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    (folder / "superseded.json").write_text('{"on": "2026-12-01", "reason": "1 person has withdrawn."}')
    findings = verify(folder, kept.public)
    assert failed(findings) == []
    assert outcome(findings, "still current") == "not established"


def test_an_earlier_record_has_no_tables_and_is_told_so(kept: Kept, tmp_path: Path) -> None:
    folder = copied(kept.plain, tmp_path / "b")
    (folder / "counts.parquet").unlink()
    with pytest.raises(DataError, match=r"counts\.parquet.*is missing.*--fresh"):
        seal(folder)
    with pytest.raises(DataError, match="is not sealed"):
        verify(folder)
    sealed_again(folder)
    findings = verify(folder)
    assert outcome(findings, "rates, intervals and differentials") == "not established"


def test_the_envelope_is_one_that_others_read(kept: Kept) -> None:
    """A second witness: securesystemslib verifies it as DSSE, openssl the signature by itself."""
    text = (kept.signed / ENVELOPE).read_bytes()
    pem = kept.public.read_text()
    key = SSlibKey(keys.key_id(keys.public_file(kept.public)), "ed25519", "ed25519", {"public": _raw(pem)})
    read = Envelope.from_dict(json.loads(text))
    assert read.verify([key], threshold=1)
    assert read.pae() == envelope.to_sign(read.payload)
    assert json.loads(read.payload)["_type"] == "https://in-toto.io/Statement/v1"


def _raw(pem: str) -> str:
    return base64.b64decode("".join(pem.splitlines()[1:-1]))[-32:].hex()


def test_openssl_makes_keys_and_checks_signatures(kept: Kept, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, public, said, signature = (tmp_path / name for name in ("k.pem", "k.pub", "said", "sig"))
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    folder = copied(kept.plain, tmp_path / "b")
    seal(folder, key)
    assert failed(verify(folder, public)) == []
    payload, _, by = envelope.opened((folder / ENVELOPE).read_bytes(), ENVELOPE)
    said.write_bytes(envelope.to_sign(payload))
    signature.write_bytes(by)
    arguments = ["-verify", "-pubin", "-inkey", public, "-rawin", "-in", said, "-sigfile", signature]
    done = subprocess.run(["openssl", "pkeyutl", *arguments], check=True, capture_output=True, text=True)
    assert "Verified Successfully" in done.stdout


def test_rates_can_be_recomputed_by_hand_from_the_counts(kept: Kept) -> None:
    """A witness without any of our code: the table of scores alone gives every error rate of the groups."""
    record = json.loads((kept.signed / "record.json").read_bytes())
    rows = pq.read_table(kept.signed / "counts.parquet").to_pylist()
    thresholds = {p["id"]: p["threshold"] for p in record["operating_points"] if p["threshold"] is not None}
    checked = 0
    for rate in record["rates"]:
        if rate["view"] == "generalised" or rate["metric"] not in {"FMR", "FNMR"}:
            continue
        role = "across" if rate["reference_group"] is not None else "group"
        mated = rate["metric"] == "FNMR"
        cell = [
            row
            for row in rows
            if row["role"] == role
            and row["mated"] == mated
            and json.loads(row["group"]) == rate["group"]
            and (role == "group" or json.loads(row["against"]) == rate["reference_group"])
        ]
        accepted = sum(row["count"] for row in cell if row["low"] >= thresholds[rate["operating_point"]])
        total = sum(row["count"] for row in cell)
        assert rate["trials"] == total
        assert rate["errors"] == (total - accepted if mated else accepted)
        checked += 1
    assert checked > 100


def test_no_id_is_in_a_bundle(kept: Kept) -> None:
    with (kept.plain.parents[3] / "subjects.csv").open(encoding="utf-8") as stream:
        people = {row["subject_id"] for row in csv.DictReader(stream)}
    for path in kept.signed.rglob("*"):
        if path.is_file() and path.suffix != ".pdf":
            text = path.read_bytes().decode("utf-8", "replace")
            assert not any(name in text for name in people)
            assert "img0" not in text
