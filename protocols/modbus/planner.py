"""Compiles tags to blocks to ask for.

Sorted by unit, table and address, neighbours share a block while the hole between them is within
the gap limit, holds nothing forbidden, and the block is within the device's maximum. A value is never
cut in two. What may not be asked at all stands alone, with the reason. O(n log n).

Three orders occur. A *slot* is a tag's place in the sorted order: blocks and pieces are ranges of
slots. A *row* is its place in the reading, where tags of one kind stand together (`groups`). An
*index* is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.quality import Quality
from protocols.adapter import Tag
from protocols.modbus.address import HIGHEST, Table, Target, parse
from protocols.modbus.forbidden import Forbidden
from protocols.modbus.groups import Group, group_all, kind_of

_LAST_SERIAL_UNIT = 247


@dataclass(slots=True, eq=False)
class Piece:
    """One request: `count` registers (or bits) from `start`, for the slots `low` … `high`-1; its answer
    goes to `offset` of the plan's area of registers (or bits). Starts as a whole block; a reader may
    split it where the device refuses, and lets it rest until `ask_after` (monotonic seconds), which is
    infinity for what must not be asked."""

    unit: int
    table: Table
    start: int
    count: int
    offset: int
    low: int
    high: int
    ask_after: float = 0.0
    strikes: int = 0
    quality: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A compiled plan for n tags. `index` int32 and `slot` intp are by row; `start`, `width` and `end` by
    slot; `registers` and `bits` are the sizes of the areas into which the answers go. `pieces` changes
    as the reader learns what the device refuses. `texts` keeps the last registers and what they said."""

    index: NDArray[np.int32]
    slot: NDArray[np.intp]
    slot_index: NDArray[np.int32]
    start: NDArray[np.int64]
    width: NDArray[np.int64]
    offset: NDArray[np.int64]
    groups: tuple[Group, ...]
    registers: int
    bits: int
    pieces: list[Piece]
    texts: list[tuple[bytes, pa.StringArray]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.index)

    def split(self, piece: Piece) -> tuple[Piece, Piece]:
        """The piece's slots in two halves, each no longer than its own values need."""
        middle = (piece.low + piece.high) // 2
        return self._part(piece, piece.low, middle), self._part(piece, middle, piece.high)

    def _part(self, piece: Piece, low: int, high: int) -> Piece:
        first = int(self.start[low])
        end = int((self.start[low:high] + self.width[low:high]).max())
        return Piece(piece.unit, piece.table, first, end - first, piece.offset + first - piece.start, low, high)


def compile_plan(
    tags: Sequence[Tag],
    *,
    unit: int,
    gap: int,
    max_registers: int,
    max_bits: int,
    forbidden: Forbidden | None = None,
    first_address: int | None = None,
    apart: bool = False,
    serial: bool = False,
) -> Plan:
    """The plan for tags that `check` passed. `unit` is for addresses without one; `gap` is in registers,
    and 16 times as many bits; `first_address`: the manual's number of the very first; `apart`: no two
    values share a request; `serial`: units are those of a serial line."""
    targets = [parse(tag) for tag in tags]
    count = len(tags)
    index = np.fromiter((tag.index for tag in tags), np.int32, count)
    units = np.fromiter((unit if target.unit is None else target.unit for target in targets), np.int64, count)
    table = np.fromiter((target.table for target in targets), np.int64, count)
    start = np.fromiter((on_wire(target, first_address) for target in targets), np.int64, count)
    width = np.fromiter((target.width for target in targets), np.int64, count)

    slots = np.lexsort((-width, start, table, units))
    units, table, start, width = (column[slots] for column in (units, table, start, width))
    limit = np.where(table <= Table.DISCRETE_INPUTS, max_bits, max_registers)
    touched, stretch = (forbidden or Forbidden()).mark(units, table, start, width)
    never = touched | (start < 0) | (start + width - 1 > HIGHEST) | (width > limit)
    if serial:
        never |= (units == 0) | (units > _LAST_SERIAL_UNIT)
    if never.any():
        # Last of all, where they come between no neighbours.
        later = np.argsort(never, kind="stable")
        units, table, start, width, limit, stretch = (
            column[later] for column in (units, table, start, width, limit, stretch)
        )
        slots, touched, never = slots[later], touched[later], never[later]
    index = index[slots]
    targets = [targets[slot] for slot in slots.tolist()]
    pieces = _coalesce(units, table, start, width, limit, stretch, never, gap, apart)
    for piece in pieces:
        if never[piece.low]:
            piece.ask_after, piece.quality = math.inf, int(Quality.BAD_CONFIGURATION)
            piece.reason = _why_never(piece, bool(touched[piece.low]), int(limit[piece.low]), first_address)
    registers, bits = _place(pieces)
    low = np.fromiter((piece.low for piece in pieces), np.intp, len(pieces))
    size = np.diff(np.append(low, count))
    base = np.repeat(np.fromiter((piece.offset - piece.start for piece in pieces), np.int64, len(pieces)), size)
    offset = start + base

    kinds: dict[object, int] = {}
    code = np.fromiter((kinds.setdefault(kind_of(target), len(kinds)) for target in targets), np.int64, count)
    rows = np.argsort(code, kind="stable")
    groups, spare = group_all([targets[row] for row in rows.tolist()], code[rows], offset[rows], registers)
    return Plan(index[rows], rows, index, start, width, offset, groups, registers + spare, bits, pieces)


def on_wire(target: Target, first_address: int | None) -> int:
    """Where a value begins on the wire; less than 0 when the device has no such number."""
    return target.start if first_address is None else target.start + target.counted_from - first_address


def _why_never(piece: Piece, touched: bool, limit: int, first_address: int | None) -> str:
    what, what_zh = f"{piece.table.words} {piece.start}", f"{piece.table.zh} {piece.start}"
    if touched:
        return (
            f"{what_zh} 在连接设置 forbidden 所禁止的范围之内 · "
            f"{what} is in a range that the connection's settings forbid"
        )
    if piece.start < 0:
        first = 1 if first_address is None else first_address
        return (
            f"地址在第一个之前，第一个的编号为 {first} · "
            f"the address lies before the first, which has the number {first}"
        )
    if piece.start + piece.count - 1 > HIGHEST:
        return f"{what_zh}：地址到 {HIGHEST} 为止 · {what}: addresses end at {HIGHEST}"
    if piece.count > limit:
        return (
            f"{what_zh}：此值一次占 {piece.count} 个，设置允许一次请求 {limit} 个 · "
            f"{what}: the value takes {piece.count} at once, and the settings allow {limit} in one request"
        )
    return (
        f"串行线路上不能有站 {piece.unit}：站号为 1 至 {_LAST_SERIAL_UNIT} · "
        f"unit {piece.unit} cannot be on a serial line: they are 1 to {_LAST_SERIAL_UNIT}"
    )


def _coalesce(
    units: NDArray[np.int64],
    table: NDArray[np.int64],
    start: NDArray[np.int64],
    width: NDArray[np.int64],
    limits: NDArray[np.int64],
    stretch: NDArray[np.int64],
    never: NDArray[np.bool_],
    gap: int,
    apart: bool,
) -> list[Piece]:
    pieces: list[Piece] = []
    open_piece: Piece | None = None
    end = open_stretch = 0
    columns = (units, table, start, width, limits, stretch, never)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for slot, (unit, function, first, words, limit, part, alone) in enumerate(rows):
        last = first + words
        hole = gap * 16 if function <= Table.DISCRETE_INPUTS else gap
        if (
            open_piece is not None
            and not alone
            and unit == open_piece.unit
            and function == open_piece.table
            and part == open_stretch
            and (last <= end if apart else first - end <= hole)
            and max(last, end) - open_piece.start <= limit
        ):
            end = max(last, end)
        else:
            new = Piece(unit, Table(function), first, 0, 0, slot, slot)
            pieces.append(new)
            end, open_stretch, open_piece = last, part, new
        pieces[-1].count = end - pieces[-1].start
        pieces[-1].high = slot + 1
        if alone:
            open_piece = None
    return pieces


def _place(pieces: Sequence[Piece]) -> tuple[int, int]:
    """Give each piece its offset; the sizes of the two areas."""
    registers = bits = 0
    for piece in pieces:
        if piece.table.of_bits:
            piece.offset, bits = bits, bits + piece.count
        else:
            piece.offset, registers = registers, registers + piece.count
    return registers, bits
