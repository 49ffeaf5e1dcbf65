"""Ranges of a device that are never touched: reading them resets, blocks or unlocks something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols.modbus.address import HIGHEST, TABLES, Table

_RANGE = re.compile(r"(?:(\d{1,3})/)?(hr|ir|co|di):(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


class Range(NamedTuple):
    """`first` … `last` of a table, both forbidden, numbers as on the wire; of every unit when `unit` is None."""

    unit: int | None
    table: Table
    first: int
    last: int


class Forbidden:
    """All forbidden ranges of a connection."""

    def __init__(self, ranges: Sequence[Range] = ()) -> None:
        self.ranges = tuple(ranges)

    @staticmethod
    def parse(texts: Sequence[str]) -> Forbidden:
        """Raises ValueError in plain words."""
        return Forbidden([_range(text) for text in texts])

    def mark(
        self, units: NDArray[np.int64], table: NDArray[np.int64], start: NDArray[np.int64], width: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """For values sorted by start within unit and table: which of them touch a forbidden range, and a
        number that differs between two of a table when a forbidden range lies between them."""
        touched = np.zeros(len(start), np.bool_)
        stretch = np.zeros(len(start), np.int64)
        for first, last, mine in self._of(units, table):
            touched |= mine & (start <= last) & (start + width > first)
            stretch += mine & (start > last)
        return touched, stretch

    def touches(self, unit: int, table: Table, start: int, width: int) -> bool:
        """Whether one value touches a forbidden range."""
        return any(
            each.table == table and each.unit in (None, unit) and start <= each.last and start + width > each.first
            for each in self.ranges
        )

    def _of(self, units: NDArray[np.int64], table: NDArray[np.int64]) -> list[tuple[int, int, NDArray[np.bool_]]]:
        return [
            (each.first, each.last, (table == each.table) & ((units == each.unit) if each.unit is not None else True))
            for each in self.ranges
        ]


def _range(text: str) -> Range:
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"'{text}' 不是地址范围，请写作 hr:200-299、2/ir:0-9 或 co:5 · "
            f"'{text}' is no range of addresses: write it as hr:200-299, 2/ir:0-9 or co:5"
        )
    unit, table, first, last = match.groups()
    low, high = int(first), int(last or first)
    if not low <= high <= HIGHEST:
        raise ValueError(
            f"'{text}'：范围的数由小到大，到 {HIGHEST} 为止 · "
            f"'{text}': the numbers of a range rise, and end at {HIGHEST}"
        )
    if unit is not None and int(unit) > 255:
        raise ValueError(f"'{text}'：站号 {unit} 不在 0 … 255 之内 · '{text}': the unit {unit} is not in 0 … 255")
    return Range(None if unit is None else int(unit), TABLES[table], low, high)
