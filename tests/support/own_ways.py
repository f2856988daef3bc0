"""Models that stand in no table, ready to be asked: an exported network in its sandbox, and a service on this host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
from black_box import Answer, Request, serving
from hostile_archives import Small, scripted

from audit import models
from audit.domain import FaceModel
from audit.models.card import ModelCard
from audit.models.detectors import FaceFinder
from audit.plan import make
from audit.sandbox import seal

CARD = """name = "own-way"
licence = "Apache-2.0"
training_data = "nothing: fixed random numbers"
training_consent = "nobody is in it"
similarity = "cosine"
dimension = 16
[input]
size = 112
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
"""
Loaded = tuple[ModelCard, FaceModel | FaceFinder]


@contextmanager
def exported(folder: Path) -> Iterator[Loaded]:
    """A TorchScript archive."""
    (folder / "own.pt").write_bytes(scripted(Small()))
    (folder / "own.toml").write_text(CARD)
    spec = f"exported:{folder / 'own.pt'}"
    card = models.describe(spec, plan=make({"benchmark": "b", "model": spec}))
    yield card, models.load(card, workers=2)


@contextmanager
def http(folder: Path) -> Iterator[Loaded]:
    """A service that answers with brightness in 16 fields of the crop."""

    def answer(request: Request, _: int) -> Answer:
        fields = request.image.astype(np.float64).mean(2).reshape(4, 28, 4, 28).mean((1, 3))
        return Answer({"embedding": fields.ravel().tolist()})

    with serving(answer) as box:
        service = f'[service]\nurl = "http://{box.host}/"\ntemplate = "embedding"\nper_second = 1000\n'
        (folder / "own.toml").write_text(f'revision = "1"\n{CARD}{service}')
        spec = f"http:{folder / 'own.toml'}"
        card = models.describe(spec, plan=make({"benchmark": "b", "model": spec}))
        card = card.model_copy(update={"may_send_to": (box.host,)})
        yield card, models.load(card, workers=2)


WAYS: dict[str, Callable[[Path], AbstractContextManager[Loaded]]] = {
    "http": http,
    **({"exported": exported} if seal.missing() is None else {}),
}
"""Where there is a sandbox, an exported network too."""
