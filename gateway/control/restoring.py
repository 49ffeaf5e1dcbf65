"""The door for orders to restore a tripped linkage: whoever gives one must be allowed all that it lets go of and all
that it commands, as if each was commanded by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.control.checks import Checks
from gateway.control.gate import Gate, Places
from gateway.control.trace import Check, Trace
from gateway.control.verifier import Signed
from gateway.leave import Permit
from models.control.effects import Effect
from models.control.order import Act
from models.site.model import Name, Point

NOTHING_TRIPPED: dict[str, Any] = {"linkages": [], "trouble": None}
"""Of a gateway that has no linkages."""


class Restorable(Protocol):
    """Of a tripped rule: what its latch holds, and what its restore would command, both path → value."""

    @property
    def holds(self) -> Mapping[str, float]: ...
    @property
    def command(self) -> Mapping[str, float]: ...


class Latched(Protocol):
    """Who holds what linkages have tripped: see linkage.restoring."""

    def restorable(self, rule: str) -> Restorable: ...
    def refusal(self, rule: str) -> Name | None: ...
    def standing(self) -> dict[str, Any]: ...
    async def restore(self, rule: str, who: str, permit: Permit) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Restores:
    """Holds a signed order to restore against everything, and has it carried out."""

    devices: Places
    gate: Gate
    checks: Checks
    latched: Latched

    def held_against(self, signed: Signed, trace: Trace) -> None:
        """Raises Refused with the first reason."""
        rule, who = signed.order.machine(), signed.who
        found = self.latched.restorable(rule)
        machines = dict.fromkeys(path.split("/")[1] for path in (*found.holds, *found.command))
        for machine in machines:
            self.checks.scope(who, machine)
        trace.passed(Check.SCOPE, "在权限范围内", "in scope")
        self.checks.may_act(who, Act.RESTORE)
        commanded = list(self._commanded(found.command))
        for _, effect in commanded:
            self.checks.may_do(who, effect)
        trace.passed(Check.ROLE, "角色允许", "the role may")
        steps: tuple[tuple[Check, str, str, Callable[[Point, Effect], None]], ...] = (
            (
                Check.MODE,
                "控制方式允许",
                "the control mode lets it",
                lambda p, e: self.checks.mode(signed, p.equipment, e),
            ),
            (Check.TAG, "无挂牌阻止", "no tag is in the way", lambda p, e: self.gate.untagged(p.equipment, e)),
            (Check.INTERLOCK, "联锁满足", "interlocks hold", self.gate.unlocked),
            (
                Check.CONTROLLER,
                "控制权可用",
                "nobody else commands it",
                lambda p, e: self.checks.controller(signed, p.equipment, e),
            ),
            (
                Check.SECOND,
                "人数符合",
                "enough persons have signed",
                lambda p, e: self.checks.second(signed, p.equipment, e),
            ),
        )
        for check, zh, en, holds in steps if commanded else ():
            for point, effect in commanded:
                holds(point, effect)
            trace.passed(check, zh, en)

    async def carry_out(self, signed: Signed, who: str) -> tuple[str, Name, dict[str, Any]]:
        """Outcome, reason and what else is told. Of a dry order: what would be."""
        rule = signed.order.machine()
        if signed.order.dry:
            why = self.latched.refusal(rule)
            return ("would", Name("可以复位", "it may be restored"), {}) if why is None else ("refused", why, {})
        told = await self.latched.restore(rule, who, lambda path, value: self._permit(signed, path, value))
        reason = Name(told["reason"]["zh"], told["reason"]["en"])
        return str(told["outcome"]), reason, {k: v for k, v in told.items() if k not in ("outcome", "reason")}

    def _commanded(self, command: Mapping[str, float]) -> list[tuple[Point, Effect]]:
        """What is commanded here, and what each does; other gateways have a latch of their own."""
        found = []
        for path, value in command.items():
            place = self.devices.find(path)
            if place is not None:
                point = place[0].table.points[place[1]]
                found.append((point, self.gate.effect(point, value)))
        return found

    def _permit(self, signed: Signed, path: str, value: float) -> None:
        """Once more in the moment of the write."""
        for point, effect in self._commanded({path: value}):
            self.checks.ready(signed, point, effect)
