"""How the points of one Modbus connection lie in its units' tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.site.model import Point
from simulators.encode.number import SIZES, Bytes, Floats, from_bytes, quantise, to_bytes
from simulators.encode.place import Spot, byte_order, spot
from simulators.encode.scale import Scale

Images = Mapping[tuple[int, str], NDArray[np.uint8]]
"""By unit and area: registers big-endian, coils a byte each."""

_TURNED = {"abcd": "cdab", "cdab": "abcd", "badc": "dcba", "dcba": "badc"}


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """Points of one kind. `rows` [n]: which values; `target` [n, size]: their bytes' places, most significant first
    (coils: the lowest first). Of bits also, [n]: their `register`, `shift`, `mask` before the shift, and whether
    the register's bytes are `swapped`. `flip` [n]: what turns them where 0 means on. Places are those in the
    layout's own copy of all images."""

    kind: str
    rows: NDArray[np.intp]
    target: NDArray[np.intp]
    register: NDArray[np.intp]
    shift: NDArray[np.uint16]
    mask: NDArray[np.uint16]
    swapped: NDArray[np.bool_]
    flip: NDArray[np.uint16]


class RegisterLayout:
    """`unit`: of addresses that name none; `first_address`: see `place`; `words_turned`: 32-bit values have
    their two words the other way round than the points say (a device after "maintenance"); `padding`: what
    fills a string up. Raises EncodeError for a point that no device of ours can hold."""

    def __init__(
        self,
        points: Sequence[Point],
        unit: int = 1,
        first_address: int | None = None,
        *,
        words_turned: bool = False,
        padding: bytes = b"\0",
    ) -> None:
        self.points = tuple(points)
        self._padding = padding
        self.spots = tuple(spot(point, unit, first_address) for point in self.points)
        if words_turned:
            self.spots = tuple(
                replace(each, order=_TURNED[each.order]) if SIZES.get(each.kind) == 4 else each for each in self.spots
            )
        self.scale = Scale(self.points, [each.kind for each in self.spots])
        self.extent: dict[tuple[int, str], set[int]] = {}
        """Addresses that exist, for each (unit, area)."""
        members: dict[tuple[str, int], list[int]] = {}
        for row, each in enumerate(self.spots):
            at = each.at
            self.extent.setdefault((at.unit, at.area), set()).update(range(at.register, at.register + each.width))
            members.setdefault((each.kind, each.width if each.kind == "coils" else 0), []).append(row)
        self._spans, self._base, size = _spans(self.extent)
        self._copy = np.zeros(size, np.uint8)
        columns = [self._column(kind, rows) for (kind, _), rows in members.items()]
        self._texts = [column for column in columns if column.kind == "string"]
        # Whole registers first: bits of the same register then stay as they are wanted.
        self._columns = sorted(
            (column for column in columns if column.kind != "string"), key=lambda column: column.kind == "bits"
        )

    def _column(self, kind: str, rows: list[int]) -> _Column:
        spots = [self.spots[row] for row in rows]
        begin = [self._begin(s) for s in spots]
        if kind == "coils":
            targets = [range(at, at + s.width) for s, at in zip(spots, begin, strict=True)]
        elif kind in ("bits", "string"):
            targets = [range(0)] * len(spots)
        else:
            targets = [_in_order(s, at) for s, at in zip(spots, begin, strict=True)]
        bits = [s.width if kind == "coils" else s.at.span for s in spots]
        mask = np.array([(1 << n) - 1 for n in bits], np.uint16)
        return _Column(
            kind,
            np.array(rows, np.intp),
            np.array([list(target) for target in targets], np.intp),
            np.array(begin, np.intp) // 2,
            np.array([s.at.bit or 0 for s in spots], np.uint16),
            mask,
            np.array([s.swapped for s in spots]),
            np.where([s.low_is_on for s in spots], mask, 0).astype(np.uint16),
        )

    def encode(self, values: Floats, images: Images, texts: Sequence[str] = ()) -> Floats:
        """Put the values (one a point, in its unit) and the texts into the images; give back what the device
        now shows, in the points' units. NaN is no value: a float holds it, else a number that says so, else 0."""
        raw = self.scale.raw(values)
        held = np.full(len(self.points), np.nan)
        # All units at once, in a copy: a site may have as many units as feeders, with few points each.
        for key, here, there in self._spans:
            self._copy[here] = images[key][there]
        for column in self._columns:
            held[column.rows] = self._put(column, raw[column.rows], self._copy)
        for column in self._texts:
            for row in column.rows.tolist():
                self._put_text(row, texts[row] if texts else "", self._copy)
        for key, here, there in self._spans:
            images[key][there] = self._copy[here]
        return self.scale.shown(held)

    def _begin(self, each: Spot) -> int:
        """Where a point begins in the copy."""
        return self._base[each.at.unit, each.at.area] + each.at.register * _width(each.at.area)

    def _put(self, column: _Column, raw: Floats, image: Bytes) -> Floats:
        if column.kind in ("bits", "coils", "bool"):
            whole = np.clip(np.rint(_finite(raw)), 0, None)
            top = 1 if column.kind == "bool" else column.mask
            numbers = np.where(top == 1, whole != 0, np.minimum(whole, top)).astype(np.uint16)
            on = numbers ^ column.flip
            if column.kind == "coils":
                image[column.target] = on[:, None] >> np.arange(column.target.shape[1], dtype=np.uint16) & 1
            elif column.kind == "bool":
                image[column.target] = to_bytes(on, "uint16")
            else:
                words = image.view(">u2")
                state = words.astype(np.uint16)
                clear, put = column.mask << column.shift, on << column.shift
                np.bitwise_and.at(state, column.register, ~_turned(clear, column.swapped))
                np.bitwise_or.at(state, column.register, _turned(put, column.swapped))
                words[column.register] = state[column.register]
            return numbers.astype(np.float64)
        floating = column.kind.startswith("float")
        numbers = quantise(raw if floating else _finite(raw), column.kind)
        image[column.target] = to_bytes(numbers, column.kind)
        return numbers.astype(np.float64)

    def _put_text(self, row: int, text: str, image: Bytes) -> None:
        each = self.spots[row]
        # A device with a fixed length cuts where the length ends, also through a character.
        data = text.encode(each.encoding, "replace")[: each.length].ljust(each.length, self._padding)
        data = data.ljust(2 * each.width, b"\0")
        held = np.frombuffer(data, np.uint8)
        start = self._begin(each)
        image[start : start + len(held)] = held.reshape(-1, 2)[:, ::-1].ravel() if each.swapped else held

    def touched(self, unit: int, area: str, address: int, count: int) -> Iterator[int]:
        """The points that lie in these addresses, wholly or in part."""
        for row, each in enumerate(self.spots):
            at = each.at
            apart = at.register >= address + count or address >= at.register + each.width
            if at.unit == unit and at.area == area and not apart:
                yield row

    def decode(self, row: int, images: Images) -> float | str:
        """What a point's registers mean, in its unit, or its text; NaN for none."""
        each = self.spots[row]
        at, image = each.at, images[each.at.unit, each.at.area]
        if each.kind == "coils":
            bits = image[at.register : at.register + each.width]
            number = float(
                sum(int(bit) << n for n, bit in enumerate(bits)) ^ (each.low_is_on * ((1 << each.width) - 1))
            )
            return float(self.scale.meaning(row, number))
        start = 2 * at.register
        data = image[start : start + 2 * each.width]
        if each.kind == "string":
            whole = data.reshape(-1, 2)[:, ::-1].ravel() if each.swapped else data
            text = whole.tobytes()[: each.length].split(b"\0", 1)[0].decode(each.encoding, "ignore")
            return text.rstrip(" ")
        if each.kind in ("bits", "bool"):
            word = int.from_bytes(data.tobytes(), "little" if each.swapped else "big")
            top = (1 << at.span) - 1
            number = float((word != 0) if each.kind == "bool" else word >> (at.bit or 0) & top)
            return float(self.scale.meaning(row, top - number if each.low_is_on else number))
        ordered = data[np.argsort(byte_order(2 * each.width, each.order))]
        return float(self.scale.meaning(row, float(from_bytes(ordered[None, :], each.kind)[0])))


def _width(area: str) -> int:
    """Bytes of an address in an image."""
    return 2 if area in ("hr", "ir") else 1


_Span = tuple[tuple[int, str], slice, slice]


def _spans(extent: Mapping[tuple[int, str], set[int]]) -> tuple[list[_Span], dict[tuple[int, str], int], int]:
    """For each area where it lies in one copy of all and in its own image; where its address 0 would lie in the
    copy; and the copy's size, which is even, as registers are aligned in it."""
    spans: list[_Span] = []
    base: dict[tuple[int, str], int] = {}
    size = 0
    for key, known in extent.items():
        width, low, high = _width(key[1]), min(known), max(known) + 1
        spans.append((key, slice(size, size + width * (high - low)), slice(width * low, width * high)))
        base[key] = size - width * low
        size += width * (high - low)
        size += size % 2
    return spans, base, size


def _in_order(each: Spot, start: int) -> list[int]:
    """For each byte of the value, most significant first, its place where it begins at `start`."""
    size = 2 * each.width
    target = [0] * size
    for position, source in enumerate(byte_order(size, each.order)):
        target[source] = start + position
    return target


def _turned(words: NDArray[np.uint16], swapped: NDArray[np.bool_]) -> NDArray[np.uint16]:
    return np.where(swapped, words.byteswap(), words).astype(np.uint16)


def _finite(raw: Floats) -> Floats:
    """What a whole number holds where there is no value and no number that says so: 0, as an input without a
    signal gives."""
    return np.where(np.isfinite(raw), raw, 0.0)
