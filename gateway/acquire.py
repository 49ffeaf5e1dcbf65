"""From a reading to samples worth sending: normalise, give a time, report by exception.

One Acquisition a connection. It also says what no device says: that points are bad while their
device is away (`mark`), that they still are (`sweep`), and that a subscribed value still holds.
Work is per column; a loop runs over rounds only when one delivery holds a point several times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gateway.chunk import Chunk, Receipt
from gateway.clock import EARLIEST, Stamper, Stamps
from gateway.derive import Derived, evaluate
from gateway.exception import ExceptionReport
from gateway.guards import Guards
from gateway.normalise import normalise
from gateway.points import NEVER, PointTable, Rows, rounds, rows_of
from gateway.skew import DeviceClock
from models.quality import GOOD, UNCERTAIN, Quality
from models.samples import Samples
from models.site.model import DEFAULT_SKEW_S, ClockPolicy, Connection
from protocols.adapter import Reading

SWEEP_S = 1.0
"""How often silence is looked for."""
REPEAT_LAG_US = 2_000_000
"""A subscribed value that holds is repeated for the time this long ago: a change on its way cannot
contradict it if it takes less."""
WAITING_US = 5_000_000
"""After connecting, points may stay without a first value this long before they are said to wait."""
UNMARKED = 255


class Acquisition:
    """The state of one connection's points, and the way of their samples to `send`."""

    def __init__(
        self, name: str, table: PointTable, send: Callable[[Chunk], None], spec: Connection | None = None
    ) -> None:
        count = len(table)
        self.name = name
        self.table = table
        self.stamper = Stamper(count)
        self.report = ExceptionReport(table)
        self.guards = Guards.build(table)
        self.derived = Derived.build(table)
        policy, zone, skew_s = (
            (ClockPolicy.SOURCE, "", DEFAULT_SKEW_S) if spec is None else (spec.clock, spec.time_zone, spec.skew_s)
        )
        self.clock = DeviceClock(count, policy, zone, skew_s)
        self._send = send
        self.watch: Callable[[int], None] | None = None
        """Called with the time, µs UTC, whenever the present of a point may have changed: see gateway.linkage."""
        self._all_rows = np.arange(count)
        self._whole_statutory = bool(table.statutory.all()) if count else False
        self._any_statutory = bool(table.statutory.any())
        self._repeat_us = np.array([max(p.silence_s - SWEEP_S, SWEEP_S) * 1e6 for p in table.points], np.int64)

        # What was last taken of each point, reported or not.
        self.value = np.full(count, np.nan)
        self.quality = np.full(count, Quality.BAD_WAITING, np.uint8)
        self.at = np.full(count, NEVER, np.int64)
        self._words = np.full(count, None, object) if table.textual else None
        # What was last said in the device's absence.
        self.answered = np.zeros(count, np.bool_)
        self.marked = np.full(count, UNMARKED, np.uint8)
        self._marked_ts = np.full(count, NEVER, np.int64)
        self.usable = np.ones(count, np.bool_)
        # For diagnostics.
        self.readings = np.full(count, None, object)
        self.reasons = np.full(count, None, object)
        self.latency_us = np.zeros(count, np.int64)
        self.clock_doubted = np.zeros(count, np.bool_)
        """Whose last sample is uncertain for its time alone."""
        self.taken = np.zeros(count, np.int64)
        self.reported = np.zeros(count, np.int64)
        self.samples = 0
        """Values taken from the device."""
        self.kept = 0
        """Those of them that were worth reporting."""
        self.sent = 0
        """Samples sent: `kept`, and what no device said."""

    def take(
        self,
        reading: Reading,
        *,
        instant: int,
        actual: int,
        current: bool,
        source: str = "",
        receipt: Receipt | None = None,
    ) -> None:
        """Take what a device said. `instant`: our time for rows without one of their own, if the point
        has none there yet; `actual`: when the last byte came; both µs UTC. `current`: the rows say
        how things are now, so a repetition confirms the value rather than being a redelivery."""
        rows = rows_of(reading.index, len(self.table))
        turns = rounds(rows, len(self.table))
        if turns is None:
            self._take(rows, reading, None, instant, actual, current, source, receipt)
        else:
            for number, turn in enumerate(turns):
                self._take(_positions(rows)[turn], reading, turn, instant, actual, current, (source, number), receipt)
        if current and reading.ts is not None:
            self._settle(rows, actual)
        if self.watch is not None:
            self.watch(actual)
        self.readings[rows] = reading
        self.samples += len(reading)
        if reading.reasons or int(reading.quality.min(initial=GOOD)) < UNCERTAIN:
            self.reasons[rows] = None
            for index, reason in reading.reasons.items():
                self.reasons[index] = reason

    def take_history(self, reading: Reading, now: int, receipt: Receipt | None = None) -> None:
        """Send how things were, with the source's times. Rows without a time that can be believed belong
        nowhere and are left out; the present, and what is remembered of it, stay as they are."""
        if reading.ts is None or not len(reading):
            return
        rows = _positions(rows_of(reading.index, len(self.table)))
        ts, raw, quality = self.clock.utc(reading.ts), reading.value, reading.quality
        if self.guards is not None:
            # All of it is past, so that no guard takes it for how things are now.
            raw, quality = self.guards.on_raw(rows, raw, quality, ts, np.ones(len(rows), np.bool_))
        value, quality = normalise(self.table, rows, raw, quality, reading.text)
        placed = (ts >= EARLIEST) & (ts <= now)
        samples = Samples(self.table.ids[rows], ts, value, quality, reading.text)
        self.samples += len(reading)
        self._emit(rows, samples, placed, np.ones(len(rows), np.bool_), "history", receipt)

    def _take(
        self,
        rows: Rows,
        reading: Reading,
        turn: NDArray[np.intp] | None,
        instant: int,
        actual: int,
        current: bool,
        source: object,
        receipt: Receipt | None,
    ) -> None:
        raw, quality, times, text = reading.value, reading.quality, reading.ts, reading.text
        if turn is not None:
            raw, quality = raw[turn], quality[turn]
            times = None if times is None else times[turn]
            text = None if text is None else text.take(pa.array(turn))
        times = self.clock.times(rows, times, actual)
        guards, given = self.guards, raw
        if guards is not None:
            past = None if times is None else self.stamper.past(rows, times)
            when = np.full(len(raw), instant) if times is None else np.where(times == 0, instant, times)
            raw, quality = guards.on_raw(rows, raw, quality, when, past)
        value, quality = normalise(self.table, rows, raw, quality, text)
        if guards is not None:
            guards.on_value(rows, given, value, quality, when, past, actual)
        if times is None:
            stamps = self.stamper.by_gateway(rows, instant, actual)
            # Not by the stamp: of a second answer for one instant that is when it came, and would be no time at all.
            self.latency_us[rows] = actual - instant
        else:
            same = self._same(rows, value, quality, text)
            stamps = self.stamper.by_source(rows, times, same, instant, actual)
            self.latency_us[rows] = actual - stamps.ts
        self._note(rows, stamps, value, quality, text, actual)
        self._doubt(rows, quality, stamps.uncertain, times)
        ts, late, again = stamps.ts, stamps.late, stamps.duplicate
        if again is not None and current:
            # The source's time has not moved, but what it says holds now: if that is due, it is said for now.
            ts[again] = self.stamper.by_gateway(_positions(rows)[again], instant, actual).ts
            again = None
        history = late if again is None else (again if late is None else late | again)
        keep = self.report.judge(rows, ts, value, quality, text, actual, history)
        if again is not None:
            keep &= ~again
        self.kept += int(np.count_nonzero(keep))
        self._emit(rows, Samples(self.table.ids[rows], ts, value, quality, text), keep, late, source, receipt)
        if self.derived is not None:
            self._derive(
                _positions(rows) if stamps.late is None else _positions(rows)[~stamps.late], actual, source, receipt
            )

    def _doubt(
        self,
        rows: Rows,
        quality: NDArray[np.uint8],
        uncertain: NDArray[np.bool_] | None,
        times: NDArray[np.int64] | None,
    ) -> None:
        """Good rows whose time is doubted become uncertain."""
        if times is not None and self.clock.doubted:
            theirs = times != 0
            uncertain = theirs if uncertain is None else uncertain | theirs
        if uncertain is None:
            self.clock_doubted[rows] = False
            return
        uncertain = uncertain & (quality >= GOOD)
        quality[uncertain] = UNCERTAIN
        self.clock_doubted[rows] = uncertain

    def _derive(self, rows: NDArray[np.intp], actual: int, source: object, receipt: Receipt | None) -> None:
        """What follows from these rows' present values, for the time of the newest input."""
        if self.derived is None:
            return
        for number, (shape, which) in enumerate(self.derived.touched(rows)):
            known = np.where(self.answered, self.quality, self.marked)
            inputs = shape.inputs[:, which]
            ready = (self.answered[inputs] | (self.marked[inputs] != UNMARKED)).all(axis=0)
            which, inputs = which[ready], inputs[:, ready]  # noqa: PLW2901
            if not len(which):
                continue
            out = shape.rows[which]
            raw, worst = evaluate(shape, which, self.value, known)
            value, quality = normalise(self.table, out, raw, worst)
            if self.guards is not None:
                when = np.full(len(out), actual)
                _, quality = self.guards.on_raw(out, raw, quality, when, None)
                self.guards.on_value(out, raw, value, quality, when, None, actual)
            ts = np.maximum(self.stamper.last[inputs].max(axis=0), self.stamper.last[out] + 1)
            self.stamper.last[out] = ts
            self.latency_us[out] = actual - ts
            self._note(out, Stamps(ts), value, quality, None, actual)
            keep = self.report.judge(out, ts, value, quality, None, actual)
            samples = Samples(self.table.ids[out], ts, value, quality)
            self._emit(out, samples, keep, None, (source, "derived", number), receipt)

    def _same(
        self, rows: Rows, value: NDArray[np.float64], quality: NDArray[np.uint8], text: pa.StringArray | None
    ) -> NDArray[np.bool_]:
        last = self.value[rows]
        same: NDArray[np.bool_] = (value == last) | (np.isnan(value) & np.isnan(last))
        same &= quality == self.quality[rows]
        if self._words is not None:
            words = np.full(len(value), None, object) if text is None else text.to_numpy(zero_copy_only=False)
            same &= words == self._words[rows]
        return same

    def _note(
        self,
        rows: Rows,
        stamps: Stamps,
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        text: pa.StringArray | None,
        actual: int,
    ) -> None:
        """Remember these rows as the present; late ones only show that the point is alive."""
        self.at[rows] = actual
        self.taken[rows] += 1
        if stamps.late is not None:
            present = ~stamps.late
            rows, value, quality = _positions(rows)[present], value[present], quality[present]
            text = None if text is None else text.filter(pa.array(present))
        self.answered[rows] = True
        self.value[rows] = value
        self.quality[rows] = quality
        if self._words is not None:
            self._words[rows] = None if text is None else text.to_numpy(zero_copy_only=False)

    def _emit(
        self,
        rows: Rows,
        samples: Samples,
        keep: NDArray[np.bool_] | None,
        late: NDArray[np.bool_] | None,
        source: Any,
        receipt: Receipt | None,
    ) -> None:
        """Send the rows that `keep` names (None: all of them)."""
        if keep is not None and not keep.all():
            if not keep.any():
                return
            rows, samples = _positions(rows)[keep], samples.take(keep)
            late = None if late is None else late[keep]
        self.reported[rows] += 1
        self.sent += len(samples)
        statutory = self.table.statutory[rows] if self._any_statutory else False
        if late is not None and not late.any():
            late = None
        self._send(Chunk(samples, self._whole_statutory or statutory, (self.name, source), late, receipt))

    def clock_jumped(self, moved_us: int) -> None:
        """The wall clock was set: silence is counted on as if it had not been; times see clock.Stamper."""
        for column in (self.report.at, self.at):
            column[column != NEVER] += moved_us
        self.clock.skew.clock_jumped(moved_us)
        if self.guards is not None:
            self.guards.clock_jumped(moved_us)
        if self.stamper.clock_jumped(moved_us):
            self.report.ts[:] = NEVER
            self._marked_ts[:] = NEVER

    # ---- what no device says

    def mark(self, code: Quality, reason: str, now: int, rows: NDArray[np.intp] | None = None) -> None:
        """These points (all usable ones) are bad from now on, without a value."""
        if rows is None:
            rows = np.flatnonzero(self.usable)
        self.reasons[rows] = reason
        if self.guards is not None:
            self.guards.away(rows)
        if self.derived is not None:
            rows = np.union1d(rows, self.derived.dependents(rows))
        news = rows[self.answered[rows] | (self.marked[rows] != code)]
        self.answered[rows] = False
        self.marked[rows] = code
        if self.watch is not None:
            self.watch(now)
        self._say_bad(news, now)

    def exclude(self, rows: NDArray[np.intp], reasons: list[str], now: int) -> None:
        """These points cannot be read as they are configured, whatever the device says."""
        if len(rows):
            self.mark(Quality.BAD_CONFIGURATION, "", now, rows)
            self.usable[rows] = False
            self.reasons[rows] = reasons

    def sweep(self, now: int, *, subscribed_since: int | None = None, holds: bool = False) -> None:
        """Say again what still is so. `subscribed_since`: when the subscription that is up began, µs;
        `holds`: it reports every change, so silence says that a value still is what it was."""
        if self.guards is not None:
            self._watch(self.guards, now, subscribed_since is not None)
        due = now - self.report.at >= self._repeat_us
        absent = ~self.answered & (self.marked != UNMARKED)
        if (absent & due).any():
            self._say_bad(np.flatnonzero(absent & due), now)
        if subscribed_since is None:
            return
        if now - subscribed_since >= WAITING_US:
            silent = ~self.answered & self.usable & (self.marked != Quality.BAD_LAST_KNOWN)
            silent &= self.marked != Quality.BAD_WAITING
            if silent.any():
                words = "nothing has come for this point since the connection was made"
                self.mark(Quality.BAD_WAITING, words, now, np.flatnonzero(silent))
        if holds:
            again = self.answered & due
        else:
            stale = self.answered & (self.quality >= UNCERTAIN) & (now - self.at >= self.table.stale_us)
            if stale.any():
                words = "nothing has come for this point for twice its longest silence"
                self.mark(Quality.BAD_LAST_KNOWN, words, now, np.flatnonzero(stale))
            again = self.answered & due & (self.quality < UNCERTAIN)
        if again.any():
            self._say_again(np.flatnonzero(again), now)

    def _watch(self, guards: Guards, now: int, subscribed: bool) -> None:
        """What stands still shows in what does not come; and where only changes come, the last one is all
        that tells of a state that has settled, or of points whose heartbeat beats again."""
        still = guards.standing(self.answered & (self.quality >= GOOD), now)
        if len(still):
            self.quality[still] = Quality.UNCERTAIN_LAST_USABLE
            self._say_again(still, now)
        if not subscribed:
            return
        led = guards.led_again(now)
        led = led[self.answered[led] & (self.quality[led] == Quality.UNCERTAIN_LAST_USABLE)]
        if len(led):
            self.quality[led] = GOOD
            self._say_again(led, now)
        settled, value, since = guards.debounce.settle(now)
        if len(settled):
            self.value[settled] = value
            ts = np.maximum(since, self.stamper.last[settled] + 1)
            self.stamper.last[settled] = ts
            words = None if self._words is None else self._words[settled]
            self._say(settled, ts, value, self.quality[settled], words, now)
        changed = np.concatenate([still, led, settled])
        if len(changed):
            self._derive(changed, now, "sweep", None)
            if self.watch is not None:
                self.watch(now)

    def _settle(self, rows: Rows, now: int) -> None:
        """What holds now was said with times of before the last mark: say it for now too, or the
        point's newest sample would go on calling it bad."""
        hidden = self.answered[rows] & (self._marked_ts[rows] >= self.stamper.last[rows])
        if hidden.any():
            self._say_again(np.unique(_positions(rows)[hidden]), now)

    def _say_bad(self, rows: NDArray[np.intp], now: int) -> None:
        if not len(rows):
            return
        ts = self.stamper.by_gateway(rows, now, now).ts
        self._marked_ts[rows] = ts
        self._say(rows, ts, np.full(len(rows), np.nan), self.marked[rows], None, now)

    def _say_again(self, rows: NDArray[np.intp], now: int) -> None:
        ts = self.stamper.by_gateway(rows, now - REPEAT_LAG_US, now).ts
        words = None if self._words is None else self._words[rows]
        self._say(rows, ts, self.value[rows], self.quality[rows], words, now)

    def _say(
        self,
        rows: NDArray[np.intp],
        ts: NDArray[np.int64],
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        words: NDArray[np.object_] | None,
        now: int,
    ) -> None:
        if words is None and self._words is not None:
            words = np.full(len(rows), None, object)
        text = None if words is None else pa.array(words, pa.string())
        self.report.remember(rows, ts, value, quality, words, now, np.ones(len(rows), np.bool_))
        samples = Samples(self.table.ids[rows], ts, value, quality, text)
        self._emit(rows, samples, None, None, "sweep", None)


def _positions(rows: Rows) -> NDArray[np.intp]:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
