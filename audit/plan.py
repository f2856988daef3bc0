"""The audit plan: everything that decides a number, frozen and validated before data are touched.

What does not decide a number (where data lie, how many workers, where results go) is in `RunOptions`, outside the
digest.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from audit import toml_text
from audit.errors import PlanError

Task = Literal["verification", "counterfactual", "identification", "detection", "attributes"]
Purpose = Literal["evaluation", "biometric", "commercial"]
Covariate = Literal[
    "sharpness", "brightness", "contrast", "underexposed", "overexposed", "uniformity", "roll", "yaw", "pitch", "size",
    "skin_tone",
]  # fmt: skip
"""Measures of `audit.capture`."""
DEEPEST_RANK = 20
"""Candidates beyond are no list that somebody looks through."""


class Scenario(BaseModel):
    """A place where the system would be used: what measured rates would do there."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    searches_per_day: float = Field(gt=0, le=1e12, description="Faces that are compared with the list a day")
    list_size: int = Field(ge=1, le=10**11, description="People on the list")
    by: str = Field(min_length=1, description="The attribute whose groups pass by")
    passers_by: dict[str, float] = Field(description="Share of each group among the faces, together 1")
    on_list: dict[str, float] = Field(
        default_factory=dict, description="Share of each group on the list, together 1; default: as among the faces"
    )
    listed: float = Field(0.0, ge=0, lt=1, description="Share of the faces whose person is on the list")
    operating_point: str | None = Field(
        None,
        description="Which threshold: global-fmr-X of a target, given-X of a given one, vendor of the one that "
        "comes with the model; default: the strictest",
    )

    @field_validator("passers_by", "on_list")
    @classmethod
    def _whole(cls, value: dict[str, float]) -> dict[str, float]:
        for name, x in value.items():
            if not 0 <= x <= 1:
                raise ValueError(f"the share of {name!r} lies between 0 and 1, found {x:g}")
        if value and abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of groups add up to 1, found {sum(value.values()):g}")
        return value

    @field_validator("passers_by")
    @classmethod
    def _somebody(cls, value: dict[str, float]) -> dict[str, float]:
        if not value:
            raise ValueError("no group passes by")
        return value


class AuditPlan(BaseModel):
    """One model on one benchmark: every setting that decides a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    task: Task = "verification"
    benchmark: str = Field(min_length=1, description="Name in the catalogue, or a folder with a descriptor")
    model: str = Field(min_length=1, description="Name in the table of models, or onnx:FILE")
    by: tuple[str, ...] | None = Field(None, description="Attributes to group by; None takes the descriptor's default")
    fmr: tuple[float, ...] = Field((1e-2, 1e-3), min_length=1, description="Target false match rates")
    level: float = Field(0.95, gt=0.5, lt=1, description="Confidence level of intervals")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="Level of tests")
    margin_fmr: float = Field(2.0, gt=1, description="Ratio of FMRs that counts as a disparity")
    margin_fnmr: float = Field(1.25, gt=1, description="Ratio of FNMRs that counts as a disparity")
    min_subjects: int = Field(2, ge=2, description="Cells of fewer people are not given as a rate")
    reference: dict[str, str] = Field(
        default_factory=dict, description="Attribute to the group that others are compared with; default: the largest"
    )
    impostors: tuple[str, ...] = Field(
        (),
        description="Two different people are compared only if they share a value of these attributes; none: any two",
    )
    calibration: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of the people of every group who set thresholds and are not judged; 0: none",
    )
    thresholds: tuple[float | Literal["vendor"], ...] = Field(
        ("vendor",),
        description="Thresholds to judge as given, in the model's own unit (a distance for models that give one); "
        "vendor: the one that comes with the model, if its card states one; none: []",
    )
    label_noise: tuple[float, ...] = Field(
        (),
        description="Shares of wrong labels to reckon with, for every attribute; none: 0.05, 0.1 and 0.2 for those "
        "that people did not report themselves",
    )
    several_faces: Literal["largest", "most-central", "most-confident"] = "largest"
    working_size: int = Field(682, ge=160, le=4096, description="Longer side, in pixels, at which faces are detected")
    detector: Literal["mtcnn", "dlib-hog", "truth"] = Field(
        "mtcnn",
        description="What finds faces: mtcnn, or, to see what detection does to a disparity, dlib-hog, or truth for "
        "the faces that a benchmark has marked",
    )
    smallest_face: int = Field(40, ge=12, le=2048, description="Smallest face, in pixels at the working size")
    margin: float = Field(
        0.0, ge=0, le=1, description="Share of a face's box added around it, where a crop is its box; 0: none"
    )
    alignment: Literal["model", "arcface", "box"] = Field(
        "model",
        description="How a face is cut out: as the model wants it, or, to see what alignment does to a disparity, by "
        "five landmarks (arcface) or by its box",
    )
    arithmetic: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Numbers in which a facenet model computes: bfloat16 is faster on processors that have it",
    )
    similarity: Literal["cosine", "dot", "euclidean"] | None = Field(
        None, description="How templates that are given are compared (default: cosine); models know their own"
    )
    storage: Literal["float32", "float16", "bfloat16"] = Field(
        "float32", description="The numbers that templates are kept in before they are compared"
    )
    sample_nonmated: int | None = Field(
        None,
        ge=100,
        le=30_000_000,
        description="Draw so many non-mated comparisons at random instead of making all; mated ones are all made",
    )
    precision: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Draw non-mated comparisons until the interval of every group's FMR at the global thresholds is "
        "this narrow: half its width over the rate",
    )
    limit: int | None = Field(None, ge=2, description="First N subjects only: for a trial run")
    seed: int = Field(20_260_101, ge=0, description="Of every random draw")
    draws: int = Field(4000, ge=200, le=1_000_000, description="Draws of the null distributions")
    splits: int = Field(20, ge=2, le=30, description="Splits of the cross-fit")
    experimental: bool = Field(False, description="Also compute indices that are recalled from the literature")
    bootstrap: int = Field(
        0,
        ge=0,
        le=20_000,
        description="Replicates of the vertex bootstrap of disparity measures, beside draws; 0: none",
    )
    list_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Identification: share of the people of every group who are on the list that faces are compared "
        "with; the others are tested against it too and are not on it; 1: everybody is (closed set)",
    )
    list_size: int | None = Field(
        None, ge=2, description="Identification: how many people are on the list; instead of list_share"
    )
    list_by: str | None = Field(
        None,
        description="Identification: the attribute by whose groups the list is composed; none: as the benchmark is",
    )
    list_groups: dict[str, float] = Field(
        default_factory=dict,
        description="Identification: share of the list that each group of list_by has, together 1; none: equal shares "
        "for all of its groups",
    )
    list_images: int = Field(
        1, ge=1, le=100, description="Identification: pictures of each person on the list; the best of them counts"
    )
    ranks: tuple[int, ...] = Field(
        (1, 5),
        min_length=1,
        description="Identification: how far down the candidates somebody looks for the right person",
    )
    fpir: tuple[float, ...] = Field(
        (0.1, 0.01),
        min_length=1,
        description="Identification: target shares of people who are not on the list and still get a candidate",
    )
    compared_with: dict[str, str] = Field(
        default_factory=dict,
        description="Attributes: what the model says (gender, race, age) to the attribute of the benchmark that it is "
        "compared with; default: the one of the same name",
    )
    label_words: dict[str, str] = Field(
        default_factory=dict,
        description="Attributes: a label of the model to the benchmark's word for it, beyond those of the model's card",
    )
    age_bands: tuple[float, ...] = Field(
        (),
        description="Attributes: edges of the bands of true age within which errors of age are told apart; none: those "
        "of the benchmark's descriptor",
    )
    age_off: tuple[float, ...] = Field(
        (5.0, 10.0), description="Attributes: an age is off if its error is larger than so many years"
    )
    challenge_age: float = Field(
        25.0, gt=0, le=130, description="Attributes: who looks younger is asked for proof of age, as shops do"
    )
    age_limits: tuple[float, ...] = Field(
        (18.0, 21.0), description="Attributes: who is younger must not pass the challenge age; none: no such test"
    )
    margin_attributes: float = Field(
        1.25, gt=1, description="Attributes: ratio of shares of wrong labels or ages that counts as a disparity"
    )
    degradations: tuple[Literal["resolution", "blur", "noise", "jpeg", "brightness", "occlusion"], ...] = Field(
        ("resolution", "blur", "noise", "jpeg", "brightness", "occlusion"),
        description="Detection: how pictures are made worse: resolution, blur, noise, jpeg, brightness, occlusion; "
        "none: [], the pictures as they were taken",
    )
    severities: tuple[int, ...] = Field(
        (1, 2, 3, 4, 5), min_length=1, description="Detection: how strongly, each a whole number from 1 to 5"
    )
    confidence: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Detection: from which confidence a face counts as found, in the detector's own unit; none: that "
        "of its card",
    )
    iou: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="Detection: how much a box has to overlap a marked one to count as that face (intersection over "
        "union)",
    )
    truth: Literal["best", "marked", "present"] = Field(
        "best",
        description="Detection: where the face is: best takes the marked box or landmarks, and otherwise that the "
        "picture shows a face; marked leaves pictures without a mark out; present takes no marks",
    )
    images: int | None = Field(
        None, ge=2, description="Detection: so many pictures, drawn with the seed from as many people as there are"
    )
    scenario: Scenario | None = Field(
        None, description="A place where the system would be used (a table): false alarms a day, and how many are wrong"
    )
    covariates: tuple[Covariate, ...] = Field(
        (),
        description="Capture conditions that are measured in the pictures, to say how much of a gap between groups "
        "goes with them: sharpness, brightness, contrast, underexposed, overexposed, uniformity, roll, yaw, pitch, "
        "size, skin_tone; none: nothing is measured",
    )
    acknowledge: tuple[str, ...] = Field((), description="Consent tiers that the auditor knowingly accepts")
    purposes: tuple[Purpose, ...] = Field(
        (),
        description="What the audit is for, beyond what its task is in any case (an evaluation, of a biometric "
        "comparison): commercial where a vendor or a buyer uses the outcome in trade",
    )

    @field_validator("fmr", "fpir")
    @classmethod
    def _targets(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        for x in value:
            if not 0 < x < 1:
                metric = str(info.field_name).upper()
                raise ValueError(f"a target {metric} is a probability between 0 and 1, found {x:g}")
        return tuple(sorted(set(value), reverse=True))

    @field_validator("age_bands", "age_off", "age_limits")
    @classmethod
    def _years(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for x in value:
            if not 0 < x <= 130:
                raise ValueError(f"years are above 0 and at most 130, found {x:g}")
        return tuple(sorted(set(value)))

    @field_validator("age_limits")
    @classmethod
    def _below_the_challenge(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        challenge = info.data.get("challenge_age")
        if challenge is not None and any(x > challenge for x in value):
            raise ValueError(f"an age limit is not above the challenge age {challenge:g}, found {max(value):g}")
        return value

    @field_validator("scenario")
    @classmethod
    def _known_threshold(cls, value: Scenario | None, info: ValidationInfo) -> Scenario | None:
        targets = [f"global-fmr-{x:g}" for x in info.data.get("fmr", ())]
        known = [*targets, *("vendor" if x == "vendor" else f"given-{x:g}" for x in info.data.get("thresholds", ()))]
        if value is not None and value.operating_point is not None and value.operating_point not in known:
            raise ValueError(f"operating_point is one of {', '.join(known)}, found {value.operating_point!r}")
        return value

    @field_validator("ranks")
    @classmethod
    def _ranks(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for x in value:
            if not 1 <= x <= DEEPEST_RANK:
                raise ValueError(f"a rank is a whole number from 1 to {DEEPEST_RANK}, found {x}")
        return tuple(sorted(set(value)))

    @field_validator("severities")
    @classmethod
    def _severities(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for x in value:
            if not 1 <= x <= 5:
                raise ValueError(f"a severity is a whole number from 1 to 5, found {x}")
        return tuple(sorted(set(value)))

    @field_validator("degradations")
    @classmethod
    def _degradations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("list_groups")
    @classmethod
    def _composition(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if value and info.data.get("list_by") is None:
            raise ValueError("shares of groups need list_by, the attribute whose groups they are")
        for name, x in value.items():
            if not 0 <= x <= 1:
                raise ValueError(f"the share of {name!r} lies between 0 and 1, found {x:g}")
        if value and abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of groups add up to 1, found {sum(value.values()):g}")
        return value

    @field_validator("impostors")
    @classmethod
    def _everybody_on_the_list(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("task") == "identification":
            raise ValueError("identification compares with everybody on the list: leave impostors out")
        return value

    @field_validator("label_noise")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for x in value:
            if not 0 < x <= 0.5:
                raise ValueError(f"a share of wrong labels is above 0 and at most 0.5, found {x:g}")
        return tuple(sorted(set(value)))

    @field_validator("sample_nonmated", "precision")
    @classmethod
    def _not_beside_calibration(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("calibration"):
            raise ValueError("a sample of comparisons sets its thresholds itself: leave calibration out")
        return value

    @field_validator("by", "impostors")
    @classmethod
    def _attributes(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError(f"an attribute stands twice in {', '.join(value)}")
        return value

    @field_validator("covariates")
    @classmethod
    def _measured_once(cls, value: tuple[Covariate, ...]) -> tuple[Covariate, ...]:
        return tuple(name for name in get_args(Covariate) if name in value)

    @field_validator("purposes")
    @classmethod
    def _each_once(cls, value: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        return tuple(sorted(set(value)))

    @property
    def given_thresholds(self) -> tuple[float, ...]:
        """Those that the plan itself gives."""
        return tuple(one for one in self.thresholds if one != "vendor")

    @property
    def samples(self) -> bool:
        """Whether non-mated comparisons are drawn."""
        return self.sample_nonmated is not None or self.precision is not None

    @property
    def all_purposes(self) -> tuple[Purpose, ...]:
        """What the terms of a benchmark have to allow: every task compares faces, and evaluates by it."""
        return tuple(dict.fromkeys(("evaluation", "biometric", *self.purposes)))

    def digest(self) -> str:
        """SHA-256 of the canonical JSON form, hexadecimal."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where things lie and how work is done; none of it decides a number.

    Parameters
    ----------
    data : folders that hold benchmarks or weights, before those of FACEAUDIT_DATA
    out : where results are written
    workers : threads; 0 takes the number of cores
    device : where models run
    obtain : download the benchmark from its public source if it is in no folder
    fresh : compute everything again
    send_images_to : hosts that a model may send images to; none may, unless it stands here
    max_failures : stop once more samples than this have failed; None: go on
    lock : what `faceaudit plan lock` wrote, to be held against; None: nothing was locked
    cache : folder of templates; None: FACEAUDIT_CACHE, else the user's cache folder
    progress : called with (stage, done, of how many)
    """

    data: tuple[Path, ...] = ()
    out: Path = Path("results")
    workers: int = 0
    cluster: str = ""
    device: Literal["cpu", "cuda"] = "cpu"
    obtain: bool = False
    fresh: bool = False
    max_failures: int | None = None
    send_images_to: tuple[str, ...] = ()
    lock: Path | None = None
    cache: Path | None = None
    progress: Callable[[str, int, int], None] | None = field(default=None, compare=False)


def make(values: Mapping[str, Any], *, place: str = "plan") -> AuditPlan:
    """Validate settings into a plan.

    Raises
    ------
    PlanError
        Naming the setting, what was found and what is allowed; unknown names come with the nearest known one.
    """
    _require_known(values, AuditPlan, place)
    if isinstance(values.get("scenario"), Mapping):
        _require_known(values["scenario"], Scenario, f"{place}: scenario")
    try:
        return AuditPlan(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        way_out = AuditPlan.model_fields[str(first["loc"][0])].description or "" if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        raise PlanError(f"{place}: {where}", f"{message} (found {first['input']!r})", way_out) from None


def _require_known(values: Mapping[str, Any], kind: type[BaseModel], place: str) -> None:
    """Refuse settings that are not there, with the nearest one that is."""
    known = list(kind.model_fields)
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known settings: {', '.join(known)}"
            raise PlanError(place, f"unknown setting {key!r}", hint)


def read(path: Path, overrides: Mapping[str, Any] | None = None) -> list[AuditPlan]:
    """Read PLAN.toml: one plan for every entry of `models` (or the one of `model`).

    Flags given on the command line (`overrides`) win over the file.
    """
    try:
        values = toml_text.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(str(path), "no such plan", "Give the path of a PLAN.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(str(path), f"not valid TOML: {error}", "Mend that line") from None
    except OSError as error:
        raise PlanError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    values.update(overrides or {})
    return expand(values, place=str(path))


def expand(values: Mapping[str, Any], *, place: str = "plan") -> list[AuditPlan]:
    """Turn settings with a list `models` into one plan a model; an entry is a name, or a table with own settings."""
    rest = dict(values)
    models = rest.pop("models", None)
    if models is None:
        return [make(rest, place=place)]
    if not isinstance(models, list | tuple) or not models or not all(_names_a_model(entry) for entry in models):
        raise PlanError(
            f"{place}: models",
            f"expected a list of names, found {models!r}",
            'For example models = ["dlib"], or [{model = "dlib-cnn", images = 20}] for settings of one of them alone',
        )
    if "model" in rest:
        raise PlanError(f"{place}: model", "both 'model' and 'models' are given", "Keep one of them")
    own = [{"model": entry} if isinstance(entry, str) else dict(entry) for entry in models]
    made = [make({**rest, **settings}, place=place) for settings in own]
    return list({plan.digest(): plan for plan in made}.values())


def _names_a_model(entry: Any) -> bool:
    return isinstance(entry, str) or (isinstance(entry, Mapping) and isinstance(entry.get("model"), str))
