"""From what the user named to a card: its weights found, their digest checked, and the plan's settings taken up.

Loads no torch and reads no image. Weights are looked for in the data folders, in their order, and then where
`faceaudit models obtain` puts them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from audit.errors import ModelError
from audit.models import adapters, card_file, weights
from audit.models.card import Detection, ModelCard
from audit.models.card_file import UNKNOWN, CardFile, Files, WeightFile
from audit.plan import AuditPlan


def published(name: str, file: CardFile, data: Sequence[Path], plan: AuditPlan) -> ModelCard:
    """Make the card of a model of the table.

    Raises
    ------
    ModelError
        If an extra is missing, nobody knows the digest of the weights, or they are missing or wrong.
    """
    require_digests(name, file)
    adapter = adapters.of(file.adapter, f"model {name}")
    return _card(file, adapter, published_files(name, file, data), plan, self_declared=False)


def own(
    path: Path,
    known: Mapping[str, str],
    data: Sequence[Path],
    plan: AuditPlan,
    *,
    adapter: adapters.Adapter | None = None,
) -> ModelCard:
    """Make the card of a user's own TOML file; the files that it names lie beside it, or in a data folder.

    Raises
    ------
    ModelError
        As `published`; also if the card has no digest, or the name of a published model.
    """
    file = card_file.own(path, known)
    adapter = adapter or adapters.of(file.adapter, str(path))
    return _card(file, adapter, own_files(path, file, data), plan, self_declared=True)


def own_files(path: Path, file: Files, data: Sequence[Path]) -> dict[str, Path]:
    """Find and check the files of a user's own card at `path`: beside it, or in a data folder.

    Raises
    ------
    ModelError
        If one is missing or another than the card says.
    """
    found = {}
    for part, wanted in _files(file).items():
        where = weights.look(wanted.file, (path.parent, *data)) or weights.fetched(wanted.file)
        if where is None:
            fetched = f"; or faceaudit models obtain card:{path}" if wanted.url else ""
            raise ModelError(
                str(path),
                f"{wanted.file} is neither beside the card nor in a data folder",
                f"Put it there, or name its path in the card{fetched}",
                missing="weights",
            )
        weights.check(where, wanted.sha256, wanted.digest_source, wanted.bytes)
        found[part] = where
    return found


def beside(path: Path, known: Mapping[str, str], plan: AuditPlan, *, adapter: str = "onnx") -> ModelCard | None:
    """Make the card of a weight file from the `.toml` beside it; None: there is none.

    The card need not name the file or the adapter, and a name of its own is optional.

    Raises
    ------
    ModelError
        If the card is incomplete, or its digest is not the file's.
    """
    place = path.with_suffix(".toml")
    if not place.is_file():
        return None
    values, sha256 = card_file.read(place), weights.digest(path)
    if "parts" in values:
        raise ModelError(f"{place}: parts", "needs a card that names its files", f"Write card:{place} in its place")
    table = values.get("weights")
    stated = [values.pop("sha256", sha256), table.get("sha256", sha256) if isinstance(table, dict) else sha256]
    if stated != [sha256, sha256]:
        said = next(one for one in stated if one != sha256)
        raise ModelError(
            str(path),
            f"SHA-256 is {sha256}, but {place} says {said}",
            "The file is damaged or another one: put the right file in its place, or mend the card",
            missing="right weights",
        )
    values["weights"] = {
        "file": path.name,
        "sha256": sha256,
        "digest_source": "computed from the file; its card was given by the user",
    }
    values.setdefault("adapter", adapter)
    if "name" not in values:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("._-") or "own"
        values["name"] = f"own-{stem}" if stem.casefold() in known else stem
    file = card_file.validate(values, str(place))
    card_file.require_name(file.name, place, known)
    return _card(file, adapters.of(file.adapter, str(place)), {"": path}, plan, self_declared=True)


def recognised(path: Path, known: Mapping[str, str], plan: AuditPlan) -> ModelCard | None:
    """Make the card of a weight file that is that of a published model, by its digest; None: it is not."""
    sha256 = weights.digest(path)
    for name in known:
        file = card_file.published(known[name])
        if file.weights.sha256 == sha256 and not file.parts:
            return _card(file, adapters.of(file.adapter, f"model {name}"), {"": path}, plan, self_declared=False)
    return None


def published_files(name: str, file: Files, data: Sequence[Path]) -> dict[str, Path]:
    """Find and check the files of a published card: inside a package, in a data folder, or where they are obtained to.

    Raises
    ------
    ModelError
        If one is missing or another than the published one.
    """
    return {part: _published_file(name, wanted, data) for part, wanted in _files(file).items()}


def require_digests(name: str, file: Files) -> None:
    """Refuse a published card of files whose digest nobody has published.

    Raises
    ------
    ModelError
        With the way through a card of one's own.
    """
    for wanted in _files(file).values():
        _require_digest(name, wanted)


def _files(file: Files) -> dict[str, WeightFile]:
    """The weights, under an empty name, and what else belongs to the model."""
    return {"": file.weights, **file.parts}


def _require_digest(name: str, wanted: WeightFile) -> None:
    if wanted.sha256 == UNKNOWN:
        raise ModelError(
            f"model {name}",
            f"no digest of its weights {wanted.file} is published, so that nothing can be checked",
            f"Write a card of your own for a file whose origin you know (like = {name!r}, [weights] file and sha256) "
            "and take card:FILE.toml in its place",
            missing="digest",
        )


def _published_file(name: str, wanted: WeightFile, data: Sequence[Path]) -> Path:
    path = _packaged(wanted) if wanted.package else weights.look(wanted.file, data) or weights.fetched(wanted.file)
    if path is None:
        raise ModelError(
            f"model {name}", f"its weights {wanted.file} are not here", _way_to(name, wanted), missing="weights"
        )
    weights.check(path, wanted.sha256, wanted.digest_source, wanted.bytes)
    return path


def _way_to(name: str, wanted: WeightFile) -> str:
    if wanted.package:
        return f"Install its package again: {wanted.package.partition('/')[0]}"
    own_copy = f"Put {wanted.file} into a folder of FACEAUDIT_DATA"
    return f"faceaudit models obtain {name}; or p{own_copy[1:]}" if wanted.url else own_copy


def _packaged(wanted: WeightFile) -> Path | None:
    """Find a file inside an installed package without importing anything of it."""
    package, _, folder = wanted.package.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / folder / wanted.file
    return path if path.is_file() else None


def _card(
    file: CardFile, adapter: adapters.Adapter, found: Mapping[str, Path], plan: AuditPlan, *, self_declared: bool
) -> ModelCard:
    adapters.hold(adapter, file)
    return ModelCard(
        **file.model_dump(exclude={"adapter", "revision", "weights", "parts", "options"}),
        revision=file.revision or file.weights.sha256[:12],
        weights_sha256=file.weights.sha256,
        digest_source=file.weights.digest_source,
        self_declared=self_declared,
        detection=Detection.of(plan),
        packages=adapter.packages,
        precisions=adapter.precisions,
        loader=adapter.loader,
        check=adapter.check,
        ran=adapter.ran,
        options=file.options,
        weights=found[""],
        parts={name: path for name, path in found.items() if name},
        part_digests={name: part.sha256 for name, part in file.parts.items()},
    )
