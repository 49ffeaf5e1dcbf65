"""What a server says of its variables: data type, engineering unit, range, and whether they may be written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from protocols.opcua.session import Session

AT_ONCE = 500
_MAY_WRITE = 1 << 1


@dataclass(slots=True)
class Facts:
    """Of one variable; "" and NaN where the server says nothing."""

    type: str = ""
    unit: str = ""
    range: tuple[float, float] = (math.nan, math.nan)
    writable: bool = False


async def facts_of(session: Session, nodes: Sequence[Any]) -> dict[Any, Facts]:
    """The facts of many variables, in a few requests. Raises LinkLost, ServiceRefusedError."""
    found = {node: Facts() for node in nodes}
    for start in range(0, len(nodes), AT_ONCE):
        some = list(nodes[start : start + AT_ONCE])
        await _types_and_levels(session, some, found)
        await _properties(session, some, found)
    return found


async def _types_and_levels(session: Session, nodes: list[Any], found: dict[Any, Facts]) -> None:
    types = await session.ask(session.services.read_attributes(nodes, ua.AttributeIds.DataType))
    levels = await session.ask(session.services.read_attributes(nodes, ua.AttributeIds.UserAccessLevel))
    for node, kind, level in zip(nodes, map(_held, types), map(_held, levels), strict=False):
        if isinstance(kind, ua.NodeId) and kind.NamespaceIndex == 0 and isinstance(kind.Identifier, int):
            found[node].type = ua.ObjectIdNames.get(kind.Identifier, "")
        found[node].writable = isinstance(level, int) and bool(level & _MAY_WRITE)


async def _properties(session: Session, nodes: list[Any], found: dict[Any, Facts]) -> None:
    paths = [property_path(node, name) for node in nodes for name in ("EngineeringUnits", "EURange")]
    targets: list[tuple[Any, Any]] = []
    for start in range(0, len(paths), AT_ONCE):
        some = paths[start : start + AT_ONCE]
        answers = await session.ask(session.services.translate_browsepaths_to_nodeids(some))
        for path, answer in zip(some, answers, strict=False):
            if answer.StatusCode.is_good() and answer.Targets:
                target = answer.Targets[0].TargetId
                targets.append((path.StartingNode, ua.NodeId(target.Identifier, target.NamespaceIndex)))
    for start in range(0, len(targets), AT_ONCE):
        part = targets[start : start + AT_ONCE]
        asked = session.services.read_attributes([target for _, target in part], ua.AttributeIds.Value)
        for (node, _), held in zip(part, map(_held, await session.ask(asked)), strict=False):
            if isinstance(held, ua.EUInformation):
                found[node].unit = str(held.DisplayName.Text or "")[:40]
            elif isinstance(held, ua.Range) and held.Low < held.High:
                found[node].range = (float(held.Low), float(held.High))


def property_path(node: Any, name: str) -> Any:
    """The way from a node to its property of that name in OPC UA's own namespace."""
    step = ua.RelativePathElement()
    step.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HasProperty)
    step.IsInverse = False
    step.TargetName = ua.QualifiedName(name, 0)
    path = ua.BrowsePath()
    path.StartingNode = node
    path.RelativePath.Elements = [step]
    return path


def _held(data: Any) -> Any:
    return data.Value.Value if data.Value is not None else None
