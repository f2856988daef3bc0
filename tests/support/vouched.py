"""Cards that vouch for a network of one's own, as whoever sends a hostile one would write them."""

from __future__ import annotations

import hashlib
from pathlib import Path

FACE = """name = "mine"
licence = "any"
training_data = "nobody"
training_consent = "nobody is shown"
similarity = "cosine"
dimension = 4
[input]
size = 16
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
alignment = "box"
[weights]
file = "{file}"
sha256 = "{sha256}"
"""
"""Of a network that makes four numbers of a face of 16 x 16."""


def card(path: Path, said: str = FACE) -> Path:
    """Put a card down beside a file, with its name and its digest."""
    place = path.with_suffix(".toml")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    place.write_text(said.replace("{file}", path.name).replace("{sha256}", digest))
    return place
