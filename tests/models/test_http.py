"""A black box behind an address as a model: the same audit as of what stands behind it, and nothing sent unasked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from black_box import Answer, BlackBox, Request, serving
from london_run import faceaudit

from audit import models
from audit.benchmarks import load
from audit.domain import FailureToAcquire, Template
from audit.errors import ModelError, PlanError, Refused
from audit.models.card import ModelCard
from audit.models.pipeline import feed
from audit.plan import RunOptions, make
from audit.recipe import run
from audit.sending import allowed, require_few

CARD = """name = "vendor"
revision = "2026-03"
licence = "as agreed with the vendor"
training_data = "not stated by the vendor"
training_consent = "not stated by the vendor"
similarity = "cosine"
dimension = 128
{cut}
[service]
url = "http://{host}/v1/embed"
template = "data[0].embedding"
failure = "error"
no_face = ["no face"]
per_second = 1000
tries = 2
{more}
"""
INPUT = "[input]\nsize = 112"


@pytest.fixture(scope="module")
def behind(shared: Path) -> Callable[[Request, int], Answer]:
    """A vendor's service: MobileFaceNet, which gets crops over HTTP."""
    card = models.describe("mobilefacenet", data=[shared / "models"], plan=make({"benchmark": "b", "model": "x"}))
    session = onnxruntime.InferenceSession(str(card.weights), providers=["CPUExecutionProvider"])

    def answer(request: Request, _: int) -> Answer:
        (vectors,) = session.run(None, {"input0": feed([request.image], card.input)})
        return Answer({"data": [{"embedding": [float(x) for x in vectors[0]]}]})

    return answer


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def made(host: str, cut: str = INPUT, more: str = "") -> str:
        (tmp_path / "vendor.toml").write_text(CARD.format(host=host, cut=cut, more=more))
        return f"http:{tmp_path / 'vendor.toml'}"

    return made


def described(spec: str, **plan: Any) -> ModelCard:
    return models.describe(spec, plan=make({"benchmark": "b", "model": spec, **plan}))


@pytest.mark.london
def test_an_audit_through_an_address_is_that_of_the_model_behind_it(
    behind: Callable[[Request, int], Answer],
    write: Callable[..., str],
    london: Path,
    london_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in london_env.items():
        monkeypatch.setenv(name, value)
    plan = {"benchmark": "london", "limit": 8}
    here = run(make({**plan, "model": "mobilefacenet"}), RunOptions(out=tmp_path / "a"))
    with serving(behind) as box:
        spec = write(box.host)
        with pytest.raises(PlanError, match=f"would send images of people to {box.host}, and you did not allow that"):
            run(make({**plan, "model": spec}), RunOptions(out=tmp_path / "b"))
        assert box.requests == []
        args = ("run", "--benchmark", "london", "--limit", "8", "--model", spec, "--out", tmp_path / "b", "--json")
        there = faceaudit(*args, "--send-images-to", box.host, env=london_env, cwd=tmp_path)
        assert there.code == 0, there.stderr
        assert len(box.requests) == 16
        options = RunOptions(out=tmp_path / "b", send_images_to=(box.host,))
        run(make({**plan, "model": spec, "fmr": [0.05]}), options)
        assert len(box.requests) == 16, "what was answered once is not asked again"
    assert f"Aligned faces of 8 people are being sent to {box.host}" in there.stderr
    one = json.loads((here.folder / "record.json").read_text())
    other = json.loads(Path(there.evaluations[0]["record"]).read_text())
    for part in ("samples", "acquisition", "operating_points", "rates", "differentials", "distributions", "summary"):
        assert one[part] == other[part]
    model = other["model"]
    assert (model["name"], model["revision"], model["weights_sha256"]) == ("vendor", "2026-03", "unknown")
    assert "a service answered" in model["digest_source"]
    assert f"The crop was sent as PNG to {box.host}" in model["preprocessing_text"]
    assert any("Aligned faces of 8 people were sent" in line for line in other["benchmark"]["notices"])


@pytest.fixture
def whole(write: Callable[..., str]) -> Iterator[tuple[BlackBox, ModelCard]]:
    """A service that takes whole pictures, and finds no face in a dark one."""

    def answer(request: Request, _: int) -> Answer:
        if request.image.mean() < 10:
            return Answer({"error": "no face"})
        if request.image.mean() > 245:
            return Answer({"error": "image 0042 of Jane Doe is too bright"}, 422)
        means = request.image.reshape(-1, 3).mean(0)
        return Answer({"data": [{"embedding": [*means, *[1.0] * 125]}]})

    with serving(answer) as box:
        card = described(write(box.host, cut="", more='picture = "whole"'))
        yield box, card.model_copy(update={"may_send_to": (box.host,)})


def test_whole_pictures_are_answered_in_their_place(whole: tuple[BlackBox, ModelCard]) -> None:
    box, card = whole
    model = models.load(card)
    assert (model.name, model.revision, model.card) == ("vendor", "2026-03", card)
    pictures = [np.full((60, 80, 3), level, np.uint8) for level in (0, 100, 255, 20)]
    found = model.extract(pictures)
    assert found[0] == FailureToAcquire("detect", "the service found no face")
    assert found[2] == FailureToAcquire("template", "the service reported a failure")
    for outcome, level in ((found[1], 100), (found[3], 20)):
        assert isinstance(outcome, Template)
        assert outcome.vector.dtype == np.float32
        assert outcome.vector[:3].tolist() == [level] * 3
    assert model.extract([]) == []
    assert {request.image.shape for request in box.requests} == {(60, 80, 3)}
    assert "The whole picture was sent as PNG" in card.preprocessing_text
    assert "MTCNN" not in card.preprocessing_text


def test_no_image_leaves_unless_its_host_is_named(whole: tuple[BlackBox, ModelCard], shared: Path) -> None:
    box, card = whole
    bare = card.model_copy(update={"may_send_to": ()})
    with pytest.raises(ModelError, match="may not send images to"):
        models.load(bare)
    benchmark = load("london", data=[shared / "benchmarks"])
    for named in ((), ("127.0.0.1",), (box.host.upper() + "0",)):
        with pytest.raises(PlanError, match=f"If it may be done: --send-images-to {box.host}"):
            allowed(bare, benchmark, RunOptions(send_images_to=named))
    assert allowed(bare, benchmark, RunOptions(send_images_to=(box.host,))).may_send_to == (box.host,)
    assert box.requests == []


def test_a_benchmark_that_may_not_be_passed_on_is_not(write: Callable[..., str], shared: Path) -> None:
    elsewhere = Path(write("h").removeprefix("http:"))
    elsewhere.write_text(elsewhere.read_text().replace("http://h/", "https://vendor.example/"))
    card = described(f"http:{elsewhere}")
    options = RunOptions(send_images_to=("vendor.example",))
    benchmark = load("london", data=[shared / "benchmarks"])
    assert benchmark.consent.sending == ""
    assert allowed(card, benchmark, options).may_send_to == ("vendor.example",)
    closed = replace(benchmark, consent=replace(benchmark.consent, sending="it is live"))
    with pytest.raises(Refused, match=r"may not be sent to vendor\.example: it is live\. Ask for the model itself"):
        allowed(card, closed, options)
    local = described(write("127.0.0.1:1"))
    assert allowed(local, closed, RunOptions(send_images_to=("127.0.0.1:1",))).may_send_to == ("127.0.0.1:1",)


def test_what_decides_a_template_decides_where_it_is_kept(write: Callable[..., str]) -> None:
    first = described(write("127.0.0.1:1"))
    assert described(write("127.0.0.1:1", more="at_once = 7")).weights_sha256 == first.weights_sha256
    for other in (write("127.0.0.1:2"), write("127.0.0.1:1", more='format = "jpeg"')):
        changed = described(other)
        assert (changed.weights_sha256, changed.preprocessing) != (first.weights_sha256, first.preprocessing)
        assert changed.weights_sha256 != first.weights_sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('revision = "2026-03"', "", "revision: is missing. Say which version"),
        ("[service]", "[serving]", "service: is missing"),
        ("per_second = 1000", "per_second = 0", "service.per_second: input should be greater than 0"),
        ("per_second = 1000", "speed = 1", "service.speed: unknown key"),
        ("http://127.0.0.1:1/", "http://vendor.example/", "images travel over https:// alone"),
        ('name = "vendor"', 'name = "arcface"', "'arcface' is the name of a published model"),
        ("[service]", '[weights]\nfile = "x"\n[service]', "weights: a service has none"),
        ("per_second = 1000", 'picture = "whole"', "nothing is cut out for a service that takes whole pictures"),
    ],
    ids=lambda value: value[:20],
)
def test_a_card_that_cannot_be_kept_says_what_to_mend(write: Callable[..., str], old: str, new: str, said: str) -> None:
    path = Path(write("127.0.0.1:1").removeprefix("http:"))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ModelError) as refused:
        described(f"http:{path}")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_plan_that_says_how_faces_are_found_does_not_go_with_whole_pictures(write: Callable[..., str]) -> None:
    spec = write("127.0.0.1:1", cut="", more='picture = "whole"')
    with pytest.raises(ModelError, match="the service finds faces itself"):
        described(spec, detector="dlib-hog")


COMPARES = """name = "vendor-scores"
revision = "2026-03"
licence = "as agreed with the vendor"
training_data = "not stated by the vendor"
training_consent = "not stated by the vendor"
[input]
size = 112
[service]
url = "http://{host}/v1/compare"
score = "similarity"
field = "probe"
second = "reference"
failure = "error"
no_face = ["no face"]
per_second = 1000
at_once = 4
"""


@pytest.fixture(scope="module")
def comparing(shared: Path) -> Callable[[Request, int], Answer]:
    """The same service, which gives the cosine of two pictures and keeps the templates to itself."""
    card = models.describe("mobilefacenet", data=[shared / "models"], plan=make({"benchmark": "b", "model": "x"}))
    session = onnxruntime.InferenceSession(str(card.weights), providers=["CPUExecutionProvider"])
    known: dict[bytes, np.ndarray] = {}

    def template(image: np.ndarray) -> np.ndarray:
        key = image.tobytes()
        if key not in known:
            (vectors,) = session.run(None, {"input0": feed([image], card.input)})
            known[key] = vectors[0].astype(np.float64) / np.linalg.norm(vectors[0].astype(np.float64))
        return known[key]

    def answer(request: Request, _: int) -> Answer:
        one, other = (template(request.images[name]) for name in ("probe", "reference"))
        return Answer({"similarity": float(one @ other)})

    return answer


@pytest.mark.london
def test_scores_of_a_service_are_audited_like_those_of_its_templates(
    comparing: Callable[[Request, int], Answer], london: Path, london_env: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in london_env.items():
        monkeypatch.setenv(name, value)
    plan = {"benchmark": "london", "limit": 11, "sample_nonmated": 100, "fmr": [0.05]}
    here = run(make({**plan, "model": "mobilefacenet"}), RunOptions(out=tmp_path / "a")).record
    with serving(comparing) as box:
        (tmp_path / "vendor.toml").write_text(COMPARES.format(host=box.host))
        spec = f"http:{tmp_path / 'vendor.toml'}"
        options = RunOptions(out=tmp_path / "b", send_images_to=(box.host,))
        with pytest.raises(PlanError, match=r"all of london would be 20,706 requests\. Write sample_nonmated"):
            run(make({"benchmark": "london", "model": spec}), options)
        assert box.requests == []
        there = run(make({**plan, "model": spec}), options).record
        number = len(box.requests)
        kept = run(make({**plan, "model": spec, "by": ["gender"]}), options).record
        assert len(box.requests) == number, "what was answered once is not asked again"
    assert number == there.samples.by_group[0].mated + there.sampling.drawn == 11 + 100
    assert there.sampling == here.sampling
    assert [rate.model_dump() for rate in there.rates] == [rate.model_dump() for rate in here.rates]
    assert [row.model_dump() for row in there.acquisition] == [row.model_dump() for row in here.acquisition]
    for one, other in zip(there.operating_points, here.operating_points, strict=True):
        assert one.threshold == pytest.approx(other.threshold, abs=1e-4)
    assert (there.model.weights_sha256, there.model.similarity) == ("unknown", "given as similarity")
    assert any("which computed their scores" in line for line in there.benchmark.notices)
    assert kept.rates[0].trials == there.rates[0].trials


def test_pairs_without_a_score_are_counted_and_the_rest_goes_on_where_it_ended(
    london: Path, london_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that finds no face in one picture: that picture has failed. And one that ends the run at once."""
    for name, value in london_env.items():
        monkeypatch.setenv(name, value)
    dark: list[bytes] = []

    def answer(request: Request, index: int) -> Answer:
        one, other = (request.images[name].tobytes() for name in ("probe", "reference"))
        if not dark:
            dark.append(one)
        if index == 20:
            return Answer("", 401)
        if dark[0] in (one, other):
            return Answer({"error": "no face"})
        return Answer({"similarity": 0.5 if index % 7 == 0 else 0.1 + (index % 5) / 100})

    with serving(answer) as box:
        (tmp_path / "vendor.toml").write_text(COMPARES.format(host=box.host).replace("at_once = 4", "at_once = 1"))
        spec = f"http:{tmp_path / 'vendor.toml'}"
        plan = make({"benchmark": "london", "limit": 8, "sample_nonmated": 100, "fmr": [0.05], "model": spec})
        options = RunOptions(out=tmp_path / "out", send_images_to=(box.host,))
        with pytest.raises(ModelError, match=r"refuses the credentials \(401\)"):
            run(plan, options)
        assert len(box.requests) == 21
        record = run(plan, options).record
        assert len(box.requests) == 21 + 108 - 20, "what was answered before the run ended is not asked again"
    everyone = next(row for row in record.acquisition if not row.group and row.stage is None)
    assert (everyone.failures, everyone.samples) == (1, 16)
    assert any(
        "comparisons have no score" in line and "detect: the service found no face" in line for line in record.warnings
    )


@pytest.mark.parametrize(
    ("setting", "value"), [("calibration", 0.5), ("precision", 0.3), ("storage", "float16"), ("task", "counterfactual")]
)
def test_what_needs_templates_is_refused_for_scores(setting: str, value: Any, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "vendor.toml").write_text(COMPARES.format(host="127.0.0.1:1"))
    card = described(f"http:{tmp_path / 'vendor.toml'}")
    benchmark = load("london", data=[shared / "benchmarks"])
    plan = make({"benchmark": "b", "model": "m", setting: value})
    with pytest.raises(PlanError, match=f"the plan's {setting} needs templates"):
        require_few(card, benchmark, plan)
