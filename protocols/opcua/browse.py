"""Looking around in a server's address space, one level at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua

from protocols.adapter import AdapterError, Node
from protocols.opcua.address import UnknownNamespaceError, format_address, parse_address
from protocols.opcua.session import ServiceRefusedError, Session

_OBJECTS = ua.NodeId(85)
MAX_NODES = 10_000
"""Children of one node that are listed."""


class Browser:
    """`below("")` is what is in the Objects folder; a node's children are below its way, which is its
    parent's way, `/`, and its name (a `/` within a name is written `&/`). An address is a way too."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ways: dict[str, Any] = {"": _OBJECTS}

    async def below(self, parent: str) -> Sequence[Node]:
        """The children. Raises AdapterError when there is no such parent, LinkLost."""
        try:
            start = await self._find(parent)
            found = await self._children(start)
            types = await self._types([item.NodeId for item in found if item.NodeClass == ua.NodeClass.Variable])
        except ServiceRefusedError as error:
            raise AdapterError(f"{self._session.where} cannot be browsed below '{parent}': {error}") from None
        nodes = []
        for item in found:
            name = str(item.DisplayName.Text or item.BrowseName.Name)
            self._ways[_way(parent, name)] = item.NodeId
            variable = item.NodeClass == ua.NodeClass.Variable
            address = format_address(item.NodeId, self._session.namespaces) if variable else ""
            nodes.append(Node(address, name, types.get(item.NodeId, ""), parent))
        return nodes

    async def _find(self, parent: str) -> Any:
        if parent in self._ways:
            return self._ways[parent]
        try:
            return parse_address(parent).node_id(self._session.namespaces)
        except (ValueError, UnknownNamespaceError):
            pass
        marked = parent.replace("&/", "\0")
        above, _, _ = marked.rpartition("/")
        if marked:
            await self.below(above.replace("\0", "&/"))
        if parent not in self._ways:
            raise AdapterError(f"{self._session.where} has nothing at '{parent}'")
        return self._ways[parent]

    async def _children(self, node: Any) -> list[Any]:
        description = ua.BrowseDescription()
        description.NodeId = node
        description.BrowseDirection = ua.BrowseDirection.Forward
        description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
        description.IncludeSubtypes = True
        description.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
        description.ResultMask = ua.BrowseResultMask.All
        parameters = ua.BrowseParameters()
        parameters.NodesToBrowse = [description]
        parameters.RequestedMaxReferencesPerNode = 0
        results = await self._session.ask(self._session.services.browse(parameters))
        found: list[Any] = []
        while True:
            if not results[0].StatusCode.is_good():
                raise ServiceRefusedError(int(results[0].StatusCode.value))
            found += results[0].References or []
            if not results[0].ContinuationPoint or len(found) >= MAX_NODES:
                return found
            more = ua.BrowseNextParameters()
            more.ContinuationPoints = [results[0].ContinuationPoint]
            results = await self._session.ask(self._session.services.browse_next(more))

    async def _types(self, nodes: Sequence[Any]) -> dict[Any, str]:
        """The data type's name of each variable, "" where it is the server's own."""
        names: dict[Any, str] = {}
        for start in range(0, len(nodes), 500):
            some = nodes[start : start + 500]
            values = await self._session.ask(self._session.services.read_attributes(some, ua.AttributeIds.DataType))
            for node, value in zip(some, values, strict=True):
                held = value.Value.Value if value.Value is not None else None
                if isinstance(held, ua.NodeId) and held.NamespaceIndex == 0 and isinstance(held.Identifier, int):
                    names[node] = ua.ObjectIdNames.get(held.Identifier, "")
        return names


def _way(parent: str, name: str) -> str:
    name = name.replace("/", "&/")
    return f"{parent}/{name}" if parent else name
