"""What stands before every write, whoever it is from: tags and interlocks, judged in the moment of the write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from bus.connection import Bus
from gateway.connection import DeviceConnection
from gateway.control.elsewhere import Elsewhere
from gateway.control.tags import Tags
from gateway.control.trace import Check, Refused
from gateway.inverse import Unwritable, wanted_number
from gateway.readback import present
from models.command import Value
from models.control.effects import Effect
from models.control.policy import NO_MODE, Policy
from models.quality import GOOD
from models.site.interlocks import COMPARISONS, Interlock, Requirement
from models.site.model import Kind, Point, Site
from models.thing import ControlMode

MODE = "control.mode"
SHOWN = 5
"""Of the tags of one machine, in a reason: an event takes only so much."""


class Places(Protocol):
    """Where points are read: see devices.Devices."""

    def find(self, path: str) -> tuple[DeviceConnection, int] | None: ...

    def __iter__(self) -> Iterator[DeviceConnection]: ...


class Gate:
    """Judges by the site that is used now; before there is one, every machine stands nowhere and has no interlock."""

    def __init__(self, devices: Places, tags: Tags, policy: Policy, elsewhere: Elsewhere | None = None) -> None:
        """Without `elsewhere` nothing is known of points that other gateways read."""
        self._devices = devices
        self._elsewhere = elsewhere
        self._tags = tags
        self._policy = policy
        self._areas: dict[str, tuple[str, ...]] = {}
        self._modes: dict[str, str] = {}
        self._interlocks: dict[str, tuple[Interlock, ...]] = {}

    def use(self, site: Site) -> None:
        """Judge by this version of the site."""
        if self._elsewhere is not None:
            self._elsewhere.ask_about(self._away(site))
        self._areas = {name: tuple(site.areas_around(machine.area)) for name, machine in site.equipment.items()}
        self._modes = {point.equipment: point.path for point in site.points if point.role == MODE}
        found: dict[str, tuple[Interlock, ...]] = {}
        for interlock in site.interlocks:
            found[interlock.equipment] = (*found.get(interlock.equipment, ()), interlock)
        self._interlocks = found

    async def hear(self, bus: Bus) -> None:
        """What interlocks ask about elsewhere, until cancelled."""
        if self._elsewhere is not None:
            await self._elsewhere.run(bus)

    def areas(self, equipment: str) -> tuple[str, ...]:
        """Where a machine stands: its area and those around it."""
        return self._areas.get(equipment, ())

    def reads(self, equipment: str) -> bool:
        """Whether this gateway has a point of the machine: it is no use to tag what others command."""
        return any(point.equipment == equipment for connection in self._devices for point in connection.table.points)

    def machines(self) -> set[str]:
        """Those that this gateway has points of."""
        return {point.equipment for connection in self._devices for point in connection.table.points}

    def effect(self, point: Point, value: Value | None, unit: str = "") -> Effect:
        """What writing this value, as a command gives it, does to the machine."""
        if value is None or point.kind is Kind.TEXT:
            return self._policy.effect(point, value)
        try:
            return self._policy.effect(point, wanted_number(point, value, unit or None))
        except Unwritable:
            return self._policy.effect(point, None)

    def mode(self, equipment: str) -> str:
        """The machine's control mode now: a name of policy.MODES."""
        path = self._modes.get(equipment)
        if path is None:
            return NO_MODE
        value = self._good(path)
        if value is None or value not in list(ControlMode):
            return ControlMode.UNKNOWN.name.lower()
        return ControlMode(int(value)).name.lower()

    def safe(self, point: Point, value: Value) -> bool:
        """Whether writing `value`, in the point's unit, stops the machine or switches it off."""
        return self._policy.effect(point, value).safe

    def passes(self, point: Point, value: Value, *, urgent: bool = False) -> None:
        """Before `value`, in the point's unit, is written. `urgent`: a linkage's, which interlocks do not hold up.
        A tag refuses all that is not safe, whoever writes. Raises Refused."""
        effect = self._policy.effect(point, value)
        self.untagged(point.equipment, effect)
        if not urgent:
            self.unlocked(point, effect)

    def untagged(self, equipment: str, effect: Effect) -> None:
        """Raises Refused when somebody works on the machine."""
        if effect.safe:
            return
        if self._tags.trouble is not None:
            raise Refused(Check.TAG, self._tags.trouble.zh, self._tags.trouble.en)
        if hanging := self._tags.on(equipment):
            more = len(hanging) - SHOWN
            zh = "；".join(f"{tag.who}（{tag.reason}）" for tag in hanging[:SHOWN])
            en = "; ".join(f"{tag.who} ({tag.reason})" for tag in hanging[:SHOWN])
            if more > 0:
                zh, en = f"{zh}；另有 {more} 块", f"{en}; and {more} more"
            raise Refused(Check.TAG, f"{equipment} 已挂牌：{zh}", f"{equipment} is tagged by {en}")

    def unlocked(self, point: Point, effect: Effect) -> None:
        """Raises Refused when an interlock's condition does not hold."""
        for interlock in self._interlocks.get(point.equipment, ()):
            if effect in interlock.refuses and interlock.point in ("", point.path):
                for requirement in interlock.unless:
                    self._fulfilled(interlock, requirement)

    def machine(self, equipment: str) -> dict[str, Any]:
        """What a person who is about to command the machine should see."""
        tags, trouble = self._tags.on(equipment), self._tags.trouble
        return {
            "mode": self.mode(equipment),
            "tags": [{"id": tag.id, "who": tag.who, "reason": tag.reason, "at": tag.at} for tag in tags],
            "tags_trouble": None if trouble is None else {"zh": trouble.zh, "en": trouble.en},
        }

    def shown(self, point: Point) -> dict[str, Any]:
        """The same, and the interlocks of one of its points."""
        return {
            **self.machine(point.equipment),
            "interlocks": [
                {
                    "id": interlock.id,
                    "name": {"zh": interlock.name.zh, "en": interlock.name.en},
                    "holds": all(self._holds(requirement) for requirement in interlock.unless),
                    "refuses": [str(effect) for effect in interlock.refuses],
                    "unless": [self._stands(requirement) for requirement in interlock.unless],
                }
                for interlock in self._interlocks.get(point.equipment, ())
                if interlock.point in ("", point.path)
            ],
        }

    # ---- inside

    def _away(self, site: Site) -> dict[str, list[Point]]:
        """By gateway, what the interlocks of machines here ask about and others read."""
        here = self.machines()
        asked = {one.point for lock in site.interlocks if lock.equipment in here for one in lock.unless}
        found: dict[str, list[Point]] = {}
        for point in site.points:
            if point.path in asked and self._devices.find(point.path) is None:
                found.setdefault(site.connections[point.connection].gateway, []).append(point)
        return found

    def _holds(self, requirement: Requirement) -> bool:
        now = self._good(requirement.point)
        return now is not None and requirement.holds(now)

    def _stands(self, requirement: Requirement) -> dict[str, Any]:
        return {
            "point": requirement.point,
            "wanted": _wanted(requirement),
            "now": self._good(requirement.point),
            "holds": self._holds(requirement),
        }

    def _fulfilled(self, interlock: Interlock, requirement: Requirement) -> None:
        if self._holds(requirement):
            return
        now = self._good(requirement.point)
        wanted = f"{requirement.point} {_wanted(requirement)}"
        raise Refused(
            Check.INTERLOCK,
            f"联锁“{interlock.name.zh}”不满足：{wanted}，当前 {'无有效值' if now is None else format(now, 'g')}",
            f"the interlock '{interlock.name.en}' does not hold: {wanted}, it is "
            f"{'not known' if now is None else format(now, 'g')} now",
        )

    def _good(self, path: str) -> float | None:
        """A point's value that is good; what is only uncertain starts no machine."""
        place = self._devices.find(path)
        if place is None:
            return None if self._elsewhere is None else self._elsewhere.good(path)
        if int(place[0].acquisition.quality[place[1]]) < GOOD:
            return None
        value = present(*place)
        return value if isinstance(value, float) else None


def _wanted(requirement: Requirement) -> str:
    return f"{COMPARISONS[requirement.compare]} {requirement.value:g}"
