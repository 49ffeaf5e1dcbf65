"""Rows of one kind, and where their registers or bits are, so that each group is decoded in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols.modbus.address import Target
from protocols.modbus.datatype import DATA_TYPES, wire_order


class Sort(IntEnum):
    """How a group is decoded."""

    WIRE_BITS = auto()
    NUMBER = auto()
    SHIFTED = auto()
    """48 bits, gathered with an empty word behind them."""
    DIGITS = auto()
    TRUTH = auto()
    """A whole register as a bool: not 0."""
    REGISTER_BITS = auto()
    TEXT = auto()


class Kind(NamedTuple):
    """What is equal in all rows of a group."""

    sort: Sort
    type: str
    order: str
    width: int
    length: int
    encoding: str


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """`at`: an (n, width) array of positions in the area of registers, most significant word first (or last,
    see `wire_order`), or in the area of bits, lowest first. `dtype` views gathered words. `shift` and `mask`
    are for bits of registers; `flip` is what to turn over where 0 means on, or None."""

    kind: Kind
    rows: slice
    at: NDArray[np.intp]
    dtype: np.dtype[np.generic]
    shift: NDArray[np.uint16]
    mask: NDArray[np.uint16]
    flip: NDArray[np.uint16] | None


def kind_of(target: Target) -> Kind:
    """Values of the same kind are decoded together."""
    if target.table.of_bits:
        return Kind(Sort.WIRE_BITS, "", "abcd", target.width, 0, "")
    if target.bit >= 0:
        return Kind(Sort.REGISTER_BITS, "", target.order, 1, 0, "")
    if target.type == "string":
        return Kind(Sort.TEXT, "string", target.order, target.width, target.length, target.encoding)
    return _kind_of_number(target.type, target.order)


@lru_cache(maxsize=64)
def _kind_of_number(type_: str, order: str) -> Kind:
    """There are few of them, and many points."""
    kind = DATA_TYPES[type_]
    sort = Sort.NUMBER
    if type_ == "bool":
        sort = Sort.TRUTH
    elif kind.digits:
        sort = Sort.DIGITS
    elif kind.words == 3:
        sort = Sort.SHIFTED
    return Kind(sort, type_, order, kind.words, 0, "")


def group_all(
    targets: Sequence[Target], code: NDArray[np.int64], offset: NDArray[np.int64], registers: int
) -> tuple[tuple[Group, ...], int]:
    """The groups of targets in the order of rows, those of one code together; and how many empty words they
    need behind the area's `registers`."""
    edges = np.flatnonzero(np.diff(code, prepend=-1, append=-1)).tolist()
    groups = tuple(
        _group(targets[first:end], slice(first, end), offset[first:end].astype(np.intp), registers)
        for first, end in pairwise(edges)
    )
    return groups, int(any(group.kind.sort is Sort.SHIFTED for group in groups))


def _group(targets: Sequence[Target], rows: slice, at: NDArray[np.intp], empty: int) -> Group:
    kind = kind_of(targets[0])
    backwards, view = wire_order(kind.order)
    step = np.arange(kind.width, dtype=np.intp)
    if backwards and kind.sort is not Sort.TEXT:
        step = step[::-1]
    positions = at[:, None] + step
    if kind.sort is Sort.SHIFTED:
        spare = np.full((len(at), 1), empty, np.intp)
        positions = np.concatenate((positions, spare) if view == ">" else (spare, positions), axis=1)
    # In a string nothing but the two bytes of each register may be the other way round.
    dtype = np.dtype(DATA_TYPES[kind.type or "uint16"].dtype).newbyteorder(view)
    bits = kind.sort is Sort.REGISTER_BITS
    shift = np.array([target.bit if bits else 0 for target in targets], np.uint16)
    mask = np.array([(1 << target.span) - 1 if bits else 0 for target in targets], np.uint16)
    flip = None
    if any(target.low_is_on for target in targets):
        ones = [(1 << (target.width if target.table.of_bits else target.span)) - 1 for target in targets]
        on = [one if target.low_is_on else 0 for one, target in zip(ones, targets, strict=True)]
        flip = np.array(on, np.uint16)
    return Group(kind, rows, positions, dtype, shift, mask, flip)
