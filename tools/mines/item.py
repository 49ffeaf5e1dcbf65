"""One equipment of a mine and where its points are read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """`map`: the maker's map; `base`, `unit`: where in the device it begins."""

    id: str
    template: str
    zh: str
    en: str
    area: str
    connection: str
    map: str
    base: int = 0
    unit: int = 1
    limit_set: str = ""
    place: str = ""
    """The place of the air that a sensor hangs in, or the road that a thing stands in."""
