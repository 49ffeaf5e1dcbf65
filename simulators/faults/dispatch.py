"""Makes faults happen and end: in the machines, at the sensors, at the devices and their links.

A fault's target is an equipment (machine, safety sensor), a place of air, `equipment/point` (any analog
point), or a connection (device, link). What is to end by itself ends when the simulated clock has passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.site.model import Point, Site
from models.site.problems import hinted
from simulators.engine.part import Refused
from simulators.faults.catalogue import Fault, FaultError, fault_of
from simulators.faults.distortion import Distortions

NAMED = ("{}", "air_{}", "lock_{}", "{}_room")
"""How machines name what is no equipment: a place of air, the range of a lock, the inside of a chamber."""


class Machines(Protocol):
    """What an `Engine` is to faults."""

    def disturb(self, equipment: str, kind: str, amount: float) -> None: ...
    def disturbances(self) -> Mapping[str, Sequence[str]]: ...


class FaultyDevice(Protocol):
    """What a device is to faults. `fault` raises what says str(error) in plain words."""

    def faults(self) -> Mapping[str, str]: ...
    def fault(self, kind: str, amount: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A fault that is there now. `until_us`: when it ends by itself, None: when it is ended."""

    id: str
    target: str
    amount: float
    since_us: int
    until_us: int | None


class Faults:
    """All faults of one mine. `devices`: by connection."""

    def __init__(self, site: Site, machines: Machines, devices: Mapping[str, FaultyDevice] | None = None) -> None:
        self.site = site
        self.distortions = Distortions()
        self._machines = machines
        self._devices = devices or {}
        self._points = {f"{point.equipment}/{point.key}": point for point in site.points}
        self._running: dict[tuple[str, str], Running] = {}

    def running(self) -> list[Running]:
        """What is there now, the oldest first."""
        return sorted(self._running.values(), key=lambda each: (each.since_us, each.id, each.target))

    def begin(
        self, id_: str, target: str, now_us: int, *, amount: float | None = None, for_s: float | None = None
    ) -> Running:
        """Begin a fault, or change one that is there. Raises FaultError; then nothing has happened."""
        fault = fault_of(id_)
        strength = fault.checked(id_, amount)
        if for_s is not None and not 0.0 < for_s <= 31 * 86_400:
            raise FaultError(f"持续时间 {for_s:g} 秒不可能 · {for_s:g} s is no possible duration: up to 31 days")
        self._act(id_, fault, target, strength)
        until = None if for_s is None else now_us + round(for_s * 1e6)
        running = self._running[id_, target] = Running(id_, target, strength, now_us, until)
        return running

    def end(self, id_: str, target: str) -> None:
        """End a fault. Raises FaultError when it is not there."""
        fault = fault_of(id_)
        if (id_, target) not in self._running:
            there = ", ".join(f"{each.id} {each.target}" for each in self.running()) or "none"
            raise FaultError(f"{target} 没有故障 {id_} · {target} has no fault {id_} now; there are: {there}")
        self._act(id_, fault, target, 0.0)
        del self._running[id_, target]

    def advance(self, now_us: int) -> list[Running]:
        """End what is over by `now_us`, and say what it was."""
        over = [each for each in self.running() if each.until_us is not None and each.until_us <= now_us]
        for each in over:
            self.end(each.id, each.target)
        return over

    def _act(self, id_: str, fault: Fault, target: str, amount: float) -> None:
        if fault.target in ("device", "link"):
            self._device(id_, fault, target, amount)
        elif fault.target == "sensor" and "/" in target:
            self._distort(fault, target, amount)
        else:
            self._disturb(id_, fault, target, amount)

    def _device(self, id_: str, fault: Fault, target: str, amount: float) -> None:
        device = self._devices.get(target)
        if device is None:
            zh, en = f"没有模拟的连接 '{target}'", f"no connection '{target}' is simulated"
            raise FaultError(hinted(zh, en, target, self._devices))
        if fault.kind not in device.faults():
            can = ", ".join(device.faults()) or "—"
            raise FaultError(
                f"连接 {target} 的设备不会发生 {id_}，可以发生：{can} · the device of {target} cannot have {id_}; "
                f"it can have: {can}"
            )
        try:
            device.fault(fault.kind, amount)
        except Exception as error:  # a device's own refusal, of a class that faults need not know
            raise FaultError(str(error)) from error

    def _distort(self, fault: Fault, target: str, amount: float) -> None:
        point = self._point(target)
        if amount:
            self.distortions.begin(point, fault.kind, amount)
        else:
            self.distortions.end(point)

    def _point(self, target: str) -> Point:
        if target not in self._points:
            raise FaultError(hinted(f"没有测点 '{target}'", f"there is no point '{target}'", target, self._points))
        return self._points[target]

    def _disturb(self, id_: str, fault: Fault, target: str, amount: float) -> None:
        owner = resolve(id_, fault, target, self._machines.disturbances())
        try:
            self._machines.disturb(owner, fault.kind, amount)
        except Refused as refused:
            raise FaultError(str(refused)) from refused


def resolve(id_: str, fault: Fault, target: str, known: Mapping[str, Sequence[str]]) -> str:
    """What machines call the target of a fault. `known`: as `Machines.disturbances`. Raises FaultError when
    nothing of that name can have it."""
    for form in NAMED:
        if fault.kind in known.get(form.format(target), ()):
            return form.format(target)
    can = sorted(name for name, kinds in known.items() if fault.kind in kinds)
    few = ", ".join(can[:12]) + (", …" if len(can) > 12 else "")
    raise FaultError(
        f"'{target}' 不会发生 {id_}；{f'可以的有 {few}' if can else '这里没有可以发生的设备'} · "
        f"'{target}' cannot have {id_}; {f'these can: {few}' if can else 'nothing simulated here can'}"
    )
