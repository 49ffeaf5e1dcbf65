"""The judge: samples in, findings out.

    engine = Engine(Rules.of(site, today), site)
    findings = engine.judge(samples, now) + engine.tick(now)

A batch is judged in the order of its samples' times, whatever their order in it. Late samples (more than a minute off
`now`, or older than the newest of their point) are judged by themselves: what is found in them is marked late, and the
present state stays what it was. `now` is µs UTC; the same calls with the same times find the same, so after a kill the
memory of any earlier moment and what came since lead to the same state.
"""

from __future__ import annotations

import numpy as np

from models.alarms.causes import Causes
from models.alarms.finding import Act, Finding
from models.alarms.memory import Known, State, load, save
from models.alarms.places import Places
from models.alarms.rows import Columns, Latest, Rows
from models.alarms.rules import Rules
from models.alarms.signs import Signs
from models.alarms.silences import Silences
from models.alarms.track import NEVER, ON, Track, Turns
from models.samples import Samples
from models.site.model import Site

LATE_US = 60_000_000
"""A sample that is older at `now` is history; one that is from so far in the future is from no time at all."""


class Engine:
    """Holds rules against samples. `unknown` counts samples of points that the site does not have."""

    def __init__(self, rules: Rules, site: Site) -> None:
        self.rules = rules
        self.unknown = 0
        self._ids = site.ids()
        self._places = Places(self._ids)
        count = len(self._ids)
        self._signs = Signs(rules, count)
        lanes = rules.lanes
        self._present, self._late = Track(lanes.on_us, lanes.off_us), Track(lanes.on_us, lanes.off_us)
        self._now, self._then = Latest(count), Latest(count)
        self._silences = Silences(rules.silences, count)
        self._causes = Causes(site)

    def judge(self, samples: Samples, now: int) -> list[Finding]:
        """What these samples say, in the order of its times. Of two of one point and time the later one counts."""
        self._silences.begin(now)
        point = self._places.of(samples.point)
        known = point >= 0
        columns = Columns(point, samples.ts, samples.value, samples.quality)
        if not known.all():
            self.unknown += int(len(known) - known.sum())
            columns = columns.where(known)
        late = (columns.ts < self._now.ts[columns.point]) | (np.abs(columns.ts - now) > LATE_US)
        found: list[Finding] = []
        if late.any():
            found += self._history(Rows.of(columns.where(late)))
            columns = columns.where(~late)
        if len(columns):
            rows = Rows.of(columns)
            found += self._findings(self._signs.judge(rows, self._now, self._present))
            found += self._silences.judge(rows, self.rules)
            self._now.take(rows)
        return self._causes.follow(found)

    def tick(self, now: int) -> list[Finding]:
        """What time alone brings about by `now`: delays that ran out, chattering that ended, points that are silent."""
        self._silences.begin(now)
        lanes = self._present.pending()
        lanes = lanes[self._present.due(lanes) <= now]
        found = self._findings(self._present.pass_by(lanes, now)) if len(lanes) else []
        found += self._silences.tick(now, self.rules)
        return self._causes.follow(found)

    def next_due(self) -> int | None:
        """When the next tick would find something if nothing came, µs UTC; None when never."""
        due = self._present.due(self._present.pending())
        found = [each for each in (int(due.min()) if len(due) else None, self._silences.next_due()) if each is not None]
        return min(found, default=None)

    def active(self) -> list[tuple[str, str]]:
        """Rule and subject of what is raised now."""
        lanes = self.rules.lanes
        held = [
            (self.rules.facts[lanes.rule[lane]].name, lanes.subject[lane])
            for lane in np.flatnonzero(self._present.active)
        ]
        return held + self._silences.active_of(self.rules)

    def chattering(self) -> list[tuple[str, str]]:
        """Rule and subject of alarms that are held raised although the process returned, because they chatter."""
        lanes, held = self.rules.lanes, self._present.active & (self._present.out == 0) & self._present.hold
        return [
            (self.rules.facts[lanes.rule[lane]].name, lanes.subject[lane]) for lane in np.flatnonzero(held).tolist()
        ]

    def memory(self) -> bytes:
        """All that a new engine needs to go on from here, a megabyte for some 100,000 points. To keep it now and then,
        with the position of the stream at that moment, and to judge again from there loses and repeats nothing."""
        return save(self._state())

    def restore(self, memory: bytes) -> None:
        """Go on where an engine left off, also one of an older version of the site: by points and alarms that both
        know. Raises ValueError when the bytes are no memory."""
        filled = load(memory, self._state())
        for track in (self._present, self._late):
            track.forget(np.arange(len(self.rules.lanes)))
        for column, rows, values in filled:
            column[rows] = values
        self._causes.begin(self.active())

    def _state(self) -> State:
        return {
            "now": Known(self._ids, dict(self._now.columns())),
            "then": Known(self._ids, dict(self._then.columns())),
            "present": Known(self.rules.keys, dict(self._present.columns()), self._present.stirred()),
            "late": Known(self.rules.keys, dict(self._late.columns()), self._late.stirred()),
            "silences": Known(self.rules.silence_keys, dict(self._silences.columns())),
        }

    def _history(self, rows: Rows) -> list[Finding]:
        """What late samples say. A tale that begins before the end of the one told last begins anew."""
        first = rows.first()
        anew = rows.point[first][rows.ts[first] <= self._then.ts[rows.point[first]]]
        if len(anew):
            self._late.forget(self._signs.lanes_of(anew))
            self._then.ts[anew], self._then.value[anew] = NEVER, np.nan
        found = self._findings(self._signs.judge(rows, self._then, self._late), late=True)
        self._then.take(rows)
        return found

    def _findings(self, turns: Turns, *, late: bool = False) -> list[Finding]:
        lanes, facts = self.rules.lanes, self.rules.facts
        return [
            Finding(
                facts[rule].name,
                lanes.subject[lane],
                Act.RAISE if to == ON else Act.RETURN,
                ts,
                None if value != value else value,  # noqa: PLR0124  (NaN)
                quality,
                late,
                chattering=damped,
            )
            for lane, rule, to, ts, value, quality, damped in zip(
                turns.lane.tolist(),
                lanes.rule[turns.lane].tolist(),
                turns.to.tolist(),
                turns.ts.tolist(),
                turns.value.tolist(),
                turns.quality.tolist(),
                turns.damped.tolist(),
                strict=True,
            )
        ]
