"""Shifts, orders and habits: what the crews of a mine are told, and how intelligent they are in the long run."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from pydantic import ValidationError

from models.site.model import Name, Shift
from simulators.design.crew import CrewDesign, Place, Utilisation
from simulators.engine.engine import Engine
from simulators.physics.crew import IDLE, MAINTAIN, PRODUCE, Crew
from simulators.physics.habit import Habit
from simulators.physics.shifts import Calendar

START = int(datetime(2026, 5, 3, 16, 0, tzinfo=UTC).timestamp() * 1e6)
"""Monday 4 May 2026, 00:00 in Shanghai."""
HOUR = 3600
PLACES = {
    "face_1": Place(category="face"),
    "heading_1": Place(category="roadheader", maintenance_shift=2),
    "bolter_1": Place(category="bolting", follows="heading_1"),
    "belts": Place(category="belt"),
    "pump_room_1": Place(category="chamber"),
}


def crew(seed: int = 1, shifts: tuple[Shift, ...] = (), start: int = START, **design: object) -> Crew:
    made = CrewDesign.model_validate({"places": PLACES} | design)
    return Crew(made, Utilisation(face=0.4, belt=0.8), shifts, "Asia/Shanghai", start, np.random.default_rng(seed))


def day(part: Crew, hours: float = 24.0) -> dict[str, np.ndarray]:
    block = Engine([part], lambda dt: None, start_us=part.now_us).run(round(hours * HOUR))
    return {name: block[name] for name in block.columns}


def share_after(producing_s: float, share: float, seed: int) -> float:
    """What a habit comes to when the machine obeys it, but for 5 % of the time that somebody intervenes."""
    rng = np.random.default_rng(seed)
    habit = Habit(share, (600.0, 2400.0), rng)
    intervened = rng.random(round(producing_s / 5.0)) < 0.05
    for by_hand in intervened:
        if habit.spend(5.0, habit.intelligent and not by_hand):
            habit.choose()
    return habit.intelligent_s / habit.produced_s


@pytest.mark.parametrize("share", [0.0, 0.28, 0.55, 0.85])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_month_of_sessions_comes_within_half_a_point_of_the_share(share: float, seed: int) -> None:
    assert share_after(250 * HOUR, share, seed) == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_three_days_of_sessions_come_near_it(seed: int) -> None:
    assert share_after(36 * HOUR, 0.55, seed) == pytest.approx(0.55, abs=0.02)


def test_sessions_are_neither_endless_nor_all_alike() -> None:
    habit = Habit(0.5, (600.0, 2400.0), np.random.default_rng(4))
    lengths, since = [], 0
    for _ in range(400_000):
        since += 1
        if habit.spend(1.0, habit.intelligent):
            lengths.append(since)
            since = 0
            habit.choose()
    assert min(lengths) >= 600 and max(lengths) <= 2400
    assert np.std(lengths) > 300


def test_two_shifts_produce_and_one_maintains() -> None:
    seen = day(crew())
    face = seen["crew_face_1!state"]
    assert (face == PRODUCE).sum() == pytest.approx(2 * 7.1 * HOUR, rel=0.08)
    assert not face[: 25 * 60].any(), "nobody is at the face when the shift has just begun"
    assert set(face[8 * HOUR : 16 * HOUR]) == {IDLE, MAINTAIN}
    assert set(seen["crew_heading_1!state"][16 * HOUR :]) == {IDLE, MAINTAIN}
    assert np.array_equal(seen["crew_heading_1!state"], seen["crew_bolter_1!state"])
    assert (seen["crew_pump_room_1!state"] == PRODUCE).all()
    assert set(seen["crew_face_1!mode"][face == MAINTAIN]) == {4}


def test_belts_run_before_and_after_all_coal() -> None:
    seen = day(crew())
    coal = (seen["crew_face_1!producing"] > 0) | (seen["crew_heading_1!producing"] > 0)
    belts = seen["crew_belts!producing"] > 0
    assert belts[coal].all()
    assert belts.sum() > coal.sum()


def test_no_coal_on_rest_days_and_holidays() -> None:
    assert not (day(crew(holidays=[date(2026, 5, 4)]))["crew_face_1!producing"]).any()
    assert not (day(crew(rest_weekdays=[0]))["crew_belts!producing"]).any()
    assert day(crew(rest_weekdays=[1]))["crew_face_1!producing"].any()


def test_four_sixes_and_time_between_shifts() -> None:
    names = "一二三四"
    sixes = tuple(Shift(Name(names[n], str(n)), f"{6 * n + 2:02d}:00", f"{(6 * n + 8) % 24:02d}:00") for n in range(4))
    calendar = Calendar(sixes, "Asia/Shanghai")
    assert [calendar.turn(START + h * HOUR * 1_000_000).shift for h in (1, 2, 7, 8, 14, 20, 25)] == [
        3,
        0,
        0,
        1,
        2,
        3,
        3,
    ]
    gap = Calendar(sixes[:2], "Asia/Shanghai").turn(START)
    assert gap.shift == -1
    assert (gap.end_us - START) // 1_000_000 == 2 * HOUR
    face = day(crew(shifts=sixes))["crew_face_1!state"]
    assert (face == PRODUCE).sum() == pytest.approx(3 * 5.1 * HOUR, rel=0.1)


def test_orders_change_with_what_was_truly_done() -> None:
    """A crew whose machine is never intelligent keeps being told to be."""
    part = crew()
    row = np.zeros(len(part.channels))
    told = 0
    for _ in range(6 * HOUR):
        part.producing = [order.produce for order in part.orders.values()]
        part.step(1.0, row)
        told += part.orders["face_1"].intelligent
    produced = part.habits[part.index["face_1"]].produced_s
    assert told / produced > 0.85


def test_any_cut_into_blocks_gives_the_same_orders() -> None:
    whole = Engine([crew(7)], lambda dt: None, start_us=START).run(9000)
    pieces = Engine([crew(7)], lambda dt: None, start_us=START)
    cut = [pieces.run(n).values for n in (1, 599, 600, 7000, 800)]
    assert np.array_equal(np.concatenate(cut), whole.values)


@pytest.mark.parametrize(
    "places",
    [
        {"bolter_1": {"category": "bolting", "follows": "nowhere"}},
        {"a": {"category": "belt"}, "b": {"category": "bolting", "follows": "a"}},
        {"face_1": {"category": "faces"}},
    ],
)
def test_a_wrong_place_is_refused(places: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CrewDesign.model_validate({"places": places})


def test_shortest_over_longest_is_refused() -> None:
    with pytest.raises(ValidationError, match="session_min"):
        CrewDesign.model_validate({"session_min": [40, 10]})
