"""Compiles tags to blocks to ask for, and to the index arrays that take the answers apart.

Sorted by unit, table and address, neighbours share a block while the hole between them is within
the gap limit and the block within the device's maximum. A value is never cut in two. O(n log n).

Three orders occur. A *slot* is a tag's place in the sorted order: blocks and pieces are ranges of
slots. A *row* is its place in the reading, where tags of one type and byte order stand together, so
that each such group is decoded in one step. An *index* is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.adapter import Tag
from protocols.modbus.address import ORDERS, WIDTH, Table, Target, parse

_TYPES = tuple(WIDTH)
_REGISTER_BIT = len(_TYPES)
_WIRE_BIT = len(_TYPES) + 1
_BIT_TABLES = (Table.COILS, Table.DISCRETE_INPUTS)


@dataclass(slots=True, eq=False)
class Piece:
    """One request: `count` registers (or bits) from `start`, for the slots `low` … `high`-1; its answer
    goes to `offset` of the plan's area of registers (or bits). Starts as a whole block; a reader may
    split it where the device refuses, and lets it rest until `ask_after` (monotonic seconds)."""

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
class Group:
    """Rows of one type and order. `at`: for words an (n, width) array of positions in the area of
    registers, most significant word first; for wire bits an (n,) array of positions in the area of bits.
    `dtype` views the gathered words; `shift` is the bit's number, for bits of registers."""

    rows: slice
    at: NDArray[np.intp]
    dtype: np.dtype[np.generic] | None
    shift: NDArray[np.uint16] | None = None
    truth: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A compiled plan for n tags. `index` int32 and `slot` intp are by row; `start`, `width` and `end` by
    slot; `registers` and `bits` are the sizes of the areas into which the answers go. `pieces` changes
    as the reader learns what the device refuses."""

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


def compile_plan(tags: Sequence[Tag], *, unit: int, gap: int, max_registers: int, max_bits: int) -> Plan:
    """The plan for tags that `check` passed. `unit` is for addresses without one; `gap` is in registers,
    and 16 times as many bits."""
    targets = [parse(tag) for tag in tags]
    count = len(tags)
    index = np.fromiter((tag.index for tag in tags), np.int32, count)
    units = np.fromiter((unit if target.unit is None else target.unit for target in targets), np.int64, count)
    table = np.fromiter((target.table for target in targets), np.int64, count)
    start = np.fromiter((target.start for target in targets), np.int64, count)
    width = np.fromiter((target.width for target in targets), np.int64, count)
    code = np.fromiter(map(_code, targets), np.int64, count)
    bit = np.fromiter((target.bit for target in targets), np.int64, count)

    slots = np.lexsort((-width, start, table, units))
    units, table, start, width, code, bit = (column[slots] for column in (units, table, start, width, code, bit))
    index = index[slots]
    pieces = _coalesce(units, table, start, width, gap, max_registers, max_bits)
    registers, bits = _place(pieces)
    low = np.fromiter((piece.low for piece in pieces), np.intp, len(pieces))
    size = np.diff(np.append(low, count))
    base = np.repeat(np.fromiter((piece.offset - piece.start for piece in pieces), np.int64, len(pieces)), size)
    offset = start + base

    rows = np.argsort(code, kind="stable")
    groups = tuple(_groups(code[rows], offset[rows], bit[rows]))
    return Plan(index[rows], rows, index, start, width, offset, groups, registers, bits, pieces)


def _code(target: Target) -> int:
    """Values with the same code are decoded together."""
    if target.table in _BIT_TABLES:
        return _WIRE_BIT * 4
    kind = _REGISTER_BIT if target.bit >= 0 else _TYPES.index(target.type)
    return kind * 4 + ORDERS.index(target.order)


def _coalesce(
    units: NDArray[np.int64],
    table: NDArray[np.int64],
    start: NDArray[np.int64],
    width: NDArray[np.int64],
    gap: int,
    max_registers: int,
    max_bits: int,
) -> list[Piece]:
    pieces: list[Piece] = []
    open_piece: Piece | None = None
    end = limit = hole = 0
    rows = zip(units.tolist(), table.tolist(), start.tolist(), width.tolist(), strict=True)
    for slot, (unit, function, first, words) in enumerate(rows):
        last = first + words
        if (
            open_piece is not None
            and unit == open_piece.unit
            and function == open_piece.table
            and first - end <= hole
            and max(last, end) - open_piece.start <= limit
        ):
            end = max(last, end)
        else:
            of_bits = function <= Table.DISCRETE_INPUTS
            limit, hole = (max_bits, gap * 16) if of_bits else (max_registers, gap)
            open_piece = Piece(unit, Table(function), first, 0, 0, slot, slot)
            pieces.append(open_piece)
            end = last
        open_piece.count = end - open_piece.start
        open_piece.high = slot + 1
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


def _groups(code: NDArray[np.int64], offset: NDArray[np.int64], bit: NDArray[np.int64]) -> list[Group]:
    edges = np.flatnonzero(np.diff(code, prepend=-1, append=-1))
    groups = []
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = slice(first, end)
        kind, order = divmod(int(code[first]), 4)
        at = offset[rows].astype(np.intp)
        if kind == _WIRE_BIT:
            groups.append(Group(rows, at, None))
            continue
        whole_bit = kind == _REGISTER_BIT
        name = "uint16" if whole_bit or _TYPES[kind] == "bool" else _TYPES[kind]
        words = WIDTH[name]
        # cdab and badc come with the least significant word first; badc and dcba with swapped bytes.
        # Words reversed + bytes swapped is one little-endian number, hence only two views.
        step = np.arange(words, dtype=np.intp)
        if ORDERS[order] in ("cdab", "badc"):
            step = step[::-1]
        dtype = np.dtype(name).newbyteorder("<" if ORDERS[order] in ("badc", "dcba") else ">")
        shift = bit[rows].astype(np.uint16) if whole_bit else None
        truth = not whole_bit and _TYPES[kind] == "bool"
        groups.append(Group(rows, at[:, None] + step, dtype, shift, truth))
    return groups
