"""Archives and images."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

from .base import Target


def _zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name in ("set/a.txt", "set/b/c.bin", "set/empty"):
                archive.writestr(name, name.encode() * 50)
        made.append(stream.getvalue())
    return made


def _tars() -> list[bytes]:
    made = []
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as archive:
            for name in ("set/a.txt", "set/b/c.bin", "set/" + "long" * 40):
                info = tarfile.TarInfo(name)
                info.size = 300
                archive.addfile(info, io.BytesIO(name[0].encode() * 300))
        made.append(stream.getvalue())
    return made


def _unpacked(path: Path) -> object:
    from audit.benchmarks import archives

    out = path.parent / "out"
    try:
        return archives.unpack([path], out, limits=archives.Limits(entries=500, size=64 << 20))
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _images() -> list[bytes]:
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(3)
    face = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    made = []
    for kind, mode in (
        ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGBA"),
        ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "L"), ("GIF", "P"), ("PPM", "RGB"),
    ):  # fmt: skip
        stream = io.BytesIO()
        (face.convert("L").convert("I;16") if mode == "I;16" else face.convert(mode)).save(stream, kind)
        made.append(stream.getvalue())
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    face.save(stream, "JPEG", exif=exif)
    return [*made, stream.getvalue()]


def _decoded(path: Path) -> object:
    from audit import decode

    content = path.read_bytes()
    with decode.quiet_about_size():
        return decode.decode(content), decode.decode_for(content, 682)


TARGETS = (
    Target("zip", "a.zip", "zip", _zips, _unpacked),
    Target("tar", "a.tar", "tar", _tars, _unpacked),
    Target("image", "a.img", "binary", _images, _decoded),
)
