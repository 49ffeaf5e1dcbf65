"""Manual entries: asked for with a reason, decided on by somebody else, in the store above whatever a gateway says, the
original kept."""

from __future__ import annotations

import itertools
import math
import re
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bus import credentials
from middleplatform.access.tokens import create_token, list_tokens
from middleplatform.access.users import create_user
from middleplatform.api.live import LiveTable
from middleplatform.api.times import iso
from middleplatform.database import connect
from middleplatform.database.tables.manual import manual_entries
from middleplatform.governance import manual
from middleplatform.governance.manual import ManualRefused, Told
from middleplatform.store.client import StoreClient, read_endpoint
from models.events import Event, event_id
from models.identity import MANUAL_FLOOR
from models.site import examine
from tests.middleplatform.api.build import batch, id_of, path_of, site
from tests.middleplatform.api.stage import until
from tests.middleplatform.api.test_stream import frame, listen
from tests.servers import CODE

SPEED = path_of("belt1/speed")
COUNTED = itertools.count()


def told(*rows: tuple[int, float]) -> Told:
    ts, value = zip(*rows, strict=True)
    quality = np.where(np.isnan(value), 0, 216).astype(np.uint8)
    return Told(np.array(ts, np.int64), np.array(value), quality, (None,) * len(rows))


def enter(place, *rows: tuple[int, float], point: str = SPEED) -> manual.Entry:
    return manual.enter_values(place, CODE, point, told(*rows), "the sensor was dirty", "olga")


def approved(place, *rows: tuple[int, float], point: str = SPEED) -> manual.Entry:
    """As though it had gone all the way."""
    entry = manual.decide(place, CODE, enter(place, *rows, point=point).id, "pavel", approve=True)
    manual.published(place, entry.id)
    return entry


def test_it_waits_for_somebody_else(place):
    entry = enter(place, (10, 1.5), (20, math.nan))
    assert (entry.state, entry.who, entry.reason, entry.start, entry.end) == (
        "waiting", "olga", "the sensor was dirty", 10, 20,
    )  # fmt: skip
    assert manual.due(place, CODE) == []
    with pytest.raises(ManualRefused, match="own"):
        manual.decide(place, CODE, entry.id, "olga", approve=True)
    decided = manual.decide(place, CODE, entry.id, "pavel", approve=True, reason="checked")
    assert (decided.state, decided.decided_by, decided.decision) == ("approved", "pavel", "checked")
    assert decided.number is not None and decided.number > MANUAL_FLOOR
    assert [each.id for each in manual.due(place, CODE)] == [entry.id]
    manual.published(place, entry.id)
    assert manual.due(place, CODE) == []
    for act in (
        lambda: manual.decide(place, CODE, entry.id, "pavel", approve=False),
        lambda: manual.withdraw(place, CODE, entry.id, "olga"),
    ):
        with pytest.raises(ManualRefused, match="approved already"):
            act()


def test_what_is_rejected_or_withdrawn_goes_nowhere(place):
    one, other = enter(place, (10, 1.0)), enter(place, (10, 2.0))
    assert manual.decide(place, CODE, one.id, "pavel", approve=False, reason="no").state == "rejected"
    with pytest.raises(ManualRefused, match="whoever made"):
        manual.withdraw(place, CODE, other.id, "pavel")
    assert manual.withdraw(place, CODE, other.id, "olga").state == "withdrawn"
    assert manual.due(place, CODE) == [] and manual.versions(place, CODE, SPEED, 0, 100, 10) == []
    with pytest.raises(ManualRefused, match="no manual entry"):
        manual.get(place, "000000000000", one.id)
    assert [each.state for each in manual.entries(place, CODE)] == ["withdrawn", "rejected"]


def test_what_was_there_is_kept_once(place):
    entry = manual.decide(place, CODE, enter(place, (10, 1.0), (20, 2.0)).id, "pavel", approve=True)
    had = [{"ts": 10, "value": 7.25, "quality": 192, "text": None}]
    manual.keep(place, entry.id, had)
    manual.keep(place, entry.id, [{**had[0], "value": 1.0}])
    rows = manual.samples(place, entry.id)
    assert [(row["was_value"], row["was_quality"]) for row in rows] == [(7.25, 192), (None, None)]


def test_numbers_rise_whatever_the_clock_does(place, monkeypatch):
    first = approved(place, (10, 1.0))
    monkeypatch.setattr("middleplatform.governance.manual._now", lambda: 5)
    second = approved(place, (10, 2.0))
    assert second.number == first.number + 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.integers(1, 6), st.floats(-5, 5) | st.just(math.nan), min_size=1, max_size=4), max_size=6
    )
)
def test_versions_against_a_plain_reference(tmp_path, corrections):
    point = path_of(f"belt1/p{next(COUNTED)}")
    reference: dict[int, list[float]] = {}
    for each in corrections:
        approved(tmp_path, *sorted(each.items()), point=point)
        for ts, value in each.items():
            reference.setdefault(ts, []).append(value)
    found: dict[int, list[float]] = {}
    for row in manual.versions(tmp_path, CODE, point, 2, 6, 1_000):
        found.setdefault(row["ts"], []).append(math.nan if row["value"] is None else row["value"])
    wanted = {ts: values for ts, values in sorted(reference.items()) if 2 <= ts < 6}
    assert list(found) == list(wanted)
    for ts, values in wanted.items():
        np.testing.assert_array_equal(found[ts], values)


def test_nobody_approves_by_a_token_of_their_own(place):
    for name in ("olga", "pavel"):
        create_user(place, name, "a long password", "administrator")
    create_token(place, "second eyes", "administrator", maker="olga")
    create_token(place, "machine", "administrator", maker="pavel")
    by_name = {token.name: f"token:{token.id}:{token.name}" for token in list_tokens(place)}
    entry = enter(place, (10, 1.5))
    with pytest.raises(ManualRefused, match="own"):
        manual.decide(place, CODE, entry.id, by_name["second eyes"], approve=True)
    assert manual.decide(place, CODE, entry.id, by_name["machine"], approve=True).state == "approved"
    # The other way round: what one's token entered is one's own, to withdraw and not to approve.
    entered = manual.enter_values(place, CODE, SPEED, told((10, 1.0)), "a reason", by_name["machine"])
    with pytest.raises(ManualRefused, match="own"):
        manual.decide(place, CODE, entered.id, "pavel", approve=True)
    with pytest.raises(ManualRefused, match="whoever made"):
        manual.withdraw(place, CODE, entered.id, "olga")
    assert manual.withdraw(place, CODE, entered.id, "pavel").state == "withdrawn"


@pytest.fixture
def people(platform):
    """Clients of an operator, who enters, and of the administrator, who decides."""
    operator = platform.client()
    operator.headers["Authorization"] = f"Bearer {create_token(platform.home, 'op', role='operator')}"
    with operator, platform.client("admin") as admin:
        yield operator, admin


def recorded(platform, point: str, ts: int) -> dict:
    answer = platform.get("history", point=point, start=str(ts), end=str(ts + 1)).json()["series"][0]["samples"]
    return {name: values[0] for name, values in answer.items()} if answer["ts"] else {}


def extremes(platform, point: str, start: int) -> tuple[float, float] | None:
    """Least and greatest value of a whole minute, which roll-ups may answer."""
    query = {"start": str(start), "end": str(start + 60_000_000), "width": "60s"}
    found = platform.get("history", point=point, **query).json()["series"][0]["buckets"]
    return (found["min"][0], found["max"][0]) if found["ts"] else None


def test_a_correction_reaches_the_store_and_stays(platform, people):
    operator, admin = people
    minute = (time.time_ns() // 1000 - 3_600_000_000) // 60_000_000 * 60_000_000
    at = minute + 1_000_000
    platform.send(batch(platform.next_number(), ("belt1/speed", at, 4.9, 192)), live=False)
    until(lambda: recorded(platform, "belt1/speed", at).get("value") == 4.9)
    until(lambda: extremes(platform, "belt1/speed", minute) == (4.9, 4.9))

    def correct(value: float | None) -> dict:
        given = {"point": "belt1/speed", "reason": "dirty sensor", "samples": [{"time": iso(at), "value": value}]}
        entry = operator.post("/api/v1/manual/values", json=given)
        assert entry.status_code == 201, entry.text
        number = entry.json()["id"]
        seen, (listed, *_) = (
            admin.get(f"/api/v1/manual/entries/{number}").json(),
            admin.get("/api/v1/manual/entries").json()["entries"],
        )
        assert seen["was_known"] and seen["samples"][0]["was_value"] == recorded(platform, "belt1/speed", at)["value"]
        assert (listed["id"], listed["count"], listed["first"]["value"]) == (number, 1, value)
        own = operator.post(f"/api/v1/manual/entries/{number}/approve", json={})
        assert (own.status_code, own.json()["error"]["code"]) == (403, "forbidden")
        done = admin.post(f"/api/v1/manual/entries/{number}/approve", json={"reason": "seen"})
        assert (done.status_code, done.json()["state"]) == (200, "approved")
        return until(lambda: (e := admin.get(f"/api/v1/manual/entries/{number}").json())["published"] and e)

    entry = correct(2.5)
    assert (entry["samples"][0]["was_value"], entry["samples"][0]["was_quality"]) == (4.9, 192)
    until(lambda: (found := recorded(platform, "belt1/speed", at)) and (found["value"], found["quality"]) == (2.5, 216))
    # The gateway tells the same instant again, under a number that is its highest.
    platform.send(batch(time.time_ns() // 1000 + 10**12, ("belt1/speed", at, 4.9, 192)), live=False)
    platform.send(batch(platform.next_number(), ("belt1/speed", at + 1, 4.8, 192)), live=False)
    until(lambda: recorded(platform, "belt1/speed", at + 1))
    assert recorded(platform, "belt1/speed", at)["value"] == 2.5
    until(lambda: extremes(platform, "belt1/speed", minute) == (2.5, 4.8))
    # Killed after the bus had it and before that was noted: the same again, and the original stays.
    with connect(platform.home).begin() as connection:
        connection.execute(update(manual_entries).where(manual_entries.c.id == entry["id"]).values(published=None))
    until(lambda: admin.get(f"/api/v1/manual/entries/{entry['id']}").json()["published"])
    second = correct(None)
    assert second["samples"][0]["was_value"] == 2.5
    until(lambda: recorded(platform, "belt1/speed", at)["quality"] == 0)
    told = platform.get("manual/versions", point="belt1/speed", start=str(at), end=str(at + 1)).json()["versions"]
    names = "op", "a"
    assert [
        (row["value"], row["was_value"], *(row[name].split(":")[2] for name in ("who", "decided_by"))) for row in told
    ] == [
        (2.5, 4.9, *names),
        (None, 2.5, *names),
    ]


def test_a_correction_of_the_newest_value_is_the_present_everywhere(platform, people):
    operator, admin = people
    point, at = "belt1/current", time.time_ns() // 1000

    def gateway(ts: int, value: float) -> None:
        platform.send(batch(platform.next_number(), (point, ts, value, 192)))

    def live() -> tuple:
        (row,) = platform.get("live", point=point).json()["values"]
        return row["value"], row["ts"], row["manual"]

    gateway(at, 4.9)
    until(lambda: live() == (4.9, at, False))
    until(lambda: recorded(platform, point, at).get("value") == 4.9)
    with listen(platform, points=[path_of(point)]) as socket:
        assert "m" not in frame(socket)
        given = {"point": point, "reason": "dirty sensor", "samples": [{"time": iso(at), "value": 2.5}]}
        entry = operator.post("/api/v1/manual/values", json=given).json()
        assert live() == (4.9, at, False)  # nobody has approved it
        assert admin.post(f"/api/v1/manual/entries/{entry['id']}/approve", json={}).status_code == 200
        while (told := frame(socket)).get("m") != [True]:
            assert told["v"] in ([], [4.9])
        assert (told["v"], told["ts"]) == ([2.5], [at]) and told["q"] in ([216], [20])
    until(lambda: recorded(platform, point, at).get("value") == 2.5)
    gateway(at, 4.9)  # again, of the same instant
    gateway(at - 1, 4.9)
    until(lambda: recorded(platform, point, at - 1))
    assert live() == (2.5, at, True) and recorded(platform, point, at)["value"] == 2.5
    store = StoreClient(read_endpoint(platform.home))
    latest = store.latest([id_of(point)])
    assert latest.select(["ts", "value", "quality", "manual"]).to_pylist() == [
        {"ts": at, "value": 2.5, "quality": 216, "manual": True}
    ]
    restarted = LiveTable(site())
    restarted.rebuild(latest)
    assert [row["manual"] for row in restarted.describe(np.arange(len(restarted)), at) if row["ts"]] == [True]
    gateway(at + 1, 4.8)
    until(lambda: live() == (4.8, at + 1, False))
    older = {**given, "samples": [{"time": iso(at), "value": 1.5}]}
    entry = operator.post("/api/v1/manual/values", json=older).json()
    assert admin.post(f"/api/v1/manual/entries/{entry['id']}/approve", json={}).status_code == 200
    until(lambda: recorded(platform, point, at)["value"] == 1.5)
    assert live() == (4.8, at + 1, False)  # what is not the newest is not the present
    (told,) = [row for row in platform.get("manual/versions", point=point).json()["versions"] if row["value"] == 2.5]
    assert re.fullmatch(r"token:\d+:op token:\d+:a", f"{told['who']} {told['decided_by']}")
    assert told["reason"] == "dirty sensor"


def test_an_event_is_entered_and_one_of_a_device_corrected(platform, people):
    operator, admin = people
    at = time.time_ns() // 1000 - 7_200_000_000
    known = event_id(f"{CODE}/belt1", "trip", "17")
    platform.send_events(Event(known, f"{CODE}/belt1", "trip", at, None, 192, "edge1", {"by": "plc", "serial": 10**30}))
    deep: list = []
    for _ in range(400):
        deep = [deep]
    platform.send_events(Event("d" * 32, f"{CODE}/belt1", "deep", at, None, 192, "edge1", {"a": deep}))

    def events() -> dict[str, dict]:
        found = platform.get("events", start=str(at - 1), end=str(at + 10**9)).json()["events"]
        return {event["id"]: event for event in found}

    until(lambda: known in events() and "d" * 32 in events())
    assert events()["d" * 32]["attributes"]["text"].startswith('{"a": [[[')
    assert events()[known]["attributes"] == {"by": "plc", "serial": 1e30}

    def bring(**given: object) -> dict:
        entry = operator.post(
            "/api/v1/manual/events", json={"equipment": "belt1", "reason": "as the log says", **given}
        )
        assert entry.status_code == 201, entry.text
        done = admin.post(f"/api/v1/manual/entries/{entry.json()['id']}/approve", json={})
        assert done.status_code == 200
        return entry.json()

    bring(kind="patrol", start=iso(at), end=iso(at + 10), attributes={"who": "Wang"})
    until(lambda: any(e["kind"] == "patrol" and e["source"] == "manual" for e in events().values()))
    fixed = {"kind": "trip", "start": iso(at), "end": iso(at + 60), "corrects": {"id": known, "start": iso(at)}}
    entry = bring(**fixed)
    assert entry["was"]["end"] is None and entry["was"]["source"] == "edge1"
    until(lambda: events()[known]["end"] == at + 60)
    wrong = {"equipment": "pump1", "reason": "as the log says", **fixed}
    assert operator.post("/api/v1/manual/events", json=wrong).json()["error"]["code"] == "unknown_event"


UNTRUE = [
    ([{"time": "-1m", "value": -1}], "outside what this point can be"),
    ([{"time": "2031-01-01T00:00:00Z", "value": 1}], "not between 2000 and now"),
    ([{"time": "1999-01-01T00:00:00Z", "value": 1}], "not between 2000 and now"),
    ([{"time": "2026-01-01T00:00:00Z", "value": 1}] * 2, "here twice"),
    ([{"time": "2026-01-01T00:00:00Z", "value": 1}, {"time": "2026-02-01T00:00:00Z", "value": 1}], "over 7 days"),
    ([{"time": "-1m", "value": 1, "quality": 17}], "is none of"),
    ([{"time": "-1m", "quality": 192}], "without a value is bad"),
    ([{"time": "-1m", "text": "x"}], "not of kind text"),
    ([{"time": "-1m", "text": "x\0"}], "cannot be seen"),
    ([], "samples"),
    ([{"time": "-1m", "value": "NaN"}], "samples.0.value"),
    ([{"time": "-1m", "value": "5"}], "samples.0.value"),
    ([{"time": "-1m", "value": True}], "samples.0.value"),
    ([{"time": "yesterday", "value": 1}], "is not a time"),
]


def test_what_cannot_be_true_is_refused(alone):
    given = {"point": "belt1/speed", "reason": "dirty sensor", "samples": [{"time": "-1m", "value": 1}]}
    with alone.client("admin") as client:
        for samples, said in UNTRUE:
            answer = client.post("/api/v1/manual/values", json={**given, "samples": samples})
            assert answer.status_code == 400 and said in answer.json()["error"]["message"], answer.text
        for path, body in (
            ("values", {**given, "samples": [{"time": "-1m", "value": 1}], "reason": " "}),
            ("values", {**given, "samples": [{"time": "-1m", "value": 9}], "point": "belt1/running"}),
            ("values", {**given, "samples": [{"time": "-1m", "value": 9}], "point": "belt1/note"}),
            ("events", {"equipment": "belt1", "kind": "x", "start": "-1m", "end": "-2m", "reason": "because"}),
            ("events", {"equipment": "belt1", "kind": "Ünicode", "start": "-1m", "reason": "because"}),
        ):
            assert client.post(f"/api/v1/manual/{path}", json=body).status_code == 400
        for attribute in ("9" * 400, "9" * 5_000, "NaN", "1e999", r'"\ud800"', r'"\u0000"', "[1]"):
            body = '{"equipment": "belt1", "kind": "x", "start": "-1m", "reason": "because", "attributes": {"a": %s}}'
            refused = client.post(
                "/api/v1/manual/events", content=body % attribute, headers={"Content-Type": "application/json"}
            )
            assert refused.status_code == 400, attribute
        assert client.post("/api/v1/manual/entries/7/approve", json={}).status_code == 404
        assert client.get("/api/v1/manual/entries").json() == {"entries": []}
    with alone.client() as reader:
        assert reader.post("/api/v1/manual/values", json=given).status_code == 403


def test_no_gateway_may_have_the_name(tmp_path):
    with pytest.raises(ValueError, match="another name"):
        credentials.make_all(tmp_path, CODE, ["edge1", "manual"])
    (tmp_path / "connections.yaml").write_text("connections:\n  plc: {gateway: manual, adapter: modbus}\n")
    assert any("another name" in problem.message for problem in examine(tmp_path).problems)
