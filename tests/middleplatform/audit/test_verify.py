"""Whoever changes, cuts off or rewrites the audit log is found out: with all rights over the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from middleplatform.audit.entry import GENESIS, digest_of
from middleplatform.audit.log import entries, head, tell
from middleplatform.audit.verify import Anchor, verify
from middleplatform.database import Place, connect
from middleplatform.database.tables.audit import audit

COUNT = 8
NAMES = [column.name for column in audit.c]


@pytest.fixture
def written(place: Place) -> Place:
    for number in range(1, COUNT + 1):
        tell(
            place,
            "test.act",
            f"n{number}",
            who="olga",
            origin="10.0.0.7",
            before={"v": number - 1},
            after={"v": number},
        )
    return place


def anchors(place: Place, *numbers: int) -> list[Anchor]:
    found = {each.number: each.digest for each in entries(place, limit=1000)}
    return [Anchor(number, found[number], 0) for number in numbers]


def tamper(place: Place, act: Callable[[Connection], object]) -> None:
    """What an owner of the database can do, who first takes the triggers away."""
    with connect(place).begin() as connection:
        if isinstance(place, str):
            connection.execute(text("DROP TRIGGER IF EXISTS audit_keep ON audit"))
        else:
            for name in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{name}"))
        act(connection)


def say(*statements: str) -> Callable[[Connection], object]:
    return lambda connection: [connection.execute(text(each)) for each in statements]


def cut_off(to: int) -> Callable[[Connection], object]:
    """The end is cut off, and the head says that this is the end."""
    return say(
        f"DELETE FROM audit WHERE number > {to}",  # noqa: S608
        f"UPDATE audit_head SET number = {to}, digest = (SELECT digest FROM audit WHERE number = {to})",  # noqa: S608
    )


def rewrite(start: int, **values: object) -> Callable[[Connection], object]:
    """One entry says something else, and all digests from there on are made anew, as is the head."""

    def act(connection: Connection) -> None:
        rows = connection.execute(select(audit).order_by(audit.c.number)).mappings().all()
        previous = GENESIS
        for row in rows:
            facts = {**row, "previous": previous} | (values if row["number"] == start else {})
            digest = digest_of(*(facts[name] for name in NAMES if name != "digest"))
            changed = {**facts, "digest": digest}
            connection.execute(audit.update().where(audit.c.number == row["number"]).values(changed))
            previous = digest
        connection.execute(text("UPDATE audit_head SET digest = :digest"), {"digest": previous})

    return act


def test_what_nobody_touched_is_whole(written: Place) -> None:
    report = verify(written, anchors(written, 2, 5, COUNT))
    assert report.whole
    assert (report.entries, report.anchors, report.anchored) == (COUNT, 3, COUNT)


def test_a_change_of_any_field_of_an_entry_is_found(written: Place) -> None:
    row = entries(written, before=5, limit=1)[0]
    for column in NAMES[1:]:
        for value in (7 if column == "at" else "x", getattr(row, column)):
            change = audit.update().where(audit.c.number == row.number).values({column: value})
            tamper(written, lambda connection, change=change: connection.execute(change))
            found = {(each.kind, each.number) for each in verify(written).findings}
            if value != getattr(row, column):
                assert ("changed", row.number) in found, column
                assert found <= {("changed", row.number), ("changed", row.number + 1)}
            else:
                assert not found


def test_a_fact_taken_away_is_found(written: Place) -> None:
    tamper(written, say("UPDATE audit SET before = NULL WHERE number = 1"))
    assert [(each.kind, each.number) for each in verify(written).findings] == [("changed", 1)]


def test_an_entry_taken_out_of_the_middle_or_the_start_is_found(written: Place) -> None:
    tamper(written, say("DELETE FROM audit WHERE number IN (1, 5)"))
    assert [(each.kind, each.number) for each in verify(written).findings] == [("missing", 1), ("missing", 5)]


def test_a_cut_off_end_is_found_by_the_head(written: Place) -> None:
    tamper(written, say("DELETE FROM audit WHERE number > 6"))
    assert [(each.kind, each.number) for each in verify(written).findings] == [("truncated", COUNT)]


def test_a_cut_off_end_whose_head_was_changed_too_is_found_by_the_bus(written: Place) -> None:
    told = anchors(written, 3, 7)
    tamper(written, cut_off(6))
    assert verify(written).whole, "nothing inside the database tells of it"
    assert [(each.kind, each.number) for each in verify(written, told).findings] == [("truncated", 7)]


def test_an_emptied_log_is_found_by_the_bus(written: Place) -> None:
    told = anchors(written, 3)
    tamper(written, say("DELETE FROM audit", f"UPDATE audit_head SET number = 0, digest = '{GENESIS}'"))  # noqa: S608
    assert verify(written).whole
    assert [each.kind for each in verify(written, told).findings] == ["truncated"]


def test_a_log_written_anew_is_found_by_the_bus(written: Place) -> None:
    told = anchors(written, 2, 5, COUNT)
    tamper(written, rewrite(4, who="petr"))
    assert verify(written).whole, "nothing inside the database tells of it"
    report = verify(written, told)
    assert [(each.kind, each.number) for each in report.findings] == [("rewritten", 5), ("rewritten", COUNT)]
    assert report.anchored == 2, "up to there the bus vouches for it"


def test_a_rewritten_log_that_goes_on_and_is_anchored_again_is_still_found(written: Place) -> None:
    told = anchors(written, 5)
    tamper(written, rewrite(4, who="petr"))
    tell(written, "test.act", "later")
    told += anchors(written, 5, COUNT + 1)
    assert {each.kind for each in verify(written, told).findings} == {"rewritten"}


def test_an_entry_that_the_program_did_not_write_is_found(written: Place) -> None:
    number, digest = head(written)
    facts = (number + 1, 1, "olga", "", "test.act", "x", None, None, digest)
    row = dict(zip(NAMES, (*facts, digest_of(*facts)), strict=True))
    tamper(written, lambda connection: connection.execute(audit.insert().values(row)))
    assert [(each.kind, each.number) for each in verify(written).findings] == [("appended", number + 1)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.integers()), min_size=2, max_size=6), st.data())
def test_no_two_entries_have_one_digest(facts: list[object], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.one_of(st.none(), st.text(max_size=8), st.integers()), min_size=2, max_size=6))
    assert (digest_of(*facts) == digest_of(*other)) == (facts == other)  # type: ignore[arg-type]


def test_what_is_no_entry_any_more_is_a_finding_and_no_failure(written):
    tamper(written, say("DELETE FROM audit_head"))
    assert [each.kind for each in verify(written, []).findings] == ["unreadable"]


def test_what_is_no_text_any_more_is_a_finding(tmp_path):
    """SQLite keeps in any column what it is given."""
    tell(tmp_path, "test.act", "n1", who="olga", origin="10.0.0.7")
    tamper(tmp_path, say("UPDATE audit SET who = x'41'"))
    assert [each.kind for each in verify(tmp_path, []).findings] == ["changed"]
    tamper(tmp_path, say("UPDATE audit SET about = CAST(x'ff41' AS TEXT)"))
    assert [each.kind for each in verify(tmp_path, []).findings] == ["unreadable"]
