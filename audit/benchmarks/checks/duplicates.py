"""Nearly the same image under two people.

Distances of all pairs come from products of blocks, and each image is reported once, with the nearest earlier image of
another person: in a mass of copies the findings grow with the images, not with the pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NEAR = 16
"""Most bits of 255 that may differ.

Measured: two people differ by 40 bits or more in the 204 images of the London Set, by 28 or more in the 2,136
rendered ones. Copies within 16 bits: JPEG quality 30 100 % in the London Set and 94 % of the rendered ones, half the
size 100 % and 100 %, WebP 100 % and 95 %, grey 100 % and 100 %, 15 % brighter 78 % and 100 %. A crop by 2 % on each
side moves about 30 bits: such copies are not found.
"""

_BLOCK = 1024


def nearest_earlier(
    hashes: NDArray[np.bool_], people: Sequence[str], *, most: int = NEAR
) -> list[tuple[int, int, int]]:
    """Find, for each image, the nearest earlier one of another person.

    Parameters
    ----------
    hashes : bool, images x bits
    people : sequence of str
        Whose image each is.
    most : int
        Bits that may differ.

    Returns
    -------
    list of (image, earlier image, bits that differ)
        One entry an image at most. Time grows with the square of the images, memory with a block of 1,024 of them.
    """
    count, bits = hashes.shape
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    who = np.unique(np.asarray(people, dtype=str), return_inverse=True)[1] if count else np.empty(0, dtype=int)
    found = []
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        alike = signs[start:stop] @ signs[:stop].T  # bits - 2 * distance, exact in float32
        alike[who[start:stop, None] == who[None, :stop]] = -np.inf
        own = np.arange(start, stop)
        alike[np.arange(stop)[None, :] > own[:, None]] = -np.inf
        best = alike.argmax(axis=1)
        top = alike[np.arange(stop - start), best]
        found += [(int(own[k]), int(best[k]), int(bits - top[k]) // 2) for k in np.flatnonzero(top >= bits - 2 * most)]
    return found
