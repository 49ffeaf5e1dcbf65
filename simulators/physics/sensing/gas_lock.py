"""The mine's own hard-wired cut-off (甲烷电闭锁、风电闭锁), by what the sensors transmit and nothing else.

A range is cut within 2 s when one of its sensors' cut-off contacts opens, when such a sensor breaks, or when its
heading has no air. It may be live again only when every sensor of it is below its restore value and the air is back,
and then somebody has to close it: after `reset_s`, or by the command `reset`. A breaker that does not open
(`feed_abnormal`) leaves the range live: the feed sensor says so.

It gives `allowed` (equipment → may be live), `allowed_range`, and by channel `lock_<range>!state`, `!commanded`,
`!live`. The plant may set `powered` (range → whether there is voltage at all).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.sensing import GasLockDesign, RangeDesign
from simulators.engine.part import Part, Refused, Row
from simulators.physics.sensing.sensors import Sensors
from simulators.physics.sensing.state_word import FEED_ABNORMAL

LIVE, CUT, WAITING = 0, 1, 2
"""A range is live, cut for a reason that lasts, or cut and free to be closed."""


class Range:
    """One of them. `sensors`: positions in `Sensors.cutting`."""

    def __init__(self, name: str, design: RangeDesign, sensors: Sensors, heading: int) -> None:
        self.name, self.design, self.heading = name, design, heading
        mine = [sensor for sensor in sensors.cutting if name in sensors.design.sensors[sensor].ranges]
        self.sensors = [sensors.cutting.index(sensor) for sensor in mine]
        at = sensors.at.first
        self.duct = -1 if design.wind is None else at[design.wind.duct]
        self.fans = [] if design.wind is None else [at[fan] for fan in design.wind.fans]
        self.state = LIVE
        self.abnormal = self.reset = self.windless = False
        self.powered = True
        self.wanted_s = self.waited_s = self.cut_s = 0.0

    @property
    def live(self) -> bool:
        """Whether there is voltage behind the breaker."""
        return self.powered and (self.state == LIVE or self.abnormal)


class GasLock(Part):
    """Steps after the sensors."""

    def __init__(self, design: GasLockDesign, sensors: Sensors) -> None:
        self.design, self.sensors = design, sensors
        headings = list(sensors.air.design.headings)
        self._check(headings)
        self.ranges = {
            name: Range(name, each, sensors, headings.index(each.wind.heading) if each.wind else -1)
            for name, each in design.ranges.items()
        }
        self.channels: Sequence[str] = [
            f"lock_{name}!{key}" for name in self.ranges for key in ("state", "commanded", "live")
        ]
        self.allowed: dict[str, bool] = {}
        self.allowed_range: dict[str, bool] = {}
        self.changes = 0
        """How often `allowed` has been set anew."""
        self.powered = dict.fromkeys(self.ranges, True)
        self._now = np.zeros(len(self.channels))
        self._contacts = np.array(
            [at for each in self.ranges.values() for at in (each.duct, *each.fans) if at >= 0], int
        )
        """Points that the wind-electric locks watch: while none of them changes and nothing is cut, all rests."""
        self._seen, self._known_powered, self._rests = b"", self.powered.copy(), False
        self._fed = {name: sensors.source_index.get(f"lock_{name}.live") for name in self.ranges}
        for name, each in self.ranges.items():
            if each.design.feed is not None:
                sensors.beyond[each.design.feed]["feed_abnormal"] = (self, name)
        self._publish()

    def _check(self, headings: Sequence[str]) -> None:
        """Raises ValueError for what is named and does not exist."""
        known, ranges = self.sensors.index, self.design.ranges
        for name, sensor in self.sensors.design.sensors.items():
            for each in sensor.ranges:
                if each not in ranges:
                    raise ValueError(f"{name}.ranges: 没有断电范围 '{each}' · there is no such range")
        for name, each in ranges.items():
            wind = (each.wind.duct, *each.wind.fans) if each.wind else ()
            for sensor_name in (*wind, *((each.feed,) if each.feed else ())):
                if sensor_name not in known:
                    raise ValueError(f"ranges.{name}: 没有传感器 '{sensor_name}' · there is no such sensor")
            if each.wind and each.wind.heading not in headings:
                raise ValueError(f"ranges.{name}.wind.heading: 没有掘进面 '{each.wind.heading}' · no such heading")

    def step(self, dt: float, row: Row) -> None:
        """See `Part`."""
        sensors, changed = self.sensors, False
        broken = sensors.design.fault_cuts and sensors.words.any_broken
        alert = broken or sensors.any_tripped
        contacts = sensors.answered.take(self._contacts).tobytes()
        if not alert and self._rests and contacts == self._seen and self.powered == self._known_powered:
            row[:] = self._now
            return
        self._seen, self._known_powered, shown = contacts, self.powered.copy(), sensors.shown
        for each in self.ranges.values():
            windless = each.duct >= 0 and not (shown[each.duct] >= 1.0 and any(shown[fan] >= 1.0 for fan in each.fans))
            powered = self.powered[each.name]
            if windless != each.windless or powered != each.powered:
                each.windless, each.powered, changed = windless, powered, True
            if windless or alert or each.state != LIVE or each.wanted_s:
                changed |= self._step(each, dt, broken)
        self._rests = all(each.state == LIVE and not each.wanted_s for each in self.ranges.values())
        if changed:
            self._publish()
        row[:] = self._now

    def _step(self, each: Range, dt: float, broken: bool) -> bool:
        """One range on; says whether something about it changed."""
        before = each.state, each.cut_s < self.design.feed_check_s
        gas = any(self.sensors.tripped[n] for n in each.sensors)
        gas |= broken and any(self.sensors.faulty(self.sensors.cutting[n]) for n in each.sensors)
        if each.state == LIVE:
            each.wanted_s = each.wanted_s + dt if gas or each.windless else 0.0
            if each.wanted_s >= self.design.response_s and each.wanted_s > 0.0:
                each.state, each.cut_s, each.wanted_s = CUT, 0.0, 0.0
        else:
            each.cut_s += dt
            well = not (gas or each.windless) and self._below(each)
            each.state = WAITING if well else CUT
            each.waited_s = each.waited_s + dt if well else 0.0
            after = each.design.reset_s
            if well and (each.reset or (after is not None and each.waited_s >= after)):
                each.state, each.waited_s = LIVE, 0.0
        each.reset = False
        return before != (each.state, each.cut_s < self.design.feed_check_s)

    def _below(self, each: Range) -> bool:
        """Whether all its sensors show less than their restore value."""
        sensors = self.sensors
        return all(sensors.value(sensors.cutting[n]) < sensors.restore[n] for n in each.sensors)

    def _publish(self) -> None:
        """Something changed: who may be live, and what the feed sensors and the fans' panels are told."""
        air = self.sensors.air
        self.changes += 1
        self.allowed.clear()
        for n, (name, each) in enumerate(self.ranges.items()):
            allowed = each.state == LIVE or each.abnormal
            self.allowed_range[name] = allowed
            for equipment in each.design.equipment:
                self.allowed[equipment] = allowed and self.allowed.get(equipment, True)
            self._now[3 * n : 3 * n + 3] = [each.state, each.state != LIVE, each.live]
            fed = self._fed[name]
            if fed is not None:
                self.sensors.given[fed] = each.live
            if each.design.feed is not None:
                wrong = each.state != LIVE and each.live and each.cut_s >= self.design.feed_check_s
                self.sensors.say(each.design.feed, "feed", FEED_ABNORMAL if wrong else 0)
            if each.heading >= 0:
                air.wind_locked[each.heading] = each.state != LIVE and each.windless
                air.gas_locked[each.heading] = each.state != LIVE and not each.windless

    def command(self, equipment: str, key: str, value: float) -> None:
        """`command` 3 (reset) closes a range that may be closed."""
        each = self.ranges.get(equipment.removeprefix("lock_"))
        if each is None or key != "command" or value != 3:
            super().command(equipment, key, value)
            return
        if each.state == CUT:
            raise Refused(f"{each.name} 仍在闭锁，瓦斯或风量未恢复 · is still locked: gas or air is not back")
        each.reset = True

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """By range; the feed sensor of a range passes it on."""
        return {f"lock_{name}": ("feed_abnormal",) for name in self.ranges}

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """`feed_abnormal` 1: the breaker of a range does not open when told to."""
        each = self.ranges.get(equipment.removeprefix("lock_"))
        if each is None or kind != "feed_abnormal":
            super().disturb(equipment, kind, amount)
            return
        each.abnormal = amount > 0.0
        self._publish()
