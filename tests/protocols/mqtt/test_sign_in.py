"""Refused and unreachable are told apart; TLS; the settings' own checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.adapter import LinkLost, SignInRefused
from protocols.mqtt import Mqtt
from tests.certificates import certificate
from tests.ports import free_port
from tests.protocols.mqtt.broker import PASSWORD, Broker, MqttPeer, Publisher, settings, tag
from tests.protocols.mqtt.test_delivery import running


def adapter(port: int, **more: Any) -> Mqtt:
    return Mqtt(Mqtt.Settings.model_validate(settings(port, **more)))


async def refusal(port: int, **more: Any) -> LinkLost:
    mqtt = adapter(port, **more)
    with pytest.raises(LinkLost) as lost:
        await mqtt.connect()
    await mqtt.close()
    return lost.value


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_wrong_password_is_told_from_a_dead_port(broker: Broker, protocol: str) -> None:
    wrong = await refusal(broker.port, password="wrong", protocol=protocol)
    assert isinstance(wrong, SignInRefused) and "gateway" in str(wrong) and "wrong" not in str(wrong)
    dead = await refusal(free_port(), protocol=protocol)
    assert not isinstance(dead, SignInRefused)


async def test_the_password_may_be_in_a_file(broker: Broker, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    missing = await refusal(broker.port, password="", password_file=str(secret))
    assert isinstance(missing, SignInRefused) and str(secret) in str(missing)
    secret.write_text(PASSWORD + "\n")
    mqtt = adapter(broker.port, password="", password_file=str(secret))
    await mqtt.connect()
    await mqtt.close()


@pytest.mark.parametrize(
    "wrong", [{"client_id": ""}, {"port": 0}, {"password_file": "x"}, {"user": ""}, {"protocol": "3.1"}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Mqtt.Settings.model_validate({**settings(1883), **wrong})


def test_the_password_is_never_shown() -> None:
    assert PASSWORD not in repr(adapter(1883).settings)


async def test_tls_carries_data_and_a_stranger_certificate_is_refused(tmp_path: Path) -> None:
    pem, key = certificate(tmp_path, ["localhost"])
    plain = free_port()
    broker = Broker(tmp_path / "broker", tls=f"certfile {pem}\nkeyfile {key}\nlistener {plain} 127.0.0.1\n")
    broker.start()
    publisher = Publisher(plain)
    try:
        tls = {"tls": {"ca": str(pem)}}
        async with running(broker.port, [tag(0, "a#v")], host="localhost", **tls) as run:
            for number in range(300):
                publisher.send("a", {"v": number})
            await run.until(300)
            assert run.values == list(range(300))
        for wrong in ({"tls": {}, "host": "localhost"}, {**tls, "host": "127.0.0.1"}):
            refused = await refusal(broker.port, **wrong)
            assert isinstance(refused, SignInRefused) and "certificate" in str(refused)
        gone = await refusal(broker.port, tls={"ca": str(tmp_path / "none.pem")})
        assert "TLS file" in str(gone)
    finally:
        publisher.close()
        broker.stop()


async def test_mqtt_5_carries_values_and_acknowledges(tmp_path: Path) -> None:
    peer = MqttPeer(tmp_path / "broker", protocol="5")
    await peer.start()
    try:
        port = peer.settings()["port"]
        async with running(port, [peer.tags[0]], protocol="5", acknowledge=False) as run:
            await peer.set(0, 12.5)
            await run.until(1)
        async with running(port, [peer.tags[0]], protocol="5") as run:
            await run.until(1)
            assert run.values == [12.5]
        async with running(port, [peer.tags[0]], protocol="5") as run:
            await peer.set(0, 13.0)
            await run.until(1)
            assert run.values == [13.0]
    finally:
        await peer.stop()
