"""What follows from what, and what came first."""

from __future__ import annotations

import dataclasses
import datetime
import math

from models import vocabulary
from models.alarms import Act, Engine, Finding, Rules
from models.alarms.causes import grouping
from models.alarms.standard import standards
from models.site.model import Act as Stop
from models.site.model import Comparison, Conditions, Kind, Linkage, Site
from tests.models.alarms.mine import METHANE, NOBODY, at, point, samples, site

TODAY = datetime.date(2026, 11, 26)
CH4, STATE, RUNNING, DUTY, DUCT, LOCK, SLIP, TEAR = range(1, 9)


def heading() -> Site:
    return site(
        point("gas/ch4", "ch4", number=CH4, limits=METHANE, statutory=True),
        point("gas/state", "sensor.state", number=STATE, kind=Kind.STATE, statutory=True),
        point("fan/running", "run.state", number=RUNNING, kind=Kind.STATE),
        point("fan/duty", "fan.duty", number=DUTY, kind=Kind.STATE),
        point("fan/duct", "duct.state", number=DUCT, kind=Kind.STATE),
        point("fan/wind_lock", "lock.wind", number=LOCK, kind=Kind.STATE),
        point("belt/slip", "protection.slip", number=SLIP, kind=Kind.STATE),
        point("belt/tear", "protection.tear", number=TEAR, kind=Kind.STATE),
        templates={"fan": "auxiliary_fan", "belt": "belt_conveyor"},
    )


def engine(mine: Site) -> Engine:
    return Engine(Rules.of(mine, TODAY), mine)


def causes(findings: list[Finding]) -> dict[str, tuple[str, str] | None]:
    return {each.rule: each.cause for each in findings if each.act is Act.RAISE}


def test_a_fan_that_stands_is_the_cause_of_what_it_brings_about() -> None:
    judge = engine(heading())
    judge.judge(samples((DUTY, 0, 1), (RUNNING, 0, 1), (DUCT, 0, 1), (CH4, 0, 0.3)), at(0))
    found = judge.judge(samples((LOCK, 1, 1), (DUCT, 1, 0), (RUNNING, 1, 0)), at(1))
    fan = ("fan.stopped", "m/fan/running")
    assert causes(found) == {"fan.stopped": None, "duct.no_air": fan, "lock.wind": fan}
    memory, later = judge.memory(), engine(heading())
    later.restore(memory)
    rising = samples((CH4, 20, 1.2))
    assert causes(later.judge(rising, at(20)))["limit.hi"] == fan
    judge.judge(samples((RUNNING, 21, 1), (DUCT, 21, 1)), at(21))
    assert causes(judge.judge(samples((CH4, 22, 1.2)), at(22)))["limit.hi"] is None


def test_points_of_a_lost_connection_stand_behind_it() -> None:
    judge = engine(heading())
    judge.judge(samples((CH4, 0, 0.3), (STATE, 0, 0)), at(0))
    found = judge.tick(at(25))
    lost = ("connection.silent", "m/connection:c")
    assert [(each.rule, each.cause) for each in found] == [(*lost[:1], None), ("stale", lost), ("stale", lost)]


def test_what_a_gateway_said_of_a_link_before_it_counted_as_lost_is_taken_under_it() -> None:
    """It marks the points within seconds; that nothing comes is known later."""
    judge = engine(heading())
    judge.judge(samples((CH4, 0, 0.3), (STATE, 0, 0), (SLIP, 0, 0)), at(0))
    judge.judge(samples((CH4, 2, math.nan, 24), (STATE, 2, math.nan, 24)), at(2))
    first = judge.tick(at(8))
    assert [(each.rule, each.cause) for each in first] == [("bad_quality", None)] * 2
    judge.judge(samples((STATE, 9, math.nan, 24)), at(9))
    memory, later = judge.memory(), engine(heading())
    later.restore(memory)
    for each in (judge, later):
        lost = next(found for found in each.tick(at(21)) if found.rule == "connection.silent")
        assert lost.takes == (("bad_quality", "m/gas/ch4"), ("bad_quality", "m/gas/state"))
        assert lost.began == at(0)
    back = judge.judge(samples((CH4, 30, 0.3), (STATE, 30, 0), (SLIP, 30, 0)), at(30))
    assert ("bad_quality", "m/gas/ch4") in {(each.rule, each.subject) for each in back if each.act is Act.RETURN}
    again = next(found for found in judge.tick(at(90)) if found.rule == "connection.silent")
    assert again.takes == (), "what returned is not taken"


def test_a_point_that_was_bad_and_then_came_no_more_is_one_trouble() -> None:
    judge = engine(heading())
    judge.judge(samples((CH4, 0, 0.3, 12), (SLIP, 0, 0)), at(0))
    judge.tick(at(6))
    judge.judge(samples((SLIP, 10, 0)), at(10))
    (stale,) = (each for each in judge.tick(at(21)) if each.rule == "stale" and each.subject == "m/gas/ch4")
    assert stale.cause == ("bad_quality", "m/gas/ch4")


def linkage(name: str, act: Stop, when: str, *then: str) -> Linkage:
    return Linkage(
        name, NOBODY, act, mine=True, when=Conditions((Comparison(f"m/{when}", 0.0, 0.0),), every=False),
        then=tuple(Comparison(f"m/{each}", 0.0, 0.0) for each in then), command={}, within_s=2.0, source="s",
    )  # fmt: skip


def line() -> Site:
    """Belts b2 → b1 → b0, one of another line, and a feed with a pump where it stands."""
    belts = [f"b{n}" for n in (0, 1, 2, 9)]
    made = site(
        *(point(f"{each}/running", "run.state", number=100 + n, kind=Kind.STATE) for n, each in enumerate(belts)),
        *(point(f"{each}/slip", "protection.slip", number=200 + n, kind=Kind.STATE) for n, each in enumerate(belts)),
        *(point(f"{each}/pile", "protection.pile_up", number=300 + n, kind=Kind.STATE) for n, each in enumerate(belts)),
        point("gas/ch4", "ch4", number=CH4, limits=METHANE, statutory=True),
        point("feed/feed", "feed.state", number=400, kind=Kind.STATE),
        *(point(f"{name}/healthy", "supply.healthy", number=401 + n, kind=Kind.STATE) for n, name in enumerate("pq")),
        templates=dict.fromkeys(belts, "belt_conveyor"),
    )
    moved = {name: dataclasses.replace(made.equipment[name], area="heading") for name in ("feed", "p")}
    stops = (
        linkage("a", Stop.STOP, "b0/running", "b1/running"),
        linkage("b", Stop.STOP, "b1/running", "b2/running"),
        linkage("c", Stop.START, "b0/running", "b9/running"),
        linkage("d", Stop.POWER_OFF, "gas/ch4", "feed/feed"),
    )
    return dataclasses.replace(made, equipment=made.equipment | moved, linkages=stops)


def test_belts_that_a_trip_stopped_stand_behind_it() -> None:
    judge = engine(line())
    slip = ("protection.slip", "m/b0/slip")
    judge.judge(samples((200, 0, 1)), at(0))
    found = judge.judge(samples((301, 2, 1), (302, 2, 1), (303, 2, 1), (300, 2, 1)), at(2))
    assert {each.subject: each.cause for each in found} == {
        "m/b1/pile": slip,
        "m/b2/pile": ("protection.pile_up", "m/b1/pile"),  # the nearest, which itself stands behind the slip
        "m/b9/pile": None,
        "m/b0/pile": None,
    }
    judge.judge(samples((201, 3, 1)), at(3))
    (again,) = judge.judge(samples((202, 4, 1)), at(4))
    assert again.cause == ("protection.slip", "m/b1/slip"), "the nearest"


def test_what_a_cut_left_without_power_stands_behind_it() -> None:
    judge = engine(line())
    judge.judge(samples((401, 0, 1), (402, 0, 1), (CH4, 0, 1.6)), at(0))
    found = judge.judge(samples((401, 1, 0), (402, 1, 0)), at(1))
    assert {each.subject: each.cause for each in found} == {
        "m/p/healthy": ("limit.hihi", "m/gas/ch4"),
        "m/q/healthy": None,
    }


def test_of_the_protections_of_a_machine_the_first_is_marked() -> None:
    judge = engine(heading())
    found = judge.judge(samples((SLIP, 2, 1), (TEAR, 1, 1)), at(2))
    assert [(each.rule, each.first_out) for each in found] == [("protection.tear", True), ("protection.slip", False)]
    judge.judge(samples((SLIP, 3, 0), (TEAR, 3, 0)), at(3))
    again = judge.judge(samples((SLIP, 90, 1)), at(90))
    assert [each.first_out for each in again if each.rule == "protection.slip"] == [True]


def test_every_name_is_one_of_an_alarm() -> None:
    known = {*standards().rules, *(f"limit.{kind}" for kind in ("lolo", "lo", "hi", "hihi"))}
    known |= {"stale", "bad_quality", "connection.silent"}
    for cause in grouping().causes:
        assert {*cause.cause, *cause.of} <= known, cause
        assert cause.where == "stopped" or not {*cause.cause} & {*cause.of}, "at one place none follows from itself"
    for group in grouping().first_out:
        assert set(group.rules) <= known
    assert "protection.slip" in vocabulary.roles()
