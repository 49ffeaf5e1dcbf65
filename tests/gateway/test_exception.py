"""Report by exception against a plain reference that looks at one sample at a time."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.exception import ExceptionReport
from gateway.points import PointTable
from models.site.model import Retention
from tests.gateway.sites import point

N = 4
value = st.sampled_from([0.0, 0.4, 0.5, 0.6, 1.0, 1.5, 2.0, math.nan])
sample = st.tuples(value, st.sampled_from([192, 64, 0, 24]), st.integers(0, 12_000_000), st.booleans())
readings = st.lists(st.dictionaries(st.integers(0, N - 1), sample, min_size=1), min_size=1, max_size=25)


class Plain:
    def __init__(self, dead_band, silence_us):
        self.dead_band, self.silence_us, self.last = dead_band, silence_us, None

    def judge(self, value, quality, ts, late, at):
        last = self.last
        if last is None:
            keep = True
        else:
            close = abs(value - last[0]) <= self.dead_band or (math.isnan(value) and math.isnan(last[0]))
            keep = not close or quality != last[1] or ts - last[2] >= self.silence_us or at - last[3] >= self.silence_us
        if late:
            return True
        if keep:
            self.last = (value, quality, ts, at)
        return keep


@given(readings, st.lists(st.integers(0, 6_000_000), min_size=25, max_size=25))
def test_it_reports_what_the_reference_reports(steps, pauses):
    bands, silences = [0.0, 0.5, 0.1, 1.0], [5.0, 5.0, 2.0, 10.0]
    points = [point(f"p{i}", dead_band=bands[i], silence_s=silences[i]) for i in range(N)]
    table = PointTable.build(points, {"fast": 1.0}, 1.0)
    report = ExceptionReport(table)
    plain = [Plain(bands[i], round((silences[i] - 1.0) * 1e6) + 1) for i in range(N)]
    at = 1_700_000_000_000_000
    for step, pause in zip(steps, pauses, strict=False):
        at += pause
        index = sorted(step)
        rows = slice(index[0], index[-1] + 1) if len(index) == index[-1] - index[0] + 1 else np.array(index)
        values, codes, times, lates = zip(*(step[i] for i in index), strict=True)
        late = np.array(lates) if any(lates) else None
        ts = np.array([at + t for t in times])
        keep = report.judge(rows, ts, np.array(values), np.array(codes, np.uint8), None, at, late)
        wanted = [plain[i].judge(values[row], codes[row], int(ts[row]), lates[row], at) for row, i in enumerate(index)]
        assert keep.tolist() == wanted


def judged(report, value, quality=192, second=0):
    at = 1_700_000_000_000_000 + second * 1_000_000
    return bool(
        report.judge(slice(0, 1), np.array([at]), np.array([value]), np.array([quality], np.uint8), None, at)[0]
    )


def test_a_slow_drift_is_seen_because_what_is_suppressed_does_not_move_the_last_value():
    report = ExceptionReport(PointTable.build([point("p", dead_band=0.5)], {"fast": 1.0}, 1.0))
    seen = [judged(report, 0.1 * step, second=step) for step in range(12)]
    assert [step for step, kept in enumerate(seen) if kept] == [0, 6]


def test_the_longest_silence_holds_whatever_the_period():
    for period, silence in ((1.0, 30.0), (20.0, 30.0), (7.0, 30.0), (60.0, 30.0), (0.1, 10.0)):
        report = ExceptionReport(PointTable.build([point("p", silence_s=silence)], {"fast": period}, 1.0))
        instants = [round(k * period, 6) for k in range(400)]
        kept = [second for second in instants if judged(report, 1.0, second=second)]
        longest = max(b - a for a, b in itertools.pairwise(kept))
        assert longest <= max(silence, period) + 1e-6, (period, longest)
        assert longest > max(silence, period) - 2 * period - 1e-6, f"reported too often at a period of {period}"


def test_pressure_widens_bulk_and_never_statutory():
    points = [point("bulk", dead_band=1.0), point("gas", dead_band=1.0, retention=Retention.STATUTORY)]
    report = ExceptionReport(PointTable.build(points, {"fast": 1.0}, 1.0))
    at, good = 1_700_000_000_000_000, np.full(2, 192, np.uint8)

    def keep(value, second):
        now = at + second * 1_000_000
        return report.judge(slice(0, 2), np.full(2, now), np.full(2, value), good, None, now).tolist()

    assert keep(0.0, 0) == [True, True]
    report.widen(4.0)
    assert keep(3.0, 1) == [False, True]
    report.widen(1.0)
    assert keep(3.0, 2) == [True, False]
