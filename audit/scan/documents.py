"""PDF: every stream is unpacked; a report has drawings and letters, and no picture, script or attachment."""

from __future__ import annotations

import re
import zlib

from audit.scan.found import Ids
from audit.scan.texts import of_text

STREAM = re.compile(rb"(?<!end)stream\r?\n")
FORBIDDEN = {
    rb"/Subtype\s*/Image\b": "holds a picture",
    rb"/(?:DCTDecode|JPXDecode|CCITTFaxDecode|JBIG2Decode)\b": "holds a picture",
    rb"/(?:JavaScript|JS|Launch|RichMedia|AcroForm|XFA)\b": "holds a script or a form",
    rb"/(?:EmbeddedFiles?|Filespec)\b": "holds an attachment",
    rb"/Encrypt\b": "is encrypted and cannot be looked into",
}
LARGEST = 256 * 2**20
"""Bytes that all streams may unpack to."""
INLINE = re.compile(rb"(?<![\w/])BI\s[^\n]{0,200}?/(?:W|Width)\s+\d")


def of_pdf(content: bytes, ids: Ids) -> list[str]:
    """Look into a document, its object streams among the others."""
    if not content.startswith(b"%PDF-"):
        return ["is no PDF"]
    found: list[str] = []
    outside, streams, spoilt = _parts(content)
    if spoilt:
        found.append("has a stream that cannot be unpacked")
    for part in (outside, *streams):
        found += [reason for pattern, reason in FORBIDDEN.items() if re.search(pattern, part)]
        if INLINE.search(part):
            found.append("holds a picture")
        if _is_text(part):
            found += _of_words(part, ids)
    return found


def _parts(content: bytes) -> tuple[bytes, list[bytes], bool]:
    """What is outside of streams, the streams unpacked, and whether one could not be."""
    outside, streams, spoilt, place = [], [], False, 0
    for start in STREAM.finditer(content):
        if start.start() < place:
            continue
        outside.append(content[place : start.start()])
        end = content.find(b"endstream", start.end())
        end = len(content) if end < 0 else end
        packed = content[start.end() : end]
        about = content[max(0, start.start() - 2048) : start.start()].rpartition(b" obj")[2]
        place = end
        if b"/FlateDecode" not in about:
            streams.append(packed)
            continue
        try:
            unpack = zlib.decompressobj()
            room = LARGEST - sum(map(len, streams))
            streams.append(unpack.decompress(packed, max(room, 1)))
            spoilt |= not unpack.eof
        except zlib.error:
            spoilt = True
    return b"".join([*outside, content[place:]]), streams, spoilt


def _is_text(part: bytes) -> bool:
    return part.lstrip()[:5] in {b"<?xpa", b"<?xml"} or b"<x:xmpmeta" in part[:400]


def _of_words(part: bytes, ids: Ids) -> list[str]:
    return of_text(part.decode("utf-8", "replace").encode(), ids)
