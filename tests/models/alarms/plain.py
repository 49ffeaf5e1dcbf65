"""The engine once more, one sample and one alarm at a time: a reference written for plainness alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from models.alarms.lanes import Form, Lane, Silence

UNHEARD = {8, 20, 24, 32}
"""Not connected, last known, communication failure, waiting: the gateway's words, not the point's."""
LATE = 60_000_000
MINUTE = 60_000_000
Told = tuple[str, str, str, int, bool]
"""Rule's number, subject, raise or return, time, late."""


@dataclass
class PlainLane:
    lane: Lane
    name: str
    code: str = "off"
    edge: float = -math.inf
    out: bool = False
    turns: list[int] = field(default_factory=list)
    held: bool = False
    active: bool = False

    def _due(self) -> float:
        """When the run that lasts turns the alarm."""
        if self.code == "hold" or (self.code == "on") == self.out:
            return math.inf
        delay = (self.lane.on_s if self.code == "on" else self.lane.off_s) * 1e6
        return max(self.edge + delay, self.turns[-1] if self.turns else -math.inf)

    def _release(self) -> float:
        """When an alarm that was held because it chatters is let go."""
        return self.turns[-1] + MINUTE if self.active and not self.out and self.held else math.inf

    def pass_until(self, end: float, tell: Callable[[str, str, str, int], None]) -> None:
        """All that happens before or at `end`."""
        while min(self._due(), self._release()) <= end:
            if self._due() <= self._release():
                at = int(self._due())
                self.out = self.code == "on"
                self.held = not self.out and len(self.turns) >= 2 and at - self.turns[-2] <= MINUTE
                self.turns.append(at)
                if self.out and not self.active:
                    self.active = True
                    tell(self.name, self.lane.subject, "raise", at)
                elif not self.out and self.active and not self.held:
                    self.active = False
                    tell(self.name, self.lane.subject, "return", at)
            else:
                self.active = False
                tell(self.name, self.lane.subject, "return", int(self._release_was()))

    def _release_was(self) -> float:
        return self.turns[-1] + MINUTE

    def sample(self, ts: int, code: str, tell: Callable[[str, str, str, int], None]) -> None:
        if code != self.code:
            self.pass_until(ts - 0.5, tell)
            self.code, self.edge = code, ts
        self.pass_until(ts, tell)


class Plain:
    """`lanes` with their names; `silences` of one point each, or of several in common."""

    def __init__(self, lanes: Sequence[tuple[str, Lane]], silences: Sequence[tuple[str, Silence]], codes: Codes):
        self.codes = codes
        self.spec = lanes
        self.now_lanes = [PlainLane(lane, name) for name, lane in lanes]
        self.late_lanes = [PlainLane(lane, name) for name, lane in lanes]
        self.silences = [[name, silence, None, False] for name, silence in silences]
        self.now: dict[int, tuple[int, float]] = {}
        self.then: dict[int, tuple[int, float]] = {}
        self.told: list[Told] = []

    def tell(self, name: str, subject: str, act: str, ts: int, late: bool = False) -> None:
        self.told.append((name, subject, act, ts, late))

    def judge(self, rows: Sequence[tuple[int, int, float, int]], now: int) -> None:
        """Rows of point, time, value, quality."""
        self._begin(now)
        newest = dict(self.now)
        late, present = {}, {}
        for point, ts, value, quality in rows:
            old = abs(ts - now) > LATE or (point in newest and ts < newest[point][0])
            (late if old else present)[point, ts] = (value, quality)
        began: set[int] = set()
        for point, ts in sorted(late):
            if point not in began and point in self.then and ts <= self.then[point][0]:
                for n, (name, lane) in enumerate(self.spec):
                    if lane.point == point:
                        self.late_lanes[n] = PlainLane(lane, name)
                del self.then[point]
            began.add(point)
        by_time = lambda item: (item[0][1], 0 if item[0][0] in self.codes.gates else 1)  # noqa: E731
        for (point, ts), (value, quality) in sorted(late.items(), key=by_time):
            self.then[point] = (ts, self._known(value, quality))
            self._sample(self.late_lanes, self.then, point, ts, value, quality, late=True)
            if ts <= now:
                self._was_there(point, ts, quality)
        for (point, ts), (value, quality) in sorted(present.items(), key=by_time):
            self.now[point] = (ts, self._known(value, quality))
            self._sample(self.now_lanes, self.now, point, ts, value, quality, late=False)
            for each in self.silences:
                if not each[1].common:
                    self._seen(each, point, ts)
        for each in self.silences:
            if each[1].common:
                heard = [ts for (point, ts), (_, quality) in present.items()
                         if point in each[1].points and not self._unheard(quality)]  # fmt: skip
                self._heard(each, heard)

    def tick(self, now: int) -> None:
        self._begin(now)
        for lane in self.now_lanes:
            lane.pass_until(now, self.tell)
        for each in self.silences:
            name, silence, seen, active = each
            if not active and seen + silence.limit <= now:
                each[3] = True
                self.tell(name, silence.subject, "raise", seen + silence.limit)

    def _known(self, value: float, quality: int) -> float:
        """What a gate says: nothing where it is bad."""
        return math.nan if quality < 64 or 128 <= quality < 192 else value

    def _begin(self, now: int) -> None:
        for each in self.silences:
            if each[2] is None:
                each[2] = now

    def _was_there(self, point: int, ts: int, quality: int) -> None:
        for each in self.silences:
            if point in each[1].points and not (each[1].common and self._unheard(quality)):
                each[2] = max(each[2], ts)

    def _unheard(self, quality: int) -> bool:
        return quality - quality % 4 in UNHEARD

    def _heard(self, each: list, times: list[int]) -> None:
        """What came of a connection in one batch: between two of its points nothing is said of the order."""
        name, silence, seen, active = each
        if not times:
            return
        if not active and min(times) - seen > silence.limit:
            self.tell(name, silence.subject, "raise", seen + silence.limit)
            active = True
        if active:
            self.tell(name, silence.subject, "return", max(min(times), seen))
        each[2], each[3] = max(seen, *times), False

    def _seen(self, each: list, point: int, ts: int) -> None:
        name, silence, seen, active = each
        if point not in silence.points:
            return
        if not active and ts - seen > silence.limit:
            self.tell(name, silence.subject, "raise", seen + silence.limit)
            active = True
        if active:
            self.tell(name, silence.subject, "return", ts)
        each[2], each[3] = max(seen, ts), False

    def _sample(self, lanes, known, point, ts, value, quality, *, late: bool) -> None:  # type: ignore[no-untyped-def]
        for lane in lanes:
            if lane.lane.point == point:
                gate = known.get(lane.lane.gate, (0, math.nan))[1]
                code = self.codes.of(lane.lane, value, quality, gate)
                lane.sample(ts, code, lambda *told: self.tell(*told, late=late))


class Codes:
    """What a sample says, from numbers as people read them. `states`: by table, the values that hold; `gates`: points
    that are gates, and at which of their values the others' are void."""

    def __init__(self, states: dict[int, set[int]], gates: dict[int, set[int]]) -> None:
        self.states, self.gates = states, gates

    def of(self, lane: Lane, value: float, quality: int, gate: float) -> str:
        bad = quality < 64 or 128 <= quality < 192
        if lane.form is Form.QUALITY:
            return "on" if bad else "off"
        if bad or math.isnan(value):
            return "hold"
        if lane.gate >= 0 and gate in self.gates[lane.gate]:
            return "hold"
        if lane.form is Form.STATES:
            return "on" if value in self.states[lane.table] else "off"
        height = value * lane.side
        if height >= lane.level:
            return "on"
        return "off" if height < lane.back else "hold"
