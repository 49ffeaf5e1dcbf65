"""Channels in sections of one key each, so that alike instances lie side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def lay_out(sections: Mapping[str, Sequence[str]], first: int = 0) -> tuple[list[str], dict[str, slice]]:
    """Key → equipments, in order → the channels' names and where each key's columns are. A key that begins
    with `!` is truth; what follows a `/` in a key only tells two sections of one key apart."""
    channels: list[str] = []
    where: dict[str, slice] = {}
    for label, owners in sections.items():
        key = label.partition("/")[0]
        dot = "" if key.startswith("!") else "."
        begin = first + len(channels)
        channels += [f"{owner}{dot}{key}" for owner in owners]
        where[label] = slice(begin, begin + len(owners))
    return channels, where
