"""`faceaudit seal`, `verify` and `scan`: keys, exit codes, one line a mistake."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from bundle_kept import Kept
from small_bundle import copied, sealed_again

from audit.bundle.folder import ENVELOPE, OWN, SIGSTORE, STATEMENT
from audit.cli import main


def faceaudit(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


@pytest.fixture
def folder(kept: Kept, tmp_path: Path) -> Path:
    return copied(kept.plain, tmp_path / "results")


def test_seal_and_verify(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key.pem"
    code, out, _ = faceaudit(capsys, "seal", "--new-key", key)
    assert code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert out.splitlines()[-1].startswith("key ")
    code, out, err = faceaudit(capsys, "seal", folder, "--key", key)
    assert (code, out.strip()) == (0, str(folder / ENVELOPE))
    assert "ids of scores are not at hand" in err
    code, out, _ = faceaudit(capsys, "verify", folder, "--public-key", f"{key}.pub")
    assert code == 0
    assert out.splitlines()[-1].startswith("verified; signed; ")
    assert len([line for line in out.splitlines() if line.startswith(" yes  ")]) > 20


def test_without_a_key_it_is_unsigned_and_exits_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = faceaudit(capsys, "seal", folder, "--json")
    assert (code, json.loads(out)["signed"]) == (0, False)
    code, out, _ = faceaudit(capsys, "verify", folder, "--json")
    said = json.loads(out)
    assert (code, said["verified"], said["signed"]) == (0, True, False)
    assert {one["outcome"] for one in said["findings"]} == {"established", "not established"}


def test_a_changed_bundle_exits_1(kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(kept.signed, tmp_path / "b")
    (folder / "report.md").write_text("all groups are alike")
    code, out, _ = faceaudit(capsys, "verify", folder, "--quiet")
    assert code == 1
    assert "report.md was changed" in out
    assert out.splitlines()[-1].startswith("NOT verified: 1 of ")


def test_a_key_in_the_folder_is_refused(folder: Path, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    inside = folder / "key.pem"
    shutil.copy(kept.key, inside)
    code, _, err = faceaudit(capsys, "seal", folder, "--key", inside)
    assert code == 2
    assert "would be published" in err
    code, _, err = faceaudit(capsys, "seal", folder, "--key", kept.key)
    assert code == 2
    assert "is nothing that a run or a report writes" in err
    inside.rename(folder / "environment.txt")
    code, _, err = faceaudit(capsys, "seal", folder, "--key", kept.key)
    assert code == 2
    assert "environment.txt: holds a private key" in err
    assert not any((folder / name).exists() for name in OWN)


def test_a_passphrase_comes_from_the_environment(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.pem"
    monkeypatch.setenv("FACEAUDIT_KEY_PASSPHRASE", "correct horse")
    assert faceaudit(capsys, "seal", "--new-key", key)[0] == 0
    assert "ENCRYPTED" in key.read_text()
    monkeypatch.setenv("FACEAUDIT_KEY_PASSPHRASE", "wrong")
    code, _, err = faceaudit(capsys, "seal", folder, "--key", key)
    assert code == 2
    assert "does not open with this passphrase" in err
    monkeypatch.delenv("FACEAUDIT_KEY_PASSPHRASE")
    code, _, err = faceaudit(capsys, "seal", folder, "--key", key)
    assert code == 2
    assert "is encrypted" in err
    assert "correct horse" not in err
    monkeypatch.setenv("FACEAUDIT_KEY_PASSPHRASE", "correct horse")
    assert faceaudit(capsys, "seal", folder, "--key", key)[0] == 0


def test_mistakes_are_one_line(folder: Path, kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rsa = tmp_path / "rsa.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", rsa], check=True, capture_output=True)
    cases = [
        (("seal",), "no folder was given"),
        (("seal", tmp_path / "none"), "cannot be read"),
        (("seal", folder, "--key", tmp_path / "none"), "cannot be read"),
        (("seal", folder, "--key", rsa), "is no Ed25519 private key"),
        (("seal", folder, "--key", kept.public), "is no Ed25519 private key"),
        (("seal", "--new-key", kept.key), "cannot be written"),
        (("seal", folder, "--new-key", tmp_path / "k"), "stands beside DIR"),
        (("verify", folder), "is not sealed"),
        (("verify", tmp_path / "none"), "is no folder"),
        (("verify", folder, "--public-key", kept.key), "is no Ed25519 public key"),
        (("scan", tmp_path / "none.html"), "cannot be read"),
    ]
    for arguments, text in cases:
        code, _, err = faceaudit(capsys, *arguments)
        lines = [line for line in err.splitlines() if not line.startswith("faceaudit: note:")]
        assert code == 2, arguments
        assert len(lines) == 1, lines
        assert text in lines[0]


def test_an_id_of_the_benchmark_is_not_sealed(folder: Path, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    people = kept.plain.parents[3] / "subjects.csv"
    assert faceaudit(capsys, "seal", folder, "--ids", people)[0] == 0
    text = (folder / "report.md").read_text(encoding="utf-8")
    (folder / "report.md").write_text(f"{text}\nThe worst was u0042.\n", encoding="utf-8")
    code, _, err = faceaudit(capsys, "seal", folder, "--ids", people)
    assert code == 2
    assert "report.md: holds an id of the benchmark" in err
    assert "u0042" not in err
    (folder / "report.html").write_text("<img src='data:image/png;base64,iVBORw0KGgo='>")
    assert "report.html: holds a picture" in faceaudit(capsys, "seal", folder)[2]
    assert (folder / STATEMENT).exists(), "an earlier seal stays, and fails"
    assert faceaudit(capsys, "verify", folder, "--quiet")[0] == 1


def test_scan_looks_into_folders_and_files(kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = kept.plain.parents[3] / "subjects.csv"
    code, out, _ = faceaudit(capsys, "scan", kept.plain, "--ids", people)
    assert code == 0, out
    page = tmp_path / "page.html"
    page.write_text("<p>u0007</p>")
    code, out, _ = faceaudit(capsys, "scan", page, kept.plain, "--ids", people, "--json")
    assert code == 1
    assert [one["reason"] for one in json.loads(out)["findings"]] == ["holds an id of the benchmark"]
    assert faceaudit(capsys, "scan", people)[0] == 1


def test_sigstore_fails_in_one_line_without_its_extra_or_a_network(
    kept: Kept, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the extra or without it: here is neither a network nor an identity, and nothing is left half sealed."""
    for name in ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = faceaudit(capsys, "seal", folder, "--sigstore")
    assert code == 2
    assert re.search(r"--sigstore: (the extra is not installed|no identity is given here)", err)
    assert not any((folder / name).exists() for name in OWN)
    code, _, err = faceaudit(capsys, "seal", folder, "--sigstore", "--key", kept.key)
    assert code == 2
    assert "stands beside --key" in err
    code, out, _ = faceaudit(capsys, "verify", kept.unsigned, "--sigstore-identity", "somebody", "--quiet")
    assert code == 1
    assert "there is none, and that of somebody was demanded" in out
    bundle = copied(kept.unsigned, folder.parent / "in-log")
    (bundle / SIGSTORE).write_text("{}")
    code, out, _ = faceaudit(capsys, "verify", bundle)
    assert code == 0
    assert "it was not looked at" in out


def test_a_site_hands_on_what_a_reader_needs_to_check_it(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sealed folder whole, so that its seal can be checked from the site; the environment beside every record."""
    results, site = tmp_path / "results", tmp_path / "site"
    signed, plain = copied(kept.signed, results / "signed"), copied(kept.plain, results / "plain")
    broken, strange = copied(kept.signed, results / "broken"), copied(kept.plain, results / "strange")
    (broken / "report.md").write_text("all groups are alike")
    said = json.loads((strange / "environment.json").read_bytes())
    (strange / "environment.json").write_text(json.dumps(said | {"system": "Linux, in /home/anna/audits"}))
    other = copied(kept.plain, results / "other")
    (other / "notebook.js").write_text("alert(1)")
    sealed_again(other)
    code, _, err = faceaudit(capsys, "publish", results, "--out", site)
    assert code == 0, err
    names = ("signed", "plain", "broken", "strange", "other")
    ends = {name: hashlib.sha256(name.encode()).hexdigest()[:10] for name in names}
    places = {name: next(site.glob(f"evaluations/*-{end}/record.json")).parent for name, end in ends.items()}
    assert {name for name, place in places.items() if (place / "bundle.zip").exists()} == {"signed"}
    with zipfile.ZipFile(places["signed"] / "bundle.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    handed, own = (
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "unpacked", signed)
    )
    assert handed == own
    code, out, _ = faceaudit(capsys, "verify", tmp_path / "unpacked", "--public-key", kept.public, "--quiet")
    assert (code, out.splitlines()[-1].startswith("verified; signed; ")) == (0, True)
    environment = (plain / "environment.json").read_bytes()
    for name in ("signed", "plain", "broken"):
        assert (places[name] / "environment.json").read_bytes() == environment
    assert not (places["strange"] / "environment.json").exists(), "a path of a machine is not published"
