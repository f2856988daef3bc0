"""Planted leaks of every kind are found wherever they lie; what the project itself publishes is clean."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from audit import scan

ROOT = Path(__file__).resolve().parents[2]
FACE = sorted((ROOT / "benchmarks" / "synthetic" / "images").glob("p0*-studio.webp"))[0]
IDS = scan.Ids(frozenset({"001", "001_03", "p017", "person-0042", "s5"}))
TEMPLATE = np.random.default_rng(1).normal(size=128).astype(np.float32)


def reasons(name: str, content: bytes | str, ids: scan.Ids | None = None) -> str:
    found = scan.look(name, content if isinstance(content, bytes) else content.encode(), ids)
    return "; ".join(leak.reason for leak in found)


def png_of_face() -> bytes:
    out = io.BytesIO()
    Image.open(FACE).convert("RGB").save(out, "PNG")
    return out.getvalue()


def png_of_chart() -> bytes:
    image = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(image)
    for k in range(9):
        draw.rectangle((20 + 40 * k, 280 - 20 * k, 50 + 40 * k, 280), fill=(0, 20 * k, 178))
    draw.text((20, 20), "errors by group", fill="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def inline(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def pdf_with(extra: bytes, *, pack: bool = True) -> bytes:
    stream = zlib.compress(extra) if pack else extra
    flate = b"/Filter /FlateDecode " if pack else b""
    return b"%%PDF-1.7\n1 0 obj\n<< %s/Length %d >>\nstream\n%s\nendstream\nendobj\n%%%%EOF\n" % (
        flate, len(stream), stream,
    )  # fmt: skip


PLANTED = {
    ("a.html", f'<p>x</p><img src="{inline(png_of_face())}">'): "picture",
    ("a.html", '<img src="images/001.jpg">'): "picture",
    ("a.html", "<p>see /home/anna/faces/run</p>"): "path",
    ("a.html", "<script>x()</script>"): "script",
    ("a.html", f"<p>{base64.b64encode(TEMPLATE.tobytes()).decode()}</p>"): "packed bytes",
    ("a.html", f"<p>{', '.join(f'{x:.4f}' for x in TEMPLATE)}</p>"): "list of numbers",
    ("a.svg", f'<svg><image href="{inline(png_of_face())}"/></svg>'): "picture",
    ("a.md", "![x](faces/p017-studio.webp)"): "picture",
    ("a.md", r"C:\Users\anna\run"): "path",
    ("a.json", json.dumps({"x": TEMPLATE.tolist()})): "list of numbers",
    ("a.json", json.dumps({"x": [[1, 2], TEMPLATE[:20].tolist()]})): "list of numbers",
    ("a.json", json.dumps({"file": "set/001_03.jpg"})): "picture",
    ("a.json", json.dumps({"k": "-----BEGIN PRIVATE KEY-----\nMC4CAQ"})): "private key",
    ("a.json", "{"): "no JSON",
    ("a.csv", "subject_id,rate\nx,1\n"): "column",
    ("a.csv", "group,template\nx,1\n"): "column",
    ("a.csv", ",".join(f"v{k}" for k in range(128)) + "\n"): "more columns",
    ("a.pem", "-----BEGIN PRIVATE KEY-----"): "private key",
    ("a.png", png_of_face()): "photograph",
    ("a.png", b"\x89PNG nothing"): "no picture that can be looked at",
    ("a.jpg", b"\xff\xd8\xff"): "not looked into",
    ("a.npy", b"\x93NUMPY"): "not looked into",
    ("a.pdf", pdf_with(b"1 0 obj << /Subtype /Image /Width 10 >>")): "picture",
    ("a.pdf", pdf_with(b"<< /Filter /DCTDecode >>")): "picture",
    ("a.pdf", pdf_with(b"q BI /W 10 /H 10 ID xx EI Q")): "picture",
    ("a.pdf", pdf_with(b"<?xpacket?><x:xmpmeta>/home/anna/x</x:xmpmeta>")): "path",
    ("a.pdf", pdf_with(b"<< /JavaScript 3 0 R >>", pack=False)): "script",
    ("a.pdf", pdf_with(b"<< /EmbeddedFiles 3 0 R >>")): "attachment",
    ("a.pdf", pdf_with(b"x").replace(b"\x78", b"\x00", 1)): "unpacked",
    ("a.pdf", b"hello"): "no PDF",
    ("a.parquet", b"PAR1"): "no Parquet",
}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[0]}-{PLANTED[planted][:12]}")
def test_what_is_planted_is_found(planted: tuple[str, bytes | str]) -> None:
    assert PLANTED[planted] in reasons(*planted)


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_columns_of_parquet_are_looked_at() -> None:
    assert "as templates" in reasons("a.parquet", parquet(x=pa.array([TEMPLATE.tolist()])))
    assert "as templates" in reasons("a.parquet", parquet(x=pa.array([TEMPLATE.tobytes()])))
    assert "column 'sample_id'" in reasons("a.parquet", parquet(sample_id=pa.array(["x"])))
    assert "id of the benchmark" in reasons("a.parquet", parquet(x=pa.array(["001"])), IDS)
    assert "path" in reasons("a.parquet", parquet(x=pa.array(["/home/anna/x"])))
    assert reasons("a.parquet", parquet(count=pa.array([1, 2]), group=pa.array(["{}", "{}"])), IDS) == ""


def notebook(output: dict[str, object]) -> str:
    cell = {"cell_type": "code", "source": ["1 + 1"], "outputs": [output]}
    return json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_outputs_of_notebooks_are_looked_at() -> None:
    def shown(kind: str, value: object) -> str:
        return reasons("a.ipynb", notebook({"output_type": "display_data", "data": {kind: value}}), IDS)

    assert "photograph" in shown("image/png", base64.b64encode(png_of_face()).decode())
    assert shown("image/png", base64.b64encode(png_of_chart()).decode()) == ""
    assert "picture" in shown("image/jpeg", "abc")
    assert "id of the benchmark" in shown("text/plain", ["row 001_03 is worst"])
    assert "list of numbers" in shown("application/json", {"t": TEMPLATE.tolist()})
    assert "path" in reasons("a.ipynb", notebook({"output_type": "error", "traceback": ["/home/anna/x.py"]}))
    assert "no notebook" in reasons("a.ipynb", "{}")


def test_ids_are_found_as_words_and_short_numbers_only_as_values() -> None:
    assert "id" in reasons("a.html", "<td>p017</td>", IDS)
    assert "id" in reasons("a.html", "see person-0042.", IDS)
    assert "id" in reasons("a.json", '{"worst": "001"}', IDS)
    assert "id" in reasons("a.json", '{"001_03": 1}', IDS)
    assert "id" in reasons("a.csv", "group,n\np017,3\n", IDS)
    assert reasons("a.html", "<td>1,001 of 2,001; s5 is short, and so is 001</td>", IDS) == ""
    assert reasons("a.html", "<td>p0171 and 001_031 are other words</td>", IDS) == ""


def test_a_chart_is_no_photograph() -> None:
    assert reasons("a.png", png_of_chart()) == ""


def test_all_rendered_people_are_photographs_to_it() -> None:
    for path in sorted(FACE.parent.glob("p0[0-4]*-*.webp"))[::16]:
        out = io.BytesIO()
        Image.open(path).convert("RGB").save(out, "PNG")
        assert "photograph" in reasons("a.png", out.getvalue()), path.name


def test_what_the_repository_publishes_is_clean() -> None:
    folders = [path.parent for path in (ROOT / "results").rglob("record.json")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    if not files:
        pytest.skip("no evaluation is published in results/")
    for path in files:
        assert scan.look(path.name, path.read_bytes()) == []
