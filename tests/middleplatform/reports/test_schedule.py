"""Reports that make themselves: each once, a missed one made up for, and what cannot be made tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from typer.testing import CliRunner

from middleplatform.kpi import book
from middleplatform.reports import record, schedule, verify
from middleplatform.reports.rounds import ReportRounds
from models.site.problems import SiteErrors
from sevenones.commands import report
from tests.middleplatform.api.build import site
from tests.middleplatform.kpi.made import BY, FIRST, HOUR, ONE, TWO, day_of, keep_day, keep_mine, march, start_of

YAML = """
reports:
  - {name: day, kind: daily, at: '09:30', language: both}
  - {name: month, kind: bureau, at: '08:00', day: 3, files: [xlsx], folder: out}
  - {name: turn, kind: shift, shifts: ['1', '3'], mines: ['140581999101'], files: [pdf], at: '10:00'}
"""
ZONES = {ONE: "Asia/Shanghai", TWO: "Asia/Shanghai"}


def at(day: date, hours: float) -> int:
    return start_of(day) + round(hours * HOUR)


def names(plan: str, now: int, done: set[tuple[str, str]] | None = None) -> list[str]:
    return [f"{each.entry.name} {each.period}" for each in schedule.due(schedule.read(plan), ZONES, now, done or set())]


def test_what_is_due_and_when() -> None:
    daily = "reports: [{name: day, kind: daily, at: '09:30'}]"
    before, after = names(daily, at(date(2026, 3, 9), 9.4)), names(daily, at(date(2026, 3, 9), 9.5))
    assert set(after) - set(before) == {f"day 2026-03-08/{ONE}", f"day 2026-03-08/{TWO}"}
    assert len(before) == 6 * 2 and len(after) == 7 * 2, "of the last seven days"
    month = "reports: [{name: month, kind: bureau, at: '08:00', day: 3}]"
    assert names(month, at(date(2026, 4, 3), 7.9)) == ["month 2026-02"]
    assert names(month, at(date(2026, 4, 3), 8)) == ["month 2026-02", "month 2026-03"]
    assert names(month, at(date(2026, 1, 5), 0)) == ["month 2025-11", "month 2025-12"]
    assert names(month, at(date(2026, 4, 3), 8), {("month", "2026-03"), ("month", "2026-02")}) == []


def test_a_mine_far_in_the_west_goes_by_its_own_clock() -> None:
    daily = schedule.read("reports: [{name: day, kind: daily, at: '09:30'}]")
    now = round(datetime(2026, 3, 9, 15, 0, tzinfo=UTC).timestamp()) * 1_000_000
    assert schedule.due(daily, {ONE: "America/Denver"}, now, set())[-1].order.last == date(2026, 3, 7)
    assert schedule.due(daily, {ONE: "Asia/Shanghai"}, now, set())[-1].order.last == date(2026, 3, 8)


def test_made_once_missed_ones_made_up_for_and_what_is_away_tried_again(tmp_path: Path) -> None:
    (tmp_path / "reports.yaml").write_text(YAML, "utf-8")
    keep_mine(tmp_path, ONE, march(2))
    now = at(march(4)[3], 11)
    found = schedule.run(tmp_path, tmp_path, now)
    made = {f"{each.due.entry.name} {each.due.period}": each for each in found if each.code}
    assert set(made) == {
        f"day 2026-03-01/{ONE}", f"day 2026-03-02/{ONE}",
        *(f"turn 2026-03-0{day}/{ONE}/{shift}" for day in (1, 2) for shift in "13"),
    }  # fmt: skip
    assert all(each.why for each in found if not each.code), "why not is told"
    files = [path for each in made.values() for path in each.files]
    assert len(files) == 2 * 2 + 4 and all(path.is_file() for path in files)
    assert sorted(path.name for path in tmp_path.glob("reports/day-*")) == [
        f"day-daily-{ONE}-2026-03-0{day}-both.{form}" for day in (1, 2) for form in ("pdf", "xlsx")
    ]
    assert verify.verify_file(tmp_path, files[0].read_bytes()).good
    assert [each for each in schedule.run(tmp_path, tmp_path, now + 60_000_000) if each.code] == [], "one run once"
    keep_day(tmp_path, day_of(ONE, march(3)[2]))
    late = [each.due.period for each in schedule.run(tmp_path, tmp_path, now + HOUR) if each.code]
    assert late == [f"2026-03-03/{ONE}", f"2026-03-03/{ONE}/1", f"2026-03-03/{ONE}/3"]
    assert {each.who for each in record.listed(tmp_path)} == {"schedule"}


def test_a_month_waits_for_its_days_until_a_week_after_its_time(tmp_path: Path) -> None:
    (tmp_path / "reports.yaml").write_text(
        "reports: [{name: month, kind: bureau, day: 3, files: [xlsx]}, {name: once, kind: bureau, files: [xlsx]}]"
    )
    keep_mine(tmp_path, ONE, march(5))
    keep_mine(tmp_path, TWO, march(31))

    def run(day: int) -> dict[str, str]:
        found = schedule.run(tmp_path, tmp_path, at(date(2026, 4, day), 9))
        return {each.due.entry.name: each.code or each.why for each in found if each.due.period == "2026-03"}

    waiting = run(3)
    assert all("26 mine-days are lacking" in why for why in waiting.values()) and len(waiting) == 2
    made = run(9)
    assert record.listed(tmp_path)[0].code == made["once"], "a week after its time with what there is"
    assert "waits until 2026-04-10 08:00" in made["month"]
    for day in march(31)[5:]:
        keep_day(tmp_path, day_of(ONE, day))
    assert set(run(9)) == {"month"} and run(10) == {}, "at once when it is whole, and once"
    assert len(list((tmp_path / "reports").iterdir())) == 2, "a file of each entry"


def test_a_mine_that_nobody_knows_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports.yaml").write_text("reports: [{name: month, kind: bureau, mines: ['99', '140581999101']}]")
    keep_mine(tmp_path, ONE, march(31))
    found = schedule.run(tmp_path, tmp_path, at(date(2026, 4, 1), 9))
    assert [each.code for each in found] == ["", ""] and all("of a mine 99" in each.why for each in found)


def test_a_bureau_of_several_clocks_goes_by_the_one_farthest_behind() -> None:
    month = schedule.read("reports: [{name: month, kind: bureau}]")
    zones = {ONE: "Asia/Shanghai", TWO: "Asia/Urumqi"}
    east, west = (round(datetime(2026, 4, 1, hour, tzinfo=UTC).timestamp()) * 1_000_000 for hour in (0, 2))
    assert [each.period for each in schedule.due(month, zones, east, set())] == ["2026-02"]
    assert [each.period for each in schedule.due(month, zones, west, set())] == ["2026-02", "2026-03"]


def test_a_plan_in_the_sites_own_folder_and_one_of_a_bureau_without_a_site(tmp_path: Path) -> None:
    keep_mine(tmp_path / "home", ONE, march(1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "reports.yaml").write_text("reports: [{name: d, kind: daily, files: [xlsx]}]")
    rounds = ReportRounds(tmp_path / "home", tmp_path / "home", tmp_path / "mine")
    assert len([each for each in rounds.round(site(), at(march(2)[1], 12)) if each.code]) == 1
    (tmp_path / "home" / "reports.yaml").write_text("reports: [{name: month, kind: bureau, mines: ['99']}]")
    done = CliRunner().invoke(report.app, ["due", "--home", str(tmp_path / "home")])
    assert done.exit_code == 0 and "nothing is kept of a mine 99" in done.output


def test_a_home_without_a_plan_makes_nothing_and_one_of_the_site_is_found(tmp_path: Path) -> None:
    keep_mine(tmp_path, ONE, march(1))
    assert schedule.run(tmp_path, tmp_path, at(march(2)[1], 12)) == []
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "reports.yaml").write_text("reports: [{name: d, kind: daily, files: [xlsx]}]", "utf-8")
    assert [each.due.order.last for each in schedule.run(tmp_path, tmp_path, at(march(2)[1], 12)) if each.code] == [
        FIRST
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reports: [{name: a, kind: weekly}]", "kind"),
        ("reports: [{name: a, kind: daily, at: '25:00'}]", "time of day"),
        ("reports: [{name: a, kind: daily}, {name: a, kind: bureau}]", "same name"),
        ("reports: [{name: a, kind: shift}]", "shifts"),
        ("reports: [{name: a, kind: daily, shifts: ['1']}]", "shifts"),
        ("reports: [{name: a, kind: bureau, day: 31}]", "day"),
        ("reports: [{name: a, kind: daily, colour: red}]", "colour"),
    ],
)  # fmt: skip
def test_a_plan_with_a_mistake_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(SiteErrors, match=words) as refused:
        schedule.read(text)
    assert "reports.yaml:1" in str(refused.value)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=20))
def test_whenever_it_is_looked_at_each_day_is_due_exactly_once(minutes: list[int]) -> None:
    plan = schedule.read("reports: [{name: day, kind: daily, at: '09:30'}]")
    start, done, made = at(date(2026, 3, 9), 0), set(), []
    for minute in sorted(minutes):
        for each in schedule.due(plan, {ONE: "Asia/Shanghai"}, start + minute * 60_000_000, done):
            done.add((each.entry.name, each.period))
            made.append(each.order.last)
    until = date(2026, 3, 8) + timedelta(days=(max(minutes) - 570) // 1440)
    assert made == sorted(set(made)) and made[-1] == until


def test_a_day_that_cannot_be_read_stops_its_own_report_alone(tmp_path: Path) -> None:
    keep_mine(tmp_path, ONE, march(1))
    keep_mine(tmp_path, TWO, march(1))
    book.keep(tmp_path, ONE, book.ENERGY, FIRST, '{"energy": "none"}', BY, at=1)
    (tmp_path / "reports.yaml").write_text("reports: [{name: d, kind: daily, files: [xlsx]}]", "utf-8")
    found = ReportRounds(tmp_path, tmp_path).round(site(), at(march(2)[1], 12))
    of_day = {each.due.order.mines: each for each in found if each.due.order.first == FIRST}
    assert of_day[(TWO,)].code and not of_day[(ONE,)].code and "KeyError" in of_day[(ONE,)].why


def test_rounds_tell_what_is_wrong_once_and_go_on(tmp_path: Path) -> None:
    keep_mine(tmp_path, ONE, march(1))
    plan = tmp_path / "reports.yaml"
    plan.write_text("reports: [{name: d, kind: weekly}]", "utf-8")
    rounds, now = ReportRounds(tmp_path, tmp_path), at(march(2)[1], 12)
    with capture_logs() as told:
        assert rounds.round(site(), now) == rounds.round(site(), now) == []
    assert len(told) == 1 and "reports.yaml:1" in told[0]["why"]
    plan.write_text("reports: [{name: d, kind: daily, files: [xlsx]}]", "utf-8")
    with capture_logs() as told:
        made = [each.code for each in rounds.round(site(), now) if each.code]
        rounds.round(site(), now)
    assert len(made) == 1 and [each["code"] for each in told if "code" in each] == made
    whys = [each["why"] for each in told if "why" in each]
    assert len(whys) == len(set(whys)) == 6, "of the six days before, none of which is kept, each once"
