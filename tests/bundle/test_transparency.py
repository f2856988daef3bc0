"""Sigstore: signed at services on this machine, and a signature of the public services checked with their own keys."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle_kept import Kept
from small_bundle import copied

pytest.importorskip("sigstore", reason="the extra `sigstore` is not installed")

from sigstore import models
from sigstore_here import ISSUER, WORKFLOW, Services

from audit.bundle import envelope, transparency
from audit.bundle.folder import SIGSTORE, STATEMENT
from audit.cli import main
from audit.errors import PlanError

PUBLIC = Path(__file__).with_name("public_log.json")
"""Signed by a release of `pypi-attestation-models` at the public services; from the sources of pypi-attestations 0.0.30
on PyPI (Apache-2.0), where it is a test's."""
RELEASE = "https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2"


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    here = Services()
    for name, value in here.environment().items():
        monkeypatch.setenv(name, value)
    yield here
    here.close()


@pytest.fixture
def trust(services: Services, tmp_path: Path) -> Path:
    return written(tmp_path / "services.json", services.config())


@pytest.fixture(scope="module")
def public_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of the public services, as the library ships them."""
    folder = tmp_path_factory.mktemp("sigstore")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(folder))
        root = models.ClientTrustConfig.production(offline=True).trusted_root
    (folder / "keys.json").write_text(root._inner.to_json())
    return folder / "keys.json"


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def faceaudit(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def statement() -> bytes:
    said = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.org/nothing/v1"}
    return envelope.canonical({**said, "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}], "predicate": {}})


def test_sealed_by_a_workflow_and_verified(
    kept: Kept, trust: Path, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Token, certificate with receipt, signature, entry in a log; then the check, without the services."""
    folder = copied(kept.plain, tmp_path / "results")
    code, out, err = faceaudit(capsys, "seal", folder, "--sigstore", "--sigstore-trust", trust)
    assert (code, out.strip()) == (0, str(folder / STATEMENT)), err
    assert len(services.leaves) == 6
    services.close()
    demanded = ("--sigstore-identity", WORKFLOW)
    code, out, _ = faceaudit(capsys, "verify", folder, *demanded, "--sigstore-trust", trust)
    assert code == 0
    assert f" yes  signature in the public log: by {WORKFLOW}, as {ISSUER} says" in out
    assert "verified; signed;" in out
    code, out, _ = faceaudit(capsys, "verify", folder, "--sigstore-identity", "somebody", "--sigstore-trust", trust)
    assert code == 1
    assert "  NO  signature in the public log: it is not by somebody" in out
    signed, payload = (folder / SIGSTORE).read_bytes(), (folder / STATEMENT).read_bytes()
    keys = written(tmp_path / "keys.json", services.root_of_trust())
    assert transparency.check(signed, payload, WORKFLOW, ISSUER, keys) is None
    assert "it is not by" in str(transparency.check(signed, payload, WORKFLOW, "https://example.org", keys))
    (folder / "report.md").write_bytes((folder / "report.md").read_bytes() + b" ")
    code, out, _ = faceaudit(capsys, "verify", folder, *demanded, "--sigstore-trust", trust)
    assert (code, "NOT verified" in out) == (1, True)


def test_a_signature_holds_for_its_statement_and_its_services_alone(
    trust: Path, services: Services, tmp_path: Path
) -> None:
    payload = statement()
    signed = transparency.sign(payload, trust)
    assert transparency.check(signed, payload, WORKFLOW, ISSUER, trust) is None
    assert transparency.check(signed, payload + b" ", WORKFLOW, ISSUER, trust) == "it is of another statement"
    others = Services()
    others.close()
    theirs = written(tmp_path / "others.json", others.root_of_trust())
    assert "it is not by" in str(transparency.check(signed, payload, WORKFLOW, ISSUER, theirs))
    for name in ("tlogs", "ctlogs", "certificateAuthorities"):
        mixed = {**services.root_of_trust(), name: others.root_of_trust()[name]}
        found = transparency.check(signed, payload, WORKFLOW, ISSUER, written(tmp_path / "mixed.json", mixed))
        assert "it is not by" in str(found), f"keys of others were taken for {name}"


@pytest.mark.parametrize("service", ["token", "authority", "log"])
def test_a_service_that_refuses_is_one_line_and_leaves_nothing(
    service: str, kept: Kept, trust: Path, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(kept.plain, tmp_path / "results")
    before = sorted(one.name for one in folder.rglob("*"))
    services.refuses = {service}
    code, out, err = faceaudit(capsys, "seal", folder, "--sigstore", "--sigstore-trust", trust)
    assert (code, out) == (2, "")
    assert "--sigstore: the service did not sign (" in err
    assert "Traceback" not in err
    assert sorted(one.name for one in folder.rglob("*")) == sorted({*before, "plan.json"})


def test_a_log_that_lies_about_its_tree_is_found_when_it_answers(trust: Path, services: Services) -> None:
    services.lies = True
    with pytest.raises(PlanError, match=r"the service did not sign \(VerificationError\)"):
        transparency.sign(statement(), trust)


def test_services_that_are_gone_are_one_line(trust: Path, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sigstore.oidc.detect_credential", services.token)
    services.close()
    with pytest.raises(PlanError, match=r"the service cannot be reached \(ConnectionError\)"):
        transparency.sign(statement(), trust)


def test_a_file_without_keys_is_one_line(
    kept: Kept, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(kept.unsigned, tmp_path / "results")
    (folder / SIGSTORE).write_text("{}")
    broken = services.root_of_trust()
    broken["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AAAA"
    for text in ("", "[]", "{}", "nothing", "[" * 100_000, json.dumps(broken), json.dumps({"mediaType": 3})):
        (tmp_path / "trust.json").write_text(text)
        given = ("--sigstore-identity", "somebody", "--sigstore-trust", tmp_path / "trust.json")
        code, _, err = faceaudit(capsys, "verify", folder, *given)
        assert code == 2
        assert "holds no keys of Sigstore services" in err
    code, _, err = faceaudit(capsys, "verify", folder, "--sigstore-trust", tmp_path / "trust.json")
    assert (code, "stands without --sigstore-identity" in err) == (2, True)
    keys = written(tmp_path / "keys.json", services.root_of_trust())
    code, _, err = faceaudit(capsys, "seal", folder, "--sigstore", "--sigstore-trust", keys)
    assert (code, "holds keys, and no addresses to sign at" in err) == (2, True)
    code, _, err = faceaudit(capsys, "seal", folder, "--sigstore-trust", keys)
    assert (code, "stands without --sigstore" in err) == (2, True)


def test_a_signature_made_at_the_public_services_holds(public_keys: Path) -> None:
    signed = PUBLIC.read_bytes()
    payload = base64.b64decode(json.loads(signed)["dsseEnvelope"]["payload"])
    assert transparency.check(signed, payload, RELEASE, ISSUER, public_keys) is None
    assert "it is not by" in str(transparency.check(signed, payload, RELEASE + "x", ISSUER, public_keys))
    assert "it is not by" in str(transparency.check(signed, payload, RELEASE, "https://example.org", public_keys))
    assert transparency.check(signed, payload + b" ", RELEASE, ISSUER, public_keys) == "it is of another statement"


def test_no_part_of_a_public_signature_can_be_changed(public_keys: Path) -> None:
    """Every string and number in the file, and bytes anywhere: nothing raises, and what counts is found."""
    signed = json.loads(PUBLIC.read_bytes())
    payload = base64.b64decode(signed["dsseEnvelope"]["payload"])

    def found(changed: object) -> str | None:
        raw = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        return transparency.check(raw, payload, RELEASE, ISSUER, public_keys)

    assert found(signed) is None
    values = (None, "AAAA", "\u2014", 10**30, [{}])
    held = [(p, v) for p in places(signed) for v in values if found(replaced(signed, p, v)) is None]
    assert held == [(("verificationMaterial", "timestampVerificationData"), None)]  # it was empty
    rng, raw = random.Random(11), PUBLIC.read_bytes()  # noqa: S311 - offsets
    for _ in range(100):
        at, bit = rng.randrange(len(raw)), 1 << rng.randrange(8)
        found(raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :])
        found(raw[:at])


def places(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if above:
        yield above
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*above, key))


def valued(value: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def replaced(value: Any, place: tuple[str | int, ...], other: object) -> Any:
    fresh = json.loads(json.dumps(value))
    valued(fresh, place[:-1])[place[-1]] = other
    return fresh
