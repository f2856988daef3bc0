"""ONNX networks in a process of their own: what they answer is what they would answer here, and no harm gets out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import psutil
import pytest
from hostile_networks import card, network
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from audit import models
from audit.domain import DURING, FailureToAcquire, Picture, Template
from audit.errors import ModelError, StoppedError
from audit.models import guard, onnx_network
from audit.models.guard import NoTemplateError
from audit.models.pipeline import feed, one_thread_an_image
from audit.plan import make
from audit.sandbox import child, seal
from audit.sandbox.lane import Limits

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests/fuzz/corpus/network/7a83dc57b84e"
"""Made by the fuzzer: scales of a Resize that are no sizes, at which an assertion in onnxruntime fails."""
DARK, BRIGHT = np.full((1, 3, 16, 16), -0.5, np.float32), np.full((1, 3, 16, 16), 0.95, np.float32)
BOX = (4.0, 4.0, 34.0, 34.0)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a network runs in the process of the audit")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds for an answer."""
    monkeypatch.setattr(onnx_network, "LIMITS", Limits(answer_s=2.0))


def loaded(harm: str, tmp_path: Path, *, above: float = 0.9, lanes: int = 1) -> onnx_network.Network:
    return onnx_network.load(tmp_path / "m.onnx", network(harm, above=above), lanes=lanes)


def here(content: bytes) -> Any:
    """A session of onnxruntime's own, in this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def children() -> set[int]:
    """Processes that this one has started and that live."""
    return {one.pid for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE}


def alone(content: bytes, values: np.ndarray, folder: Path) -> int:
    """How a process ends in which onnxruntime is given a network, within 6 GiB and 10 seconds; 0: well."""
    (folder / "alone.onnx").write_bytes(content)
    np.save(folder / "alone.npy", values)
    code = (
        "import resource, signal, sys, numpy, onnxruntime; signal.alarm(10);"
        "resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30));"
        "s = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider']);"
        "s.run(None, {'x': numpy.load(sys.argv[2], allow_pickle=False)})"
    )
    command = [sys.executable, "-c", code, str(folder / "alone.onnx"), str(folder / "alone.npy")]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode


@pytest.mark.london
@pytest.mark.parametrize("name", ["mobilefacenet", "faceplugin_feature"])
def test_templates_are_those_of_a_session_in_this_process_to_the_last_bit(
    shared: Path, london: Path, name: str
) -> None:
    """From pictures to templates, with several threads; the session gets what the pipeline cut out."""
    described = models.describe(name, data=[shared / "models"], plan=make({"benchmark": "b", "model": name}))
    model = models.load(described, workers=3)
    pictures = [
        Picture(np.asarray(Image.open(path).convert("RGB").reduce(2)))
        for path in sorted((shared / "benchmarks/london/neutral_front").glob("*.jpg"))[:6]
    ]
    session = here(described.weights.read_bytes())
    with one_thread_an_image():
        crops = [model.crop(picture)[0] for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda one: model.extract_pictures([one])[0], pictures * 3))
    assert len(found) == 18
    for outcome, crop in zip(found, crops * 3, strict=True):
        (expected,) = session.run(None, {session.get_inputs()[0].name: feed([crop], described.input)})
        assert outcome.vector.tobytes() == expected.reshape(-1).tobytes()


def test_every_kind_of_number_arrives_as_it_was(tmp_path: Path) -> None:
    """Also outputs without a number, of no axis, and asked for out of order and twice."""
    kinds = [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.UINT8]
    kinds += [TensorProto.BOOL, TensorProto.INT32, TensorProto.INT8]
    nodes = [helper.make_node("Cast", ["x"], [f"y{kind}"], to=kind) for kind in kinds]
    nodes += [
        helper.make_node("ReduceMax", ["x"], ["one"], keepdims=0),
        helper.make_node("Slice", ["x", "first", "first"], ["none"]),
        helper.make_node("Cast", ["x"], ["words"], to=TensorProto.STRING),
    ]
    said = [(f"y{kind}", kind) for kind in kinds] + [("one", 1), ("none", 1), ("words", TensorProto.STRING)]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4])],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in said],
        [numpy_helper.from_array(np.array([0]), "first")],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    values = np.random.default_rng(1).uniform(0, 9, (1, 3, 4)).astype(np.float32)
    made = onnx_network.load(tmp_path / "m.onnx", content, lanes=1)
    assert made.outputs == tuple(name for name, _ in said)
    wanted = (9, 1, 0, *range(2, 9), 0)
    expected = here(content).run([made.outputs[number] for number in wanted], {"x": values})
    for one, other in zip(made.run(values, wanted), expected, strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        assert one.flags.writeable
    with pytest.raises(NoTemplateError, match="model error: GarbageError"):  # words are no numbers
        made.run(values, (10,))
    assert made.run(values)[0].tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("harm", "reason", "process"),
    [
        ("crashes", "the model failed in its sandbox", -signal.SIGFPE),
        ("never ends", "the model failed in its sandbox", -signal.SIGALRM),
        ("takes all memory", f"not enough memory {DURING}", 1),
    ],
)
@pytest.mark.usefixtures("quick")
def test_harm_at_one_picture_is_that_pictures_failure(harm: str, reason: str, process: int, tmp_path: Path) -> None:
    """What it does to a process that is not protected is shown first."""
    content = network(harm)
    assert alone(content, DARK, tmp_path) == 0
    if alone(content, BRIGHT, tmp_path) != process:
        pytest.skip("not with this processor, or this onnxruntime")
    made = onnx_network.load(tmp_path / "m.onnx", content, lanes=1)
    expected = here(content).run(None, {"x": DARK})[0].tobytes()
    for _ in range(2):
        began = time.monotonic()
        assert made.run(DARK)[0].tobytes() == expected
        with pytest.raises(NoTemplateError) as failed:
            made.run(BRIGHT)
        assert failed.value.failure == FailureToAcquire("template", reason)
        assert time.monotonic() - began < 30
    assert made.run(DARK)[0].tobytes() == expected


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("crashes", "cannot be run on a black picture: its process was ended by SIGFPE"),
        ("never ends", "cannot be run on a black picture: it did not answer in time"),
        ("takes all memory", "asks for more memory than it may have, on a black picture (Fail: "),
    ],
)
@pytest.mark.usefixtures("quick")
def test_harm_at_any_picture_is_one_line_before_any_is_read(harm: str, said: str, tmp_path: Path) -> None:
    content = network(harm, above=-9)
    if harm == "crashes" and alone(content, np.full_like(DARK, 0.5), tmp_path) != -signal.SIGFPE:
        pytest.skip("not with this processor")
    spec = card(tmp_path, content)
    if harm == "crashes":  # the black picture is not below zero there
        path = Path(spec.removeprefix("card:"))
        path.write_text(path.read_text().replace("mean = [127.5, 127.5, 127.5]", "mean = [-64, -64, -64]"))
    before = children()
    with pytest.raises(ModelError) as refused:
        models.load(models.describe(spec, plan=make({"benchmark": "b", "model": "m"})), workers=2)
    assert str(refused.value).startswith(f"{tmp_path / 'm.onnx'}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    del refused
    assert children() <= before


def test_a_network_that_aborts_onnxruntime_while_it_is_loaded_is_one_line(tmp_path: Path) -> None:
    """Kept from fuzzing; it ended the audit."""
    content = KEPT.read_bytes()
    if alone(content, DARK, tmp_path) != -signal.SIGABRT:
        pytest.skip("this onnxruntime does not abort on it")
    spec = card(tmp_path, content)
    with pytest.raises(
        ModelError, match=r"m\.onnx: cannot be loaded in the sandbox: its process was ended by SIGABRT\. "
    ):
        models.load(models.describe(spec, plan=make({"benchmark": "b", "model": "m"})))


def test_what_onnxruntime_says_against_a_file_is_told(tmp_path: Path) -> None:
    content = network("none").replace(b"GlobalAveragePool", b"GlobalAveragePoll")
    with pytest.raises(
        ModelError, match=r"cannot be loaded in the sandbox: .*GlobalAveragePoll.*\. Put the pub"
    ) as refused:
        onnx_network.load(tmp_path / "m.onnx", content)
    assert "\n" not in str(refused.value)


def faces(values: list[int]) -> list[Picture]:
    return [Picture(np.full((40, 40, 3), value, np.uint8), box=BOX) for value in values]


def with_marked_faces(spec: str, workers: int) -> Any:
    plan = make({"benchmark": "b", "model": "m", "detector": "truth"})
    return models.load(models.describe(spec, plan=plan), workers=workers)


def test_one_crash_among_many_pictures_costs_no_other_picture_its_template(tmp_path: Path) -> None:
    """Four threads ask one process: whoever was in it is asked again."""
    if alone(network("crashes"), BRIGHT, tmp_path) != -signal.SIGFPE:
        pytest.skip("not with this processor")
    values = [*range(0, 200, 5), 255, *range(1, 200, 5)]
    model, sound = (with_marked_faces(card(tmp_path, network(harm), f"{harm}.onnx"), 4) for harm in ("crashes", "none"))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: guard.outcomes(model, [one], 4)[0], faces(values)))
    expected = guard.outcomes(sound, faces(values), 4)
    for value, one, other in zip(values, found, expected, strict=True):
        if value == 255:
            assert one == FailureToAcquire("template", "the model failed in its sandbox")
        else:
            assert isinstance(one, Template)
            assert isinstance(other, Template)
            assert one.vector.tobytes() == other.vector.tobytes()


def test_a_network_that_crashes_at_every_picture_is_given_up_in_one_line(tmp_path: Path) -> None:
    if alone(network("crashes"), BRIGHT, tmp_path) != -signal.SIGFPE:
        pytest.skip("not with this processor")
    model = with_marked_faces(card(tmp_path, network("crashes")), 2)
    said = r"m\.onnx: stopped 5 times in its sandbox; the last time its process was ended by SIGFPE\. Put the"
    with pytest.raises(StoppedError, match=said):
        guard.outcomes(model, faces([255] * 8), 4)
    with pytest.raises(StoppedError, match="stopped 5 times"):  # and is asked nothing more
        guard.outcomes(model, faces([10]), 4)


def test_a_process_that_is_killed_from_outside_loses_nothing(tmp_path: Path) -> None:
    """Three times, while three threads ask it: they are asked again."""
    before, session = children(), here(network("none"))
    made = loaded("none", tmp_path, lanes=3)
    killed, inputs = 0, []
    with ThreadPoolExecutor(3) as pool:
        rng = np.random.default_rng(2)
        while killed < 3:
            inputs = [rng.uniform(-1, 0.8, DARK.shape).astype(np.float32) for _ in range(500)]
            answers = [pool.submit(made.run, one) for one in inputs]
            answers[20].result()
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)
            killed += 1
            found = [answer.result()[0].tobytes() for answer in answers]
            assert found == [session.run(None, {"x": one})[0].tobytes() for one in inputs]


def test_nothing_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child.tempfile, "tempdir", str(tmp_path))
    before = children()
    made = loaded("none", tmp_path, lanes=2)
    assert len(children() - before) == 1
    assert list(tmp_path.glob("faceaudit-sandbox-*"))
    del made
    assert children() == before
    assert not list(tmp_path.glob("faceaudit-sandbox-*"))


UNSEALED = "from audit.sandbox import seal, worker; seal.missing = lambda: 'no Landlock here'"


def test_where_no_seal_can_be_had_it_runs_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A network is data: other than a program it runs, in a process that can end."""
    monkeypatch.setattr(child, "_START", child._START.replace("from audit.sandbox import worker", UNSEALED))
    monkeypatch.setattr(onnx_network, "LIMITS", Limits(answer_s=2.0, memory=4 << 30))
    with caplog.at_level("INFO"):
        made = loaded("takes all memory", tmp_path)
    assert "not sealed: UnsealedError: no Landlock here" in caplog.text
    assert made.run(DARK)[0].shape == (1, 4)
    with pytest.raises(NoTemplateError, match="not enough memory"):
        made.run(BRIGHT)
    with pytest.raises(ModelError, match="runs only in a sandbox: UnsealedError: no Landlock here"):
        child.Child(b"", "script", "model.pt", Limits())


@pytest.mark.skipif(seal.missing() is not None, reason="no seal here")
def test_it_is_sealed_where_that_can_be_had(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        loaded("none", tmp_path)
    assert "not sealed" not in caplog.text


def test_it_runs_where_memory_is_bounded_already(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(network("none"))
    code = (
        "import resource, sys; from pathlib import Path; import numpy as np; from audit.models import onnx_network;"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); path = Path(sys.argv[1]);"
        "made = onnx_network.load(path, path.read_bytes(), lanes=1);"
        "print(made.run(np.zeros((1, 3, 16, 16), np.float32))[0].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m.onnx")], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "(1, 4)"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_no_process_outlives_an_audit_that_is_stopped(end: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, and a kill, while the network works without an end."""
    (tmp_path / "m.onnx").write_bytes(network("never ends"))
    code = (
        "import sys; from pathlib import Path; import numpy as np; from audit.models import onnx_network;"
        "path = Path(sys.argv[1]); made = onnx_network.load(path, path.read_bytes(), lanes=2);"
        "print('asks', flush=True); made.run(np.full((1, 3, 16, 16), 0.95, np.float32))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "m.onnx")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asks\n"
        (started,) = psutil.Process(process.pid).children()
        time.sleep(0.5)
        process.send_signal(end)
        process.wait(30)
        assert psutil.wait_procs([started], timeout=30)[1] == []
