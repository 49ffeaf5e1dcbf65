"""The door: who may ask, and what the answer to a wrong question looks like."""

import json
import threading

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import flight

from middleplatform.store.answers import Answers
from middleplatform.store.client import INCOMPLETE, StoreClient, StoreError, StoreUnavailable, read_endpoint
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.latest import Latest
from middleplatform.store.schema import SAMPLE_COLUMNS
from tests.ports import free_port

T = 1_795_420_368_000_000


@pytest.fixture(scope="module")
def door(engine):
    settled = []
    history, latest = History(engine, lambda points: np.full(len(points), 10_000_000, np.int64)), Latest()

    def settle():
        settled.append(1)
        return door.whole

    door = Door(Answers(history, latest, settle, lambda: {"rows": 3, "lag": {"SAMPLES": 1}}).handlers)
    door.settled, door.whole = settled, True
    columns = [
        {"point": 2**64 - 1, "ts": T + i, "value": i / 2, "quality": 192, "text": None, "ver": 1}
        for i in range(200_000)
    ]
    engine.insert("samples", pa.Table.from_pylist(columns, SAMPLE_COLUMNS))
    yield door
    door.shutdown()


def test_it_answers_the_holder_of_the_token(door):
    client = StoreClient(door.endpoint)
    before = len(door.settled)
    raw = client.raw([2**64 - 1], T, T + 10**6, 150_000)
    assert raw.num_rows == 150_000 and raw.column("value")[-1].as_py() == 149_999 / 2
    assert raw.schema.names == ["point", "ts", "value", "quality", "text"]
    assert client.buckets([2**64 - 1], T, T + 200_000, 100_000).column("n").to_pylist() == [100_000, 100_000]
    assert client.events(None, None, T, T + 1, 10).num_rows == 0
    assert len(door.settled) - before == 3, "each of these answers covers what had come in"
    assert client.latest().num_rows == 0 and client.latest([1]).num_rows == 0
    assert client.status() == {"rows": 3, "lag": {"SAMPLES": 1}}
    client.close()


def test_an_answer_that_may_lack_the_newest_says_so(door):
    client = StoreClient(door.endpoint)

    def marked():
        answers = (
            client.raw([2**64 - 1], T, T + 10, 10),
            client.buckets([2**64 - 1], T, T + 10, 10),
            client.events(None, None, T, T + 1, 10),
        )
        return [INCOMPLETE in (answer.schema.metadata or {}) for answer in answers]

    assert marked() == [False] * 3
    door.whole = False
    try:
        assert marked() == [True] * 3
    finally:
        door.whole = True
    client.close()


def test_it_is_safe_to_ask_from_several_threads(door):
    client, got = StoreClient(door.endpoint), []

    def ask() -> None:
        got.append(client.raw([2**64 - 1], T, T + 1000, 1000).num_rows)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1000] * 12


@pytest.mark.parametrize("token", ["", "wrong"])
def test_it_refuses_everyone_else(door, token):
    with pytest.raises(StoreError, match="refused the token"):
        StoreClient({**door.endpoint, "token": token}).status()


def test_it_refuses_who_shows_nothing_and_listens_on_loopback_only(door):
    bare = flight.FlightClient(door.endpoint["url"])
    for call in (
        lambda: bare.do_get(flight.Ticket(b'{"kind": "status"}')).read_all(),
        lambda: list(bare.list_flights()),
        lambda: list(bare.list_actions()),
    ):
        with pytest.raises(flight.FlightUnauthenticatedError):
            call()
    assert door.endpoint["url"].startswith("grpc://127.0.0.1:")


@pytest.mark.parametrize(
    ("ticket", "words"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "JSON object"),
        (b'{"kind": "drop"}', "is not one of raw, buckets"),
        (b'{"kind": "raw"}', "'points' must be"),
        (b'{"kind": "raw", "points": ["1"], "start": 0, "end": 1, "limit": 1}', "'points' must be"),
        (b'{"kind": "raw", "points": [18446744073709551616], "start": 0, "end": 1, "limit": 1}', "'points' must be"),
        (b'{"kind": "raw", "points": [1], "start": "now", "end": 1, "limit": 1}', "'start' must be a whole number"),
        (b'{"kind": "raw", "points": [1], "start": 0, "end": 1, "limit": 0}', "limit must be"),
        (b'{"kind": "raw", "points": [1], "start": 1e999, "end": 1, "limit": 1}', "whole number"),
        (
            b'{"kind": "events", "equipment": 7, "start": 0, "end": 1, "limit": 1}',
            "'equipment' must be a list of texts",
        ),
        (b'{"kind": "buckets", "points": [1], "start": 5, "end": 1, "width": 1}', "begin before it ends"),
    ],
)
def test_a_wrong_question_gets_plain_words(door, ticket, words):
    client = StoreClient(door.endpoint)
    with pytest.raises(flight.FlightError) as refused:
        client._client.do_get(flight.Ticket(ticket), client._options).read_all()
    assert words in json.loads(refused.value.extra_info)["message"]


def test_the_client_raises_the_stores_own_words(door):
    with pytest.raises(StoreError) as refused:
        StoreClient(door.endpoint).raw([1], 5, 5, 1)
    assert str(refused.value) == "the range must begin before it ends, in µs since 1970, got 5 to 5"
    assert not isinstance(refused.value, StoreUnavailable)


def test_a_store_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable):
        StoreClient({"url": f"grpc://127.0.0.1:{free_port()}", "token": "x"}, timeout_s=5).status()
    with pytest.raises(StoreUnavailable, match="not running"):
        read_endpoint(tmp_path)
