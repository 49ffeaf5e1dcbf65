"""What is told about one alarm, which of many are asked for, and which raises lack their handling record."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from middleplatform.alarms import advice as advices
from middleplatform.alarms.advice import advice
from middleplatform.alarms.condition import Act, Kind
from models.alarms.standard import standards
from models.site.model import Name
from tests.middleplatform.api.test_alarms import BELT, LEVEL, SPEED, ask, callers, change, code, named, record, rules

__all__ = ["ask", "callers", "named"]


def test_one_is_told_with_its_limit_its_cause_what_follows_and_what_to_do(standing, ask, named):
    record(standing.home, change("limit.hi", SPEED, rule_version=0, value=6.5))
    (number,) = {each["id"] for each in ask("anna", "GET").json()["alarms"] if each["rule"] == "limit.hi"}
    told = ask("anna", "GET", f"/{number}/about").json()
    assert (told["rule"]["level"], told["level_at_raise"], told["alarm"]["value"]) == (5.0, 5.0, 6.5)
    assert told["advice"]["do"]["zh"] and told["advice"]["confirmed"] is False
    assert told["raises_week"] == told["alike_week"] == 1 and told["to_handle"] is False
    (raised,) = ask("anna", "GET", "/journal", alarm=number, what="raise").json()["entries"]
    assert told["raised"] == raised["number"] and raised["rule_name"]["zh"] == "超上限"
    record(standing.home, change("limit.hi", SPEED, rule_version=20200101))
    again = ask("anna", "GET", f"/{number}/about").json()
    assert again["level_at_raise"] is None, "the limit of that day is not known"
    below = ask("anna", "GET", f"/{named['fast']['id']}/about").json()
    assert [each["id"] for each in below["consequences"]] == [named["cut"]["id"]] and below["rule"] is None
    assert ask("anna", "GET", f"/{named['cut']['id']}/about").json()["cause"]["id"] == named["fast"]["id"]
    assert code(ask("east", "GET", f"/{named['full']['id']}/about")) == (404, "unknown_alarm")


def test_the_members_of_a_group_are_those_that_fit(ask, named):
    fast, full, cut = (named[name]["id"] for name in ("fast", "full", "cut"))
    assert rules(ask("anna", "GET", group=fast)) == {fast, cut}
    assert code(ask("anna", "GET", group=cut)) == (404, "unknown_alarm"), "it is no head"
    assert rules(ask("anna", "GET", group=cut, kind="power_cut")) == {cut}, "its cause does not fit"
    mark = named["full"]["rule"].partition(".")[0]
    assert rules(ask("anna", "GET", q=f"{mark} 水泵")) == {full}
    assert rules(ask("anna", "GET", q=f"{mark} BELT speed")) == {fast}
    found = ask("anna", "GET", "/groups", q=mark, state="waiting").json()
    assert [each["head"]["id"] for each in found["groups"]] == [full, fast]
    ask("anna", "POST", "/acknowledge", alarms=[full])
    assert rules(ask("anna", "GET", q=mark, state="waiting")) == {fast, cut}


def test_raises_that_lack_their_handling_record_are_told(standing, ask, named):
    mark = named["full"]["rule"].partition(".")[0]

    def missing(who="anna"):
        found = ask(who, "GET", "/journal", handled="missing", q=mark).json()
        assert found["total"] == len(found["entries"])
        return {each["subject"]: each["number"] for each in found["entries"]}

    assert set(missing()) == {LEVEL, BELT}, "what is law, and power cuts"
    assert set(missing("east")) == {BELT}
    given = {"cause": "methane", "measure": "ventilated", "result": "power is on again"}
    made = ask("anna", "POST", f"/raises/{missing()[BELT]}/handling", **given)
    assert made.json()["result"] == "power is on again" and set(missing()) == {LEVEL}
    (kept,) = ask("anna", "GET", "/journal", handled="kept", q=mark).json()["entries"]
    assert kept["handlings"][0]["result"] == "power is on again" and kept["kind"] == "power_cut"
    assert kept["equipment"]["id"] == "belt1" and kept["to_handle"]
    record(standing.home, change(named["full"]["rule"], LEVEL, Act.RETURN, statutory=True))
    lines = ask("anna", "GET", "/journal", q=mark, what="return").json()["entries"]
    assert [(each["subject"], each["to_handle"]) for each in lines] == [(LEVEL, False)]
    assert ask("anna", "GET", "/journal", rule="nothing").json()["entries"] == []


def test_the_most_urgent_come_first_then_what_waits_then_the_newest(standing, ask):
    made = [(f"order.{n}", SPEED) for n in range(3)]
    for n, each in enumerate(made):
        record(standing.home, change(*each, ts=1_000_000_000 + n, priority=3, kind=Kind.ALARM))
    numbers = {each["rule"]: each["id"] for each in ask("anna", "GET", q="order.").json()["alarms"]}
    ask("anna", "POST", "/acknowledge", alarms=[numbers["order.2"]])
    listed = [each["rule"] for each in ask("anna", "GET", q="order.").json()["alarms"]]
    grouped = [each["head"]["rule"] for each in ask("anna", "GET", "/groups", q="order.").json()["groups"]]
    assert listed == grouped == ["order.1", "order.0", "order.2"]


@pytest.mark.parametrize("rule", [*standards().rules, "limit.hi", "limit.lolo", "stale", "bad_quality", "own.x"])
def test_there_is_a_word_of_advice_for_every_rule_that_alarms(rule):
    found = advice(rule, "")
    if rule == "sensor.calibration":
        assert found is None, "it is no alarm"
        return
    assert all(part.zh and part.en for part in (found.means, found.causes, found.follows, found.do))
    assert advice("limit.hi", "ch4").means != advice("limit.hi", "co").means
    assert isinstance(found.do, Name)


def test_a_sentence_that_a_comma_would_cut_is_refused():
    text = (Path(advices.__file__).parent / "advice.yaml").read_text("utf-8")
    whole = 'en: "Power that stays on, or is put back too early, can ignite it."'
    assert whole in text and advices.read(text)
    with pytest.raises(ValidationError, match="or is put back too early"):
        advices.read(text.replace(whole, whole.replace('"', "")))
