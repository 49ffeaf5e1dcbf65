"""Selections (选择): what a person has been shown and may execute once, for some seconds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.control.trace import Check, Refused
from models.command import Value
from models.control.order import Order

MOST = 1000


@dataclass(frozen=True, slots=True)
class _Selection:
    serial: str
    point: str
    value: Value | None
    unit: str
    until: int


class Selects:
    """The nonces that live. Times are of the monotonic clock, µs: setting the wall clock makes none live longer."""

    def __init__(self, monotonic: Callable[[], int], lasting_s: float) -> None:
        self._monotonic = monotonic
        self.lasting_s = lasting_s
        self._selections: dict[str, _Selection] = {}

    def make(self, order: Order) -> str:
        """The nonce for this order; the same person's older one for the point ends. Raises Refused."""
        now = self._monotonic()
        self._selections = {
            nonce: kept
            for nonce, kept in self._selections.items()
            if kept.until > now and (kept.serial, kept.point) != (order.serial, order.point)
        }
        if len(self._selections) >= MOST:
            raise Refused(Check.SELECTED, "网关正忙", f"{MOST} selections live already")
        nonce = secrets.token_hex(12)
        self._selections[nonce] = _Selection(
            order.serial, order.point, order.value, order.unit, now + int(self.lasting_s * 1e6)
        )
        return nonce

    def use(self, order: Order, *, up: bool) -> None:
        """Hold an execute against its selection. With `up` it is used up, whatever comes of it. Raises Refused."""
        if not order.nonce:
            raise Refused(Check.SELECTED, "请先选择", "select first: this command needs the nonce of a select")
        kept = self._selections.get(order.nonce)
        if kept is None:
            raise Refused(Check.SELECTED, "选择无效或已使用", "this nonce is not known, or was used: select anew")
        if kept.serial != order.serial:
            # Not used up: it is another person's.
            raise Refused(Check.SELECTED, "选择人与执行人不同", "another person made this selection")
        if up:
            del self._selections[order.nonce]
        if self._monotonic() >= kept.until:
            raise Refused(
                Check.SELECTED,
                f"选择已超过 {self.lasting_s:g} 秒",
                f"the selection is over {self.lasting_s:g} s old: select anew",
            )
        if (kept.point, kept.value, kept.unit) != (order.point, order.value, order.unit):
            raise Refused(
                Check.SELECTED, "与选择的测点或数值不同", "this is not the point or the value that was selected"
            )
