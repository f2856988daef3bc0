"""Helper process of the dlib model: chips in, descriptors out, as raw bytes over pipes.

It is started by file, imports nothing of ours and no torch, ignores Ctrl-C (its parent decides) and ends with its
input. Each request is a chip of size x size x 3 bytes; each answer is one byte (0: done, 1: dlib refused) and, if
done, the descriptor as little-endian float64.
"""

from __future__ import annotations

import signal
import sys


def main(weights: str, size: int) -> None:
    """Answer requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import dlib  # noqa: PLC0415 - after the signal is set, so that an early Ctrl-C prints nothing
    import numpy as np  # noqa: PLC0415

    network = dlib.face_recognition_model_v1(weights)
    while len(chip := sys.stdin.buffer.read(size * size * 3)) == size * size * 3:
        try:
            vector = network.compute_face_descriptor(np.frombuffer(chip, np.uint8).reshape(size, size, 3), 0)
        except RuntimeError:
            answer = b"\x01"
        else:
            answer = b"\x00" + np.asarray(vector, "<f8").tobytes()
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
