"""What the pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

WRITTEN = "*Written by `python -m tools.reference`; do not edit.*"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"
