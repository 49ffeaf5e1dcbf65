"""The linkages that one gateway carries out, on what it reads itself and what it hears of others.

Every poll's values are judged where they are (see judge). What trips is noted on disk, written with priority over all
other commands, again until it is read back, watched for what must follow, and held until it is restored.
"""

from __future__ import annotations

import asyncio
import datetime
import zoneinfo
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from bus.connection import Bus
from gateway.acquire import UNMARKED, Acquisition
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.linkage.acting import Acting, forbidden
from gateway.linkage.disk import Disk
from gateway.linkage.hear import Far, Hearing
from gateway.linkage.judge import Judge, Of, Part
from gateway.linkage.latches import Latch, Latches
from gateway.linkage.restoring import Restoring
from gateway.linkage.telling import Saying, why
from gateway.writer import Writer
from models.command import Value
from models.events import Event
from models.quality import Quality
from models.site.linkages import states
from models.site.model import Act, Linkage, Name, Site

log = structlog.get_logger(__name__)

TICK_S = 0.5


class Linkages:
    """`apply` gives it a site's rules, `run` keeps time, `restoring` ends trips. `file`: its latches on disk."""

    def __init__(
        self,
        code: str,
        name: str,
        devices: Devices,
        writer: Writer,
        clock: WallClock,
        emit: Callable[[Sequence[Event]], None],
        file: Path,
    ) -> None:
        self.counts = {"trips_total": 0, "faults_total": 0}
        self._name, self._devices, self._clock = name, devices, clock
        self._saying = Saying(code, name, emit, lambda path: devices.find(path) is not None)
        self.latches = Latches(file)
        self._disk = Disk(self.latches, self._saying, self.counts)
        self._acting = Acting(devices, writer, clock, self.latches, self._saying)
        self.restoring = Restoring(self._acting, self.latches, self._saying, clock, self.counts)
        self._hearing = Hearing(code, clock.monotonic, self._told)
        self._site: Site | None = None
        self._day = ""
        """Of the mine."""
        self._may_trip: set[str] = set()
        """The rules that act today. Others are judged only for what they left tripped."""
        self._judge = Judge((), {}, clock.now())
        self._far: dict[str, Far] = {}
        self._so = self._lost = np.zeros(0, np.bool_)
        self._losses: dict[str, tuple[Linkage, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        writer.interlocks.append(self._forbids)

    # ---- rules

    def apply(self, site: Site) -> None:
        """Judge by this site's rules from now on, after its connections were applied. What is tripped stays so, and
        what was seen of conditions that are still the same goes on."""
        now = self._clock.now()
        self._site, self._day = site, _day(site, now)
        may = [
            self._latch(one, now)
            for one in site.linkages
            if self._name in one.gateways and one.latched and one.command and not one.shadow
        ]
        self._disk.stands_for(may, now)
        rules = self._rules(site)
        judge, far = self._judge_of(site, rules, now)
        before = {one.id: number for number, one in enumerate(self._judge.linkages)}
        there = [before.get(one.id, -1) for one in rules]
        same = [n >= 0 and self._judge.linkages[n] == one for n, one in zip(there, rules, strict=True)]
        self._so = np.append(self._so, False)[there] & np.array(same, np.bool_)
        self._lost = np.append(self._lost, False)[there]
        judge.carry_on(self._judge, now)
        for gateway, one in far.items():
            if gateway in self._far:
                one.carry_on(self._far[gateway])
        self._judge, self._far = judge, far
        self._may_trip = {one.id for one in rules if _acts(one, self._day) and self._name in one.gateways}
        self._hearing.set(far)
        self.restoring.use(site, judge)
        for connection in self._devices:
            part = judge.parts[connection.spec.name]
            rows = np.array([connection.rows[path] for path in judge.paths[part.points]], np.intp)
            acquisition = connection.acquisition
            acquisition.watch = partial(self._look, acquisition, judge, part, rows) if len(rows) else None
            if len(rows):
                self._look(acquisition, judge, part, rows, now)
        self._resume(now)
        self._act(now)

    def _rules(self, site: Site) -> list[Linkage]:
        """Those that may trip here, and those that have: what ends their trips is judged, too."""
        return [
            one
            for one in site.linkages
            if one.id in self.latches.tripped or (self._name in one.gateways and _acts(one, self._day))
        ]

    def _judge_of(self, site: Site, rules: Sequence[Linkage], now: int) -> tuple[Judge, dict[str, Far]]:
        looked = {path for one in rules for path in one.points()}
        said = states(site)
        looked |= {said[path] for path in looked if path in said}
        points = {point.path: point for point in site.points if point.path in looked}
        away: dict[str, list[str]] = {}
        for path, point in points.items():
            gateway = site.connections[point.connection].gateway
            if gateway != self._name:
                away.setdefault(gateway, []).append(path)
        parts: dict[str, Sequence[str]] = {f"far {gateway}": paths for gateway, paths in away.items()}
        parts |= {c.spec.name: [path for path in c.rows if path in looked] for c in self._devices}
        far = {gateway: Far(gateway, [points[path] for path in paths]) for gateway, paths in away.items()}
        return Judge(rules, parts, now, said), far

    def _latch(self, one: Linkage, now: int) -> Latch:
        here = {path: value for path, value in one.command.items() if self._devices.find(path) is not None}
        return Latch(one.id, one.version, now, one.priority, here, held=one.latched)

    def _resume(self, now: int) -> None:
        """What was tripped when this process ended, or under the rules of before, goes on; but for what is not held and
        would not trip any more."""
        numbers = {one.id: number for number, one in enumerate(self._judge.linkages)}
        for latch in list(self.latches.tripped.values()):
            number = numbers.get(latch.rule)
            may = latch.rule in self._may_trip and number is not None and self._judge.holds(number, Of.WHEN, now)
            if not latch.held and not may:
                self._acting.end(latch.rule, now, Name("规则已变更", "its rule was changed"))
            elif number is not None and not latch.doubt:
                see, holds = partial(self._judge.seen, number), partial(self._judge.holds, number)
                self._acting.go_on(self._judge.linkages[number], latch, see, holds)
        for rule in self._losses.keys() - numbers.keys():
            was, began = self._losses.pop(rule)
            self._saying.say("lost", was, began, Name("规则已停用", "its rule acts no more"), end=now)

    async def run(self, bus: Bus) -> None:
        """Keep time and hear other gateways, until cancelled."""
        hearing = asyncio.create_task(self._hearing.run(bus), name="linkage-hearing")
        try:
            while True:
                await asyncio.sleep(TICK_S)
                try:
                    self._tick()
                except Exception:  # what else the gateway does goes on
                    self.counts["faults_total"] += 1
                    log.exception("linkage_failed")
                if hearing.done():
                    hearing.result()
        finally:
            hearing.cancel()

    def _tick(self) -> None:
        now = self._clock.now()
        for far in self._far.values():
            self._told(far)
        self._act(now)
        self._disk.tick(now)
        if self._site is not None and (day := _day(self._site, now)) != self._day:
            self._new_day(self._site, day)

    def _new_day(self, site: Site, day: str) -> None:
        """Rules have a day from which they act. Where none begins today, nothing is touched."""
        may = {one.id for one in site.linkages if self._name in one.gateways and _acts(one, day)}
        if may == self._may_trip:
            self._day = day
        else:
            self.apply(site)

    async def stop(self, within_s: float) -> None:
        """End what is under way; what is held stays noted."""
        if self._timer is not None:
            self._timer.cancel()
        await self._acting.stop(within_s)

    def clock_jumped(self, moved: int) -> None:
        """The wall clock was set by so many µs."""
        self._judge.clock_jumped(moved)

    # ---- judging

    def _look(self, acquisition: Acquisition, judge: Judge, part: Part, rows: NDArray[np.intp], now: int) -> None:
        """What a connection holds now."""
        try:
            never = np.where(acquisition.marked[rows] == UNMARKED, np.uint8(Quality.BAD_WAITING), np.uint8(Quality.BAD))
            quality = np.where(acquisition.answered[rows], acquisition.quality[rows], never)
            if judge.take(part, acquisition.value[rows], quality, acquisition.stamper.last[rows], now):
                self._act(now)
        except Exception:  # a fault of ours keeps no poll from going on
            self.counts["faults_total"] += 1
            log.exception("linkage_failed")

    def _told(self, far: Far) -> None:
        now = self._clock.now()
        part = self._judge.parts[f"far {far.gateway}"]
        if self._far.get(far.gateway) is far and self._judge.take(
            part, far.value, far.quality(self._clock.monotonic()), far.ts, now
        ):
            self._act(now)

    def _act(self, now: int) -> None:
        """Do what follows from what holds."""
        so, lost = self._judge.standing(now)
        changed, losses = np.flatnonzero(so != self._so), np.flatnonzero(lost != self._lost)
        self._so, self._lost = so, lost
        for number in losses:
            self._lost_or_back(int(number), bool(lost[number]), now)
        for number in changed:
            one = self._judge.linkages[number]
            if so[number] and one.id in self._may_trip:
                self._rose(int(number), one, now)
            elif not so[number] and not one.latched:
                self._acting.end(one.id, now, Name("条件已消失", "it holds no more"))
        self.restoring.automatically(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._judge.due(now)
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(
                max(due - now, 0) / 1e6 + 0.001, lambda: self._act(self._clock.now())
            )

    def _rose(self, number: int, one: Linkage, now: int) -> None:
        inputs = self._judge.seen(number, Of.WHEN, now)
        reason = why(inputs)
        known = self.latches.tripped.get(one.id)
        if known is not None and not known.doubt:
            return
        if one.shadow:
            self._saying.say("shadow", one, now, reason, end=now, inputs=inputs)
            return
        self.counts["trips_total"] += 1
        waits = one.act is not Act.POWER_OFF and bool(one.then) and self._judge.holds(number, Of.THEN, now)
        if waits:
            done = "已是应有状态，暂无需动作", "all that must follow is so already"
            reason = Name(f"{reason.zh}；{done[0]}", f"{reason.en}; {done[1]}")
        see, holds = partial(self._judge.seen, number), partial(self._judge.holds, number)
        self._acting.trip(one, self._latch(one, now), reason, inputs, see, holds, waits=waits)

    def _lost_or_back(self, number: int, lost: bool, now: int) -> None:
        one = self._judge.linkages[number]
        inputs = [seen for seen in self._judge.seen(number, Of.WHEN, now) if seen.lost]
        if lost:
            if one.id not in self._may_trip:
                return
            self._losses[one.id] = one, now
            does = (
                ("按配置动作", "it trips, as the rule says")
                if one.on_lost == "trip"
                else ("按配置保持", "held, as the rule says")
            )
            reason = why(inputs)
            self._saying.say(
                "lost", one, now, Name(f"{reason.zh}：{does[0]}", f"{reason.en}: {does[1]}"), inputs=inputs
            )
        elif one.id in self._losses:
            was, began = self._losses.pop(one.id)
            self._saying.say("lost", was, began, Name("传感器已恢复", "the sensors are back"), end=now)

    # ---- what is tripped

    def _forbids(self, path: str, value: Value) -> Name | None:
        return forbidden(self.latches, path, value)

    def standing(self) -> list[dict[str, Any]]:
        """What is tripped, for the gateway's page."""
        return [
            {
                "rule": latch.rule,
                "at": latch.at,
                "done": latch.done,
                "held": latch.held,
                "doubt": latch.doubt,
                "command": dict(latch.command),
            }
            for latch in self.latches.tripped.values()
        ]


def _acts(one: Linkage, day: str) -> bool:
    return one.enabled and not one.mine and one.effective_from <= day


def _day(site: Site, now: int) -> str:
    """The mine's day."""
    return datetime.datetime.fromtimestamp(now / 1e6, zoneinfo.ZoneInfo(site.time_zone)).date().isoformat()
