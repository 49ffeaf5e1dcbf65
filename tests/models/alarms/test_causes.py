"""What follows from what, and what came first."""

from __future__ import annotations

import datetime

from models import vocabulary
from models.alarms import Act, Engine, Finding, Rules
from models.alarms.causes import grouping
from models.alarms.standard import standards
from models.site.model import Kind, Site
from tests.models.alarms.mine import METHANE, at, point, samples, site

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
        assert {cause.cause, *cause.of} <= known, cause
        assert cause.cause not in cause.of
    for group in grouping().first_out:
        assert set(group.rules) <= known
    assert "protection.slip" in vocabulary.roles()
