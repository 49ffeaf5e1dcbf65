"""The OPC UA server against asyncua's client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import BadUserAccessDenied

from models.site.model import Kind
from simulators.devices.device import DeviceError
from simulators.devices.opcua import OpcUaPoints, make_certificate
from tests.ports import free_port
from tests.simulators.points import connection, point

URI = "urn:test:simulators"
TS = 1_790_000_000_123_457


def node(name: str) -> str:
    return f"nsu={URI};s={name}"


POINTS = [
    point("position", node("P"), "", unit="m"),
    point("height", node("H"), "", unit="m", factor=0.001),
    point("step", node("S"), ""),
    point("running", node("R"), "", kind=Kind.STATE, role="run.state"),
    point("fault_text", node("F"), "", kind=Kind.TEXT),
    point("speed", node("V"), "float32", unit="m/min"),
]


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[OpcUaPoints]:
    url = f"opc.tcp://127.0.0.1:{free_port()}/sevenones"
    settings = {"url": url, "user": "gateway", "password": "right"}
    made = OpcUaPoints(connection("c1", "opcua", settings, 0.2), POINTS, tmp_path / "server")
    await made.prepare()
    shown = made.hold(np.array([12.25, 1.5004, 3, 1, np.nan, 0.1]), ["", "", "", "", "停", ""])
    assert np.allclose(shown[:4], [12.25, 1.5004, 3, 1])
    assert shown[5] == np.float64(np.float32(0.1))
    await made.serve(TS, np.ones(6, bool))
    await made.start()
    yield made
    await made.close()


async def client(
    url: str, folder: Path, user: str | None, password: str, server_certificate: Path | None = None
) -> Client:
    made = Client(url, timeout=4)
    made.application_uri = "urn:test:client"
    certificate, key = make_certificate(folder / "client", made.application_uri, "127.0.0.1")
    if user:
        made.set_user(user)
        made.set_password(password)
    await made.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=certificate,
        private_key=key,
        server_certificate=server_certificate or folder / "server" / "server.der",
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    return made


async def test_values_types_and_source_times(device: OpcUaPoints, tmp_path: Path) -> None:
    async with await client(device.url, tmp_path, "gateway", "right") as peer:
        space = await peer.get_namespace_index(URI)
        read = await peer.read_attributes([peer.get_node(f"ns={space};s={name}") for name in "PHSRFV"])
        assert [value.Value.Value for value in read[:5]] == [12.25, pytest.approx(1500.4), 3, True, "停"]
        kinds = [value.Value.VariantType.name for value in read]
        assert kinds == ["Double", "Double", "Int32", "Boolean", "String", "Float"]
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=TS)
        assert {value.SourceTimestamp for value in read} == {moment}
        assert all(value.StatusCode.is_good() for value in read)


async def test_a_subscriber_gets_each_change_with_its_time(device: OpcUaPoints, tmp_path: Path) -> None:
    async with await client(device.url, tmp_path, "gateway", "right") as peer:
        seen: list[tuple[float, datetime]] = []

        class Handler:
            def datachange_notification(self, _node: object, value: float, data: ua.DataChangeNotification) -> None:
                seen.append((value, data.monitored_item.Value.SourceTimestamp))

        space = await peer.get_namespace_index(URI)
        subscription = await peer.create_subscription(50, Handler())
        await subscription.subscribe_data_change(peer.get_node(f"ns={space};s=P"), queuesize=100)
        told = [(12.25, TS)]
        only_p = np.array([True, False, False, False, False, False])
        for n in range(1, 11):
            device.hold(np.array([n, 1, 1, 1, np.nan, 1.0]), [""] * 6)
            await device.serve(TS + n * 200_000, only_p)
            told.append((float(n), TS + n * 200_000))
            await asyncio.sleep(0.02)
        for _ in range(600):
            if len(seen) >= len(told):
                break
            await asyncio.sleep(0.05)
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        assert [(value, (when - epoch) // timedelta(microseconds=1)) for value, when in seen] == told


@pytest.mark.parametrize(("user", "password"), [("gateway", "wrong"), ("other", "right"), ("gateway", "")])
async def test_a_wrong_user_or_password_is_refused(
    device: OpcUaPoints, tmp_path: Path, user: str, password: str
) -> None:
    peer = await client(device.url, tmp_path, user, password)
    with pytest.raises(BadUserAccessDenied):
        await peer.connect()


async def test_nobody_comes_in_without_a_user_or_without_encryption(device: OpcUaPoints, tmp_path: Path) -> None:
    anonymous = await client(device.url, tmp_path, None, "")
    with pytest.raises(ua.UaError):
        await anonymous.connect()
    plain = Client(device.url, timeout=2)
    plain.set_user("gateway")
    plain.set_password("right")
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        await plain.connect()


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "urn:x", "localhost")
    assert key.stat().st_mode & 0o077 == 0
    before = certificate.read_bytes()
    make_certificate(tmp_path, "urn:x", "localhost")
    assert certificate.read_bytes() == before


def test_a_server_without_a_password_is_not_made(tmp_path: Path) -> None:
    settings = {"url": "opc.tcp://127.0.0.1:1/x", "user": "gateway", "password": ""}
    with pytest.raises(DeviceError, match="password"):
        OpcUaPoints(connection("c1", "opcua", settings), POINTS, tmp_path)


def test_what_is_read_once_a_second_changes_once_a_second(tmp_path: Path) -> None:
    settings = {"url": "opc.tcp://127.0.0.1:1/x", "user": "gateway", "password": "right"}
    made = OpcUaPoints(connection("c1", "opcua", settings, 1.0), POINTS, tmp_path)
    shown = [made.hold(np.array([n, 1.5, 3, 1, np.nan, 0.1]), [""] * 6)[0] for n in range(12)]
    assert shown == [0.0] * 5 + [5.0] * 5 + [10.0] * 2
