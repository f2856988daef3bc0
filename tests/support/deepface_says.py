"""What deepface says of crops, asked in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("deepface_reference.py")


def by_deepface(backend: str, home: Path, crops: np.ndarray, *names: str) -> dict[str, np.ndarray]:
    np.save(home / "crops.npy", crops)
    command = [sys.executable, REFERENCE, backend, home, home / "crops.npy", home / "out.npz", *names]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=one_thread)
    assert run.returncode == 0, run.stderr
    with np.load(home / "out.npz") as said:
        return {name: said[name].reshape(len(crops), -1) for name in names}
