"""For how long the journal of alarms is kept, on both databases."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from middleplatform.alarms import acts, book
from middleplatform.alarms.annunciation import annunciation, versions_of
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.alarms.keeping import forget
from middleplatform.audit.log import entries as audited
from middleplatform.database import connect
from middleplatform.database.tables.alarms import alarm_journal
from tests.servers import CODE

HOW = annunciation(datetime.date(2026, 11, 26))
DAY = 86_400_000_000
FILE = Path("middleplatform/alarms/annunciation.yaml")


def test_what_is_over_goes_and_statutory_alarms_stay_longer(place, monkeypatch):
    monkeypatch.setattr("middleplatform.alarms.keeping.MOST", 3)
    now = time.time_ns() // 1000
    facts = {"rule_version": 1, "priority": 2}
    names = ("plain", "handled", "open", "law")
    changes = [
        Change(name, f"{CODE}/a/{name}", act, ts, **facts, statutory=name == "law")
        for name in names
        for act, ts in ((Act.RAISE, 1), (Act.RETURN, 2))
        if (name, act) != ("open", Act.RETURN)
    ]
    book.record(place, CODE, Position("watch-alarms", "SAFETY", 1, 1), changes)
    ids = {each.rule: each.id for each in book.alarms_of(place, CODE)}
    (raised,) = [each.number for each in book.entries(place, CODE, alarm=ids["handled"]) if each.what is Act.RAISE]
    acts.handle(place, CODE, raised, "dust", "cleaned", "olga")
    acts.acknowledge(place, CODE, ids.values(), "olga")

    def left(age_days: float) -> dict[str, int]:
        """Lines by rule when all are so old."""
        with connect(place).begin() as connection:
            connection.execute(update(alarm_journal).values(at=now - round(age_days * DAY)))
        while forget(place, CODE, HOW, now) == 3:
            pass
        return {name: len(book.entries(place, CODE, alarm=ids[name])) for name in names}

    whole = {"plain": 3, "handled": 3, "open": 2, "law": 3}
    assert left(730) == whole
    assert left(732) == {**whole, "plain": 0, "handled": 1}
    assert [each.raised for each in book.handlings_of(place, CODE, [raised])] == [raised]
    assert left(1095)["law"] == 3
    assert left(1097) == {"plain": 0, "handled": 0, "open": 2, "law": 0}
    assert book.handlings_of(place, CODE, [raised]) == []
    assert sum(int(each.about.rpartition(" ")[2]) for each in audited(place, what="alarm.forget")) == 9


def test_less_than_two_years_of_statutory_alarms_is_refused():
    text = FILE.read_text(encoding="utf-8")
    assert versions_of(text)
    with pytest.raises(ValueError, match="at least 731 days"):
        versions_of(text.replace("statutory_days: 1096", "statutory_days: 700"))
