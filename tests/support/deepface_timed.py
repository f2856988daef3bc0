"""deepface's own way from files to templates: `DeepFace.represent` on one core, in a process of its own.

Arguments: home with weights, name of a model, name of a detector, an output .npz, files of pictures.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np


def main(home: str, model: str, detector: str, out: str, *pictures: str) -> None:
    os.environ.update(
        DEEPFACE_BACKEND_ENGINE="pytorch", DEEPFACE_HOME=home, DEEPFACE_LOG_LEVEL="40", OMP_NUM_THREADS="1"
    )
    import cv2  # noqa: PLC0415 - they read the environment
    import torch  # noqa: PLC0415
    from deepface import DeepFace  # noqa: PLC0415

    torch.set_num_threads(1)
    cv2.setNumThreads(1)

    def largest(picture: str) -> list[float]:
        faces = DeepFace.represent(picture, model_name=model, detector_backend=detector)
        return max(faces, key=lambda face: face["facial_area"]["w"] * face["facial_area"]["h"])["embedding"]

    largest(pictures[0])  # loads what it needs
    began = time.process_time()
    templates = [largest(picture) for picture in pictures]
    np.savez(out, templates=np.array(templates), seconds=time.process_time() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
