"""One authority of the site's own: every listener speaks TLS, and who has no certificate of it is not let in."""

from __future__ import annotations

import datetime
import json
import ssl
from pathlib import Path

import aiomqtt
import nats
import nats.errors
import pytest

from bus import certificates, credentials, subjects
from bus.certificates import PkiError
from bus.config import Upstream
from bus.credentials import Credential
from bus.errors import BusError
from tests.servers import CODE, mine_bus


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with credentials and an authority."""
    found = tmp_path / "home"
    credentials.make_all(found, CODE, ("edge1",))
    certificates.init(found, ["mine.example"])
    return found


async def refused(url: str, credential: Credential, **options) -> None:
    with pytest.raises((nats.errors.Error, OSError, ssl.SSLError)):
        client = await nats.connect(
            url, nkeys_seed_str=credential.seed, allow_reconnect=False, connect_timeout=3, **options
        )
        await client.close()


async def test_processes_speak_by_certificate_and_others_are_refused(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    credentials.make_all(other, CODE, ("edge1",))
    certificates.init(other)
    async with mine_bus(home, mqtt=True) as running:
        gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
        await gateway.publish(subjects.samples(CODE, "edge1"), b"x", "1")
        heard = await (await store.consumer("SAMPLES", "store")).fetch(1, 10)
        assert [each.data for each in heard] == [b"x"]
        await gateway.close()
        await store.close()

        right = running.credentials.processes["gateway-edge1"]
        assert right.tls is not None
        ours = ssl.create_default_context(cadata=right.tls.ca)
        await refused(running.url, right)  # in clear
        await refused(running.url, right, tls=ours, tls_handshake_first=True)  # without a certificate of its own
        alien = credentials.load(other, "gateway-edge1").tls
        assert alien is not None
        await refused(running.url, right, tls=alien.context(), tls_handshake_first=True)  # another authority's

        device = {"username": "simulator", "password": running.credentials.mqtt_password("simulator"), "timeout": 5}
        async with aiomqtt.Client("127.0.0.1", running.mqtt_port, tls_context=ours, **device) as client:
            await client.publish("mine/x", b"1", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", running.mqtt_port, **device):
                pass


async def test_a_client_of_ours_is_not_talked_out_of_tls(home: Path, tmp_path: Path) -> None:
    """A server in clear, which knows the same credentials, hears nothing from it."""
    plain = tmp_path / "plain"
    (plain / "bus").mkdir(parents=True)
    (home / "bus" / "credentials").rename(plain / "bus" / "credentials")
    async with mine_bus(plain, set_up=False) as running:
        assert running.credentials.processes["api"].tls is not None
        from bus.connection import Bus

        with pytest.raises(BusError):
            await Bus.connect(running.url, running.credentials.processes["api"], wait_s=2)


async def test_an_edge_joins_by_certificate(home: Path, tmp_path: Path) -> None:
    edge = tmp_path / "edge"
    async with mine_bus(home, gateways=(), leaves={"edge1": ("edge1",)}) as mine:
        proof = mine.credentials.processes["leaf-edge1"]
        assert proof.tls is not None
        ca = str(certificates.folder(home) / "ca.pem")
        upstream = Upstream(f"tls://127.0.0.1:{mine.leaf_port}", proof, ca)
        async with mine_bus(edge, gateways=("edge1",), name="edge1", upstream=upstream) as there:
            gateway, api = await there.connect("gateway-edge1"), await mine.connect("api")
            await gateway.publish(subjects.samples(CODE, "edge1"), b"x", "1")
            store = await mine.connect("store")
            heard = []
            consumer = await store.consumer("SAMPLES", "store")
            while not heard:
                heard = await consumer.fetch(1, 15)
            assert heard[0].data == b"x"
            for each in (gateway, api, store):
                await each.close()


def test_certificates_are_listed_renewed_and_never_made_twice(home: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    found = {(each.kind, each.name): each for each in certificates.listed(home)}
    assert {name for kind, name in found if kind == "listener"} == {"bus", "leaf", "mqtt", "api"}
    assert {name for kind, name in found if kind == "process"} >= {"api", "store", "gateway-edge1", "admin"}
    assert {"localhost", "127.0.0.1", "mine.example"} <= set(found["listener", "api"].names)
    assert all(390 < each.days_left(now) < 398 for each in found.values() if each.kind != "ca")
    with pytest.raises(PkiError, match="pki renew"):
        certificates.init(home)
    assert certificates.renew(home) == []
    before = (certificates.folder(home) / "api.pem").read_text()
    assert set(certificates.renew(home, 400)) >= {"api", "bus", "gateway-edge1"}
    assert (certificates.folder(home) / "api.pem").read_text() != before
    assert found["ca", "ca"] in certificates.listed(home), "the authority stays"
    credentials.make_all(home, CODE, ("edge1", "edge2"))
    assert credentials.load(home, "gateway-edge2").tls is not None, "a new gateway has one at once"


def test_keys_are_for_their_owner_only_and_a_home_without_the_authoritys_key_says_so(home: Path) -> None:
    for path in [*certificates.folder(home).iterdir(), *credentials.folder(home).iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    tls = json.loads((credentials.folder(home) / "api.json").read_text())["tls"]
    assert tls["key"] not in repr(credentials.load(home, "api"))
    (certificates.folder(home) / "ca.key").unlink()
    with pytest.raises(PkiError, match="no ca"):
        certificates.renew(home, 400)
