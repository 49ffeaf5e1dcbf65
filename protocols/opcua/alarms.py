"""Alarms and events that a server tells, as occurrences.

A condition (OPC 10000-9) is told of again and again: raised, acknowledged, cleared. All that is one
event of ours, whose key is the condition and the time it became active; clearing gives the end, what
comes later is a new version. A branch is a former state that waits to be acknowledged: it tells that of
the event, if it is still the condition's latest, and is no event of its own. Any other event happened at
its time and is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from asyncua import ua

from protocols.adapter import Occurrence
from protocols.opcua.address import format_address
from protocols.opcua.settings import EventSettings
from protocols.opcua.variant import microseconds, plain_text

_BASE, _CONDITION, _ACKNOWLEDGEABLE, _ALARM = (ua.NodeId(i) for i in (2041, 2782, 2881, 2915))
REFRESH_START, REFRESH_END, REFRESH_REQUIRED = (ua.NodeId(i) for i in (2787, 2788, 2789))

FIELDS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("event_id", _BASE, ("EventId",)),
    ("event_type", _BASE, ("EventType",)),
    ("source_node", _BASE, ("SourceNode",)),
    ("source", _BASE, ("SourceName",)),
    ("time", _BASE, ("Time",)),
    ("severity", _BASE, ("Severity",)),
    ("message", _BASE, ("Message",)),
    ("condition_id", _CONDITION, ()),
    ("condition", _CONDITION, ("ConditionName",)),
    ("branch", _CONDITION, ("BranchId",)),
    ("acked", _ACKNOWLEDGEABLE, ("AckedState", "Id")),
    ("active", _ALARM, ("ActiveState", "Id")),
    ("active_since", _ALARM, ("ActiveState", "TransitionTime")),
)
"""What is asked for of each event: our name, the type that has it, the way to it."""

MAX_CONDITIONS = 10_000


def event_filter() -> Any:
    """The filter that selects FIELDS of every event."""
    made = ua.EventFilter()
    for _, owner, way in FIELDS:
        operand = ua.SimpleAttributeOperand()
        operand.TypeDefinitionId = owner
        operand.BrowsePath = [ua.QualifiedName(name, 0) for name in way]
        operand.AttributeId = ua.AttributeIds.Value if way else ua.AttributeIds.NodeId
        made.SelectClauses.append(operand)
    return made


def event_item(handle: int, node: Any, queue_size: int) -> Any:
    """A request to watch the events of a notifier."""
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = ua.AttributeIds.EventNotifier
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters.ClientHandle = handle
    item.RequestedParameters.SamplingInterval = 0
    item.RequestedParameters.QueueSize = queue_size
    item.RequestedParameters.DiscardOldest = True
    item.RequestedParameters.Filter = event_filter()
    return item


@dataclass(slots=True)
class Condition:
    """What was last told of a condition."""

    told: Occurrence
    since: int
    active: bool


@dataclass(slots=True)
class Conditions:
    """The conditions of one server; outlives its sessions. The oldest closed ones are forgotten first."""

    known: dict[str, Condition] = field(default_factory=dict)

    def keep(self, name: str, condition: Condition) -> None:
        self.known.pop(name, None)
        self.known[name] = condition
        if len(self.known) > MAX_CONDITIONS:
            closed = (key for key, held in self.known.items() if not held.active)
            del self.known[next(closed, next(iter(self.known)))]


class Alarms:
    """Turns event fields to occurrences, in one session."""

    def __init__(
        self,
        settings: EventSettings,
        conditions: Conditions,
        namespaces: Sequence[str],
        tags: Mapping[Any, int],
    ) -> None:
        """`tags`: node id → the index of the tag that reads it."""
        self._settings = settings
        self._conditions = conditions
        self._namespaces = namespaces
        self._tags = tags
        self._refreshed: set[str] | None = None
        self.refresh_required = False

    def tell(self, values: Sequence[Any], now: int) -> list[Occurrence]:
        """What one event is to be told as; nothing for one that is not wanted. Raises ValueError, TypeError or
        AttributeError when its fields are not what they should be."""
        if len(values) != len(FIELDS):
            raise ValueError(f"an event has {len(values)} fields where {len(FIELDS)} were asked for")
        got = {name: _plain(value) for (name, _, _), value in zip(FIELDS, values, strict=True)}
        kind = got["event_type"]
        if kind == REFRESH_START:
            self._refreshed = set()
        elif kind == REFRESH_END:
            return self._vanished(microseconds(got["time"]) or now)
        elif kind == REFRESH_REQUIRED:
            self.refresh_required = True
        elif isinstance(got["active"], bool):
            return self._condition(got, microseconds(got["time"]) or now)
        elif _severity(got["severity"]) >= self._settings.min_severity:
            at = microseconds(got["time"]) or now
            key = got["event_id"].hex() if isinstance(got["event_id"], bytes) else ""
            key = key or f"{got['source']}|{kind}|{at}"
            return [self._occurrence("event", key, at, at, got)]
        return []

    def _condition(self, got: dict[str, Any], at: int) -> list[Occurrence]:
        name = self._name(got)
        branch = got["branch"]
        if isinstance(branch, ua.NodeId) and not branch.is_null():
            return self._branch(name, got)
        if self._refreshed is not None:
            self._refreshed.add(name)
        before = self._conditions.known.get(name)
        turned = microseconds(got["active_since"])
        told: list[Occurrence] = []
        if got["active"]:
            if before is None or not before.active:
                if _severity(got["severity"]) < self._settings.min_severity:
                    return []
                since = turned or at
            else:
                since = turned or before.since
                if since > before.since:
                    # It was cleared and raised again while nobody heard it.
                    told.append(_ended(before.told, since))
            end = None
        elif before is None:
            # Of its beginning nothing is known: it is told as over at the moment it was cleared.
            if _severity(got["severity"]) < self._settings.min_severity:
                return []
            since = end = turned or at
        else:
            since = before.since
            end = before.told.end if before.told.end is not None else max(since, turned or at)
        if before is not None and since == before.since:
            # Clearing may set it to nothing; what it was is worth knowing.
            got["severity"] = max(_severity(got["severity"]), _severity(before.told.attributes.get("severity")))
        occurrence = self._occurrence("alarm", f"{name}|{since}", since, end, got)
        self._conditions.keep(name, Condition(occurrence, since, bool(got["active"])))
        return [*told, occurrence]

    def _branch(self, name: str, got: dict[str, Any]) -> list[Occurrence]:
        before = self._conditions.known.get(name)
        if before is None or microseconds(got["active_since"]) not in (0, before.since):
            return []
        acked = bool(got["acked"])
        if before.told.attributes.get("acked") == acked:
            return []
        told = replace(before.told, attributes={**before.told.attributes, "acked": acked})
        self._conditions.keep(name, Condition(told, before.since, before.active))
        return [told]

    def _vanished(self, at: int) -> list[Occurrence]:
        """After a refresh: what was active and is retained no more was cleared while we were away."""
        seen, self._refreshed = self._refreshed, None
        if seen is None:
            return []
        told = []
        for name, held in list(self._conditions.known.items()):
            if held.active and name not in seen:
                ended = _ended(held.told, at)
                self._conditions.keep(name, Condition(ended, held.since, active=False))
                told.append(ended)
        return told

    def _name(self, got: dict[str, Any]) -> str:
        condition = got["condition_id"]
        name = self._address(condition) if isinstance(condition, ua.NodeId) else ""
        return name or f"{self._address(got['source_node']) or got['source']}|{got['condition']}"

    def _address(self, node: Any) -> str:
        if not isinstance(node, ua.NodeId) or node.is_null():
            return ""
        try:
            return format_address(node, self._namespaces)
        except IndexError:
            return ""

    def _occurrence(self, kind: str, key: str, start: int, end: int | None, got: dict[str, Any]) -> Occurrence:
        event_type, source, source_node = got["event_type"], got["source"], got["source_node"]
        name = ua.ObjectIdNames.get(event_type.Identifier, "") if _standard(event_type) else self._address(event_type)
        attributes = {
            "event_type": name,
            "source": source,
            "source_node": self._address(source_node),
            "condition": got["condition"],
            "message": got["message"],
            "severity": _severity(got["severity"]),
            "active": got["active"],
            "acked": got["acked"],
        }
        equipment = self._settings.sources.get(str(source), "")
        tag = -1 if equipment else self._tags.get(source_node, -1)
        return Occurrence(
            kind,
            key,
            start,
            end,
            attributes={
                name: value for name, value in attributes.items() if isinstance(value, str | int) and value != ""
            },
            tag=tag,
            equipment=equipment or self._settings.equipment,
        )


def _ended(told: Occurrence, at: int) -> Occurrence:
    """The same, cleared at a time that nobody saw."""
    attributes = {**told.attributes, "active": False, "end_seen": False}
    return replace(told, end=max(told.start, at), attributes=attributes)


def _standard(node: Any) -> bool:
    return isinstance(node, ua.NodeId) and node.NamespaceIndex == 0 and isinstance(node.Identifier, int)


def _severity(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _plain(value: Any) -> Any:
    """What a field holds; a localised text as its text; text of bounded length."""
    held = value.Value if isinstance(value, ua.Variant) else value
    if isinstance(held, ua.LocalizedText):
        held = held.Text
    return plain_text(held) if isinstance(held, str) else held
