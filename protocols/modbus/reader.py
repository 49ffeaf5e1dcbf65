"""Asks for a plan's pieces, and sorts out what failed: a bad address, a dead unit, a dead link.

* Refused with "no such address" or "illegal value", a piece is halved until the tags that the device
  does not have stand alone; the halves are kept for later polls. At most NARROWING extra requests
  a poll go into this, and what stands alone is asked again only now and then.
* A piece without a usable answer makes its own tags bad. Two in a row from one unit: the rest of the
  unit is not asked in this poll, and then only now and then. When every unit of the line is silent,
  the link is lost.
"""

from __future__ import annotations

import math
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.quality import GOOD, Quality
from models.words import halves
from protocols.adapter import LinkLost, Reading
from protocols.modbus import pdu
from protocols.modbus.decode import decode, decode_texts
from protocols.modbus.faults import NARROW_DOWN, UNIT_IS_AWAY, NoAnswer, Refused
from protocols.modbus.groups import Sort
from protocols.modbus.link import Link
from protocols.modbus.planner import Piece, Plan
from protocols.modbus.unit import SILENT, Unit, pause

NARROWING = 16


class Reader:
    """Reads plans over one link."""

    def __init__(self, link: Link, rest_s: float) -> None:
        self._link = link
        self._rest = rest_s

    def expect(self, plan: Plan) -> None:
        """Take note of a plan's units."""
        for piece in plan.pieces:
            if piece.ask_after < math.inf:
                self._link.units.setdefault(piece.unit, Unit())

    async def read(self, plan: Plan) -> Reading:
        """One reading of all tags of the plan. Raises LinkLost."""
        answers = _Answers(plan)
        budget = NARROWING
        waiting = plan.pieces[::-1]
        settled: list[Piece] = []
        while waiting:
            piece = waiting.pop()
            refusal = await self._ask(piece, answers)
            if refusal is not None and refusal.code in NARROW_DOWN and piece.high - piece.low > 1 and budget > 0:
                budget -= 2
                waiting.extend(reversed(plan.split(piece)))
                continue
            if refusal is not None:
                alone = piece.high - piece.low == 1
                self._settle(piece, refusal, rests=alone and refusal.code in NARROW_DOWN)
            if piece.reason:
                answers.failed(piece)
            settled.append(piece)
        # Only a poll that went through keeps what it learned: a cancelled one leaves the plan whole.
        plan.pieces[:] = settled
        return answers.reading()

    async def _ask(self, piece: Piece, answers: _Answers) -> Refused | None:
        """Ask once, unless the piece or its unit rests. The refusal, if it was refused."""
        if piece.ask_after == math.inf:
            return None
        unit = self._link.units.setdefault(piece.unit, Unit())
        now = time.monotonic()
        if unit.ask_after > now:
            piece.quality, piece.reason = int(Quality.BAD_COMMUNICATION), unit.reason
            return None
        if piece.ask_after > now:
            return None
        try:
            payload = await self._link.ask(pdu.read(piece.unit, piece.table, piece.start, piece.count))
        except NoAnswer as failure:
            piece.strikes += 1
            self._settle_silence(piece, failure)
            self._strike(unit, piece.unit, str(failure), silent=True)
            return None
        except Refused as refusal:
            if refusal.code in UNIT_IS_AWAY:
                self._strike(unit, piece.unit, str(refusal), silent=False)
            else:
                unit.heard()
            return refusal
        unit.heard()
        piece.reason, piece.strikes, piece.ask_after = "", 0, 0.0
        answers.take(piece, memoryview(payload)[1:])
        return None

    def _strike(self, unit: Unit, number: int, why: str, *, silent: bool) -> None:
        rests = unit.strike(number, why, self._rest, silent=silent)
        if rests and all(other.silent for other in self._link.units.values()):
            raise LinkLost(
                f"{self._link.where}：{halves(why).zh}，连续 {unit.strikes} 次 · "
                f"{self._link.where}: {halves(why).en}, {unit.strikes} times in a row"
            )

    def _settle(self, piece: Piece, refusal: Refused, *, rests: bool) -> None:
        piece.quality, piece.reason = int(refusal.quality), _told(piece, refusal)
        if rests:
            piece.strikes += 1
            piece.ask_after = time.monotonic() + pause(self._rest, piece.strikes - 1)

    def _settle_silence(self, piece: Piece, failure: NoAnswer) -> None:
        piece.quality, piece.reason = int(Quality.BAD_COMMUNICATION), _told(piece, failure)
        if piece.strikes >= SILENT:
            piece.ask_after = time.monotonic() + pause(self._rest, piece.strikes - SILENT)


class _Answers:
    """The answers of one poll as they come in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.registers = bytearray(2 * plan.registers)
        self.bits = np.zeros(plan.bits, np.uint8)
        self.failures: list[Piece] = []

    def take(self, piece: Piece, payload: memoryview) -> None:
        at, end = piece.offset, piece.offset + piece.count
        if piece.table.of_bits:
            self.bits[at:end] = np.unpackbits(np.frombuffer(payload, np.uint8), count=piece.count, bitorder="little")
        else:
            self.registers[2 * at : 2 * end] = payload

    def failed(self, piece: Piece) -> None:
        self.failures.append(piece)

    def reading(self) -> Reading:
        plan = self.plan
        value = decode(plan, self.registers, self.bits)
        text = decode_texts(plan, self.registers)
        reasons: dict[int, str] = {}
        quality = np.full(len(plan), GOOD, np.uint8)
        _mark_odd(plan, value, text, quality, reasons)
        if self.failures:
            by_slot = np.full(len(plan), GOOD, np.uint8)
            for piece in self.failures:
                by_slot[piece.low : piece.high] = piece.quality
                reasons.update(dict.fromkeys(plan.slot_index[piece.low : piece.high].tolist(), piece.reason))
            failed = by_slot[plan.slot]
            bad = failed != GOOD
            quality[bad] = failed[bad]
            value[bad] = np.nan
            if text is not None:
                text = pc.if_else(pa.array(bad), pa.scalar(None, pa.string()), text)
        return Reading(plan.index, value, quality, text=text, reasons=reasons, raw=self._raw)

    def _raw(self, index: int) -> bytes | None:
        """The registers of a tag as they came, or its bits as one byte each; None when nothing came."""
        plan = self.plan
        found = np.flatnonzero(plan.slot_index == index)
        if not len(found):
            return None
        slot = int(found[0])
        if any(piece.low <= slot < piece.high for piece in self.failures):
            return None
        at, width = int(plan.offset[slot]), int(plan.width[slot])
        of_bits = next(piece for piece in plan.pieces if piece.low <= slot < piece.high).table.of_bits
        return self.bits[at : at + width].tobytes() if of_bits else bytes(self.registers[2 * at : 2 * (at + width)])


def _mark_odd(
    plan: Plan,
    value: NDArray[np.float64],
    text: pa.StringArray | None,
    quality: NDArray[np.uint8],
    reasons: dict[int, str],
) -> None:
    """What came and is no value: NaN, infinity, no decimal digits, no text."""
    odd = ~np.isfinite(value)
    if text is not None:
        odd &= text.is_null().to_numpy(zero_copy_only=False)
    if not odd.any():
        return
    nan, infinity = "设备发来 NaN · device sent NaN", "设备发来无穷大 · device sent infinity"
    for rows, words in ((np.isnan(value), nan), (np.isinf(value), infinity)):
        reasons.update(dict.fromkeys(plan.index[odd & rows].tolist(), words))
    for group in plan.groups:
        if group.kind.sort in (Sort.DIGITS, Sort.TEXT):
            digits, encoding = group.kind.sort is Sort.DIGITS, group.kind.encoding
            what_zh = "十进制数字（BCD）" if digits else f"{encoding} 文本"
            what = "decimal digits (BCD)" if digits else f"{encoding} text"
            words = f"设备发来的不是{what_zh if digits else ' ' + what_zh} · device sent something else than {what}"
            indices = plan.index[group.rows][odd[group.rows]].tolist()
            reasons.update(dict.fromkeys(indices, words))
    quality[odd] = int(Quality.BAD_SENSOR_FAILURE)
    value[odd] = np.nan


def _told(piece: Piece, why: Refused | NoAnswer) -> str:
    """What failed for a piece, with the piece before it."""
    last, said = piece.start + piece.count - 1, halves(why)
    alone = last == piece.start
    zh = f"{piece.start}" if alone else f"{piece.start} 至 {last}"
    en = f"{piece.start}" if alone else f"{piece.start} to {last}"
    return f"站 {piece.unit}，{piece.table.zh} {zh}：{said.zh} · unit {piece.unit}, {piece.table.words} {en}: {said.en}"
