"""What deepface says itself: its public functions, with weights in its own home folder, in a process of its own.

Arguments: backend, home, a .npy file of crops (uint8, RGB), an output .npz, names of models.
"""

from __future__ import annotations

import os
import sys

import numpy as np

backend, home, crops, out, *names = sys.argv[1:]
os.environ.update(DEEPFACE_BACKEND_ENGINE=backend, DEEPFACE_HOME=home, DEEPFACE_LOG_LEVEL="40")

from deepface import DeepFace  # noqa: E402 - it reads the environment
from deepface.modules import modeling, preprocessing  # noqa: E402


def template(crop: np.ndarray, name: str, normalization: str = "base") -> list[float]:
    found = DeepFace.represent(
        np.ascontiguousarray(crop[..., ::-1]),
        model_name=name,
        detector_backend="skip",
        enforce_detection=False,
        normalization=normalization,
    )
    return found[0]["embedding"]


said = {}
for name in names:
    if name in {"Age", "Gender", "Race"}:
        client = modeling.build_model(task="facial_attribute", model_name=name)
        fed = [preprocessing.resize_image(np.ascontiguousarray(crop[..., ::-1]), (224, 224)) for crop in np.load(crops)]
        said[name] = np.array([np.atleast_1d(client.predict(one)) for one in fed])
    else:
        model, _, normalization = name.partition(":")
        said[name] = np.array([template(crop, model, normalization or "base") for crop in np.load(crops)])
np.savez(out, **said)
