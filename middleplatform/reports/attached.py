"""The content of a report inside of its PDF, as an attached file: what a program reads in place of the pages."""

from __future__ import annotations

import re
import zlib

from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString
from reportlab.pdfgen.canvas import Canvas

NAME = "content.json"
MOST_BYTES = 64 << 20
"""Of a content, unpacked."""
_STREAM = re.compile(rb"/Length (\d+)[^>]*?/Type /EmbeddedFile[^>]*>>\s*stream\r?\n")


def attach(canvas: Canvas, document: str) -> None:
    """Let the file carry the document."""
    pdf = canvas._doc
    packed = zlib.compress(document.encode(), 9)
    facts = {"Type": PDFName("EmbeddedFile"), "Filter": PDFName("FlateDecode"), "Subtype": PDFName("application/json")}
    stream = pdf.Reference(PDFStream(PDFDictionary(facts), packed, ()))
    held = PDFDictionary({"F": stream})
    spec = pdf.Reference(
        PDFDictionary({"Type": PDFName("Filespec"), "F": PDFString(NAME), "UF": PDFString(NAME), "EF": held})
    )
    names = PDFDictionary({"Names": PDFArray([PDFString(NAME), spec])})
    pdf.Catalog.Names = PDFDictionary({"EmbeddedFiles": names})


def attached(pdf: bytes) -> str | None:
    """The document that a file carries, None where it carries none. Raises ValueError where it cannot be read."""
    found = _STREAM.search(pdf)
    if found is None:
        return None
    length = int(found[1])
    unpack = zlib.decompressobj()
    try:
        raw = unpack.decompress(pdf[found.end() : found.end() + length], MOST_BYTES)
        if not unpack.eof:
            raise ValueError("the attached content is cut off, or too large")
        return raw.decode()
    except (zlib.error, UnicodeDecodeError) as wrong:
        raise ValueError(f"the attached content cannot be read: {wrong}") from wrong
