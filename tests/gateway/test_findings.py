"""The dead letters of a gateway's connections (P16): what a device sent and could not be used is there to be read."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.endpoint import Endpoint, as_json
from gateway.findings import FindingsPage, _masked
from protocols.adapter import Delivers, LinkLost, Sheet, Supports
from protocols.findings import FindingBook
from tests.gateway.scripted import DEVICES, Device, Scripted
from tests.gateway.sites import Remembered, connection, point
from tests.protocols.mqtt.broker import Broker, Publisher, settings


class Finder(Scripted):
    """Finds something in each of its lives, then loses its link."""

    sheet = Sheet("finder", Scripted.sheet.title, Supports.READ, Delivers.LATEST, False, Scripted.sheet.remarks)

    def __init__(self, made: Any) -> None:
        super().__init__(made)
        self.book = FindingBook(now=lambda: 1_800_000_000_000_000 + DEVICES["finder"].connects)

    async def connect(self) -> None:
        await super().connect()
        self.book.note("malformed", "here", f"life {self.device.connects}", b"\x00rubbish")
        if self.device.connects < 3:
            raise LinkLost("gone again")

    def findings(self) -> Any:
        return self.book.all()


async def until(met: Any, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(*connections: DeviceConnection) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in connections]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def made(spec: Any, points: Any, kind: Any = None) -> DeviceConnection:
    more = {} if kind is None else {"adapters": lambda _: kind}
    return DeviceConnection(spec, points, {}, WallClock(), Remembered(), **more)


async def test_findings_outlive_the_adapter_that_made_them() -> None:
    DEVICES["finder"] = Device()
    one = made(connection(device="finder"), (point("a"),), Finder)
    async with running(one):
        await until(lambda: DEVICES["finder"].connects == 3 and one.findings() and one.findings()[0].count == 3)
        page = FindingsPage([one]).show()
        assert page is not None
        (finding,) = page["findings"]
        assert finding["reason"] == "life 3" and finding["last"] - finding["first"] == 2
        assert finding["payload_hex"].startswith("00 72") and finding["payload_text"] == "\x00rubbish"
        assert page["kinds"] == {"malformed": 3} and page["not_shown"] == 0
    assert FindingsPage([one]).show("nobody") is None


async def test_p16_rejected_payloads_are_on_the_page_and_the_flow_goes_on(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    broker.start()
    publisher = Publisher(broker.port)
    spec = connection("chamber", "mqtt", {}, **settings(broker.port))
    one = made(spec, (point("v", "chamber", "", address="mine/p1#v"),))
    endpoint = Endpoint({"/findings": lambda query: as_json(200, FindingsPage([one]).show(query.get("connection")))})
    await endpoint.start(tmp_path / "door.json")
    door = json.loads((tmp_path / "door.json").read_text())

    def ask() -> Any:
        request = urllib.request.Request(
            door["url"] + "/findings?connection=chamber", headers={"Authorization": f"Bearer {door['token']}"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    try:
        async with running(one):
            await until(lambda: one.connects == 1)
            await asyncio.sleep(0.3)
            for number in range(150):
                publisher.send("mine/p1", b"\xff\xfe broken " + b"x" * 5000)
                publisher.send("mine/p1", {"v": number})
            publisher.send("mine/p1", b'{"token": "sesame"')
            publisher.send("mine/p1", b'{"v": "text", "Password": "open sesame", "pwd":"x1"}')
            await until(lambda: int(one.acquisition.taken[0]) >= 302)
            page = await asyncio.to_thread(ask)
            kinds = {finding["kind"]: finding for finding in page["findings"]}
            assert kinds["malformed"]["count"] == 151 and kinds["malformed"]["where"] == "mine/p1"
            assert "not JSON" in kinds["malformed"]["reason"]
            assert "a number is due" in kinds["no value"]["reason"]
            assert page["counters"]["chamber"]["malformed_total"] == 151
            shown = json.dumps(page)
            assert "sesame" not in shown and "x1" not in kinds["no value"]["payload_text"]
            assert b"open sesame".hex(" ") not in shown
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(urllib.request.urlopen, door["url"] + "/findings", None, 5)
        assert refused.value.code == 401
    finally:
        publisher.close()
        await endpoint.stop()
        broker.stop()


@pytest.mark.parametrize(
    "payload",
    [
        b"Authorization: Bearer c2VjcmV0",
        b'{"authorization": "Basic c2VjcmV0"}',
        b"mqtt://pump:c2VjcmV0@10.0.0.1/x",
        '{"密码": "c2VjcmV0", "v": 1}'.encode(),
        '{"密码": "c2VjcmV0", "v": 1}'.encode("gbk"),
    ],
)
def test_a_secret_is_not_shown_in_whatever_form_a_device_sends_it(payload):
    assert b"c2VjcmV0" not in _masked(payload)
