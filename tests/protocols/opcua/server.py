"""A real OPC UA server in a process of its own, so that it can be frozen and killed.

python -m tests.protocols.opcua.server PORT FOLDER [--none] [--distrust] [--items N] [--shift N]

It takes one JSON object a line: {"set": {name: value}}, {"get": name}, {"burst": rounds} and answers
with one line each. A value is a number, a text, or {"v": value, "type": variant type, "status": code,
"ts": µs}.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import logging
import sys
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.x509.oid import ExtendedKeyUsageOID

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
    "Any": (0.0, ua.VariantType.Double),
}


class OneUser:
    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        return User(role=UserRole.User) if (username, password) == (USER, PASSWORD) else None


class Device:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.server = Server(user_manager=None if arguments.none else OneUser())
        self.nodes: dict[str, Any] = {}

    async def start(self) -> None:
        server, arguments = self.server, self.arguments
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{arguments.port}/test")
        await server.set_application_uri(APPLICATION)
        if arguments.none:
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        else:
            server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
            server.set_identity_tokens([ua.UserNameIdentityToken])
            key, certificate = arguments.folder / "key.pem", arguments.folder / "cert.der"
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            await setup_self_signed_certificate(key, certificate, APPLICATION, "localhost", usages, {})
            await server.load_certificate(certificate)
            await server.load_private_key(key)
            if arguments.distrust:
                server.set_certificate_validator(self._distrust)
        for number in range(arguments.shift):
            await server.register_namespace(f"urn:test:before:{number}")
        space = await server.register_namespace(NAMESPACE)
        machine = await server.nodes.objects.add_object(ua.NodeId("Machine", space), ua.QualifiedName("Machine", space))
        for name, (value, kind) in VARIABLES.items():
            variable = await machine.add_variable(
                ua.NodeId(name, space), ua.QualifiedName(name.replace("Any", "A/B"), space), value, kind
            )
            if name != "Locked":
                await variable.set_writable()
            self.nodes[name] = variable
        many = await server.nodes.objects.add_object(ua.NodeId("Many", space), ua.QualifiedName("Many", space))
        for number in range(arguments.items):
            name = f"Item{number}"
            self.nodes[name] = await many.add_variable(ua.NodeId(number + 1, space), ua.QualifiedName(name, space), 0.0)
        await server.start()

    async def _distrust(self, certificate: Any, description: Any) -> None:
        raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

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
        moment = datetime.datetime.now(datetime.UTC)
        if "ts" in told:
            moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=told["ts"])
        status = ua.StatusCode(ua.UInt32(told.get("status", 0)))
        data = ua.DataValue(ua.Variant(value, kind), status, None if told.get("ts") == 0 else moment)
        await self.server.write_attribute_value(self.nodes[name].nodeid, data)

    async def burst(self, rounds: int, value: float) -> None:
        """Every item gets `rounds` values, value + 0 … value + rounds - 1, as fast as it goes."""
        for turn in range(rounds):
            now = datetime.datetime.now(datetime.UTC)
            for number in range(self.arguments.items):
                data = ua.DataValue(ua.Variant(value + turn, ua.VariantType.Double), SourceTimestamp=now)
                await self.server.write_attribute_value(self.nodes[f"Item{number}"].nodeid, data)
            await asyncio.sleep(0)

    async def answer(self, order: dict[str, Any]) -> Any:
        if "set" in order:
            for name, told in order["set"].items():
                await self.set(name, told)
            return True
        if "get" in order:
            value = await self.nodes[order["get"]].read_value()
            return value if isinstance(value, int | float | str) else str(value)
        await self.burst(order["burst"], order["from"])
        return True


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--none", action="store_true")
    parser.add_argument("--distrust", action="store_true")
    parser.add_argument("--items", type=int, default=0)
    parser.add_argument("--shift", type=int, default=0)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    device = Device(arguments)
    await device.start()
    print(json.dumps("ready"), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await device.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
