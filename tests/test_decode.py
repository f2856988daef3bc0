"""Decoding: every way an image may be stored gives upright RGB; every way it may be bad gives its own failure."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit import decode
from audit.domain import FailureToAcquire, Picture

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 200, 30), (30, 30, 200), (90, 90, 90)


@pytest.fixture
def picture() -> Image.Image:
    """Four quarters: red, green / blue, grey; 60 wide, 40 high."""
    image = Image.new("RGB", (60, 40))
    for box, colour in (((0, 0), RED), ((30, 0), GREEN), ((0, 20), BLUE), ((30, 20), GREY)):
        image.paste(colour, (*box, box[0] + 30, box[1] + 20))
    return image


def stored(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decoded(content: bytes) -> np.ndarray:
    out = decode.decode(content)
    assert isinstance(out, np.ndarray), out
    assert (out.dtype, out.ndim, out.shape[2], out.flags.c_contiguous) == (np.uint8, 3, 3, True)
    return out


def assert_quarters(out: np.ndarray, colours: tuple[tuple[int, int, int], ...] = (RED, GREEN, BLUE, GREY)) -> None:
    height, width = out.shape[:2]
    places = [
        (height // 4, width // 4),
        (height // 4, 3 * width // 4),
        (3 * height // 4, width // 4),
        (3 * height // 4, 3 * width // 4),
    ]
    for (row, column), colour in zip(places, colours, strict=True):
        assert np.abs(out[row, column].astype(int) - colour).max() <= 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "PPM"])
def test_formats(picture: Image.Image, kind: str) -> None:
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    assert_quarters(decoded(stored(picture, kind, **options)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(picture: Image.Image, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a camera so held would have stored
    turned = picture if orientation == 1 else picture.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = decoded(stored(turned, "JPEG", quality=95, subsampling=0, exif=exif))
    assert out.shape == (40, 60, 3)
    assert_quarters(out)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(picture: Image.Image, kind: str) -> None:
    content = stored(picture.convert("CMYK"), kind, **({"quality": 95} if kind == "JPEG" else {}))
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    assert_quarters(decoded(content))


def test_sixteen_bit_grey_keeps_its_scale() -> None:
    values = np.repeat(np.arange(256, dtype=np.uint16) * 257, 40).reshape(256, 40)
    for kind in ("PNG", "TIFF"):
        content = stored(Image.fromarray(values), kind)
        assert Image.open(io.BytesIO(content)).mode.startswith("I")
        assert np.array_equal(decoded(content), np.repeat((values // 257)[:, :, None], 3, axis=2))


def test_palette_and_one_bit_and_grey(picture: Image.Image) -> None:
    assert_quarters(decoded(stored(picture.quantize(8), "PNG")))
    grey = picture.convert("L")
    assert np.array_equal(decoded(stored(grey, "PNG"))[:, :, 1], np.asarray(grey))
    assert set(np.unique(decoded(stored(picture.convert("1"), "PNG")))) <= {0, 255}


def test_transparency_is_laid_over_white(picture: Image.Image) -> None:
    clear = picture.convert("RGBA")
    clear.putalpha(Image.new("L", (60, 40), 255))
    clear.paste((0, 0, 0, 0), (0, 0, 30, 20))
    white = (255, 255, 255)
    assert_quarters(decoded(stored(clear, "PNG")), (white, GREEN, BLUE, GREY))
    palette = picture.quantize(8)
    index = palette.getpixel((5, 5))
    assert_quarters(decoded(stored(palette, "PNG", transparency=index)), (white, GREEN, BLUE, GREY))


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 grey pixels in 400 kB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pack = zlib.compressobj()
    body = b"".join(pack.compress(bytes(20_001)) for _ in range(20_000)) + pack.flush()
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_header() -> None:
    content = bomb()
    assert len(content) < 1_000_000
    assert decode.decode(content) == FailureToAcquire("decode", "too large: more than 80 million pixels")


def test_just_above_the_limit_is_refused_with_and_without_pillows_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    content = stored(Image.new("L", (300, 300)), "PNG")
    monkeypatch.setattr(decode, "MOST_PIXELS", 299 * 300)
    assert decode.decode(content) == decode._TOO_LARGE
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 299 * 300)
    assert decode.decode(content) == decode._TOO_LARGE
    with decode.quiet_about_size():
        assert decode.decode(content) == decode._TOO_LARGE
    monkeypatch.setattr(decode, "MOST_PIXELS", 300 * 300)
    with decode.quiet_about_size():
        assert decoded(content).shape == (300, 300, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_nothing_partial_is_accepted(kind: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    content = stored(noise, kind)
    outcome = decode.decode(content[: int(len(content) * kept)])
    assert isinstance(outcome, FailureToAcquire)
    assert outcome.stage == "decode"


def test_a_truncated_jpeg_is_called_so(picture: Image.Image) -> None:
    content = stored(picture.resize((600, 400)), "JPEG")
    assert decode.decode(content[: len(content) // 2]) == FailureToAcquire("decode", "truncated image")


def test_text_is_not_an_image() -> None:
    assert decode.decode(b"subject,age\n1,33\n" * 50) == FailureToAcquire("decode", "not an image of a known format")


def test_a_known_but_unlisted_format_is_not_opened(picture: Image.Image) -> None:
    assert decode.decode(stored(picture, "PCX")) == FailureToAcquire("decode", "not an image of a known format")


def test_floating_point_pixels_are_unsupported() -> None:
    content = stored(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF")
    assert decode.decode(content) == FailureToAcquire("decode", "unsupported pixel format: F")
    deep = stored(Image.fromarray(np.full((9, 9), 70_000, np.int32)), "TIFF")
    assert decode.decode(deep) == FailureToAcquire("decode", "unsupported pixel format: 32-bit grey")


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "long.jpg").write_bytes(b"x" * 100)
    assert decode.read(tmp_path / "none.jpg") == FailureToAcquire("read", "missing file")
    assert decode.read(tmp_path / "empty.jpg") == FailureToAcquire("read", "empty file")
    assert decode.read(tmp_path / "folder.jpg") == FailureToAcquire("read", "not a file")
    assert decode.fingerprint(tmp_path / "empty.jpg") == FailureToAcquire("read", "empty file")
    monkeypatch.setattr(decode, "MOST_BYTES", 99)
    assert decode.read(tmp_path / "long.jpg") == FailureToAcquire("read", "too large: more than 0 MiB")


def smooth(width: int, height: int) -> Image.Image:
    """Slow waves in every channel: what a reduced image must keep."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / 60 + k) * np.cos(y / 80 + k) for k in range(3)]
    return Image.fromarray(np.stack(waves, axis=2).astype(np.uint8))


@pytest.mark.parametrize(
    ("longer", "reduction"), [(600, 1), (1227, 1), (1228, 2), (1350, 2), (2455, 2), (2456, 4), (4910, 4), (4911, 8)]
)
def test_a_jpeg_is_decoded_at_the_part_that_leaves_nine_tenths_of_the_working_size(longer: int, reduction: int) -> None:
    image = smooth(longer, longer // 2)
    found = decode.decode_for(stored(image, "JPEG", quality=95), 682)
    assert isinstance(found, Picture)
    assert found.reduction == reduction
    assert max(found.pixels.shape) == -(-longer // reduction)
    assert (found.whole is None) == (reduction == 1)
    averaged = np.asarray(image.reduce(reduction)).astype(int)
    assert np.abs(found.pixels - averaged).mean() < 1.5
    if found.whole is not None:
        assert found.whole().shape == (longer // 2, longer, 3)


def test_what_is_no_jpeg_is_decoded_whole() -> None:
    found = decode.decode_for(stored(smooth(2000, 1000), "PNG"), 682)
    assert isinstance(found, Picture)
    assert (found.pixels.shape, found.reduction, found.whole) == ((1000, 2000, 3), 1, None)


def test_a_reduced_jpeg_is_upright_and_a_cut_one_a_failure() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = stored(smooth(1400, 700), "JPEG", quality=90, exif=exif)
    found = decode.decode_for(content, 682)
    assert isinstance(found, Picture)
    assert (found.reduction, found.pixels.shape) == (2, (700, 350, 3))
    assert decode.decode_for(content[: len(content) // 2], 682) == FailureToAcquire("decode", "truncated image")
