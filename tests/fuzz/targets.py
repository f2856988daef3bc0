"""The table of parsers that are fed hostile files: one line a target.

A target is a file that somebody else may have written and the product's own way in. It either takes the file, or
raises an AuditError of one line; where a benchmark's files or images are read, failures are values and are counted.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

Parse = Callable[[Path], object]


def _nothing(_: Path) -> None:
    """No file lies beside it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Parameters
    ----------
    name : of the target, and of its folder of the corpus
    file : name under which an input is written
    kind : how it is mutated (`mutate.KINDS`)
    seeds : sound files
    parse : given the path of an input
    beside : puts down what lies beside it, in an empty folder
    """

    name: str
    file: str
    kind: str
    seeds: Callable[[], list[bytes]]
    parse: Parse
    beside: Callable[[Path], None] = _nothing


# What is read: benchmarks


def _collection(folder: Path) -> None:
    """A collection in the general layout, with every table that it may have."""
    from made_up import SAMPLES, SUBJECTS, describe
    from PIL import Image

    (folder / "images").mkdir()
    for image in ("a1", "a2", "b1", "b2", "c1", "s1", "s2"):
        Image.new("RGB", (8, 8), (len(image), ord(image[0]), ord(image[1]))).save(folder / "images" / f"{image}.png")
    (folder / "subjects.csv").write_text(SUBJECTS)
    (folder / "samples.csv").write_text(SAMPLES)
    (folder / "croissant.json").write_text(json.dumps(describe(folder)))


PAIRS = (
    b"probe,reference,fold\na1,a2,1\na1,b1,1\nb1,b2,2\na2,c1,2\n",
    b"probe,reference\na1,a2\na1,b1\nb1,b2\na2,c1\n",
)
SERIES = b"""sample_id,path,subject_id,factor,level,position,own
s1,images/s1.png,001,light,dim,0,yes
s2,images/s2.png,001,light,bright,1,no
"""
BOXES = b"sample_id,path,subject_id,box_left,box_top,box_width,box_height\na1,images/a1.png,001,1,1,5,5.5\n"


def _described() -> list[bytes]:
    from made_up import describe

    made = json.dumps(describe(Path(__file__).parent / "none"), ensure_ascii=False, indent=1).encode()
    return [made, (ROOT / "benchmarks/synthetic/croissant.json").read_bytes()]


def _described_there() -> list[bytes]:
    """The descriptor of the collection itself."""
    place = Path(_scratch()) / "collection"
    if not place.exists():
        place.mkdir()
        _collection(place)
    return [(place / "croissant.json").read_bytes()]


def _samples() -> list[bytes]:
    from made_up import SAMPLES

    return [SAMPLES.encode(), BOXES]


def _subjects() -> list[bytes]:
    from made_up import SUBJECTS

    return [SUBJECTS.encode(), b"subject_id,gender\n001,female\n002,male\n003,\n"]


def _loaded(path: Path) -> object:
    from audit import benchmarks

    return benchmarks.load(str(path.parent))


def _checked(path: Path) -> object:
    from audit.benchmarks import checks

    return checks.check(str(path.parent))


def _withdrawn() -> list[bytes]:
    import datetime as dt

    from audit.benchmarks import withdrawals

    folder = Path(_scratch()) / "list"
    folder.mkdir(exist_ok=True)
    if not (folder / withdrawals.LIST).exists():
        withdrawals.add(folder, "001", dt.date(2026, 1, 2))
    return [(folder / withdrawals.LIST).read_bytes()]


def _with_salt(folder: Path) -> None:
    from audit.benchmarks import withdrawals

    _collection(folder)
    _withdrawn()
    shutil.copy(Path(_scratch()) / "list" / withdrawals.SALT, folder)


def _published(make: str, table: str) -> tuple[Callable[[], list[bytes]], Callable[[Path], None]]:
    """Seeds and folder of a layout, from the generator that its tests use."""

    def folder(here: Path) -> None:
        import datetime as dt

        import published

        if make == "fhibe":
            made = published.Fhibe(here)
            for person in (20, 21):
                made.add(person, 0)
                made.add(person, 1)
            made.write(str(dt.datetime.now(tz=dt.UTC).date()))
        else:
            getattr(published, make)(here)
        shutil.copy(ROOT / "benchmarks" / make / "croissant.json", here)

    def seeds() -> list[bytes]:
        place = Path(_scratch()) / make
        if not place.exists():
            place.mkdir()
            folder(place)
        return [(place / table).read_bytes()]

    return seeds, folder


def _read_layout(path: Path) -> object:
    from audit.benchmarks import descriptor, reader_of

    home = next(one for one in path.parents if (one / "croissant.json").exists())
    described = descriptor.read(home / "croissant.json")
    return reader_of(described)(home, described)


def _descriptor(path: Path) -> object:
    from audit.benchmarks import descriptor

    return descriptor.read(path)


def _tem(path: Path) -> object:
    from audit.benchmarks import london, tem

    points = tem.read(path)
    return (london.face_box(points), london.five(points)) if len(points) >= 189 else points


def _tem_seeds() -> list[bytes]:
    rows = [f"{10 * k % 320}.5\t{7 * k % 300}" for k in range(189)]
    return ["\n".join(["189", *rows, "3", "0", "5", "0 1 2 3 4"]).encode(), b"2\n1.5 2\n3 4\n"]


def _literal(path: Path) -> object:
    from audit.benchmarks import literals

    try:
        return literals.values(path.read_bytes().decode("utf-8", "replace"))
    except ValueError as error:  # its readers put the place before it
        from audit.errors import DataError

        raise DataError("cell", str(error)) from None


# Archives


def _zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name in ("set/a.txt", "set/b/c.bin", "set/empty"):
                archive.writestr(name, name.encode() * 50)
        made.append(stream.getvalue())
    return made


def _tars() -> list[bytes]:
    made = []
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as archive:
            for name in ("set/a.txt", "set/b/c.bin", "set/" + "long" * 40):
                info = tarfile.TarInfo(name)
                info.size = 300
                archive.addfile(info, io.BytesIO(name[0].encode() * 300))
        made.append(stream.getvalue())
    return made


def _unpacked(path: Path) -> object:
    from audit.benchmarks import archives

    out = path.parent / "out"
    try:
        return archives.unpack([path], out, limits=archives.Limits(entries=500, size=64 << 20))
    finally:
        shutil.rmtree(out, ignore_errors=True)


# Images


def _images() -> list[bytes]:
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(3)
    face = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    made = []
    for kind, mode in (
        ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGBA"),
        ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "L"), ("GIF", "P"), ("PPM", "RGB"),
    ):  # fmt: skip
        stream = io.BytesIO()
        (face.convert("L").convert("I;16") if mode == "I;16" else face.convert(mode)).save(stream, kind)
        made.append(stream.getvalue())
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    face.save(stream, "JPEG", exif=exif)
    return [*made, stream.getvalue()]


def _decoded(path: Path) -> object:
    from audit import decode

    content = path.read_bytes()
    with decode.quiet_about_size():
        return decode.decode(content), decode.decode_for(content, 682)


# Scores and templates


SCORES = (
    b"""probe_subject,reference_subject,score,probe,reference
001,001,0.9,a1,a2
001,002,0.1,a1,b1
002,002,,b1,b2
003,002,NA,c1,b2
""",
    b"probe_subject,reference_subject,score\n001,001,0.9\n001,002,-1e-3\n",
)


def _scores(path: Path) -> object:
    from audit import score_table

    return score_table.read(path)


def _scored(path: Path) -> object:
    """The verb `score` as far as its tables: people and samples that somebody else listed."""
    from audit import score_table
    from audit.benchmarks import undescribed

    people, *_ = undescribed.read(path)
    return score_table.read(path.with_name("scores.csv"), subjects=[one.subject_id for one in people])


def _with_scores(folder: Path) -> None:
    (folder / "scores.csv").write_bytes(SCORES[0])


def _parquet(rows: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        import pandas as pd

        scores = pd.read_csv(io.BytesIO(SCORES[0]))
        templates = pd.DataFrame(
            {"sample_id": ["a", "b", "c"], "subject_id": ["1", "1", "2"], "template": [[0.1, 0.2], [0.3, 0.4], None]}
        )
        wide = pd.DataFrame({"sample_id": ["a", "b"], "subject_id": ["1", "2"], "t0": [0.1, 0.2], "t1": [1.0, 2.0]})
        made = []
        for frame in [scores] if rows == "scores" else [templates, wide]:
            stream = io.BytesIO()
            frame.to_parquet(stream)
            made.append(stream.getvalue())
        return made

    return seeds


def _templates(path: Path) -> object:
    from audit import template_table

    return template_table.read(path)


def _safetensors() -> list[bytes]:
    import numpy as np

    made = []
    for kind, dtype in (("F32", "<f4"), ("F16", "<f2"), ("BF16", "<u2")):
        body = np.ones((3, 4), dtype).tobytes()
        header = json.dumps({"templates": {"dtype": kind, "shape": [3, 4], "data_offsets": [0, len(body)]}}).encode()
        made.append(len(header).to_bytes(8, "little") + header + body)
    return made


IDS = b"sample_id,subject_id\na,1\nb,1\nc,2\n"


def _with_ids(folder: Path) -> None:
    (folder / "t.csv").write_bytes(IDS)


def _with_tensors(folder: Path) -> None:
    (folder / "t.safetensors").write_bytes(_safetensors()[0])


def _ids(path: Path) -> object:
    return _templates(path.with_suffix(".safetensors"))


# Models


CARD = b"""name = "mine"
licence = "Apache-2.0"
training_sets = ["MS-Celeb-1M"]
similarity = "cosine"
dimension = 64
source = "where"
[input]
size = [112, 112]
colour = "RGB"
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
[weights]
file = "w.onnx"
sha256 = "%s"
[vendor_threshold]
value = 0.363
unit = "cosine"
meaning = "m"
source = "s"
""" % (b"ab" * 32)
SERVICE = b"""name = "vendor"
revision = "2026-03"
licence = "as agreed"
training_data = "not stated"
training_consent = "not stated"
similarity = "cosine"
dimension = 512
[input]
size = 112
[service]
url = "https://api.vendor.example/v1/embed"
send = "multipart"
field = "image"
format = "png"
picture = "crop"
template = "faces[0].embedding"
failure = "error.code"
no_face = ["NO_FACE"]
"""


def _card(path: Path) -> object:
    from audit.models import MODELS, card_file

    return card_file.own(path, MODELS)


def _service_card(path: Path) -> object:
    from audit.models import MODELS, service_card
    from audit.plan import make

    return service_card.own(path, MODELS, make({"benchmark": "b", "model": "m"}))


def _attribute_card(path: Path) -> object:
    from audit.models import attributes
    from audit.plan import make

    return attributes.describe(f"card:{path}", plan=make({"benchmark": "b", "model": "m"}))


def _attribute_cards() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "audit/models/attributes/cards").glob("*.toml"))]


def _onnx() -> list[bytes]:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((48, 4), np.float32), "w")
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [weights],
    )
    made: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return [made]


def _onnx_checked(path: Path) -> object:
    from audit.models import onnx_read

    return onnx_read.checked(path.read_bytes(), path)


def _exported() -> list[bytes]:
    made = []
    for names in (("a/constants.pkl", "a/code/x.py", "a/data/0"), ("a/archive_format", "a/data/w")):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, b"x" * 40)
        made.append(stream.getvalue())
    return made


def _exported_kind(path: Path) -> object:
    from audit.sandbox import archive

    return archive.kind_of(path.read_bytes(), str(path))


def _state() -> list[bytes]:
    import torch

    stream = io.BytesIO()
    torch.save({"a": torch.ones(2, 3), "b": torch.zeros(4)}, stream)
    return [stream.getvalue()]


def _tensors(path: Path) -> object:
    from audit.models import tensors

    return tensors.read_state(path, path.read_bytes())


def _h5() -> list[bytes]:
    import h5py
    import numpy as np

    from audit.models import deepid_h5

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for layer, shape in deepid_h5._KERNELS.items():
            group = file.create_group(f"{layer}/{layer}")
            group["kernel:0"], group["bias:0"] = np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32)
    return [stream.getvalue()[: 1 << 20], b"\x89HDF\r\n\x1a\n" + bytes(200)]


def _deepid(path: Path) -> object:
    from audit.models import deepid_h5

    return deepid_h5.read_state(path, path.read_bytes())


def _dlib() -> list[bytes]:
    return [
        b"\x05con_4" + b"\x01\x02" * 40 + b"\x07affine_" + b"\x01\x02" * 40 + b"\x04fc_2\x01\x02\x01\x02" + bytes(400)
    ]


def _dlib_net(path: Path) -> object:
    from audit.models import dlib_net

    return dlib_net.read(path.read_bytes(), path)


# Plans, policies, records


PLAN = b"""benchmark = "london"
models = ["dlib", "onnx:mobilefacenet.onnx"]
by = ["gender", "ethnicity"]
fmr = [1e-3, 0.01]
thresholds = [0.6]
reference = {gender = "male"}
calibration = 0.5
seed = 20260101
margin_fmr = 1.25
"""
SCENARIO = b"""benchmark = "synthetic"
model = "dlib"
task = "identification"
[scenario]
"""


def _plan(path: Path) -> object:
    from audit import plan

    return plan.read(path)


def _policy(path: Path) -> object:
    from audit.policy import rules

    return rules.read(path)


def _policies() -> list[bytes]:
    return [(ROOT / "docs/examples/policy.toml").read_bytes()]


def _record_seed() -> bytes:
    """A small record of the real recipe, made once."""
    place = Path(_scratch()) / "record.json"
    if not place.exists():
        from policy_records import write_scores

        from audit.plan import RunOptions
        from audit.scoring import Given, evaluate

        folder = Path(_scratch()) / "scores"
        folder.mkdir()
        write_scores(folder, people=6)
        given = Given(folder / "scores.csv", folder / "subjects.csv")
        made = evaluate(given, {"by": ["grp"], "fmr": [0.05]}, RunOptions(out=folder / "out", cache=folder / "cache"))
        place.write_bytes((made.folder / "record.json").read_bytes())
    return place.read_bytes()


def _records() -> list[bytes]:
    return [_record_seed()]


def _record(path: Path) -> object:
    from audit import record

    return record.read(path)


def _reported(path: Path) -> object:
    """The page and the terminal's table of whatever passes as a record."""
    from audit import record, report
    from audit.report import html, stamp, view

    found = record.read(path)
    html.page(view.make(found), stamp.stamp(record.dumps(found).encode()))
    return report.terminal_table(found)


def _judged(path: Path) -> object:
    from audit import policy, record
    from audit.policy import show

    outcome = policy.judge(policy.read(path.with_name("policy.toml")), record.read(path), path=path)
    return show.table(outcome), list(show.lines(outcome)), show.junit(outcome)


def _with_policy(folder: Path) -> None:
    (folder / "policy.toml").write_bytes(_policies()[0].replace(b"0.01", b"0.05"))


def _compared(path: Path) -> object:
    from audit import record, report
    from audit.report import html
    from audit.report.view.side_by_side import make_comparison
    from audit.side_by_side import compare

    sound = record.read(path.with_name("sound.json"))
    made = compare([sound, record.read(path)], cache=path.with_name("none"), names=["a", "b"])
    return report.comparison_table(made), html.page(make_comparison(made))


def _with_sound(folder: Path) -> None:
    said = json.loads(_record_seed())
    said["created"] = said["created"].replace("20", "19", 1)  # the same record twice is not compared
    (folder / "sound.json").write_text(json.dumps(said))


def _published_site(path: Path) -> object:
    from audit.report.site import publish

    out = path.parents[1] / "site"
    try:
        return publish(path.parent, out)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _finished(path: Path) -> object:
    from audit import results, superseded
    from audit.record import EvaluationRecord

    digests = EvaluationRecord.model_validate(json.loads(_record_seed())).digests
    return results.finished(path, digests), superseded.said(path)


def _locks() -> list[bytes]:
    from audit.preregistration import LockedPlan, make

    plan = {"benchmark": "london", "model": "dlib", "fmr": [0.001], "by": ["gender"]}
    locked = make([LockedPlan(plan=plan, benchmark_digest="a" * 64, weights="b" * 64, results=0)], "0.1.0")
    return [locked.model_dump_json(by_alias=True, indent=1).encode()]


def _lock(path: Path) -> object:
    from audit import preregistration

    return preregistration.read(path)


def _environments() -> list[bytes]:
    from audit import environment

    return [environment.now("cpu").model_dump_json(by_alias=True, indent=1).encode()]


def _environment(path: Path) -> object:
    from audit import environment

    found = environment.read(path.parent)
    return found and environment.requirements(found.packages, str(path))


def _reproduced(path: Path) -> object:
    from audit import record
    from audit.reproducing import compare

    return compare(record.read(path), record.read(path.with_name("sound.json")))


def _envelopes() -> list[bytes]:
    return [
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"YQ=="}]}\n'
    ]


def _envelope(path: Path) -> object:
    from audit.bundle import envelope

    return envelope.opened(path.read_bytes(), path.name)


def _toml(path: Path) -> object:
    from audit.benchmarks import own_copy

    return own_copy.read(path.parent)


_SCRATCH: list[str] = []


def _scratch() -> str:
    """A folder of this process for seeds that take time."""
    return _SCRATCH[0]


def scratch(folder: Path) -> None:
    """Say where seeds are made; must be called first."""
    folder.mkdir(parents=True, exist_ok=True)
    _SCRATCH[:] = [str(folder)]


_FHIBE = "fhibe.20250708.x_downsampled_public/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"
_CCV2 = "annotations/CasualConversationsV2.json"

TARGETS = (
    Target("descriptor", "croissant.json", "json", _described, _descriptor),
    Target("benchmark", "croissant.json", "json", _described_there, _loaded, _collection),
    Target("samples", "samples.csv", "csv", _samples, _loaded, _collection),
    Target("subjects", "subjects.csv", "csv", _subjects, _loaded, _collection),
    Target("pairs", "pairs.csv", "csv", lambda: list(PAIRS), _loaded, _collection),
    Target("series", "series.csv", "csv", lambda: [SERIES], _loaded, _collection),
    Target("withdrawals", "withdrawn.csv", "csv", _withdrawn, _loaded, _with_salt),
    Target("copy", "copy.toml", "toml", lambda: [b'last_checked = 2026-11-26\nversion = "2"\n'], _toml),
    Target("check", "samples.csv", "csv", _samples, _checked, _collection),
    Target("fhibe", _FHIBE, "csv", _published("fhibe", _FHIBE)[0], _read_layout, _published("fhibe", _FHIBE)[1]),
    Target("ccv2", _CCV2, "json", _published("ccv2", _CCV2)[0], _read_layout, _published("ccv2", _CCV2)[1]),
    Target("literal", "cell.txt", "text", lambda: [b"['1. She/her/hers', '3. They']", b"[102, 78, 65]"], _literal),
    Target("tem", "a.tem", "text", _tem_seeds, _tem),
    Target("zip", "a.zip", "zip", _zips, _unpacked),
    Target("tar", "a.tar", "tar", _tars, _unpacked),
    Target("image", "a.img", "binary", _images, _decoded),
    Target("scores", "scores.csv", "csv", lambda: list(SCORES), _scores),
    Target("scores-parquet", "scores.parquet", "binary", _parquet("scores"), _scores),
    Target("people", "subjects.csv", "csv", _subjects, _scored, _with_scores),
    Target("templates-parquet", "t.parquet", "binary", _parquet("templates"), _templates),
    Target("safetensors", "t.safetensors", "binary", _safetensors, _templates, _with_ids),
    Target("template-ids", "t.csv", "csv", lambda: [IDS], _ids, _with_tensors),
    Target("card", "card.toml", "toml", lambda: [CARD], _card),
    Target("service-card", "card.toml", "toml", lambda: [SERVICE], _service_card),
    Target("attribute-card", "card.toml", "toml", _attribute_cards, _attribute_card),
    Target("onnx", "m.onnx", "binary", _onnx, _onnx_checked),
    Target("exported", "m.pt2", "zip", _exported, _exported_kind),
    Target("tensors", "w.pt", "zip", _state, _tensors),
    Target("weights-safetensors", "w.safetensors", "binary", _safetensors, _tensors),
    Target("deepid", "w.h5", "binary", _h5, _deepid),
    Target("dlib", "w.dat", "binary", _dlib, _dlib_net),
    Target("plan", "plan.toml", "toml", lambda: [PLAN, SCENARIO], _plan),
    Target("policy", "policy.toml", "toml", _policies, _policy),
    Target("record", "record.json", "json", _records, _record),
    Target("report", "record.json", "json", _records, _reported),
    Target("gate", "record.json", "json", _records, _judged, _with_policy),
    Target("compare", "record.json", "json", _records, _compared, _with_sound),
    Target("publish", "results/record.json", "json", _records, _published_site),
    Target("envelope", "bundle.dsse.json", "json", _envelopes, _envelope),
    Target("lock", "plan.lock.json", "json", _locks, _lock),
    Target("environment", "environment.json", "json", _environments, _environment),
    Target("reproduce", "record.json", "json", _records, _reproduced, _with_sound),
    Target("finished", "record.json", "json", _records, _finished),
)

BY_NAME: dict[str, Target] = {target.name: target for target in TARGETS}
