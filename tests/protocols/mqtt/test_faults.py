"""Faults of certificate, sign-in and client_id, each told from the others in the message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from protocols.adapter import LinkLost, SignInRefused
from protocols.mqtt import faults
from tests.certificates import certificate
from tests.ports import free_port
from tests.protocols.mqtt.broker import Broker, tag
from tests.protocols.mqtt.test_delivery import running
from tests.protocols.mqtt.test_sign_in import adapter, refusal

BOTH = pytest.mark.parametrize("protocol", ["3.1.1", "5"])


@contextmanager
def tls_broker(folder: Path, *, more: str = "", **how: Any) -> Iterator[tuple[Broker, Path]]:
    """A broker with a certificate of its own, and that certificate's file."""
    pem, key = certificate(folder, ["localhost"], stem="broker-", **how)
    broker = Broker(folder / "broker", tls=f"certfile {pem}\nkeyfile {key}\n{more}")
    broker.start()
    yield broker, pem
    broker.stop()


@BOTH
async def test_an_authority_that_nobody_named_is_told(tmp_path: Path, protocol: str) -> None:
    other, _ = certificate(tmp_path, ["localhost"], stem="other-")
    with tls_broker(tmp_path) as (broker, _):
        for tls in ({}, {"ca": str(other)}):
            lost = await refusal(broker.port, host="localhost", protocol=protocol, tls=tls)
            assert isinstance(lost, SignInRefused) and "signed by nobody" in str(lost) and "tls.ca" in str(lost)


@BOTH
async def test_an_expired_certificate_is_told(tmp_path: Path, protocol: str) -> None:
    with tls_broker(tmp_path, hours=(-48, -24)) as (broker, pem):
        lost = await refusal(broker.port, host="localhost", protocol=protocol, tls={"ca": str(pem)})
        assert isinstance(lost, SignInRefused) and "has expired" in str(lost)


async def test_a_certificate_of_the_future_is_told(tmp_path: Path) -> None:
    with tls_broker(tmp_path, hours=(24, 48)) as (broker, pem):
        lost = await refusal(broker.port, host="localhost", tls={"ca": str(pem)})
        assert isinstance(lost, SignInRefused) and "not valid yet" in str(lost) and "clock" in str(lost)


@BOTH
async def test_a_certificate_for_another_host_is_told(tmp_path: Path, protocol: str) -> None:
    with tls_broker(tmp_path) as (broker, pem):
        lost = await refusal(broker.port, host="127.0.0.1", protocol=protocol, tls={"ca": str(pem)})
        assert isinstance(lost, SignInRefused) and "not for '127.0.0.1'" in str(lost)


@BOTH
async def test_a_broker_that_wants_our_certificate_says_so(tmp_path: Path, protocol: str) -> None:
    ours, key = certificate(tmp_path, ["gateway"], stem="ours-")
    stranger, strange_key = certificate(tmp_path, ["gateway"], stem="stranger-")
    asks = f"cafile {ours}\nrequire_certificate true\n"
    with tls_broker(tmp_path, more=asks) as (broker, pem):
        where: dict[str, Any] = {"host": "localhost", "protocol": protocol}
        none = await refusal(broker.port, **where, tls={"ca": str(pem)})
        assert isinstance(none, SignInRefused) and "wants a certificate from us" in str(none)
        files = {"ca": str(pem), "cert": str(stranger), "key": str(strange_key)}
        wrong = await refusal(broker.port, **where, tls=files)
        assert isinstance(wrong, SignInRefused) and "does not accept our certificate" in str(wrong)
        right = adapter(broker.port, **where, tls={"ca": str(pem), "cert": str(ours), "key": str(key)})
        await right.connect()
        await right.close()


async def test_tls_to_a_plain_port_is_told(broker: Broker) -> None:
    lost = await refusal(broker.port, host="localhost", tls={})
    assert not isinstance(lost, SignInRefused) and "speaks no TLS" in str(lost)


async def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing")
    lost = await refusal(free_port(), tls={"ca": str(file)})
    assert isinstance(lost, SignInRefused) and "TLS file" in str(lost)


# ---- sign-in


@asynccontextmanager
async def answering(code: int) -> AsyncIterator[int]:
    """A broker whose answer to every sign-in is this one (MQTT 3.1.1, table 3.1)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes((0x20, 2, 0, code)))
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    ("code", "refused", "words"),
    [
        (1, False, "version"),
        (2, False, "client_id"),
        (3, False, "refused the connection"),
        (4, True, "refused the user 'gateway' or the password"),
        (5, True, "does not authorise"),
    ],
)
async def test_each_answer_to_a_sign_in_has_its_words(code: int, refused: bool, words: str) -> None:
    async with answering(code) as port:
        lost = await refusal(port)
        assert isinstance(lost, SignInRefused) is refused and words in str(lost), str(lost)


# ---- two with one name


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "ENDINGS", faults.Endings())


async def stolen(port: int, protocol: str) -> LinkLost:
    """How the first of two clients with one client_id ends."""
    async with running(port, [tag(0, "a#v")], protocol=protocol) as run:
        thief = adapter(port, protocol=protocol)
        await thief.connect()
        assert run.task is not None
        with pytest.raises(LinkLost) as lost:
            await asyncio.wait_for(asyncio.shield(run.task), 30)
        await thief.close()
        return lost.value


async def test_a_stolen_session_is_told_in_mqtt_5_at_once(broker: Broker) -> None:
    words = str(await stolen(broker.port, "5"))
    assert "another client signed in with our client_id 'sevenones-test'" in words


async def test_a_stolen_session_is_told_in_mqtt_3_the_surer_the_more_often(broker: Broker) -> None:
    words = [str(await stolen(broker.port, "3.1.1")) for _ in range(3)]
    assert all("client_id 'sevenones-test'" in said for said in words)
    assert "or another client" in words[0] and "most likely" not in words[1]
    assert "3 times" in words[2] and "most likely another client" in words[2]
