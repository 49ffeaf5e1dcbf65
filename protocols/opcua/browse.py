"""Looking around in a server's address space, one level at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua

from protocols.adapter import AdapterError, Node
from protocols.opcua.address import CALL, UnknownNamespaceError, format_address, parse_address
from protocols.opcua.facts import Facts, facts_of
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.status import name as status_name

_OBJECTS = ua.NodeId(85)
_PROPERTY = ua.NodeId(46)
_DESCRIBING = frozenset({"EngineeringUnits", "EURange", "InstrumentRange", "InputArguments", "OutputArguments"})
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
            found = [item for item in await self._children(start) if not _said_elsewhere(item)]
            variables = [item.NodeId for item in found if item.NodeClass == ua.NodeClass.Variable]
            facts = await facts_of(self._session, variables)
        except ServiceRefusedError as error:
            raise AdapterError(
                f"{self._session.where} 不能浏览 '{parent}' 之下：{status_name(error.status)} · "
                f"{self._session.where} cannot be browsed below '{parent}': {error}"
            ) from None
        nodes = []
        for item in found:
            name = str(item.DisplayName.Text or item.BrowseName.Name)
            self._ways[_way(parent, name)] = item.NodeId
            address = ""
            if item.NodeClass == ua.NodeClass.Variable:
                address = format_address(item.NodeId, self._session.namespaces)
            elif item.NodeClass == ua.NodeClass.Method:
                ways = [format_address(node, self._session.namespaces) for node in (start, item.NodeId)]
                address = CALL + "|".join(ways)
            known = facts.get(item.NodeId, Facts("Method" if item.NodeClass == ua.NodeClass.Method else ""))
            low, high = known.range
            nodes.append(Node(address, name, known.type, parent, known.unit, low, high, known.writable))
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
            raise AdapterError(
                f"{self._session.where} 在 '{parent}' 处什么也没有 · {self._session.where} has nothing at '{parent}'"
            )
        return self._ways[parent]

    async def _children(self, node: Any) -> list[Any]:
        description = ua.BrowseDescription()
        description.NodeId = node
        description.BrowseDirection = ua.BrowseDirection.Forward
        description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
        description.IncludeSubtypes = True
        description.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable | ua.NodeClass.Method
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


def _said_elsewhere(item: Any) -> bool:
    """A property that describes its variable or method, and is no value of its own."""
    return item.ReferenceTypeId == _PROPERTY and item.BrowseName.Name in _DESCRIBING


def _way(parent: str, name: str) -> str:
    name = name.replace("/", "&/")
    return f"{parent}/{name}" if parent else name
