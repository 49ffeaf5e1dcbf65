"""Load over OPC UA: ten thousand values a second from one server.

asyncua's own way for a changed value (a copy, a comparison, a queue, an encoder in Python) costs about
100 µs, a core for 10,000 a second. Here a subscription takes its notification of all its items out of
columns, as the bytes that the standard prescribes (OPC 10000-6 §5.2, OPC 10000-4 §7.25.2); reading,
browsing, sessions and security remain the server's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from asyncua import Server, ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.subscription_service import SubscriptionService
from numpy.typing import NDArray

from simulators.devices.opcua import APPLICATION, make_certificate
from simulators.load.wave import value_at

NAMESPACE = "urn:sevenones:load"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_AT_EPOCH = 116_444_736_000_000_000
"""100 ns from 1601 to 1970."""
_ITEM = np.dtype(
    [("handle", "<u4"), ("mask", "u1"), ("type", "u1"), ("value", "<f8"), ("status", "<u4"), ("source", "<i8")]
)
_HAS_VALUE_STATUS_AND_SOURCE_TIME = 0x07
_EACH = 100
"""Nodes a folder: the server looks through a folder's nodes whenever it adds one."""
_NO_DIAGNOSTICS = bytes(4)


class Columns:
    """What all nodes hold: points `first` … of the wave in one second."""

    def __init__(self, first: int, count: int, seed: int) -> None:
        self._points = np.arange(first, first + count)
        self._seed = seed
        self.second = 0
        self.values: NDArray[np.float64] = np.zeros(count)

    def turn(self, second: int) -> None:
        """Show another second."""
        self.values = value_at(self._points, second, self._seed)
        self.second = second

    def read(self, node: ua.NodeId) -> ua.DataValue:
        """One node's value now."""
        when = _EPOCH + timedelta(seconds=self.second)
        value = ua.Variant(float(self.values[int(node.Identifier) - 1]), ua.VariantType.Double)
        return ua.DataValue(value, SourceTimestamp=when)

    def told(self, handles: NDArray[np.uint32], rows: NDArray[np.intp]) -> ua.ExtensionObject:
        """A DataChangeNotification of some nodes, encoded."""
        items = np.empty(len(rows), _ITEM)
        items["handle"] = handles
        items["mask"] = _HAS_VALUE_STATUS_AND_SOURCE_TIME
        items["status"] = 0
        items["type"] = ua.VariantType.Double.value
        items["value"] = self.values[rows]
        items["source"] = _TICKS_AT_EPOCH + self.second * 10_000_000
        body = len(rows).to_bytes(4, "little") + items.tobytes() + _NO_DIAGNOSTICS
        return ua.ExtensionObject(ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary), body)


class _Subscription(InternalSubscription):
    """One that is told of its items once a second, by columns."""

    columns: Columns
    space = 0
    _second = 0
    _known = (0, 0)
    _handles: NDArray[np.uint32]
    _rows: NDArray[np.intp]

    def has_published_results(self) -> bool:
        due = self._publishing_enabled and self._due()
        return bool(super().has_published_results() or due)

    def _due(self) -> bool:
        """Whether there are values that it was not told. New items say their first value themselves."""
        items = self.monitored_item_srv._monitored_items
        known = (len(items), self.monitored_item_srv._monitored_item_counter)
        if known != self._known:
            ours = [
                (item.client_handle, item.read_value_id.NodeId.Identifier - 1)
                for item in items.values()
                if item.callback_handle is not None and item.read_value_id.NodeId.NamespaceIndex == self.space
            ]
            self._handles = np.array([handle for handle, _ in ours], np.uint32)
            self._rows = np.array([row for _, row in ours], np.intp)
            self._known, self._second = known, self.columns.second
        return bool(len(self._rows)) and self._second != self.columns.second

    def _pop_triggered_datachanges(self, result: ua.PublishResult) -> None:
        super()._pop_triggered_datachanges(result)
        if self._due():
            self._second = self.columns.second
            result.NotificationMessage.NotificationData.append(self.columns.told(self._handles, self._rows))


class _Subscriptions(SubscriptionService):
    columns: Columns
    space: int

    async def create_subscription(self, *given: Any, **named: Any) -> ua.CreateSubscriptionResult:
        made = await super().create_subscription(*given, **named)
        subscription = self.subscriptions[made.SubscriptionId]
        subscription.__class__ = _Subscription  # the service offers no other place to say which class
        subscription.columns, subscription.space = self.columns, self.space
        return made


class OpcUaLoad:
    """One server, signed and encrypted, with nodes `i=1` … `i=count` in NAMESPACE."""

    def __init__(self, first: int, count: int, seed: int, port: int, folder: Path) -> None:
        self.columns = Columns(first, count, seed)
        self.count = count
        self.url = f"opc.tcp://127.0.0.1:{port}/load"
        self._folder = folder
        self._server: Server | None = None

    async def start(self) -> None:
        """Populate and listen."""
        server = Server()
        service = _Subscriptions(server.iserver.aspace, server.iserver)
        service.columns = self.columns
        server.iserver.subscription_service = service
        await server.init()
        server.set_endpoint(self.url)
        uri = APPLICATION + "load"
        await server.set_application_uri(uri)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        certificate, key = make_certificate(self._folder, uri, "127.0.0.1")
        await server.load_certificate(certificate)
        await server.load_private_key(key)
        space = service.space = await server.register_namespace(NAMESPACE)
        for number in range(self.count):
            if number % _EACH == 0:
                name = f"Load{number // _EACH}"
                holder = await server.nodes.objects.add_object(ua.NodeId(name, space), ua.QualifiedName(name, space))
            node = ua.NodeId(number + 1, space)
            await holder.add_variable(node, ua.QualifiedName(f"V{number}", space), 0.0)
            server.iserver.aspace.set_attribute_value_callback(
                node, ua.AttributeIds.Value, lambda node, _attribute: self.columns.read(node)
            )
        await server.start()
        self._server = server

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
