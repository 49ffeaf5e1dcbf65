"""From messages to rows: what is stored, set aside, released, buried."""

import json
from dataclasses import replace

import numpy as np
import pytest

from middleplatform.store import writer as writer_module
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import EngineError
from middleplatform.store.history import History
from models.events import EventBatch
from models.identity import MANUAL, MANUAL_FLOOR
from models.samples import SCHEMA, Batch, Samples
from tests.middleplatform.store.build import (
    CODE,
    Sent,
    batch_of,
    event_of,
    id_of,
    now,
    parts_of,
    sent,
    site_of,
)

T = 1_795_420_368_000_000
DAY = 86_400_000_000
SPEED, LOAD, LATER = id_of("speed"), id_of("load"), id_of("later")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The tests' instant is 'now', whenever they run."""
    monkeypatch.setattr(writer_module, "_now", lambda: T + 60_000_000)


@pytest.fixture
def parts(engine, tmp_path):
    return parts_of(engine, tmp_path, site_of({"edge1": ["speed", "load"], "edge2": ["other"]}))


def audit_of(parts) -> list[dict]:
    path = parts.folder / "audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_same_message_again_changes_nothing_and_the_higher_number_holds(parts):
    first = sent(batch_of(5, [(SPEED, T, 1.5, 192), (LOAD, T, 7.0, 192)], texts=[None, "断线"]))
    correction = sent(batch_of(6, [(SPEED, T, 2.5, 64)]), 2)
    for messages in ([first], [first, correction], [first], [correction, first]):
        parts.writer.write([("SAMPLES", message) for message in messages])
    assert parts.samples() == sorted([(SPEED, T, 2.5, 64, None), (LOAD, T, 7.0, 192, "断线")])
    latest = {
        row["point"]: (row["ts"], row["value"], row["quality"], row["text"]) for row in parts.latest.table().to_pylist()
    }
    assert latest == {SPEED: (T, 2.5, 64, None), LOAD: (T, 7.0, 192, "断线")}


def test_unknown_ids_wait_in_quarantine_until_the_catalogue_has_them(parts):
    parts.writer.write(
        [("SAMPLES", sent(batch_of(1, [(LATER, T, 1.0, 192), (SPEED, T, 2.0, 192), (LATER, T + 1, 3.0, 0)])))]
    )
    assert parts.samples() == [(SPEED, T, 2.0, 192, None)]
    assert parts.quarantine.rows == 2 and parts.writer.counters.quarantined == {"unknown": 2, "time": 0}
    line = audit_of(parts)[0]
    assert (line["what"], line["gateway"], line["reason"], line["rows"], line["points"]) == (
        "quarantined",
        "edge1",
        "unknown",
        2,
        [str(LATER)],
    )
    assert len(parts.latest) == 1, "what is set aside is not a current value"

    assert parts.writer.adopt(Catalogue(site_of({"edge1": ["speed", "load"], "edge2": ["later"]}))) == 0
    assert parts.quarantine.rows == 2, "another gateway's point is not this gateway's"
    assert parts.writer.adopt(Catalogue(site_of({"edge1": ["speed", "load", "later"]}))) == 2
    assert parts.samples() == sorted(
        [(SPEED, T, 2.0, 192, None), (LATER, T, 1.0, 192, None), (LATER, T + 1, 3.0, 0, None)]
    )
    assert parts.quarantine.rows == 0
    assert audit_of(parts)[-1]["what"] == "released" and audit_of(parts)[-1]["rows"] == 2
    assert [row["ts"] for row in parts.latest.table([LATER]).to_pylist()] == [T + 1]


def test_a_point_of_another_gateway_is_not_taken(parts):
    parts.writer.write([("SAMPLES", sent(batch_of(1, [(SPEED, T, 1.0, 192)], gateway="edge2")))])
    assert parts.samples() == [] and parts.quarantine.rows == 1


@pytest.mark.parametrize("ts", [0, -(2**63), 2**63 - 1, T + 2 * DAY, 946_684_799_999_999])
def test_an_impossible_time_is_set_aside_for_good(parts, ts):
    parts.writer.write([("SAMPLES", sent(batch_of(1, [(SPEED, ts, 1.0, 192), (SPEED, T, 2.0, 192)])))])
    assert parts.samples() == [(SPEED, T, 2.0, 192, None)]
    assert parts.writer.counters.quarantined == {"unknown": 0, "time": 1}
    assert parts.writer.adopt(Catalogue(site_of({"edge1": ["speed"]}))) == 0


def forged() -> bytes:
    good = batch_of(1, [(SPEED, T, 1.0, 192)])
    return Batch("edge2", good.number, good.received, good.samples).encode()


def huge_number() -> bytes:
    return batch_of(2**64, [(SPEED, T, 1.0, 192)]).encode()


def above_people() -> bytes:
    return batch_of(MANUAL_FLOOR, [(SPEED, T, 1.0, 192)]).encode()


def test_no_gateway_tells_of_what_people_entered(parts):
    told = EventBatch("edge1", 1, T, [replace(event_of("a", T), source=MANUAL)])
    parts.writer.write([("EVENTS", sent(told, 1, "events"))])
    assert (parts.writer.counters.events, parts.writer.counters.malformed) == (0, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 100,
        b"{}",
        forged(),
        huge_number(),
        above_people(),
        EventBatch("edge1", 1, T, [event_of("a", T)]).encode(),
    ],
    ids=["empty", "noise", "json", "another gateway's name", "number over 64 bits", "a number of people's", "events"],
)
def test_a_message_that_cannot_be_read_is_kept_aside_and_blocks_nothing(parts, data):
    subject = sent(batch_of(1, [])).subject
    messages = [
        ("SAMPLES", sent(batch_of(1, [(SPEED, T, 1.0, 192)]), 1)),
        ("SAMPLES", Sent(data, subject, 2)),
        ("SAMPLES", sent(batch_of(2, [(LOAD, T, 2.0, 192)]), 3)),
    ]
    parts.writer.write(messages)
    assert len(parts.samples()) == 2
    assert parts.writer.counters.malformed == 1
    assert (parts.folder / "dead" / "SAMPLES-2.bin").read_bytes() == data
    assert audit_of(parts)[-1]["what"] == "malformed message"


def test_dead_letters_take_a_bounded_space(parts, monkeypatch):
    from middleplatform.store import deadletters

    monkeypatch.setattr(deadletters, "MAX_BYTES", 1000)
    for sequence in range(30):
        parts.writer.write([("EVENTS", Sent(b"x" * 100, "mine.1.events.edge1", sequence))])
    kept = sorted((parts.folder / "dead").iterdir())
    assert sum(file.stat().st_size for file in kept) <= 1000
    assert parts.folder / "dead" / "EVENTS-29.bin" in kept


def test_late_samples_of_many_days_and_large_batches_all_arrive(parts, monkeypatch):
    monkeypatch.setattr(writer_module, "MAX_ROWS", 70)
    monkeypatch.setattr(writer_module, "MAX_DAYS", 7)
    rows = [(SPEED, T - day * DAY - second, float(day), 192) for day in range(40) for second in range(5)]
    parts.writer.write([("SAMPLES", sent(batch_of(1, rows))), ("SAMPLES", sent(batch_of(2, [(LOAD, T, 1.0, 192)])))])
    assert parts.samples() == sorted([(*row, None) for row in rows] + [(LOAD, T, 1.0, 192, None)])
    assert parts.latest.table([SPEED]).to_pylist()[0]["ts"] == T


def test_an_event_is_known_by_its_id_and_gets_its_end(parts):
    def write(number: int, *events) -> None:
        parts.writer.write([("EVENTS", sent(EventBatch("edge1", number, T, events), number, "events"))])

    write(3, event_of("a", T, T + 50, why="plan"), event_of("b", T + 10))
    write(2, event_of("a", T, None, why="?"))
    history = History(parts.engine, lambda points: np.zeros(len(points), np.int64))

    def ids(start: int, end: int, equipment=None, kind=None) -> list[str]:
        return history.events(equipment, kind, start, end, 100).column("id").to_pylist()

    whole = history.events(None, None, T, T + 1, 10).to_pylist()
    assert whole == [
        {
            "id": "a",
            "equipment": "140581000000/belt1",
            "kind": "stop",
            "start": T,
            "end": T + 50,
            "quality": 192,
            "source": "plc",
            "attributes": '{"why": "plan"}',
        }
    ]
    assert ids(T, T + 100) == ["a", "b"]
    assert ids(T + 50, T + 100) == ["b"], "an ended event is not in a range after its end; an open one is"
    assert ids(T + 100, T + 200, ["x", "140581000000/belt1"], "stop") == ["b"]
    odd = ["it's", "\\", "'] OR 1=1 --", "140581000000/belt2"]
    assert ids(T + 100, T + 200, odd) == [] and ids(T + 100, T + 200, []) == []
    assert ids(T + 100, T + 200, None, "other") == []


def test_when_the_disk_refuses_the_caller_hears_of_it_and_can_write_again(parts, monkeypatch):
    message = sent(batch_of(1, [(SPEED, T, 1.0, 192)]))

    def full(table: str, rows: object) -> None:
        raise EngineError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(parts.engine, "insert", full)
        with pytest.raises(EngineError):
            parts.writer.write([("SAMPLES", message)])
    assert len(parts.latest) == 0 and parts.writer.counters.rows == 0, "nothing is told that is not on disk"
    parts.writer.write([("SAMPLES", message)])
    assert len(parts.samples()) == 1


def test_an_empty_batch_is_no_trouble(parts):
    parts.writer.write(
        [("SAMPLES", sent(batch_of(1, []))), ("EVENTS", sent(EventBatch("edge1", 1, T, []), 1, "events"))]
    )
    assert parts.samples() == [] and parts.writer.counters.malformed == 0
    assert Samples.empty().to_arrow().schema == SCHEMA and now() > 0


def test_events_of_another_mine_are_dropped_counted_and_told(parts):
    own, other = event_of("a", T), replace(event_of("b", T), equipment="140581000001/belt1")
    parts.writer.write([("EVENTS", sent(EventBatch("edge1", 3, T, (other, own)), 3, "events"))])
    history = History(parts.engine, lambda points: np.zeros(len(points), np.int64))
    assert history.events(None, None, T, T + 1, 10).column("id").to_pylist() == ["a"]
    assert (parts.writer.counters.events, parts.writer.counters.foreign_events) == (1, 1)


def test_events_at_impossible_times_are_dropped_counted_and_told(parts):
    told = (event_of("first", -(2**63)), event_of("far", now() + 3 * 86_400_000_000), event_of("own", T))
    parts.writer.write([("EVENTS", sent(EventBatch("edge1", 3, T, told), 3, "events"))])
    history = History(parts.engine, lambda points: np.zeros(len(points), np.int64))
    assert history.events(None, None, 0, T + 10 * 86_400_000_000, 10).column("id").to_pylist() == ["own"]
    assert (parts.writer.counters.events, parts.writer.counters.mistimed_events) == (1, 2)


def test_events_of_what_another_gateway_reads_are_dropped_counted_and_told(parts):
    strange = replace(event_of("b", T), equipment=f"{CODE}/unread")
    parts.writer.write([("EVENTS", sent(EventBatch("edge3", 3, T, (event_of("a", T), strange)), 3, "events"))])
    history = History(parts.engine, lambda points: np.zeros(len(points), np.int64))
    told = history.events(None, None, T, T + 1, 10).column("id").to_pylist()
    assert told == ["b"], "edge1 and edge2 read belt1, and nobody reads the other"
    assert (parts.writer.counters.events, parts.writer.counters.foreign_events) == (1, 1)
