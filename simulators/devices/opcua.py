"""An OPC UA server that shows the points of one connection: Basic256Sha256, sign and encrypt, a user
with a password, no anonymous client."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
from asyncua import Server, ua
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AttributeService
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.device import LINK_FAULTS, Device, DeviceError, secret
from simulators.devices.link import Link
from simulators.encode import STRING, EncodeError, Typed

APPLICATION = "urn:sevenones:simulator:"
_NO_VALUE = ua.StatusCode(ua.StatusCodes.BadSensorFailure)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = re.compile(r"nsu=(?P<uri>.+?);(?P<kind>[sigb])=(?P<id>.+)")
_VARIANTS = {
    "bool": ua.VariantType.Boolean,
    "int8": ua.VariantType.SByte,
    "uint8": ua.VariantType.Byte,
    "int16": ua.VariantType.Int16,
    "uint16": ua.VariantType.UInt16,
    "int32": ua.VariantType.Int32,
    "uint32": ua.VariantType.UInt32,
    "int64": ua.VariantType.Int64,
    "uint64": ua.VariantType.UInt64,
    "float32": ua.VariantType.Float,
    "float64": ua.VariantType.Double,
    STRING: ua.VariantType.String,
}
_EMPTY: dict[str, Any] = {"bool": False, "float32": 0.0, "float64": 0.0, STRING: ""}


class _OneUser:
    """Lets in the one user with the right password."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user.encode()
        self._password = password.encode()

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        right = hmac.compare_digest((username or "").encode(), self._user)
        right &= hmac.compare_digest((password or "").encode(), self._password)
        return User(role=UserRole.User, name=username) if right else None


class OpcUaPoints(Device):
    """Its nodes change five times a second, each with its source time; those of a group that is read more
    rarely as often as that, not all at once, for each change costs a server dear."""

    period_s = 0.2
    kinds = frozenset({"reset", "hang", "slow", "garbage", "clock_jump"}) | LINK_FAULTS

    def __init__(self, connection: Connection, points: Sequence[Point], folder: Path) -> None:
        super().__init__(connection, points)
        self.url = str(connection.settings["url"])
        self.user = str(connection.settings.get("user") or "")
        self._password = secret(connection)
        if not self.user or not self._password:
            raise DeviceError(
                f"connection '{connection.name}': the simulated server lets nobody in without a user and a password: "
                "give both in connections.yaml"
            )
        self._folder = folder
        try:
            self._typed = Typed(self.points)
        except EncodeError as error:
            raise DeviceError(f"connection '{connection.name}': {error}") from None
        periods = [connection.groups[p.group].period_s if p.group in connection.groups else 0.0 for p in self.points]
        self._every = np.maximum(1, np.round(np.array(periods, np.float64) / self.period_s)).astype(np.intp)
        self._phase = -np.arange(len(self.points)) % self._every
        self._turn = 0
        self._last: NDArray[np.float64] | None = None
        self._variants = [_VARIANTS[kind] for kind in self._typed.kinds]
        self._ids: list[ua.NodeId] = []
        self._rows: dict[ua.NodeId, int] = {}
        self._again: set[int] = set()
        at = urlparse(self.url)
        self.link = Link(at.hostname or "127.0.0.1", at.port or 4840, "127.0.0.1", 0)
        self._server: Server | None = None
        self._serving = False

    async def prepare(self) -> None:
        server = Server(user_manager=_OneUser(self.user, self._password))
        await server.init()
        server.set_endpoint(self.url)
        server.socket_address = ("127.0.0.1", 0)
        server.set_server_name(f"sevenones simulator {self.connection.name}")
        uri = APPLICATION + self.connection.name
        await server.set_application_uri(uri)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        server.set_identity_tokens([ua.UserNameIdentityToken])
        certificate, key = make_certificate(self._folder, uri, urlparse(self.url).hostname or "localhost")
        await server.load_certificate(certificate)
        await server.load_private_key(key)
        await self._populate(server)
        server.iserver.attribute_service = _Commands(server.iserver.aspace, self._take)
        self._server = server

    async def start(self) -> None:
        server = self._server
        if server is None:
            raise DeviceError(f"connection '{self.connection.name}': it was not prepared")
        try:
            await server.start()
            self._serving = True
            self.link.device_port = server.bserver.port
            await self.link.start()
        except OSError as error:
            raise DeviceError(
                f"connection '{self.connection.name}': cannot serve {self.url} ({error.strerror}): "
                "stop what holds the port, or change it in connections.yaml"
            ) from error

    async def _populate(self, server: Server) -> None:
        """One object for each equipment, one variable for each point."""
        folders: dict[tuple[int, str], Any] = {}
        for row, (point, kind) in enumerate(zip(self.points, self._typed.kinds, strict=True)):
            match = _ADDRESS.fullmatch(point.address)
            if match is None:
                raise DeviceError(f"{point.path}: '{point.address}' is not an address such as nsu=<uri>;s=Name")
            space = await server.register_namespace(match["uri"])
            parent = folders.get((space, point.equipment))
            if parent is None:
                node = ua.NodeId(f"equipment:{point.equipment}", space)
                name = ua.QualifiedName(point.equipment, space)
                parent = folders[space, point.equipment] = await server.nodes.objects.add_object(node, name)
            node_id = ua.NodeId.from_string(f"ns={space};{match['kind']}={match['id']}")
            variant = ua.Variant(_EMPTY.get(kind, 0), _VARIANTS[kind])
            variable = await parent.add_variable(node_id, ua.QualifiedName(point.key, space), variant)
            if point.writable:
                await variable.set_writable()
            self._ids.append(node_id)
            self._rows[node_id] = row

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        if self._last is not None:
            values = np.where((self._turn + self._phase) % self._every == 0, values, self._last)
        self._turn += 1
        self._last = values
        return self._typed.hold(values, texts)

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        if self._server is None:
            return
        when = _EPOCH + timedelta(microseconds=ts + self.clock_off_us)
        write, kind = self._server.iserver.aspace.write_attribute_value, ua.AttributeIds.Value
        # What a client wrote is told anew, whatever the mine makes of it.
        again, self._again = self._again, set()
        for row in {*np.flatnonzero(changed).tolist(), *again}:
            held = self._typed[row]
            if held is None:
                data = ua.DataValue(StatusCode_=_NO_VALUE, SourceTimestamp=when, ServerTimestamp=when)
            else:
                data = ua.DataValue(ua.Variant(held, self._variants[row]), SourceTimestamp=when, ServerTimestamp=when)
            await write(self._ids[row], kind, data)

    def _take(self, node: ua.NodeId, value: ua.DataValue) -> ua.StatusCode | None:
        """A client wants to write a node: None when it may, else why not."""
        row = self._rows.get(node)
        if row is None or not self.points[row].writable:
            return None  # the server's own rules refuse it
        if value.Value is None or value.Value.VariantType is not self._variants[row]:
            return ua.StatusCode(ua.StatusCodes.BadTypeMismatch)
        if self.command(row, self._typed.meaning(row, value.Value.Value)) is not None:
            return ua.StatusCode(ua.StatusCodes.BadInvalidState)
        self._again.add(row)
        return None

    def _begin(self, kind: str, amount: float) -> None:
        if kind != "clock_jump":
            self.link.fault(kind, amount)

    async def close(self) -> None:
        server, self._server = self._server, None
        await self.link.close()
        if server is not None and self._serving:
            await server.stop()


class _Commands(AttributeService):
    """The server's attribute service, which asks the device before a value is written."""

    def __init__(self, space: Any, taking: Callable[[ua.NodeId, ua.DataValue], ua.StatusCode | None]) -> None:
        super().__init__(space)
        self._taking = taking

    async def write(self, params: ua.WriteParameters, user: User | None = None) -> list[ua.StatusCode]:
        results: list[ua.StatusCode] = []
        for each in params.NodesToWrite:
            refusal = self._taking(each.NodeId, each.Value) if each.AttributeId == ua.AttributeIds.Value else None
            if refusal is None:
                one = ua.WriteParameters(NodesToWrite=[each])
                results += await (super().write(one) if user is None else super().write(one, user))
            else:
                results.append(refusal)
        return results


def make_certificate(folder: Path, uri: str, host: str) -> tuple[Path, Path]:
    """The server's certificate (DER) and key (PEM) in `folder`, made when they are not there."""
    certificate, key = folder / "server.der", folder / "server.pem"
    if certificate.exists() and key.exists():
        return certificate, key
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = generate_private_key()
    try:
        where: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        where = x509.DNSName(host)
    made = generate_self_signed_app_certificate(
        private,
        "sevenones simulator",
        {"organizationName": "sevenones"},
        [x509.UniformResourceIdentifier(uri), where, x509.DNSName(socket.gethostname())],
        [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
        days=3650,
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(dump_private_key_as_pem(private))
    certificate.write_bytes(made.public_bytes(Encoding.DER))
    return certificate, key
