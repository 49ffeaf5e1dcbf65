"""Something that happened once and is a record of its own: a hole, a check-in, a trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """`kind` and the keys of `attributes` are those of the equipment's template; times in µs UTC."""

    equipment: str
    kind: str
    begin_us: int
    end_us: int
    attributes: Mapping[str, float | str]
