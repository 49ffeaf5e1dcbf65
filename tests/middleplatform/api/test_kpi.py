"""Figures over the API and on the command line: of a range, by shift, in sight; what is kept, and what is stale."""

from __future__ import annotations

import math
import time
from datetime import date, timedelta

import httpx
import pytest
from typer.testing import CliRunner

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.kpi import book
from middleplatform.kpi.book import Versions
from middleplatform.kpi.state import State
from models.kpi.day import MineDay, UnitDay
from models.site.model import Name
from models.utilisation.figure import Figure
from sevenones.commands import kpi
from tests.middleplatform.api.stage import until
from tests.servers import CODE

HOUR = 3_600_000_000
FIRST = date(2026, 3, 2)
BY = Versions("2026-1", "site-1", "1")


def unit(category, name, equipment, *shifts, output=None):
    figures = {str(n): figure for n, figure in enumerate(shifts, start=1)}
    return UnitDay(category, name, Name(f"单元{name}", f"unit {name}"), equipment, figures, ("start",), output)


def hours(intelligent, by_hand, blind=0.0):
    return Figure(
        round(intelligent * HOUR),
        round(by_hand * HOUR),
        0,
        round(blind * HOUR),
        calendar=8 * HOUR,
        reasons={"mode": round(by_hand * HOUR)},
    )


@pytest.fixture(scope="module")
def kept(standing):
    """Two days, the second of them twice; a day between them and the third lacks."""
    for day, more in ((0, 0.0), (1, 0.0), (1, 1.0)):
        on = FIRST + timedelta(days=day)
        units = (
            unit("face", "shearer_1", ("gone_1",), hours(4, 1), hours(2 + more, 2), output=(60.0, 20.0, "")),
            unit("belt", "belt1", ("belt1",), hours(6, 2), hours(6, 0), output=(900.0, 100.0, "t")),
            unit("belt", "pump1", ("pump1",), hours(1, 7), hours(0, 0, 8), output=(0.0, 500.0, "t")),
        )
        made = MineDay(CODE, on, 0, 24 * HOUR, BY.rules, BY.site, units)
        book.keep(standing.home, CODE, book.UTILISATION, on, made.document(), BY, at=1_772_500_000_000_000 + day)
    return standing


def figure(kept, **asked):
    answer = kept.get("kpi/figure", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_day_is_its_units_and_a_range_its_days(kept):
    (day,) = figure(kept, first=str(FIRST))["periods"]
    face, belt = day["categories"]
    assert (face["key"], belt["key"], belt["units"]) == ("face", "belt", 2)
    assert face["rate"] == 6 / 9 and belt["rate"] == 13 / 22
    assert belt["least"] == 13 / 30 and belt["most"] == 21 / 30 and belt["coverage"] == 22 / 30
    assert not belt["assessable"] and day["doubtful"] == ["belt"] and day["standing"] == "not_assessable"
    assert day["why"][0]["category"] == "belt" and math.isclose(day["rate"], (6 / 9 + 13 / 22) / 2)
    assert belt["output"] == {"rate": 0.6, "by_itself": 900.0, "otherwise": 600.0, "unit": "t"}
    assert belt["seconds"]["calendar"] == 32 * 3600 and belt["seconds"]["producing"] == 22 * 3600
    assert (day["rules"], day["sites"], day["missing"], day["provisional"]) == (["2026-1"], ["site-1"], 0, False)
    (both,) = figure(kept, first=str(FIRST), last=str(FIRST + timedelta(days=1)))["periods"]
    assert both["categories"][0]["rate"] == 13 / 19, "the newest revision of the second"


def test_the_times_of_each_figure_make_its_calendar(kept):
    (day,) = figure(kept, first=str(FIRST))["periods"]
    units = kept.get("kpi/units", first=str(FIRST)).json()["units"]
    for own in (each["seconds"] for each in (*day["categories"], *units)):
        assert own["intelligent"] + own["by_hand"] + own["open"] + own["blind"] + own["idle"] == own["available"]
        assert own["available"] + own["excluded"] == own["calendar"]


def test_by_month_and_by_shift_and_days_that_lack(kept):
    last = FIRST + timedelta(days=30)
    march, april = figure(kept, first=str(FIRST), last=str(last), by="month")["periods"]
    assert (march["period"], march["days"], march["missing"]) == ("2026-03", 30, 28)
    assert (april["days"], april["missing"], april["rate"], april["why"][0]["reason"]) == (1, 1, None, "no_day")
    assert march["coverage"] < 0.1, "of days that lack nothing is known"
    name = {"zh": "单元shearer_1", "en": "unit shearer_1"}
    assert march["normalised"] == [
        {"unit": "shearer_1", "name": name, "days": 0, "producing": 2, "share": 0.8, "needed": 25, "met": False}
    ]
    (shift,) = figure(kept, first=str(FIRST), shift="2")["periods"]
    assert shift["categories"][0]["rate"] == 0.5 and shift["categories"][0]["output"] is None
    days = figure(kept, first=str(FIRST), last=str(FIRST + timedelta(days=1)), by="day")["periods"]
    assert [each["period"] for each in days] == ["2026-03-02", "2026-03-03"]


def test_units_say_why_time_did_not_count(kept):
    found = kept.get("kpi/units", first=str(FIRST), category="belt").json()["units"]
    assert [each["id"] for each in found] == ["belt1", "pump1"]
    (reason,) = found[0]["reasons"]
    assert (reason["clause"], reason["seconds"]) == ("mode", 7200.0) and "集控室" in reason["words"]["zh"]
    assert found[0]["shifts"] == {"1": 0.75, "2": 1.0} and found[0]["lacks"] == ["start"]
    assert kept.get("kpi/units", first=str(FIRST), unit="nobody").status_code == 404


@pytest.mark.parametrize("shift", ["", "2"])
def test_days_that_lack_are_unknown_of_each_unit_as_of_its_category(kept, shift):
    asked = {"first": str(FIRST - timedelta(days=1)), "last": str(FIRST + timedelta(days=28)), "shift": shift}
    (whole,) = figure(kept, **asked)["periods"]
    answer = kept.get("kpi/units", **asked).json()
    assert whole["missing"] == answer["missing"] == 28
    for category in whole["categories"]:
        own = [each for each in answer["units"] if each["category"] == category["key"]]
        for name, seconds in category["seconds"].items():
            assert sum(each["seconds"][name] for each in own) == seconds, name
        for each in own:
            assert each["seconds"]["calendar"] == 30 * (8 if shift else 16) * 3600
            assert each["coverage"] < 0.1 and not each["assessable"]
            assert each["least"] < 0.1 and each["most"] > 0.9


def test_a_unit_by_day_adds_up_to_itself(kept):
    asked = {"first": str(FIRST), "last": str(FIRST + timedelta(days=2)), "unit": "shearer_1"}
    (whole,) = kept.get("kpi/units", **asked).json()["units"]
    days = kept.get("kpi/units", by="day", **asked).json()["units"]
    assert [each["day"] for each in days] == [str(FIRST), str(FIRST + timedelta(days=1))]
    assert whole["day"] is None and days[0]["provisional"] is False
    for name in ("intelligent", "by_hand", "excluded", "open"):
        assert sum(each["seconds"][name] for each in days) == whole["seconds"][name]
    for name in ("blind", "calendar"):
        assert sum(each["seconds"][name] for each in days) + 16 * 3600 == whole["seconds"][name], "the day that lacks"
    (first, _) = kept.get("kpi/units", by="day", shift="2", **asked).json()["units"]
    assert first["rate"] == 0.5 and list(first["shifts"]) == ["2"]
    refused = kept.get("kpi/units", by="day", first=str(FIRST))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "which_unit")


def test_figures_come_with_what_they_mean(kept):
    said = kept.get("kpi/definitions", day=str(FIRST)).json()
    rules = said["rules"]
    assert (rules["version"], rules["effective_from"], rules["confirmed"]) == ("2026-1", "2020-01-01", False)
    assert rules["source"] == {
        "zh": "本平台定义，参照设备厂家平台的统计口径",
        "en": "this house's definition, after what makers' platforms count",
    }
    belt = next(each for each in rules["categories"] if each["key"] == "belt")
    assert belt["producing"][0]["asks"]["zh"] == "带速超过额定值的10%"
    assert [each["key"] for each in belt["intelligent"]] == ["mode", "start"]
    assert "控制方式为远控或自动" in belt["intelligent"][1]["asks"]["zh"]
    assert said["belts"]["from_kt"] == 900 and said["energy"]["methane"]["gwp"]["ar5"] == 28
    assert said["energy"]["tariff"] is None, "this mine names none"
    refused = kept.get("kpi/definitions", day="2001-01-01")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_rules")


def test_who_sees_a_part_of_the_mine_hears_of_no_other_unit(kept):
    token = tokens.create_token(kept.home, "east", "operator", scope=Scope.of({"areas": ["east"]}))
    with httpx.Client(base_url=kept.url, headers={"Authorization": f"Bearer {token}"}) as client:
        answer = client.get("/api/v1/kpi/figure", params={"first": str(FIRST)})
        (day,) = answer.json()["periods"]
        assert answer.json()["partial"] and [each["units"] for each in day["categories"]] == [1]
        assert day["categories"][0]["rate"] == 12 / 14
        assert (day["standing"], day["below"], day["why"]) == ("part", [], []), "a target is the mine's"
        units = client.get("/api/v1/kpi/units", params={"first": str(FIRST)})
        assert [each["id"] for each in units.json()["units"]] == ["belt1"]
        assert client.get("/api/v1/kpi/units", params={"first": str(FIRST), "unit": "pump1"}).status_code == 404


def test_revisions_are_listed_with_what_made_them(kept):
    last = str(FIRST + timedelta(days=1))
    newest = kept.get("kpi/days", first=str(FIRST), last=last).json()["revisions"]
    assert [(each["day"], each["revision"]) for each in newest] == [(str(FIRST), 1), (last, 2)]
    every = kept.get("kpi/days", first=last, all=True).json()["revisions"]
    assert [(each["revision"], each["superseded_us"] is None) for each in every] == [(1, False), (2, True)]
    assert len({each["digest"] for each in every}) == 2


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2026-02-30"},
        {"first": "2026-03-02", "last": "2026-03-01"},
        {"first": "2020-01-01", "last": "2026-01-01"},
        {"first": "9999-12-31", "last": "9999-12-31"},
        {"first": "9998-12-31", "last": "9999-12-31", "by": "day"},
        {"by": "week"},
        {"shift": "night"},
        {"from": "2026-03-02"},
    ],
)
def test_wrong_questions_are_refused_in_words(kept, asked):
    answer = kept.get("kpi/figure", **asked)
    assert answer.status_code == 400 and answer.json()["error"]["message_zh"]
    if "by" not in asked and "shift" not in asked:
        assert kept.get("kpi/days", **asked).status_code == kept.get("kpi/units", **asked).status_code == 400


def test_the_edges_of_the_calendar_and_shifts_that_there_are_not(kept):
    for day in ("9998-12-31", "0001-01-01"):
        assert figure(kept, first=day)["periods"][0]["missing"] == 1
    answer = kept.get("kpi/figure", first=str(FIRST), shift="9")
    assert answer.status_code == 404 and "1" in answer.json()["error"]["message"]


def test_a_stale_figure_is_told_as_stale(kept):
    assert figure(kept, first=str(FIRST))["trouble"] == []
    State().tell(kept.home, CODE, 1_000_000)
    (trouble,) = figure(kept, first=str(FIRST))["trouble"]
    State(outdated="site.yaml: line 3").tell(kept.home, CODE, time.time_ns() // 1000)
    (older,) = figure(kept, first=str(FIRST))["trouble"]
    assert "旧配置" in older["zh"] and "older site: site.yaml" in older["en"]
    State().tell(kept.home, CODE, 1_000_000)
    assert "陈旧" in trouble["zh"] and "stale" in trouble["en"]
    with kept.client(None) as client:  # health looks every so often, not when it is asked

        def degraded():
            return client.get("/api/v1/health").json()["degraded"]

        assert until(lambda: any(words.startswith("figures: ") for words in degraded()))


def test_the_command_shows_them(kept):
    asked = ("--url", kept.url, "--token", kept.reader)
    answer = CliRunner().invoke(kpi.app, ["show", str(FIRST), *asked])
    assert answer.exit_code == 0 and "三机协同" in answer.stdout and "66.7 %" in answer.stdout, answer.output
    assert "不可评价" in answer.stdout and "below 90 %" in answer.stdout and "低于90%" in answer.stdout, answer.output
    assert "[" not in answer.stdout, "no marks for a terminal"
    answer = CliRunner().invoke(kpi.app, ["show", str(FIRST), "--units", *asked])
    assert answer.exit_code == 0 and "belt1" in answer.stdout, answer.output
    token = tokens.create_token(kept.home, "east_command", "operator", scope=Scope.of({"areas": ["east"]}))
    answer = CliRunner().invoke(kpi.app, ["show", str(FIRST), "--url", kept.url, "--token", token])
    assert "部分 · a part of the mine" in answer.stdout and "不是全矿" in answer.stdout, answer.output
    assert "不可评价" not in answer.stdout and "达标" not in answer.stdout
    answer = CliRunner().invoke(kpi.app, ["days", str(FIRST), *asked])
    assert answer.exit_code == 0 and "2026-1" in answer.stdout, answer.output
