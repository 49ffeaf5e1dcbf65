"""The linkages that one gateway carries out, on what it reads itself and what it hears of others.

Every poll's values are judged where they are (see judge). What trips is noted on disk, written with priority over all
other commands, again until it is read back, watched for what must follow, and held until it is restored.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from bus.connection import Bus
from gateway.acquire import Acquisition
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.linkage.acting import Acting, forbidden
from gateway.linkage.hear import Far, Hearing
from gateway.linkage.judge import Judge, Of, Part
from gateway.linkage.latches import Latch, Latches
from gateway.linkage.restoring import NotProved, Verifier, nobody, read
from gateway.linkage.telling import Saying, why
from gateway.writer import Writer
from models.command import Value
from models.events import Event
from models.site.model import Act, Linkage, Name, Site

log = structlog.get_logger(__name__)

TICK_S = 0.5


class Linkages:
    """`apply` gives it a site's rules, `run` keeps time, `restore` ends a trip. `file`: its latches on disk."""

    def __init__(
        self,
        code: str,
        name: str,
        devices: Devices,
        writer: Writer,
        clock: WallClock,
        emit: Callable[[Sequence[Event]], None],
        file: Path,
        verify: Verifier = nobody,
    ) -> None:
        self.verify = verify
        self.counts = {"trips_total": 0, "restores_total": 0, "refused_restores_total": 0, "faults_total": 0}
        self._name, self._devices, self._clock = name, devices, clock
        self._saying = Saying(code, name, emit, lambda path: devices.find(path) is not None)
        self.latches = Latches(file)
        self._acting = Acting(devices, writer, clock, self.latches, self._saying)
        self._hearing = Hearing(code, clock.now, self._told)
        self._site: Site | None = None
        self._day = ""
        self._judge = Judge((), {}, clock.now())
        self._far: dict[str, Far] = {}
        self._so = self._lost = np.zeros(0, np.bool_)
        self._losses: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        writer.interlocks.append(self._forbids)
        if self.latches.unreadable:
            reason = Name(
                "闭锁记录无法读取：不知哪些联动已动作", "the latches cannot be read: what was tripped is not known"
            )
            self._saying.say("unreadable", "latches", clock.now(), reason, end=clock.now())

    # ---- rules

    def apply(self, site: Site) -> None:
        """Judge by this site's rules from now on, after its connections were applied. What is tripped stays so."""
        now = self._clock.now()
        self._site, self._day = site, _day(now)
        before = {one.id: (one, bool(so)) for one, so in zip(self._judge.linkages, self._so, strict=True)}
        ours = [
            one
            for one in site.linkages
            if self._name in one.gateways and one.enabled and not one.mine and one.effective_from <= self._day
        ]
        looked = {path for one in ours for path in one.points()}
        points = {point.path: point for point in site.points if point.path in looked}
        away: dict[str, list[str]] = {}
        for path, point in points.items():
            gateway = site.connections[point.connection].gateway
            if gateway != self._name:
                away.setdefault(gateway, []).append(path)
        parts: dict[str, Sequence[str]] = {f"far {gateway}": paths for gateway, paths in away.items()}
        parts |= {c.spec.name: [path for path in c.rows if path in looked] for c in self._devices}
        judge = self._judge = Judge(ours, parts, now)
        self._so = np.array([before.get(one.id) == (one, True) for one in ours], np.bool_)
        self._lost = np.zeros(len(ours), np.bool_)
        self._far = {gateway: Far(gateway, [points[path] for path in paths]) for gateway, paths in away.items()}
        self._hearing.set(self._far)
        for connection in self._devices:
            part = judge.parts[connection.spec.name]
            rows = np.array([connection.rows[path] for path in judge.paths[part.points]], np.intp)
            acquisition = connection.acquisition
            acquisition.watch = partial(self._look, acquisition, judge, part, rows) if len(rows) else None
            if len(rows):
                self._look(acquisition, judge, part, rows, now)
        self._resume(ours)
        self._act(now)

    def _resume(self, ours: Sequence[Linkage]) -> None:
        """What was tripped when this process ended, or under the rules of before, goes on."""
        for number, one in enumerate(ours):
            latch = self.latches.tripped.get(one.id)
            if latch is not None:
                self._acting.go_on(one, latch, partial(self._judge.seen, number), partial(self._judge.holds, number))

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
        if self._site is not None and _day(now) != self._day:
            self.apply(self._site)

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
            quality = np.where(acquisition.answered[rows], acquisition.quality[rows], np.uint8(0))
            if judge.take(part, acquisition.value[rows], quality, acquisition.stamper.last[rows], now):
                self._act(now)
        except Exception:  # a fault of ours keeps no poll from going on
            self.counts["faults_total"] += 1
            log.exception("linkage_failed")

    def _told(self, far: Far) -> None:
        now = self._clock.now()
        part = self._judge.parts[f"far {far.gateway}"]
        if self._far.get(far.gateway) is far and self._judge.take(part, far.value, far.quality(now), far.ts, now):
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
            if so[number]:
                self._rose(int(number), one, now)
            elif not one.latched:
                self._acting.end(one, now, Name("条件已消失", "it holds no more"))
        self._restore_automatically(now)
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
        if one.id in self.latches.tripped:
            return
        if one.shadow:
            self._saying.say("shadow", one, now, reason, end=now, inputs=inputs)
            return
        if one.act is not Act.POWER_OFF and one.then and self._judge.holds(number, Of.THEN, now):
            done = Name(f"{reason.zh}；已是应有状态，无需动作", f"{reason.en}; all that must follow is so already")
            self._saying.say("not_needed", one, now, done, end=now, inputs=inputs)
            return
        self.counts["trips_total"] += 1
        here = {path: value for path, value in one.command.items() if self._devices.find(path) is not None}
        latch = Latch(one.id, one.version, now, one.priority, here, held=one.latched)
        self._acting.trip(
            one, latch, reason, inputs, partial(self._judge.seen, number), partial(self._judge.holds, number)
        )

    def _lost_or_back(self, number: int, lost: bool, now: int) -> None:
        one = self._judge.linkages[number]
        inputs = [seen for seen in self._judge.seen(number, Of.WHEN, now) if seen.lost]
        if lost:
            self._losses[one.id] = now
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
            began = self._losses.pop(one.id)
            self._saying.say("lost", one, began, Name("传感器已恢复", "the sensors are back"), end=now)

    # ---- restoring

    def _forbids(self, path: str, value: Value) -> Name | None:
        return forbidden(self.latches, path, value)

    def _restore_automatically(self, now: int) -> None:
        for number, one in enumerate(self._judge.linkages):
            if one.id not in self.latches.tripped or one.restore is None or not one.restore.automatic:
                continue
            if not self._so[number] and self._judge.holds(number, Of.RESTORE, now):
                self._acting.restore(one, now, "automatic")

    async def order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an order to restore, `{"restore": rule, …}`, whose giver is verified. Raises CommandError when it
        names no rule."""
        rule = read(order)
        try:
            who = self.verify(order)
        except NotProved as error:
            return self._refused(rule, error.reason)
        return await self.restore(rule, who)

    async def restore(self, rule: str, who: str) -> dict[str, Any]:
        """Restore a tripped rule for `who`, who has proved to be allowed to: only while its restore conditions hold, by
        good and present samples. `outcome`: done or refused, with `reason` in both languages."""
        now = self._clock.now()
        latch = self.latches.tripped.get(rule)
        if latch is None:
            return self._refused(rule, Name("该联动没有动作", "this rule has not tripped"), who)
        number = next((n for n, one in enumerate(self._judge.linkages) if one.id == rule), None)
        if number is None:
            await self._acting.forget(rule, now, who)
            return {"outcome": "done", "rule": rule, "reason": {"zh": "规则已不在配置中，闭锁已解除", "en": "released: "
                    "the site has no such rule any more"}}  # fmt: skip
        one = self._judge.linkages[number]
        inputs = self._judge.seen(number, Of.RESTORE, now)
        if self._so[number] or (one.restore is not None and not self._judge.holds(number, Of.RESTORE, now)):
            left = [seen for seen in inputs if not seen.met]
            zh = "；".join(f"{seen.comparison.text}，现为 {seen.value:g}（质量 {seen.quality}）" for seen in left)
            en = "; ".join(
                f"{seen.comparison.text}, and it is {seen.value:g} (quality {seen.quality})" for seen in left
            )
            reason = Name(f"复电条件不满足：{zh}", f"what must hold to restore does not: {en}")
            return self._refused(rule, reason, who)
        self.counts["restores_total"] += 1
        answers = await self._acting.restore(one, now, who, inputs)
        return {"outcome": "done", "rule": rule, "written": answers, "reason": {"zh": "已复位", "en": "restored"}}

    def _refused(self, rule: str, reason: Name, who: str = "") -> dict[str, Any]:
        self.counts["refused_restores_total"] += 1
        now = self._clock.now()
        known = next((one for one in self._judge.linkages if one.id == rule), None)
        self._saying.say("refused", known or rule, now, reason, end=now, more={"who": who})
        return {"outcome": "refused", "rule": rule, "reason": {"zh": reason.zh, "en": reason.en}}

    def machines(self, rule: str) -> dict[str, tuple[str, ...]]:
        """The equipment that a rule, or what it left tripped, commands here, with the areas that each stands in."""
        latch = self.latches.tripped.get(rule)
        if latch is None or self._site is None:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for path in latch.command:
            name = path.split("/")[1]
            known = self._site.equipment.get(name)
            found[name] = tuple(self._site.areas_around(None if known is None else known.area))
        return found

    def standing(self) -> list[dict[str, Any]]:
        """What is tripped, for the gateway's page."""
        return [
            {"rule": latch.rule, "at": latch.at, "done": latch.done, "held": latch.held, "command": dict(latch.command)}
            for latch in self.latches.tripped.values()
        ]


def _day(now: int) -> str:
    return datetime.datetime.fromtimestamp(now / 1e6, datetime.UTC).date().isoformat()
