"""Cards: cheap, complete, checked, and an id for everything that happens before the network."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from audit import models, trained_on
from audit.errors import ModelError
from audit.models import adapters, card_file
from audit.plan import AuditPlan, make

CARD = """
licence = "MIT"
training_data = "none"
training_consent = "none needed"
similarity = "cosine"
dimension = 8
[input]
size = 32
mean = [0, 0, 0]
deviation = [1, 1, 1]
"""


def plan(**settings: object) -> AuditPlan:
    return make({"benchmark": "any", "model": "any", **settings})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some model.onnx"
    path.write_bytes(b"not looked into by a card")
    return path


def test_an_unknown_model_comes_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"unknown model 'dlb'.*'dlib'.*onnx:FILE"):
        models.describe("dlb", plan=plan())
    with pytest.raises(ModelError, match=r"'onnx:model\.onnx'"):
        models.describe("model.onnx", plan=plan())


def test_every_line_of_the_tables_leads_somewhere() -> None:
    for name, file in models.MODELS.items():
        assert card_file.published(file).name == name
    for adapter in adapters.ADAPTERS.values():
        assert callable(models._function(adapter.loader))


@pytest.mark.parametrize("spec", ["dlib:x", "facenet-vggface2:x", "onnx", "onnx:"])
def test_arguments_that_make_no_sense_are_refused(spec: str) -> None:
    with pytest.raises(ModelError, match="Write"):
        models.describe(spec, plan=plan())


def test_describing_a_model_loads_no_torch() -> None:
    program = (
        "import sys; from audit import models; from audit.plan import make\n"
        "models.describe('dlib', plan=make({'benchmark': 'b', 'model': 'dlib'}))\n"
        "assert not {'torch', 'dlib', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_listing_the_models_loads_no_library_of_networks() -> None:
    program = (
        "import sys; from audit.cli.models import list_models\n"
        "list_models(None, as_json=True)\n"
        "assert not {'torch', 'dlib', 'onnxruntime', 'tensorflow', 'deepface'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    rows = {row["model"]: row for row in json.loads(run.stdout)}
    assert set(models.MODELS) <= set(rows)
    assert rows["dlib"]["status"] == "ready"
    assert (rows["arcface"]["status"], rows["arcface"]["research_only"]) == ("weights missing", True)
    assert rows["arcface"]["way_out"].startswith("faceaudit models obtain arcface")
    assert rows["facenet-vggface2"]["status"] == "no published digest"
    assert "WITHDRAWN" in rows["facenet-vggface2"]["training_consent"]


def test_every_card_says_what_a_reader_has_to_know() -> None:
    for name in models.MODELS:
        card = models.described(name)
        assert card.source
        assert card.weights_licence
        assert card.paper or name == "faceplugin_feature"
        assert (card.weights.sha256 == "unknown") == (not card.weights.digest_source)
        assert card.training_consent or all(one.tier for one in trained_on.sets(card.training_sets)), name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "dlib"\nlike = "dlib"', "is the name of a published model"),
        ('name = "DLIB"\nlike = "sface"', "'DLIB' is the name of a published model"),
        ('name = "mine"\nlike = "dlib"', r"parts\.landmarks: is missing, and the adapter dlib reads it"),
        ('name = "mine"\nlike = "sface"\nadapter = "http"', "http:FILE"),
        ('name = "mine"\nlike = "dlibb"', "'dlibb' is no published model"),
        ('name = "mine"\nlike = "sface"\nadapter = "caffe"', "'caffe' is no adapter"),
        ('name = "mine"\nlike = "sface"\ninput = 3', "input: "),
    ],
)
def test_a_card_of_ones_own_with_a_mistake_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "w.onnx").write_bytes(b"w")
    sha256 = hashlib.sha256(b"w").hexdigest()
    path = tmp_path / "mine.toml"
    path.write_text(f'{text}\n[weights]\nfile = "w.onnx"\nsha256 = "{sha256}"\ndigest_source = "the vendor"\n')
    with pytest.raises(ModelError, match=said):
        models.describe(f"card:{path}", plan=plan())


def test_a_card_of_ones_own_cannot_say_that_somebody_else_published_its_digest(tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"w")
    sha256 = hashlib.sha256(b"w").hexdigest()
    path = tmp_path / "mine.toml"
    weights = f'[weights]\nfile = "w.onnx"\nsha256 = "{sha256}"\ndigest_source = "the vendor"\n'
    path.write_text(f'name = "mine"\nlike = "sface"\n{weights}')
    card = models.describe(f"card:{path}", plan=plan())
    assert (card.self_declared, card.digest_source) == (True, "stated in mine.toml")
    path.write_text(path.read_text().replace(sha256, "unknown"))
    with pytest.raises(ModelError, match=r"digest of w\.onnx is unknown.*sha256sum"):
        models.describe(f"card:{path}", plan=plan())


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "dlib-bin":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(adapters, "version", installed)
    with pytest.raises(ModelError, match=r"dlib-bin is not installed.*pip install 'faceaudit\[dlib\]'"):
        models.describe("dlib", plan=plan())


def test_a_wrong_digest_of_dlib_is_found_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    card = card_file.published("dlib.toml")
    points = card.parts["landmarks"].model_copy(update={"sha256": "0" * 64})
    wrong = card.model_copy(update={"parts": {"landmarks": points}})
    monkeypatch.setattr(card_file, "published", lambda _: wrong)
    with pytest.raises(ModelError, match=r"shape_predictor_5.*SHA-256 is c4b1e98.*and not 0000"):
        models.describe("dlib", plan=plan())


def test_a_file_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such file.*FACEAUDIT_DATA"):
        models.describe("onnx:nowhere.onnx", data=[tmp_path], plan=plan())


def test_weights_are_found_by_name_in_a_data_folder(file: Path) -> None:
    file.with_suffix(".toml").write_text(CARD)
    card = models.describe(f"onnx:{file.name}", data=[file.parent], plan=plan())
    assert (card.name, card.weights) == ("some-model", file)
    assert card.revision == card.weights_sha256[:12]


def test_no_card_names_the_keys_to_write(file: Path) -> None:
    with pytest.raises(ModelError, match=r"some model\.toml.*training_consent.*\[input\].*alignment"):
        models.describe(f"onnx:{file}", plan=plan())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "MIT"', "", "licence: field required"),
        ('licence = "MIT"', 'license = "MIT"', "license: unknown key"),
        ("dimension = 8", 'dimension = "many"', "dimension: input should be a valid integer"),
        ("cosine", "cosin", "similarity: input should be 'cosine'"),
        ("deviation = [1, 1, 1]", "deviation = [1, 0, 1]", "deviation of 0"),
        ("size = 32", "size = 32\nscale = 2", r"input\.scale: unknown key"),
        ("size = 32", 'size = 32\nalignment = "dlib"', "not known to the adapter onnx"),
        ("dimension = 8", "dimension = = 8", "not valid TOML"),
        ("dimension = 8", f'dimension = 8\nsha256 = "{64 * "a"}"', "SHA-256 is .* says aaaa"),
        ("[input]", f'[weights]\nsha256 = "{64 * "a"}"\n[input]', "SHA-256 is .* says aaaa"),
        ("[input]", f'[parts.landmarks]\nfile = "x"\nsha256 = "{64 * "a"}"\n[input]', r"parts: needs a card .* card:"),
    ],
)
def test_a_card_with_a_mistake_is_refused_by_key(file: Path, old: str, new: str, said: str) -> None:
    file.with_suffix(".toml").write_text(CARD.replace(old, new))
    with pytest.raises(ModelError, match=said):
        models.describe(f"onnx:{file}", plan=plan())


def test_the_shipped_cards_say_what_is_known(shared: Path) -> None:
    said = {
        name: models.describe(f"onnx:{name}.onnx", data=[shared / "models"], plan=plan())
        for name in ("mobilefacenet", "faceplugin_feature")
    }
    assert said["mobilefacenet"].training_sets == ("MS-Celeb-1M",)
    assert "not stated" in said["faceplugin_feature"].training_data
    assert {card.dimension for card in said.values()} == {128, 512}
    assert not any(card.self_declared for card in said.values())


def test_the_preprocessing_id_changes_with_what_decides_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def preprocessing(**settings: object) -> str:
        return models.describe("dlib", plan=plan(**settings)).preprocessing

    ids = {
        preprocessing(),
        preprocessing(working_size=640),
        preprocessing(smallest_face=50),
        preprocessing(several_faces="most-central"),
    }
    assert len(ids) == 4
    assert preprocessing(seed=1, fmr=[0.1]) in ids
    monkeypatch.setattr("audit.models.card.version", {"torch": "0"}.get)
    assert preprocessing() not in ids


def test_what_a_card_of_ones_own_reads_beside_its_weights_decides_too(tmp_path: Path) -> None:
    """Else templates made with other landmarks would be taken out of the cache."""

    def preprocessing(landmarks: bytes) -> str:
        tables = []
        for table, file, content in (("weights", "net.dat", b"net"), ("parts.landmarks", "points.dat", landmarks)):
            (tmp_path / file).write_bytes(content)
            tables.append(f'[{table}]\nfile = "{file}"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n')
        (tmp_path / "mine.toml").write_text('name = "mine"\nlike = "dlib"\n' + "".join(tables))
        return models.describe(f"card:{tmp_path / 'mine.toml'}", plan=plan()).preprocessing

    assert preprocessing(b"five points") != preprocessing(b"five others")
    assert preprocessing(b"five points") == preprocessing(b"five points")


def test_a_card_serialises_without_a_path() -> None:
    card = models.describe("dlib", plan=plan())
    text = json.dumps(card.model_dump(mode="json")) + repr(card) + card.preprocessing_text
    assert str(card.weights.parent) not in text
    assert "682 pixels" in text
