"""The live stream: a snapshot, what changes, what turns stale, and clients that cannot keep up."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from middleplatform.api import feed as feeds
from middleplatform.api import sockets, stream
from middleplatform.api.feed import Hub
from middleplatform.api.live import LiveTable
from middleplatform.api.times import now_us
from tests.middleplatform.api.build import batch, id_of, now, path_of, samples, site
from tests.middleplatform.api.stage import bare, threaded, until

SECOND = 1_000_000


@contextmanager
def listen(stage, **subscription):
    with connect(stage.ws, additional_headers={"Authorization": f"Bearer {stage.reader}"}) as socket:
        socket.send(json.dumps({"subscribe": subscription}))
        yield socket


def frame(socket, wait=20):
    return json.loads(socket.recv(wait))


def put(stage, *rows, texts=None):
    """What the API does with a live message of the gateway."""

    def take():
        stage.app.state.live.beat("edge1")
        stage.app.state.live.update(samples(*rows, texts=texts))

    stage.call(take)


def next_with(socket, wait=20):
    """The next frame that tells of a change."""
    deadline = time.monotonic() + wait
    while not (found := frame(socket))["i"]:
        assert time.monotonic() < deadline
    return found


def test_first_all_then_what_changed(alone):
    ts = now()
    put(alone, ("belt1/speed", ts, 2.5, 192))
    with listen(alone, points=["pump1/flow", str(id_of("belt1/speed"))], interval_s=0.2) as socket:
        first = frame(socket)
        assert first["snapshot"] == {
            "points": [path_of("pump1/flow"), path_of("belt1/speed")],
            "ids": [str(id_of("pump1/flow")), str(id_of("belt1/speed"))],
            "units": ["", "m/s"],
            "interval_s": 0.2,
        }
        assert (first["i"], first["v"], first["q"], first["ts"]) == ([0, 1], [None, 2.5], [32, 192], [0, ts])
        assert abs(first["t"] - now_us()) < 30 * SECOND
        put(alone, ("belt1/speed", ts + 1, 2.6, 192), ("belt1/current", ts, 1.0, 192))
        change = next_with(socket)
        assert (change["i"], change["v"], change["q"], change["ts"]) == ([1], [2.6], [192], [ts + 1])
        put(alone, ("belt1/speed", ts, 9.9, 192), ("pump1/flow", ts, 1.0, 24))
        change = next_with(socket)
        assert (change["i"], change["v"], change["q"]) == ([0], [1.0], [24]), "and nothing goes back in time"


def test_a_frame_comes_also_when_nothing_changes(alone):
    with listen(alone, interval_s=0.5) as socket:
        first = frame(socket)
        beats = [frame(socket) for _ in range(4)]
        # By when they were made: one who is busy finds several at once.
        assert 1.2 * SECOND < beats[-1]["t"] - first["t"] < 12 * SECOND
        assert all(set(beat) == {"t", "i", "v", "q", "ts"} and beat["i"] == [] for beat in beats)
        assert [beat["t"] for beat in beats] == sorted(beat["t"] for beat in beats)


def test_turning_stale_is_told(tmp_path):
    ahead = [0]
    with threaded(lambda loop: bare(tmp_path, loop, lambda: now_us() + ahead[0])) as stage:
        put(stage, ("belt1/speed", now(), 2.5, 192))
        with listen(stage, points=["belt1/speed"], interval_s=0.2) as socket:
            assert frame(socket)["q"] == [192]
            ahead[0] = 61 * SECOND
            stale = next_with(socket)
            assert (stale["i"], stale["v"], stale["q"]) == ([0], [2.5], [20])
            put(stage, ("belt1/speed", now() + ahead[0], 2.7, 192))
            assert next_with(socket)["q"] == [192]


def test_texts_stand_beside_their_values(alone):
    put(alone, ("belt1/note", now(), float("nan"), 192), ("belt1/speed", now(), 1.0, 192), texts=["检修", None])
    with listen(alone, points=["belt1/speed", "belt1/note"]) as socket:
        first = frame(socket)
        assert (first["v"], first["s"]) == ([1.0, None], [None, "检修"])


def test_the_same_wish_is_encoded_once_for_all(alone):
    with ExitStack() as stack:
        sockets = [stack.enter_context(listen(alone, equipment=["belt1"], interval_s=0.2)) for _ in range(10)]
        for each in sockets:
            frame(each)
        (feed,) = alone.app.state.hub._feeds.values()
        began, before = time.monotonic(), feed.encoded
        for each in sockets * 6:
            frame(each)
        encoded = feed.encoded - before
        assert encoded <= (time.monotonic() - began) / 0.2 + 2, "not once for each of the ten"
        with listen(alone, equipment=["pump1"], interval_s=0.2) as other:
            frame(other)
            assert alone.app.state.hub.feeds() == 2
    until(lambda: alone.app.state.hub.feeds() == 0 and alone.app.state.hub.sockets == 0)


def test_a_wish_can_change(alone):
    with listen(alone, equipment="belt1", interval_s=0.2) as socket:
        assert len(frame(socket)["snapshot"]["points"]) == 4
        socket.send(json.dumps({"subscribe": {"equipment": "pump1", "interval_s": 0.2}}))
        while "snapshot" not in (found := frame(socket)):
            pass
        assert [path.split("/")[1] for path in found["snapshot"]["points"]] == ["pump1", "pump1"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_message"),
        ("[]", "invalid_message"),
        ("[" * 50_000, "invalid_message"),
        ("{}", "invalid_subscription"),
        ('{"subscribe": 1}', "invalid_subscription"),
        ('{"subscribe": {"point": ["a"]}}', "invalid_subscription"),
        ('{"subscribe": {"points": []}}', "invalid_subscription"),
        ('{"subscribe": {"points": [1]}}', "invalid_subscription"),
        ('{"subscribe": {"points": ["\\ud800"]}}', "unknown_point"),
        ('{"subscribe": {"points": ["belt1/sped"]}}', "unknown_point"),
        ('{"subscribe": {"equipment": ["belt7"]}}', "unknown_equipment"),
        ('{"subscribe": {"interval_s": 0.1}}', "invalid_subscription"),
        ('{"subscribe": {"interval_s": NaN}}', "invalid_subscription"),
        ('{"subscribe": {"interval_s": true}}', "invalid_subscription"),
        (b"\xff\xfe", "invalid_message"),
    ],
)
def test_a_wrong_wish_is_refused_with_the_reason(standing, message, code):
    with connect(standing.ws, additional_headers={"Authorization": f"Bearer {standing.reader}"}) as socket:
        socket.send(message)
        error = frame(socket)["error"]
        assert error["code"] == code
        assert error["message"] and error["message_zh"]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
        assert closed.value.rcvd.code == 1008
        assert closed.value.rcvd.reason


def test_one_who_says_nothing_is_sent_away(alone, monkeypatch):
    monkeypatch.setattr(sockets, "FIRST_WORD_S", 0.3)
    monkeypatch.setattr(sockets.word_of, "__defaults__", (0.3,))
    with connect(alone.ws) as socket:
        assert frame(socket)["error"]["code"] == "silent"


async def test_a_slow_client_gets_one_frame_for_all_that_it_missed():
    table = LiveTable(site())
    hub = Hub(table)
    client = hub.join(np.array([0, 1, 2], np.intp), 0.2)
    feed = next(iter(hub._feeds.values()))
    first = json.loads(await client.next())
    assert "snapshot" in first
    points = sorted(point.path.partition("/")[2] for point in table.points)
    ts = now()
    for tick in range(feeds.QUEUE + 3):
        table.update(samples((points[tick % 2], ts + tick, float(tick), 192)))
        frame = feed.since(feed._told)
        feed._told = table.revision
        client.push(frame, table.revision)
        assert len(client._frames) <= feeds.QUEUE
    assert client.behind
    made_up = json.loads(await client.next())
    last = feeds.QUEUE + 2
    assert made_up["i"] == [0, 1]
    assert sorted(made_up["v"]) == [float(last - 1), float(last)]
    assert not client.behind and not client._frames
    hub.leave(client)


async def test_a_client_that_took_nothing_yet_still_begins_with_a_snapshot():
    table = LiveTable(site())
    hub = Hub(table)
    client = hub.join(np.arange(6), 1.0)
    for _ in range(feeds.QUEUE + 2):
        client.push("{}", table.revision)
    assert "snapshot" in json.loads(await client.next())
    hub.leave(client)


def test_a_client_that_takes_nothing_is_let_go_and_others_are_not_disturbed(alone, monkeypatch):
    monkeypatch.setattr(stream, "SEND_S", 6.0)
    text = "x" * 200_000
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            put(alone, ("belt1/note", now(), 1.0, 192), texts=[text])
            time.sleep(0.02)

    where = alone.url.removeprefix("http://").split(":")
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect((where[0], int(where[1])))
    head = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {alone.reader}\r\n\r\n"
    )
    stuck.sendall(head.encode())
    assert b" 101 " in stuck.recv(50)
    wish = json.dumps({"subscribe": {"interval_s": 0.2}}).encode()
    stuck.sendall(b"\x81" + bytes([0x80 | len(wish)]) + struct.pack("!I", 0) + wish)
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        with listen(alone, points=["belt1/speed"], interval_s=0.2) as socket_:
            gaps, last = [], time.monotonic()
            for _ in range(15):
                frame(socket_)
                gaps.append(time.monotonic() - last)
                last = time.monotonic()
            until(lambda: alone.app.state.hub.slow == 1)
            assert max(gaps) < 4.5, "nobody waits for as long as it is given"
            until(lambda: alone.app.state.hub.sockets == 1)
    finally:
        stop.set()
        thread.join()
        stuck.close()


def test_live_values_come_over_the_bus_and_strangers_on_it_do_no_harm(platform):
    with listen(platform, points=["pump1/level"], interval_s=0.2) as stream_:
        frame(stream_)
        ts = now()
        platform.within(platform.bus.live(f"mine.{site().code}.live.edge1", b"rubbish"))
        platform.send(batch(platform.next_number(), ("pump1/level", ts, 41.5, 192)), kept=False)
        change = next_with(stream_)
        assert (change["v"], change["ts"]) == ([41.5], [ts])
    (value,) = platform.get("live", point="pump1/level").json()["values"]
    assert (value["value"], value["quality"], value["stale"]) == (41.5, 192, False)
    assert 0 <= value["age_s"] < 60
    with platform.client() as client:
        page = client.get("/metrics").text
    assert "sevenones_api_live_malformed_total 1.0" in page
    place = json.loads((platform.home / "metrics" / "api.json").read_text())
    with platform.client(None) as client:
        assert client.get(place["url"], headers={"Authorization": f"Bearer {place['token']}"}).status_code == 200
        assert client.get("/api/v1/live", headers={"Authorization": f"Bearer {place['token']}"}).status_code == 401


async def test_a_feed_without_listeners_ends():
    table = LiveTable(site())
    hub = Hub(table)
    before = len(asyncio.all_tasks())
    clients = [hub.join(np.arange(6), 0.2) for _ in range(3)]
    for client in clients:
        hub.leave(client)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (hub.feeds(), len(asyncio.all_tasks())) == (0, before)
