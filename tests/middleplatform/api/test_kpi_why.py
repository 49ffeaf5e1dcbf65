"""A figure opened over the API, and what was found: as kept, in words, and only what the caller may see."""

from __future__ import annotations

from datetime import date

import pytest
from typer.testing import CliRunner

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.kpi import book
from middleplatform.kpi.evidence import Evidence, UnitSpans
from models.kpi.calendar import bounds
from models.kpi.day import Excluded
from models.kpi.findings import Finding, FindingsDay
from models.site.model import Name
from models.spans import NOTHING, Spans
from models.utilisation.judge import Judged
from models.utilisation.rules import standard
from models.utilisation.verdict import Verdict
from sevenones.commands import kpi
from tests.middleplatform.api.build import site
from tests.servers import CODE

DAY = date(2026, 3, 2)
START, END = bounds(site(), DAY)
HOUR = 3_600_000_000
RULES = standard().versions[-1]


def verdict(*hours: tuple[float, float]) -> Verdict:
    yes = Spans.of((START + round(a * HOUR), START + round(b * HOUR)) for a, b in hours)
    return Verdict(yes, yes.gaps(START, END))


def unit(name: str, *equipment: str) -> UnitSpans:
    """A belt that ran from 2 to 10, by remote control until 6, started from the control room."""
    moving, mode, start = RULES.categories["belt"].clauses()
    judged = Judged(((moving, verdict((2, 10))),), ((mode, verdict((0, 6))), (start, verdict((0, 24)))), NOTHING)
    return UnitSpans("belt", name, Name("皮带", "belt"), equipment, ("mode",), None, START, END, judged)


@pytest.fixture(scope="module")
def kept(platform):
    """Of belt1, and of another that stands in the sump, a kept day and a finding each."""
    out = Excluded(7, "geology", "belt", "belt1", START + 3 * HOUR, START + 4 * HOUR)
    units = (unit("belt1", "belt1"), unit("pump1", "pump1", "valve_9"))
    made = Evidence(CODE, DAY, START, END, RULES.version, "v1", (("rest", START, END),), units, (out,), RULES.digest)
    versions = book.Versions(RULES.version, "v1", "test", RULES.digest)
    place = platform.home
    book.keep(place, CODE, book.UTILISATION, DAY, made.mine_day().document(), versions, made.pack())
    found = tuple(
        Finding(
            "frozen",
            Name("不变", "still"),
            "belt",
            of,
            of,
            START,
            START + HOUR,
            {"same_s": 3600.0},
            (f"{CODE}/{of}/x",),
        )
        for of in ("belt1", "pump1")
    )
    said = FindingsDay(
        CODE, DAY, START, END, "2026-1", "v1", {"frozen": 2}, found, {"belt1": ("belt1",), "pump1": ("pump1",)}
    )
    book.keep(place, CODE, "findings", DAY, said.document(), versions)
    return made


@pytest.fixture(scope="module")
def east(platform):
    return tokens.create_token(platform.home, "figures of the east", "analyst", scope=Scope.of({"areas": ["east"]}))


@pytest.fixture
def ask(platform, kept, east):
    def asked(path, who="reader", **query):
        with platform.client(None) as client:
            client.headers["Authorization"] = f"Bearer {east if who == 'east' else platform.reader}"
            return client.get(f"/api/v1/kpi/{path}", params=query)

    return asked


def test_intervals_are_the_whole_day_and_its_figure(ask):
    told = ask("intervals", unit="belt1", day="2026-03-02").json()
    assert [(each["counted"], each["clause"], each["seconds"] / 3600) for each in told["intervals"]] == [
        ("not_producing", "moving", 2), ("intelligent", None, 1), ("excluded_intelligent", None, 1),
        ("intelligent", None, 2), ("by_hand", "mode", 4), ("not_producing", "moving", 14),
    ]  # fmt: skip
    assert told["figure"] == {
        "intelligent": 3 * HOUR, "by_hand": 4 * HOUR, "open": 0, "blind": 0, "blind_by_hand": 0,
        "unsure": 0, "unsure_by_hand": 0, "unsure_idle": 0, "excluded": HOUR,
        "excluded_intelligent": HOUR, "excluded_by_hand": 0, "calendar": 24 * HOUR,
        "reasons": {"mode": 4 * HOUR},
    }  # fmt: skip
    assert (told["revision"], told["rules"], told["total"], told["next"]) == (1, RULES.version, 6, None)
    assert told["intervals"][4]["words"]["zh"] == "生产但非智能，不计入：不由集控室控制"
    page = ask("intervals", unit="belt1", day="2026-03-02", counted="intelligent", limit=1).json()
    assert (page["total"], page["next"], page["intervals"][0]["start"]) == (2, 1, START + 2 * HOUR)
    assert page["intervals"][0]["start_time"] == "2026-03-02T02:00:00+08:00"


def test_a_shift_of_a_day_is_cut_out_of_it_and_another_is_refused(ask, platform):
    day = date(2026, 3, 9)
    start, end = bounds(site(), day)

    def held(*hours: tuple[float, float]) -> Verdict:
        yes = Spans.of((start + round(a * HOUR), start + round(b * HOUR)) for a, b in hours)
        return Verdict(yes, yes.gaps(start, end))

    moving, mode, begun = RULES.categories["belt"].clauses()
    judged = Judged(((moving, held((2, 10))),), ((mode, held((0, 6))), (begun, held((0, 24)))), NOTHING)
    belt = UnitSpans("belt", "belt1", Name("皮带", "belt"), ("belt1",), (), None, start, end, judged)
    parts = (("1", start, start + 5 * HOUR), ("rest", start + 5 * HOUR, end))
    made = Evidence(CODE, day, start, end, RULES.version, "v1", parts, (belt,), (), RULES.digest)
    versions = book.Versions(RULES.version, "v1", "test", RULES.digest)
    book.keep(platform.home, CODE, book.UTILISATION, day, made.mine_day().document(), versions, made.pack())
    told = ask("intervals", unit="belt1", day=str(day), shift="1").json()
    assert [(each["counted"], each["seconds"] / 3600) for each in told["intervals"]] == [
        ("not_producing", 2),
        ("intelligent", 3),
    ]
    assert (told["figure"]["intelligent"], told["figure"]["calendar"]) == (3 * HOUR, 5 * HOUR)
    (unit,) = ask("units", unit="belt1", first=str(day), last=str(day), shift="1").json()["units"]
    assert unit["seconds"]["intelligent"] == told["figure"]["intelligent"] / 1e6
    refused = ask("intervals", unit="belt1", day=str(day), shift="7")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_shift")


def test_why_names_the_clause_the_points_and_the_ticket(ask):
    told = ask("why", unit="belt1", at="2026-03-02T08:00:00+08:00").json()
    assert (told["interval"]["counted"], told["interval"]["clause"], told["incomplete"]) == ("by_hand", "mode", False)
    (missing,) = told["witnesses"]
    assert missing["words"] == {"zh": "本矿没有“控制方式”测点", "en": "the site has no point of the control mode"}
    told = ask("why", unit="belt1", at=str(START + HOUR)).json()
    (value,) = told["witnesses"]
    assert (value["kind"], value["point"], value["value"]) == ("value", f"{CODE}/belt1/speed", None)
    assert "一直没有数据" in value["words"]["zh"]
    told = ask("why", unit="belt1", at=str(START + 3 * HOUR)).json()
    assert [(each["ticket"], each["words"]["zh"]) for each in told["tickets"]] == [(7, "工单 7：地质构造")]


def test_only_what_is_in_sight_is_told(ask):
    assert ask("intervals", unit="pump1", day="2026-03-02").status_code == 200
    for path, more in (("intervals", {"day": "2026-03-02"}), ("why", {"at": str(START)})):
        assert ask(path, "east", unit="belt1", **more).status_code == 200
        hidden = ask(path, "east", unit="pump1", **more)
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (404, "unknown_unit")
    days = {"first": "2026-03-01", "last": "2026-03-02"}
    assert [each["unit"] for each in ask("findings", **days).json()["findings"]] == ["belt1", "pump1"]
    seen = ask("findings", "east", **days).json()
    assert [each["unit"] for each in seen["findings"]] == ["belt1"]
    assert seen["missing"] == ["2026-03-01"]
    assert seen["findings"][0]["words"]["zh"] == "不变：不变秒数 3600"


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("intervals", {"unit": "belt1", "day": "2026-03-05"}, 404, "no_figures"),
        ("intervals", {"unit": "belt1", "day": "2026-03-02", "revision": 9}, 404, "no_figures"),
        ("intervals", {"unit": "belt9", "day": "2026-03-02"}, 404, "unknown_unit"),
        ("intervals", {"unit": "valve_9", "day": "2026-03-02"}, 404, "part_of_unit"),
        ("intervals", {"unit": "belt1", "day": "yesterday"}, 400, "invalid_parameter"),
        ("why", {"unit": "belt1", "at": "soon"}, 400, "invalid_time"),
        ("findings", {"first": "2026-03-02", "last": "2026-03-01"}, 400, "empty_range"),
        ("findings", {"first": "2026-01-01", "last": "2026-03-01"}, 400, "too_many_days"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(ask, path, query, status, code):
    answer = ask(path, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_commands_tell_it_to_people(platform, kept):
    runner = CliRunner(env={"COLUMNS": "200"})

    def said(*words):
        result = runner.invoke(kpi.app, [*words, "--url", platform.url, "--token", platform.reader])
        assert result.exit_code == 0, result.output
        return result.output

    why = said("why", "belt1", "2026-03-02T08:00:00+08:00")
    assert "不由集控室控制" in why
    assert "本矿没有“控制方式”测点" in why
    listed = said("intervals", "belt1", "2026-03-02", "--counted", "by_hand")
    assert "06:00:00–10:00:00" in listed
    assert "不变：不变秒数 3600" in said("findings", "2026-03-02")
