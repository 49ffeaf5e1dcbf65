"""A real OPC UA server in a process of its own, so that it can be frozen and killed.

The process started first builds the standard address space, which takes seconds, and then forks a
server for each line of JSON on its input: {"port", "folder", "control", "none", "distrust", "items",
"shift", "policies", "tokens", "certificate", "history"}. It prints the server's process id. A server
connects to the Unix socket `control`, says "ready", takes one JSON object a line and answers each with
one: {"set": {name: value}}, {"get": name}, {"burst": rounds, "from": value}, {"add": name}, {"event": …},
{"called": 1}, {"series": name, "from": value, "ts": µs, "count": n}. A value is a number, a text, or {"v": value,
"type": variant type, "status": code, "ts": µs}. Both end when the other side is gone.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NAMESPACE = "urn:test:machine"
APPLICATION = "urn:test:server"
USER, PASSWORD = "gateway", "open sesame"

VARIABLES: dict[str, tuple[Any, ua.VariantType]] = {
    "Speed": (0.0, ua.VariantType.Double),
    "Count": (0, ua.VariantType.Int32),
    "Level": (0.0, ua.VariantType.Float),
    "Locked": (0.0, ua.VariantType.Double),
    "Running": (False, ua.VariantType.Boolean),
    "Word": ("off", ua.VariantType.String),
    "Table": ([1.0, 2.0], ua.VariantType.Double),
    "Moment": (datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.UTC), ua.VariantType.DateTime),
    "Big": (2**60, ua.VariantType.UInt64),
    "Empty": (None, ua.VariantType.Null),
    "A/B": (0.0, ua.VariantType.Double),
}


class OneUser:
    """Knows one user by password, and one by the certificate in the folder's user.der."""

    def __init__(self, folder: Path) -> None:
        self._certificate = folder / "user.der"

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        known = username is not None and (username, password) == (USER, PASSWORD)
        if certificate is not None and username is None and self._certificate.exists():
            shown = certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
            known = shown == self._certificate.read_bytes()
        return User(role=UserRole.User) if known else None


def make_certificate(
    folder: Path, *, host: str = "127.0.0.1", uri: str = APPLICATION, begins: float = -1.0, ends: float = 365.0
) -> None:
    """The server's certificate in cert.der and key.pem, unless it is there; `begins`, `ends`: days from now."""
    if (folder / "cert.der").exists():
        return
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test machine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins))
        .not_valid_after(now + datetime.timedelta(days=ends))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), x509.DNSName(host)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.der").write_bytes(made.public_bytes(Encoding.DER))


def moment(microseconds: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=microseconds)


class Device:
    def __init__(self, server: Server, arguments: dict[str, Any]) -> None:
        self.server = server
        self.items = int(arguments["items"])
        self.arguments = arguments
        self.nodes: dict[str, Any] = {}

    async def start(self) -> None:
        server, arguments = self.server, self.arguments
        server.set_endpoint(f"opc.tcp://127.0.0.1:{arguments['port']}/test")
        await server.set_application_uri(APPLICATION)
        if arguments["none"]:
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        else:
            policies = arguments["policies"] or ["Basic256Sha256_SignAndEncrypt"]
            server.set_security_policy([getattr(ua.SecurityPolicyType, name) for name in policies])
            folder = Path(arguments["folder"])
            server.iserver.user_manager = OneUser(folder)
            server.set_identity_tokens([getattr(ua, f"{name}IdentityToken") for name in arguments["tokens"]])
            key, certificate = folder / "key.pem", folder / "cert.der"
            await asyncio.to_thread(make_certificate, folder, **arguments["certificate"])
            await server.load_certificate(certificate)
            await server.load_private_key(key)
            if arguments["distrust"]:
                server.set_certificate_validator(self._distrust)
        for number in range(arguments["shift"]):
            await server.register_namespace(f"urn:test:before:{number}")
        space = await server.register_namespace(NAMESPACE)
        machine = await server.nodes.objects.add_object(ua.NodeId("Machine", space), ua.QualifiedName("Machine", space))
        for name, (value, kind) in VARIABLES.items():
            variable = await machine.add_variable(ua.NodeId(name, space), ua.QualifiedName(name, space), value, kind)
            if name != "Locked":
                await variable.set_writable()
            self.nodes[name] = variable
        many = await server.nodes.objects.add_object(ua.NodeId("Many", space), ua.QualifiedName("Many", space))
        for number in range(self.items):
            name = f"Item{number}"
            self.nodes[name] = await many.add_variable(ua.NodeId(number + 1, space), ua.QualifiedName(name, space), 0.0)
        self.space, self.machine = space, machine
        await self.describe()
        await server.start()
        if arguments["history"]:
            for name in ("Speed", "Count"):
                await server.historize_node_data_change(self.nodes[name], period=None, count=100_000)

    async def _distrust(self, certificate: Any, description: Any) -> None:
        raise ServiceError(getattr(ua.StatusCodes, self.arguments["distrust"]))

    async def set(self, name: str, told: Any) -> None:
        if not isinstance(told, dict):
            told = {"v": told}
        kind = (
            getattr(ua.VariantType, told["type"])
            if "type" in told
            else VARIABLES.get(name, (0, ua.VariantType.Double))[1]
        )
        value = float(told["v"]) if kind in (ua.VariantType.Double, ua.VariantType.Float) else told["v"]
        if kind is ua.VariantType.Int32:
            value = int(value)
        elif kind is ua.VariantType.Boolean:
            value = bool(value)
        at = datetime.datetime.now(datetime.UTC)
        if "ts" in told:
            at = moment(told["ts"])
        status = ua.StatusCode(ua.UInt32(told.get("status", 0)))
        data = ua.DataValue(ua.Variant(value, kind), status, None if told.get("ts") == 0 else at)
        await self.server.write_attribute_value(self.nodes[name].nodeid, data)

    async def burst(self, rounds: int, value: float) -> None:
        """Every item gets `rounds` values, value + 0 … value + rounds - 1, as fast as it goes."""
        for turn in range(rounds):
            now = datetime.datetime.now(datetime.UTC)
            for number in range(self.items):
                data = ua.DataValue(ua.Variant(value + turn, ua.VariantType.Double), SourceTimestamp=now)
                await self.server.write_attribute_value(self.nodes[f"Item{number}"].nodeid, data)
            await asyncio.sleep(0)

    async def describe(self) -> None:
        """Unit, range, state variables and methods."""
        space, machine = self.space, self.machine
        unit = ua.EUInformation("", 0, ua.LocalizedText("m/min"), ua.LocalizedText("metre per minute"))
        await self.nodes["Speed"].add_property(0, "EngineeringUnits", unit)
        await self.nodes["Speed"].add_property(0, "EURange", ua.Range(0.0, 12.5))
        for name, held in (
            ("State", ua.LocalizedText("Executing", "en")),
            (
                "StateId",
                ua.NodeId(5004, await self.server.register_namespace("http://opcfoundation.org/UA/Machinery/")),
            ),
        ):
            self.nodes[name] = await machine.add_variable(ua.NodeId(name, space), ua.QualifiedName(name, space), held)
        self.called: list[Any] = []

        def start(parent: Any) -> list[Any]:
            self.called.append("start")
            return []

        def limit(parent: Any, value: Any) -> Any:
            self.called.append(value.Value)
            if value.Value > 100:
                return ua.StatusCode(ua.StatusCodes.BadOutOfRange)
            return [ua.Variant(value.Value >= 0, ua.VariantType.Boolean)]

        number = ua.Argument("Limit", ua.NodeId(ua.ObjectIds.Int16), -1)
        accepted = ua.Argument("Accepted", ua.NodeId(ua.ObjectIds.Boolean), -1)
        for name, function, inputs, outputs in (
            ("Start", start, [], []),
            ("SetLimit", limit, [number], [accepted]),
            ("SetBoth", limit, [number, number], []),
        ):
            place = ua.NodeId(name, space)
            await machine.add_method(place, ua.QualifiedName(name, space), function, inputs, outputs)

    async def add(self, name: str) -> None:
        self.nodes[name] = await self.machine.add_variable(
            ua.NodeId(name, self.space), ua.QualifiedName(name, self.space), 1.5
        )

    async def event(self, told: dict[str, Any]) -> None:
        """An event; with `active` an alarm. `time` and `since` are µs; the names are those of OPC UA."""
        alarm = "active" in told
        kind = ua.ObjectIds.OffNormalAlarmType if alarm else ua.ObjectIds.BaseEventType
        source = self.machine if told.get("from") != "server" else self.server.nodes.server
        generator = await self.server.get_event_generator(kind, source)
        event = generator.event
        event.Severity = told.get("severity", 500)
        event.SourceName = told.get("source", "Machine")
        if alarm:
            event.add_property("ConditionName", told["name"], ua.VariantType.String)
            event.add_property("ActiveState/Id", told["active"], ua.VariantType.Boolean)
            event.add_property("AckedState/Id", told.get("acked", False), ua.VariantType.Boolean)
            if "since" in told:
                event.add_property("ActiveState/TransitionTime", moment(told["since"]), ua.VariantType.DateTime)
        await generator.trigger(moment(told["time"]), told.get("message", ""))

    async def series(self, name: str, value: float, ts: int, count: int) -> None:
        for number in range(count):
            await self.set(name, {"v": value + number, "ts": ts + number})
            await asyncio.sleep(0)

    async def answer(self, order: dict[str, Any]) -> Any:
        if "called" in order:
            return self.called
        if "get" in order:
            value = await self.nodes[order["get"]].read_value()
            return value if isinstance(value, int | float | str) else str(value)
        if "add" in order:
            await self.add(order["add"])
        elif "series" in order:
            await self.series(order["series"], order["from"], order["ts"], order["count"])
        elif "event" in order:
            await self.event(order["event"])
        elif "burst" in order:
            await self.burst(order["burst"], order["from"])
        for name, told in order.get("set", {}).items():
            await self.set(name, told)
        return True


async def build() -> Server:
    server = Server()
    await server.init()
    return server


async def serve(server: Server, arguments: dict[str, Any]) -> None:
    device = Device(server, arguments)
    await device.start()
    reader, writer = await asyncio.open_unix_connection(arguments["control"])
    writer.write(b'"ready"\n')
    while line := await reader.readline():
        writer.write(json.dumps(await device.answer(json.loads(line))).encode() + b"\n")


def main() -> None:
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = asyncio.run(build())
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(serve(server, json.loads(line)))
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
