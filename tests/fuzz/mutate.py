"""Turn a sound file into a hostile one, knowing what kind of file it is.

Bytes are flipped, cut, repeated and spliced in every kind. Tables, JSON and TOML are also changed as what they are: a
cell, a key or a number gives way to something that a careless reader trips over. Archives are built anew with members
that must not be written.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

Mutator = Callable[[bytes, random.Random], bytes]

MOST = 1 << 21
"""Bytes of an input at most."""
DEEP = (50, 900, 20_000, 200_000)
"""Levels of nesting."""
NUMBERS = (
    "0", "-0", "-1", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "1e308", "1e309", "-1e400", "1e-320", "NaN", "nan", "Infinity", "-inf", "1_000", "0x10",
    "١٢", "1,5", "1.7976931348623157e308", "5e-324", "9" * 400, "9" * 5000, "0." + "0" * 3000 + "1", "1e99999999",
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "a\0b", "\ufeff", "\u202e", "\u2028", "\x1b[31m", "\r", "\n", "\t", "\x7f", "\x85", "é", "e\u0301",
    "ß", "İ", "\U0001f600", "a" * 10_000, "../../etc/passwd", "/etc/passwd", "..\\..\\x", "C:\\x", "~", "$HOME", "%s%n",
    "{0}", "<script>", "]]>", "&lol;", '"', "'", '""', "'''", "\\", "\\ud800", "NA", "null", "None", "true", "=1+1",
    "2024-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "1e5", "[1,2", "{'a':", "a,b", "a|b", "|", "||", "#", "%",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    0.5,
    -0.0,
    1e308,
    [],
    {},
    [[]],
    [None],
)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def flip(data: bytes, rng: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        if made:
            made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def odd_byte(data: bytes, rng: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 2, 8))):
        if made:
            made[rng.randrange(len(made))] = rng.choice((0, 1, 9, 10, 13, 34, 44, 0x7F, 0x80, 0xC0, 0xED, 0xFE, 0xFF))
    return bytes(made)


def huge_number(data: bytes, rng: random.Random) -> bytes:
    """A large number over some bytes, in one of the sizes and orders that formats have."""
    form = rng.choice(["<H", ">H", "<I", ">I", "<Q", ">Q", "<i", ">i", "<q"])
    size = struct.calcsize(form)
    if len(data) <= size:
        return data
    at = rng.randrange(min(len(data) - size, rng.choice((64, 512, len(data)))) or 1)
    bits = 8 * size - (form[-1] in "iq")
    value = rng.choice((2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1, 2 ** (bits // 2), 0, 1))
    return data[:at] + struct.pack(form, min(value, 2**bits - 1)) + data[at + size :]


def drop(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice((1, 2, 8, 100, 1000)) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    part = data[start : start + rng.choice((1, 8, 64, 512))]
    return data[:start] + part * _times(part, rng.choice((2, 3, 50, 1000))) + data[start:]


def move(data: bytes, rng: random.Random) -> bytes:
    """Bytes of one place put into another."""
    one, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
    part = data[one : one + rng.choice((1, 4, 16, 200))]
    return data[:other] + part + data[other + len(part) * rng.choice((0, 1)) :]


BYTES: tuple[Mutator, ...] = (cut, flip, flip, odd_byte, huge_number, huge_number, drop, repeat, move)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass" if any("\ud800" <= c < "\udc80" for c in text) else "surrogateescape")


def recode(data: bytes, rng: random.Random) -> bytes:
    """Other line ends, a mark at the beginning, another encoding."""
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: b"\xef\xbb\xbf" * rng.choice((1, 2)) + data,
        lambda: data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\n" * 100))),
        lambda: data.rstrip(b"\n"),
        lambda: data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "utf-7", "utf-16-be"))),
    )
    return rng.choice(ways)()


def word(data: bytes, rng: random.Random) -> bytes:
    """Another word, or number, in place of one."""
    text = _text(data)
    found = list(re.finditer(r"[^\s,;:=\[\]{}\"']+", text))
    if not found:
        return data
    one = rng.choice(found)
    other = rng.choice((rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice(found).group()))
    return _bytes(text[: one.start()] + other + text[one.end() :])


def number(data: bytes, rng: random.Random) -> bytes:
    text = _text(data)
    found = list(re.finditer(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text))
    if not found:
        return data
    one = rng.choice(found)
    return _bytes(text[: one.start()] + rng.choice(NUMBERS) + text[one.end() :])


def lines(data: bytes, rng: random.Random) -> bytes:
    """A line is doubled, dropped, moved, or grows."""
    rows = data.split(b"\n")
    at = rng.randrange(len(rows))
    how = rng.randrange(5)
    if how == 0:
        rows.insert(at, rows[at])
    elif how == 1:
        del rows[at]
    elif how == 2:
        rows.insert(rng.randrange(len(rows)), rows.pop(at))
    elif how == 3:
        rows[at] = rows[at] * _times(rows[at], rng.choice((2, 100)))
    else:
        rows[at:at] = [rows[at]] * _times(rows[at], rng.choice((10, 3000)))
    return b"\n".join(rows)


def _times(part: bytes, wanted: int) -> int:
    """How often something may be repeated."""
    return min(wanted, MOST // (len(part) + 1) + 1)


def deep(data: bytes, rng: random.Random) -> bytes:
    """Something nested deeply, somewhere."""
    levels = rng.choice(DEEP)
    opened, closed = rng.choice(("[]", "{}", "()", ('{"a":', "}"), ("[1,", "]"), ("a.", "b"), ("&a;", ""), ('"', '"')))
    middle = rng.choice(("", "1", '"x"'))
    grown = _bytes(opened * levels + middle + closed * rng.choice((levels, 0, levels - 1)))
    if rng.random() < 0.3:
        return grown
    at = rng.randrange(len(data) + 1)
    return data[:at] + grown + data[at:]


TEXT: tuple[Mutator, ...] = (recode, word, word, number, number, lines, deep)


def json_node(data: bytes, rng: random.Random) -> bytes:
    """One node of a JSON document gives way, goes, is doubled, or moves."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return flip(data, rng)
    places = list(_nodes(root))
    if not places:
        return data
    holder, key = rng.choice(places)
    how = rng.randrange(8)
    twice = ""
    if how <= 2:
        holder[key] = _value(rng)
    elif how == 3:
        del holder[key]
    elif how == 4:
        other, place = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[place]))
    elif how == 5 and isinstance(holder, dict):
        holder[rng.choice((*TEXTS, str(key) + "s", str(key).upper()))] = holder.pop(key)
    elif how == 6 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * rng.choice((1, 3, 200))
    else:
        twice = f"{json.dumps(str(key))}: {json.dumps(_value(rng))}, "
    made = json.dumps(root, ensure_ascii=rng.random() < 0.5)
    if twice and made.startswith("{"):
        made = "{" + twice + made[1:]
    return _bytes(made)


def _nodes(root: Any) -> list[tuple[Any, Any]]:
    found, waiting = [], [root]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


def _value(rng: random.Random) -> Any:
    how = rng.randrange(4)
    if how == 0:
        return rng.choice(TEXTS)
    if how == 1:
        return float(rng.choice(("nan", "inf", "-inf", "1e308", "-1", "5e-324")))
    return rng.choice(VALUES)


def cell(data: bytes, rng: random.Random) -> bytes:
    """One cell of a table gives way; or a column goes, comes, moves or is doubled."""
    rows = [row.split(",") for row in _text(data).split("\n")]
    row = rng.choice(rows)
    at = rng.randrange(len(row))
    how = rng.randrange(7)
    if how <= 2:
        row[at] = rng.choice((rng.choice(TEXTS), rng.choice(NUMBERS), rng.choice(rng.choice(rows))))
    elif how == 3:
        row.insert(at, row[at])
    elif how == 4:
        for each in rows:
            if at < len(each):
                each.pop(at)
    elif how == 5:
        other = rng.randrange(len(row))
        for each in rows:
            if max(at, other) < len(each):
                each[at], each[other] = each[other], each[at]
    else:
        for each in rows:
            each.insert(at, rng.choice(("", each[at] if at < len(each) else "x")))
    return _bytes("\n".join(",".join(row) for row in rows))


NAMES = (
    "../out.txt", "../../out.txt", "/fuzz-out.txt", "a/../../out", "..\\out", "C:\\out", "\\\\host\\out", "a\0b", "",
    ".", "..", "a/./b", "a//b", "a/", "CON", "aux.txt", "A.txt", "a.txt", "ａ.txt", "a" * 300, "a/" * 200 + "b",
    "\u202etxt.exe",
    "a.txt ", "a.txt.", ".a", "~/out", "-rf", "a\nb", "é.txt", "e\u0301.txt",
)  # fmt: skip


def zip_anew(_: bytes, rng: random.Random) -> bytes:
    """A zip file of hostile members; its numbers may lie."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", rng.choice((0, 0, 8, 8, 12, 14))) as archive:
        for _each in range(number := rng.choice((1, 2, 5, 300))):
            info = zipfile.ZipInfo("x")
            info.filename = rng.choice(NAMES) if rng.random() < 0.7 else f"f{rng.randrange(10_000)}"
            info.external_attr = rng.choice((0, 0o100644, 0o120777, 0o040755, 0o060644, 0o104755)) << 16
            info.compress_type = archive.compression
            info.extra = rng.choice((b"", b"", bytes(rng.randrange(256) for _ in range(24))))
            content = rng.choice((b"", b"x", b"../../out", bytes(rng.choice((10, 100_000, 1_000_000)) // number)))
            try:
                archive.writestr(info, content)
            except (ValueError, OSError, struct.error):
                continue
    data = made.getvalue()
    return data if rng.random() < 0.5 else rng.choice((flip, huge_number, cut, drop))(data, rng)


def tar_anew(_: bytes, rng: random.Random) -> bytes:
    """A tar file of hostile members, packed or not; its numbers may lie."""
    made = io.BytesIO()
    kinds = (b"0", b"0", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"L", b"K", b"S", b"x", b"g", b"Z")
    with tarfile.open(
        fileobj=made, mode=rng.choice(("w", "w", "w:gz", "w:gz", "w:bz2", "w:xz")), format=rng.choice((0, 1, 2))
    ) as t:
        for _each in range(number := rng.choice((1, 2, 5, 100))):
            info = tarfile.TarInfo(rng.choice(NAMES) if rng.random() < 0.7 else f"f{rng.randrange(10_000)}")
            info.type, info.linkname = rng.choice(kinds), rng.choice(NAMES)
            info.mode, info.uid = rng.choice((0o644, 0o4755, 0, 0o777)), rng.choice((0, 1000, 2**31))
            content = rng.choice(
                (b"", b"x", b"9999999999 path=/out\n", bytes(rng.choice((10, 100_000, 1_000_000)) // number))
            )
            info.size = len(content)
            if rng.random() < 0.3:
                info.pax_headers = {rng.choice(("path", "size", "linkpath", "x")): rng.choice((*NAMES, *NUMBERS))}
            try:
                t.addfile(info, io.BytesIO(content))
            except (ValueError, OSError, OverflowError, UnicodeError):
                continue
    data = made.getvalue()
    return data if rng.random() < 0.5 else rng.choice((flip, huge_number, cut, drop))(data, rng)


def table_anew(data: bytes, rng: random.Random) -> bytes:
    """A Parquet table: cells give way, rows are doubled, moved or come a million times, columns go or change type."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError, ValueError):
        return flip(data, rng)
    if not table.num_columns or not table.num_rows:
        return flip(data, rng)
    at, how = rng.randrange(table.num_columns), rng.randrange(10)
    if how <= 4:
        table = _cell_anew(table, at, rng)
    elif how == 5:
        table = table.remove_column(at)
    elif how == 6:
        table = table.append_column(rng.choice((*TEXTS[:9], "x", table.column_names[at])), table.column(at))
    elif how == 7:
        rows = list(range(table.num_rows))
        rng.shuffle(rows)
        kept = rows[: rng.choice((0, 1, len(rows), len(rows) - 1))]
        table = table.take(pa.array(kept, pa.int64()))
    elif how == 8:
        row = rng.randrange(table.num_rows)
        many = rng.choice((2, 1000, 1 << 20, 1 << 22, 1 << 23, (1 << 23) + 1) if rng.random() < 0.03 else (2, 1000))
        table = table.take(pa.array(np.full(many, row)))
    else:
        table = table.replace_schema_metadata({"x": rng.choice(TEXTS).encode("utf-8", "replace")})
    made = io.BytesIO()
    pq.write_table(table, made, compression="zstd", store_schema=False, write_statistics=False)
    return made.getvalue()


def _cell_anew(table: Any, at: int, rng: random.Random) -> Any:
    import pyarrow as pa

    values = table.column(at).to_pylist()
    kind = table.schema.field(at)
    words = [text for text in TEXTS if text.isascii() or text.isprintable()]
    choices: tuple[Any, ...] = (*words, *values) if pa.types.is_string(kind.type) else (*values, 0, 1, 2, -1, 2**31 - 1)
    if pa.types.is_floating(kind.type):
        choices = (0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), *values)
    elif pa.types.is_int64(kind.type):
        choices = (*choices, 2**62, 2**63 - 1, -(2**63))
    elif pa.types.is_boolean(kind.type):
        choices = (True, False)
    for _ in range(rng.choice((1, 1, 2, 20))):
        values[rng.randrange(len(values))] = rng.choice(choices)
    if rng.random() < 0.1:
        values[rng.randrange(len(values))] = None
    empty = any(value is None for value in values)
    return table.set_column(
        at, pa.field(kind.name, kind.type, nullable=kind.nullable or empty), pa.array(values, kind.type)
    )


def key_body(data: bytes, rng: random.Random) -> bytes:
    """What a PEM file holds between its lines, changed as bytes, written as PEM again."""
    found = re.match(rb"(-----BEGIN [^\n]*\n)([A-Za-z0-9+/=\n]*)(-----END.*)", data, re.DOTALL)
    if found is None:
        return flip(data, rng)
    try:
        body = base64.b64decode(found[2])
    except ValueError:
        return flip(data, rng)
    return found[1] + base64.encodebytes(rng.choice(BYTES)(body, rng)) + found[3]


def answer(data: bytes, rng: random.Random) -> bytes:
    """An answer over HTTP: its first line, a header, or its body as JSON; the length fits again, or lies."""
    head, _, body = data.partition(b"\r\n\r\n")
    how = rng.randrange(6)
    if how <= 2:
        body = json_node(body, rng)
    elif how == 3:
        body = rng.choice((b"", b"[" * 100_000, b"[0.5," * 200_000, b"x" * 1_500_000, b'{"a":' * 50_000, b"\xff\xfe"))
    elif how == 4:
        status = rng.choice((100, 101, 199, 200, 204, 206, 301, 302, 307, 308, 400, 401, 404, 422, 429, 500, 503, 999))
        head = re.sub(rb"^(HTTP/\d\.\d) \d+", rb"\1 %d" % status, head)
    else:
        head += b"\r\n" + rng.choice(HEADERS)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    if b"chunked" not in head.lower():
        said = len(body) if rng.random() < 0.8 else rng.choice((0, 1, len(body) + 10, 2**31, 2**63, -1))
        lines.append(b"Content-Length: %d" % said)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


HEADERS = (
    b"Location: http://example.org/x", b"Location: /again", b"Location: //", b"Location: http://[", b"Location: file:///etc/passwd",
    b"Retry-After: 1e9", b"Retry-After: -1", b"Retry-After: nan", b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
    b"Retry-After: " + b"9" * 5000, b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br",
    b"Transfer-Encoding: chunked", b"Set-Cookie: a=b; Domain=.org", b"X: " + b"y" * 70_000, b"X-Revision: \x1b[31m",
    b"Content-Type: text/html; charset=utf-7", b"X-Drip: 1", b"\x00: 1", b"WWW-Authenticate: Basic",
)  # fmt: skip


KINDS: dict[str, tuple[Mutator, ...]] = {
    "binary": BYTES,
    "text": (*BYTES[:4], *TEXT),
    "csv": (*BYTES[:4], *TEXT, cell, cell, cell, cell, cell),
    "json": (*BYTES[:4], *TEXT, *[json_node] * 10),
    "toml": (*BYTES[:4], *TEXT, *TEXT),
    "zip": (*BYTES, *[zip_anew] * 6),
    "tar": (*BYTES, *[tar_anew] * 6),
    "table": (*BYTES, *[table_anew] * 20),
    "key": (*BYTES, *TEXT, *[key_body] * 10),
    "http": (*BYTES, *TEXT, *[answer] * 14),
}
"""Kind of file to its mutators; one that stands there more often is taken more often."""


def mutated(pool: Sequence[bytes], kind: str, rng: random.Random) -> bytes:
    """One input: a sound file, or one that led somewhere new before, changed once or a few times."""
    data = rng.choice(pool)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        try:
            data = rng.choice(KINDS[kind])(data, rng)[:MOST]
        except (RecursionError, MemoryError):  # it is too deep, or too large, for the one who changes it
            continue
    return data
