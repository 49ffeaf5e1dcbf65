"""The quality of points by the hour, against a reference in plain Python: whatever comes late, twice, corrected or bad,
before and after the hours are kept."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store.errors import StoreError
from middleplatform.store.quality import assessment as assessment_module
from middleplatform.store.quality.assessment import SCHEMA, Assessment
from middleplatform.store.quality.figures import TIMES
from middleplatform.store.rollup_tables import HOUR, MINUTE
from tests.middleplatform.store.test_rollups import BASE, NEW_IDS, Stage, forbidden

CAUSE = {4: "configuration", 8: "link", 24: "link", 64: "clock"}
BREAKS = {16: "null", 68: "frozen", 80: "rate", 84: "range"}
QUALITIES = (192, 192, 192, 216, 195, 64, 68, 80, 84, 87, 0, 4, 8, 16, 24, 129)

sample = st.tuples(st.integers(0, 2), st.integers(0, 6 * 3600 - 1), st.sampled_from(QUALITIES))


@st.composite
def cases(draw):
    return {
        "writes": draw(st.lists(st.lists(sample, min_size=1, max_size=12), min_size=1, max_size=3)),
        "ages": [draw(st.sampled_from([20, 60, 700, 7200])) * 1_000_000 for _ in range(3)],
        "groups": draw(st.sampled_from([[0, 1, 2], [0, 0, 1], [5, 5, 5], [2, 1, 1]])),
        "now": draw(st.integers(1, 9)) * HOUR + draw(st.sampled_from([0, MINUTE, 12_345])),
        "since": [
            draw(st.sampled_from([-9, 0, 1, 99])) * HOUR + draw(st.sampled_from([0, MINUTE, 1])) for _ in range(3)
        ],
        "start": draw(st.integers(-1, 3)) * HOUR,
        "hours": draw(st.integers(1, 6)),
        "width": draw(st.sampled_from([1, 1, 2, 24])) * HOUR,
    }


def reference(holds: dict, ages: dict[int, int], groups: dict[int, int], case: dict, now: int) -> list[dict]:
    """Window by window, hour by hour, microsecond arithmetic on one sample after the other."""
    since = {point: BASE + begun for point, begun in zip(sorted(ages), case["since"], strict=True)}
    start, width = BASE + case["start"], case["width"]
    end = start + -(-case["hours"] * HOUR // width) * width
    found = []
    for group in sorted(set(groups.values())):
        members = [point for point, each in groups.items() if each == group]
        for opens in range(start, end, width):
            closes = min(opens + width, now)
            if closes <= opens:
                continue
            row = {"group": group, "ts": opens, "points": len(members), "n": 0} | {f"{name}_us": 0 for name in TIMES}
            row["expected_us"] = 0
            for point in members:
                for hour in range(opens, closes, HOUR):
                    of_hour(row, holds, point, ages[point], hour, min(hour + HOUR, now), now, since[point])
            told = row["good_us"] + row["uncertain_us"] + row["bad_us"]
            row["silent_us"] = row["expected_us"] - told
            row["gateway_us"] += row["silent_us"]
            row["completeness"] = told / row["expected_us"] if row["expected_us"] else math.nan
            row["validity"] = row["good_us"] / told if told else math.nan
            found.append(row)
    return found


def of_hour(row, holds, point, age, opens, closes, now, since) -> None:
    """Add what one point's hour is; one that ends before the point was expected is nothing."""
    if opens + HOUR <= since:
        return
    rows = sorted((ts, quality) for (p, ts), quality in holds.items() if p == point)
    told = 0
    for index, (ts, quality) in enumerate(rows):
        row["n"] += opens <= ts < closes
        until = rows[index + 1][0] if index + 1 < len(rows) else now
        length = min(until, ts + age, closes) - max(ts, opens)
        if length <= 0:
            continue
        told += length
        plain = quality & 0xFC
        kind = "good" if plain >= 192 else "uncertain" if 64 <= plain < 128 else "bad"
        row[f"{kind}_us"] += length
        if kind != "good":
            row[f"{CAUSE.get(plain, 'device')}_us"] += length
            if plain in BREAKS:
                row[f"{BREAKS[plain]}_us"] += length
    due = max(closes - max(opens, since), 0)
    row["expected_us"] += max(due, told)


def check(got: list[dict], expected: list[dict]) -> None:
    assert [(row["group"], row["ts"]) for row in got] == [(row["group"], row["ts"]) for row in expected]
    for mine, theirs in zip(got, expected, strict=True):
        assert {name: mine[name] for name in theirs} == pytest.approx(theirs, nan_ok=True)
        known = not math.isnan(theirs["validity"])
        weighed = (theirs["completeness"] + theirs["validity"]) / 2 if known else theirs["completeness"]
        assert mine["score"] == pytest.approx(100 * weighed, nan_ok=True)
        assert math.isnan(mine["timeliness"]) and math.isnan(mine["consistency"]) and math.isnan(mine["uniqueness"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_the_assessment_equals_the_reference_before_and_after_the_hours_are_kept(engine, case):
    first = next(NEW_IDS)
    points = [first, first + 1, first + 2]
    ages, groups = dict(zip(points, case["ages"], strict=True)), dict(zip(points, case["groups"], strict=True))
    stage = Stage(engine, ages)
    stage.now = BASE + case["now"]
    since = BASE + np.array(case["since"])
    assessment = Assessment(engine, stage.windows, stage.of, (), lambda _: since, lambda: stage.now)

    def assess() -> list[dict]:
        start = BASE + case["start"]
        table, whole = assessment.assess(points, case["groups"], start, start + case["hours"] * HOUR, case["width"])
        assert whole and table.schema == SCHEMA
        return table.to_pylist()

    holds: dict[tuple[int, int], int] = {}
    for ver, write in enumerate(case["writes"], start=1):
        batch = {(first + p, BASE + t * 1_000_000): q for p, t, q in write}
        batch = {key: q for key, q in batch.items() if key[1] < stage.now}
        if not batch:
            continue
        holds |= batch
        stage.write([(p, t, 1.0 if q >= 64 else math.nan, q) for (p, t), q in batch.items()], ver)
        check(assess(), reference(holds, ages, groups, case, stage.now))
        stage.roll()
        check(assess(), reference(holds, ages, groups, case, stage.now))


def test_closed_hours_are_answered_without_their_samples_and_late_ones_correct_them(engine, monkeypatch):
    point = next(NEW_IDS)
    stage = Stage(engine, {point: 20 * MINUTE})
    stage.now = BASE + 5 * HOUR
    stage.write([(point, BASE + step * 10 * MINUTE, 1.0, 192) for step in range(6)], 1)
    stage.roll()
    assessment = Assessment(engine, stage.windows, stage.of, clock=lambda: stage.now)
    seeded = assessment._samples.seeded
    monkeypatch.setattr(assessment._samples, "seeded", forbidden)
    asked = ([point], [0], BASE, BASE + 2 * HOUR, HOUR)
    first, second = assessment.assess(*asked)[0].to_pylist()
    assert (first["completeness"], first["validity"], first["score"]) == (1.0, 1.0, 100.0)
    assert second["silent_us"] == 50 * MINUTE == second["gateway_us"]
    stage.write([(point, BASE + HOUR + MINUTE, math.nan, 24)], 2)
    with pytest.raises(AssertionError):
        assessment.assess(*asked)
    monkeypatch.setattr(assessment._samples, "seeded", seeded)
    second = assessment.assess(*asked)[0].to_pylist()[1]
    assert (second["good_us"], second["bad_us"], second["link_us"]) == (MINUTE, 20 * MINUTE, 20 * MINUTE)
    stage.roll()
    monkeypatch.setattr(assessment._samples, "seeded", forbidden)
    assert str(assessment.assess(*asked)[0].to_pylist()[1]) == str(second)


def test_too_much_that_is_not_kept_leaves_open_hours_out_and_says_so(engine, monkeypatch):
    monkeypatch.setattr(assessment_module, "MOST_FRESH", 1)
    points = [next(NEW_IDS), next(NEW_IDS)]
    stage = Stage(engine, dict.fromkeys(points, 2 * HOUR))
    stage.write([(point, BASE - MINUTE, 1.0, 192) for point in points], 1)
    assessment = Assessment(engine, stage.windows, stage.of, clock=lambda: stage.windows.open_from * HOUR + MINUTE)
    opened = stage.windows.open_from * HOUR
    table, whole = assessment.assess(points, [0, 0], opened - HOUR, opened + HOUR, HOUR)
    assert not whole and table.column("ts").to_pylist() == [opened - HOUR]


def test_wrong_questions_are_refused_in_words(engine):
    stage = Stage(engine, {})
    assessment = Assessment(engine, stage.windows, stage.of)
    for points, groups, start, end, width, words in (
        ([], [], BASE, BASE + HOUR, HOUR, "at least one"),
        ([1, 1], [0, 0], BASE, BASE + HOUR, HOUR, "twice"),
        ([1], [0], BASE + 1, BASE + HOUR, HOUR, "whole hours"),
        ([1], [0], BASE, BASE, HOUR, "whole hours"),
        ([1], [0], BASE, BASE + 10_000 * HOUR, 24 * HOUR, "shorter"),
        ([1, 2], [0], BASE, BASE + HOUR, HOUR, "a group for each"),
        (list(range(200_001)), [0] * 200_001, BASE, BASE + HOUR, HOUR, "at most"),
        (list(range(2_000)), list(range(2_000)), BASE, BASE + 200 * HOUR, HOUR, "wider"),
    ):
        with pytest.raises(StoreError, match=words):
            assessment.assess(points, groups, start, end, width)


def test_a_group_is_the_sum_of_its_points(engine):
    points = [next(NEW_IDS) for _ in range(4)]
    stage = Stage(engine, dict.fromkeys(points, 10 * MINUTE))
    stage.now = BASE + 3 * HOUR
    rng = np.random.default_rng(5)
    for ver, point in enumerate(points, start=1):
        rows = {BASE + int(ts): int(rng.choice(QUALITIES)) for ts in rng.integers(0, 2 * HOUR, 50)}
        stage.write([(point, ts, 1.0, quality) for ts, quality in rows.items()], ver)
    assessment = Assessment(engine, stage.windows, stage.of, clock=lambda: stage.now)
    each = assessment.assess(points, [0, 1, 2, 3], BASE, BASE + 2 * HOUR, HOUR)[0]
    both = assessment.assess(points, [0, 1, 0, 1], BASE, BASE + 2 * HOUR, HOUR)[0]
    for name in ("n", "expected_us", "silent_us", *(f"{name}_us" for name in TIMES)):
        column = each.column(name).to_numpy().reshape(4, 2)
        assert (
            both.column(name).to_numpy().tolist()
            == np.concatenate([column[0] + column[2], column[1] + column[3]]).tolist()
        )
