"""The judge: samples in, findings out.

    engine = Engine(Rules.of(site, today), site)
    findings = engine.judge(samples, now) + engine.tick(now)

A batch is judged in the order of its samples' times, whatever their order in it. Late samples (more than a minute off
`now`, or older than the newest of their point) are judged by themselves: what is found in them is marked late, and the
present state stays what it was. `now` is µs UTC; the same calls with the same times find the same, so after a kill the
memory of any earlier moment and what came since lead to the same state.

A clock that jumps: after a leap forward, as after a time when nobody was heard, silence counts anew; when `now` goes
back, what had times after it is taken as of `now`, or all that comes would be late until the clock is there again.
"""

from __future__ import annotations

from collections.abc import Iterable

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
BACK_US = 5_000_000
"""When `now` is so much earlier than it was, the clock was set back; less is the order in which two streams come."""


class Engine:
    """Holds rules against samples. `unknown` counts samples of points that the site does not have; `quiet_us`: when
    nothing at all came for so long, nobody was heard (None: somebody always is)."""

    def __init__(self, rules: Rules, site: Site, quiet_us: int | None = None) -> None:
        self.rules = rules
        self.quiet_us = quiet_us
        self.unknown = 0
        self.back = 0
        """How often the clock was set back."""
        self._heard = np.full(1, NEVER, np.int64)
        """The last `now`."""
        self._ids = site.ids()
        self._places = Places(self._ids)
        count = len(self._ids)
        self._signs = Signs(rules, count)
        lanes = rules.lanes
        self._present, self._late = Track(lanes.on_us, lanes.off_us), Track(lanes.on_us, lanes.off_us)
        self._now, self._then = Latest(count), Latest(count)
        self._silences = Silences(rules.silences, count)
        self._patience = np.array([round(2e6 * point.silence_s) for point in site.points], np.int64)
        self._causes = Causes(site)

    def judge(self, samples: Samples, now: int) -> list[Finding]:
        """What these samples say, in the order of its times. Of two of one point and time the later one counts."""
        self._hear(now)
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
            history = Rows.of(columns.where(late))
            found += self._history(history)
            self._silences.late(history, now)
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

    def review(self) -> list[Finding]:
        """What the values that stand say to these rules, which an engine before did not know or had otherwise; as at
        the time of the newest sample. What is silent says nothing until it comes again."""
        newest = int(self._now.ts.max(initial=NEVER))
        point = np.flatnonzero((newest - self._now.ts <= self._patience) & (self._now.ts > NEVER))
        if not len(point):
            return []
        rows = Rows(point, np.full(len(point), newest), self._now.value[point], self._now.quality[point])
        found = self._findings(self._signs.judge(rows, self._now, self._present, standing=True))
        self._now.judged[point] = True
        return self._causes.follow(found)

    def adopt(self, names: Iterable[tuple[str, str]]) -> None:
        """These are raised (rule and subject), though nothing here knows why: what comes says whether they last."""
        wanted, lanes = set(names), self.rules.lanes
        known = enumerate(zip(lanes.rule.tolist(), lanes.subject, strict=True))
        self._present.adopt(
            np.array([lane for lane, (rule, of) in known if (self.rules.facts[rule].name, of) in wanted], np.intp)
        )
        for number, (name, subject) in enumerate(self._silences.names(self.rules)):
            self._silences.active[number] |= (name, subject) in wanted
        self._causes.begin(self.active())

    def doubt(self) -> None:
        """Something went wrong in between: the next sample of every point is judged whatever it was before."""
        self._now.judged[:] = self._then.judged[:] = False

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
            "heard": Known(np.zeros(1, np.uint64), {"ts": self._heard}),
        }

    def _hear(self, now: int) -> None:
        last, self._heard[0] = int(self._heard[0]), now
        if last == NEVER:
            return
        if now < last - BACK_US:
            self.back += 1
            np.minimum(self._now.ts, now, out=self._now.ts)
            self._present.set_back(now)
            self._silences.set_back(now)
        elif self.quiet_us is not None and now - last >= self.quiet_us:
            self._silences.pardon(now)

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
