"""The shift log and hand-overs: by the site's shifts, signed by two, with what is open, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from middleplatform.alarms.book import record
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.audit.log import entries as audited
from middleplatform.control import book as runs
from middleplatform.control import turning
from middleplatform.shifts import book
from middleplatform.shifts.book import ShiftError, State
from middleplatform.shifts.open_things import changed, left_out, open_things
from middleplatform.shifts.seeing import check_whole
from middleplatform.shifts.turn import NO_SHIFT, turn_at
from middleplatform.tickets.book import Kind, open_ticket
from models.site.model import Name, Shift
from tests.middleplatform.control.plant import start_line
from tests.middleplatform.control.test_rotation import MAIN
from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["place", "postgres"]
MINE = "140525000099"
ZONE = ZoneInfo("Asia/Shanghai")
THREE = (
    Shift(Name("早班", "morning"), "08:00", "16:00"),
    Shift(Name("中班", "afternoon"), "16:00", "00:00"),
    Shift(Name("夜班", "night"), "00:00", "08:00"),
)


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1e6)


def site(*shifts):
    return SimpleNamespace(shifts=shifts, time_zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("when", "shift", "day"),
    [
        ("2026-11-26T08:00", "早班", "2026-11-26"),
        ("2026-11-26T15:59:59", "早班", "2026-11-26"),
        ("2026-11-26T16:00", "中班", "2026-11-26"),
        ("2026-11-26T23:59:59", "中班", "2026-11-26"),
        ("2026-11-27T00:00", "夜班", "2026-11-27"),
    ],
)
def test_an_instant_belongs_to_a_shift_of_a_day(when, shift, day):
    turn = turn_at(site(*THREE), at(when))
    assert (turn.name.zh, turn.day.isoformat()) == (shift, day) and turn.start <= at(when) < turn.end
    assert turn.end - turn.start == 8 * 3600 * 1_000_000


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_began():
    turn = turn_at(site(Shift(Name("晚", "late"), "20:00", "08:00")), at("2026-11-27T03:00"))
    assert turn.day.isoformat() == "2026-11-26" and turn.name.zh == "晚"
    assert turn_at(site(Shift(Name("晚", "late"), "20:00", "08:00")), at("2026-11-27T12:00")).name == NO_SHIFT


def test_what_was_written_is_corrected_and_never_changed(place):
    turn = turn_at(site(*THREE), at("2026-11-26T09:00"))
    first = book.write(place, MINE, turn, "王工", " 101皮带更换托辊 ", f"{MINE}/belt_101")
    second = book.write(place, MINE, turn, "王工", "是102皮带", corrects=first.id)
    assert [each.id for each in book.entries(place, MINE)] == [second.id, first.id]
    assert first.words == "101皮带更换托辊" and first.shift == "早班" and first.day == "2026-11-26"
    assert second.corrects == first.id and book.entries(place, MINE, day="2026-11-25") == []
    for words in ("  ", "x" * 2001):
        with pytest.raises(ShiftError, match="1 to 2000 characters"):
            book.write(place, MINE, turn, "王工", words)
    with pytest.raises(ShiftError, match="no entry 999"):
        book.write(place, MINE, turn, "王工", "x", corrects=999)
    with pytest.raises(ShiftError, match="no entry"):
        book.write(place, "140581000001", turn, "王工", "x", corrects=first.id)
    assert len(audited(place, what="shift.write")) == 2


def test_a_hand_over_is_signed_by_two_and_lists_what_is_open(place):
    turn, now = turn_at(site(*THREE), at("2026-11-26T15:55")), at("2026-11-26T15:55")
    ticket = open_ticket(place, MINE, Kind.MAINTENANCE, "olga", "更换托辊", [f"{MINE}/belt_101"], now, None)
    run = runs.ask(place, MINE, start_line(), "王工")
    turning.switch(place, MINE, "main", True, "王工")
    turning.switch(place, MINE, "gone", True, "王工")
    whole = SimpleNamespace(code=MINE, rotations={"main": MAIN})
    tag = {"equipment": "belt_102", "who": "李工", "reason": "检修", "gateway": "edge1"}
    things = open_things(place, whole, now, {"edge1": [tag], "edge2": None})
    assert [each["subjects"] for each in things["tags"]] == [[f"{MINE}/belt_102"]] and things["tags"][0][
        "who"
    ] == "李工"
    assert things["unanswered"] == [{"id": "edge2", "subjects": [MINE]}], "not known is not none"
    rotations = {each["id"]: each["subjects"] for each in things["rotations"]}
    assert rotations == {"main": sorted(MAIN.points()), "gone": [MINE]}
    names = {each["id"]: each["name"] for each in things["rotations"]}
    assert names == {"main": MAIN.name.words(), "gone": None}
    assert things["runs"][0]["name"] == start_line().name.words()
    assert [each["id"] for each in things["tickets"]] == [ticket.id]
    assert [(each["id"], each["phase"]) for each in things["runs"]] == [(run, "asked")]
    offered = book.offer(place, MINE, turn, "王工", "顺槽积水", things)
    assert offered.state is State.OFFERED and offered.open == things
    with pytest.raises(ShiftError, match="waits to be taken"):
        book.offer(place, MINE, turn, "赵工", "", {})
    with pytest.raises(ShiftError, match="nobody takes over from themselves"):
        book.take(place, MINE, offered.id, "王工")
    taken = book.take(place, MINE, offered.id, "李工", "已现场确认")
    assert (taken.state, taken.goes, taken.comes, taken.remarks) == (State.TAKEN, "王工", "李工", "已现场确认")
    assert taken.taken is not None and taken.taken >= offered.at
    for act in (
        lambda: book.take(place, MINE, offered.id, "赵工"),
        lambda: book.withdraw(place, MINE, offered.id, "王工"),
    ):
        with pytest.raises(ShiftError, match="is taken"):
            act()
    again = book.offer(place, MINE, turn, "李工", "", {})
    with pytest.raises(ShiftError, match="only an own"):
        book.withdraw(place, MINE, again.id, "王工")
    assert book.withdraw(place, MINE, again.id, "李工").state is State.WITHDRAWN
    assert [each.id for each in book.listed(place, MINE)] == [again.id, offered.id]
    assert [each.what for each in reversed(audited(place, what="shift."))] == [
        "shift.offer", "shift.take", "shift.offer", "shift.withdraw",
    ]  # fmt: skip


def test_what_is_beyond_what_is_told_is_counted_and_what_changed_since_is_told(place, monkeypatch):
    monkeypatch.setattr("middleplatform.shifts.open_things.MOST", 2)
    turn, now = turn_at(site(*THREE), at("2026-11-26T15:55")), at("2026-11-26T15:55")
    raised = [Change(f"r{number}", f"{MINE}/belt_101", Act.RAISE, now, 1, 3) for number in range(3)]
    record(place, MINE, Position("test", "test", 1, 1), raised)
    bare = SimpleNamespace(code=MINE, rotations={})
    hung = [{"id": 1, "equipment": name, "gateway": "edge1"} for name in ("belt_101", "belt_102")]
    before = open_things(place, bare, now, {"edge1": hung})
    assert len(before["alarms"]) == 2 and left_out(before) == {"alarms": 1}
    book.offer(place, MINE, turn, "王工", "", before)
    assert '"alarms": 3' in (audited(place, what="shift.offer")[0].after or "")
    with pytest.raises(ShiftError, match="1 of the open things"):
        check_whole(before, lambda paths: MINE not in paths)
    check_whole(before, lambda paths: True)

    run = runs.ask(place, MINE, start_line(), "王工")
    since = changed(before, open_things(place, bare, now, {"edge1": hung[:1]}))
    assert [each["id"] for each in since["appeared"]["runs"]] == [run] and "alarms" not in since["appeared"]
    assert [each["equipment"] for each in since["gone"]["tags"]] == ["belt_102"], "of two tags of one id"
    assert changed(before, open_things(place, bare, now, {"edge1": None}))["gone"] == {}, "not known is not gone"


def test_what_is_latched_is_open_and_of_what_was_not_kept_nothing_has_changed(place):
    bare, now = SimpleNamespace(code=MINE, rotations={}), at("2026-11-26T15:55")
    cut = {"id": "cut", "gateway": "edge1", "holds": {f"{MINE}/feeder_1/command": 2.0}}
    rest = {"id": "gone", "gateway": "edge2", "holds": {}}
    found = open_things(
        place, bare, now, {"edge1": [], "edge3": None}, {"edge1": [cut], "edge2": [rest], "edge3": None}
    )
    assert [each["subjects"] for each in found["linkages"]] == [[f"{MINE}/feeder_1/command"], [MINE]]
    assert [each["id"] for each in found["unanswered"]] == ["edge3"]
    silent = open_things(place, bare, now, {"edge1": []}, {"edge1": None, "edge2": None})
    assert [each["id"] for each in silent["unanswered"]] == ["edge1", "edge2"], "it told its tags alone"
    assert changed(found, silent)["gone"] == {}
    assert changed({"tags": []}, found)["appeared"] == {}, "a record of before linkages were kept"


def test_of_two_who_hand_over_at_once_one_is_refused(place):
    turn = turn_at(site(*THREE), at("2026-11-26T15:55"))
    both = Barrier(2)

    def offer(who):
        both.wait(30)
        try:
            return book.offer(place, MINE, turn, who, "", {}).state
        except ShiftError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            assert sorted(pool.map(offer, ("王工", "李工"))) == [State.OFFERED, "offered_already"]
            (waiting,) = [each for each in book.listed(place, MINE) if each.state is State.OFFERED]
            book.withdraw(place, MINE, waiting.id, waiting.goes)
