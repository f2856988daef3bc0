"""What deepface says itself: its public functions, with weights in its own home folder, in a process of its own.

Arguments: backend, home, a .npy file of crops (uint8, RGB), an output .npz, names of models.
"""

from __future__ import annotations

import os
import sys

import numpy as np


def main(backend: str, home: str, crops: str, out: str, *names: str) -> None:
    os.environ.update(DEEPFACE_BACKEND_ENGINE=backend, DEEPFACE_HOME=home, DEEPFACE_LOG_LEVEL="40")
    pictures = [np.ascontiguousarray(crop[..., ::-1]) for crop in np.load(crops)]
    np.savez(out, **{name: said(name, pictures) for name in names})


def said(name: str, pictures: list[np.ndarray]) -> np.ndarray:
    from deepface import DeepFace  # noqa: PLC0415 - it reads the environment
    from deepface.modules import modeling, preprocessing  # noqa: PLC0415 - as above

    if name in {"Age", "Gender", "Race"}:
        client = modeling.build_model(task="facial_attribute", model_name=name)
        fed = [preprocessing.resize_image(picture, (224, 224)) for picture in pictures]
        return np.array([np.atleast_1d(client.predict(one)) for one in fed])
    model, _, normalization = name.partition(":")
    given = {"detector_backend": "skip", "enforce_detection": False, "normalization": normalization or "base"}
    return np.array([DeepFace.represent(one, model_name=model, **given)[0]["embedding"] for one in pictures])


if __name__ == "__main__":
    main(*sys.argv[1:])
