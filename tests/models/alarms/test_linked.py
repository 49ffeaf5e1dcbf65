"""A linkage whose effect does not come: live after a cut is feed abnormal."""

from __future__ import annotations

import dataclasses
import datetime
import math

from models.alarms import Engine, Kind, Rules
from models.site.model import Act, Comparison, Conditions, Linkage, Name
from models.site.model import Kind as PointKind
from tests.models.alarms.mine import METHANE, at, point, samples, site

CH4, FEED, OTHER, STATE = 1, 2, 3, 4


def engine() -> Engine:
    mine = site(
        point("gas/ch4", "ch4", number=CH4, limits=METHANE, silence_s=5),
        point("gas_2/ch4", "ch4", number=OTHER, limits=METHANE, silence_s=5),
        point("gas/state", "sensor.state", number=STATE, kind=PointKind.STATE, silence_s=5),
        point("feed/feed", "feed.state", number=FEED, kind=PointKind.STATE, silence_s=10),
    )
    when = tuple(Comparison(f"m/{name}/ch4", 1.5, math.inf) for name in ("gas", "gas_2"))
    cut = Linkage(
        "cut", Name("甲烷断电", "Methane cut-off"), Act.POWER_OFF, mine=True, when=Conditions(when, every=False),
        then=(Comparison("m/feed/feed", 0.0, 0.0),), command={}, within_s=2.0, source="AQ 6201", priority=1,
    )  # fmt: skip
    mine = dataclasses.replace(mine, linkages=(cut,))
    return Engine(Rules.of(mine, datetime.date(2026, 11, 26)), mine)


def test_live_after_the_cut_is_feed_abnormal() -> None:
    judge = engine()
    judge.judge(samples((CH4, 0, 1.6), (OTHER, 0, 0.1), (FEED, 0, 1)), at(0))
    rule = judge.rules.rule("linkage.cut", "m/feed/feed")
    assert (rule.kind, rule.priority, rule.statutory, rule.on_s) == (Kind.FEED_FAULT, 1, True, 12.0)
    assert not any(each.rule == "linkage.cut" for each in judge.tick(at(11.9)))
    (told,) = judge.tick(at(12.5))
    assert (told.rule, told.subject, told.ts) == ("linkage.cut", "m/feed/feed", at(12))
    (back,) = [each for each in judge.judge(samples((FEED, 13, 0)), at(13)) if each.rule == "linkage.cut"]
    assert back.ts == at(13)


def test_a_cut_that_acts_and_no_cut_are_no_alarm() -> None:
    judge = engine()
    judge.judge(samples((CH4, 0, 0.3), (OTHER, 0, 0.1), (FEED, 0, 1)), at(0))
    judge.judge(samples((CH4, 1, 1.6), (FEED, 2, 0)), at(2))
    assert not any(each.rule == "linkage.cut" for each in judge.tick(at(14)))


def test_calibration_gas_is_no_reason_for_a_cut() -> None:
    judge = engine()
    judge.judge(samples((CH4, 0, 2.0), (OTHER, 0, 0.1), (FEED, 0, 1), (STATE, 0, 4)), at(0))
    judge.judge(samples((CH4, 9, 2.0), (OTHER, 9, 0.1), (FEED, 9, 1), (STATE, 9, 4)), at(9))
    assert not any(each.rule == "linkage.cut" for each in judge.tick(at(14)))
    judge.judge(samples((CH4, 15, 2.0), (STATE, 15, 0)), at(15))
    assert [each.ts for each in judge.tick(at(30)) if each.rule == "linkage.cut"] == [at(27)]
