"""The host's side of Sparkplug B: messages to columns, and which nodes must be asked for a new birth.

Pure: no socket, and time is handed in (seconds of any clock that never goes back).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.quality import Quality
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.mqtt.columns import Columns, Message
from protocols.sparkplug.address import parse_address
from protocols.sparkplug.node import Node, Source, Want, bd_seq, nodes_of
from protocols.sparkplug.values import NoValueError, convert, python_value, words
from protocols.sparkplug.wire import DecodeError, MalformedError, PropertySet, parse

PREFIX = "spBv1.0"
COUNTS = (
    "births_total",
    "deaths_total",
    "late_deaths_total",
    "gaps_total",
    "rebirths_asked_total",
    "historical_total",
    "malformed_total",
    "unmatched_total",
    "undecodable_total",
)
LATEST_MS = 253_402_300_800_000
MAX_CACHED_TOPICS = 10_000
_UNKNOWN = object()
_COMMANDS = ("NCMD", "DCMD", "STATE")
_KINDS = {"NBIRTH": 4, "NDATA": 4, "NDEATH": 4, "DBIRTH": 5, "DDATA": 5, "DDEATH": 5}
"""How many levels a topic of each kind has."""

_Route = tuple[str, Node | None, str]


class Host:
    """The nodes that the tags name. `wait_s`: a node is asked for a birth at most this often; `history`: what a
    node had stored is taken too."""

    def __init__(
        self, tags: Sequence[Tag], counts: dict[str, int], book: FindingBook, wait_s: float, *, history: bool = True
    ) -> None:
        self._counts = counts
        self._book = book
        self._wait_s = wait_s
        self._history = history
        self._routes: dict[str, _Route] = {}
        wants: dict[tuple[str, str, str, str], tuple[Want, ...]] = {}
        for tag in tags:
            address = parse_address(tag.address)
            element = tag.options.get("element")
            want = Want(tag.index, tag.type, None if element is None else int(element))
            wants[address] = (*wants.get(address, ()), want)
        self.nodes = nodes_of(wants)

    def begin(self, now: float) -> None:
        """From now on messages come: nothing is known yet of any node."""
        for node in self.nodes.values():
            node.wanting = True
            for source in node.sources.values():
                source.due = now + self._wait_s

    @property
    def patterns(self) -> list[str]:
        """What to subscribe to: whole groups, so that an unknown node is found too."""
        return sorted({f"{PREFIX}/{node.group}/#" for node in self.nodes.values()})

    def refused(self, pattern: str) -> list[int]:
        """The tags that a refused subscription leaves without a source."""
        group = pattern.split("/")[1]
        nodes = [node for node in self.nodes.values() if node.group == group]
        return [index for node in nodes for source in node.sources.values() for index in source.indices]

    # ---- what is due

    def to_ask(self, now: float) -> list[Node]:
        """The nodes to be asked for a birth now."""
        due = [node for node in self.nodes.values() if node.wanting and now - node.asked >= self._wait_s]
        for node in due:
            node.asked = now
            if node.missing:
                node.answer_due = min(node.answer_due, now + self._wait_s)
            self._counts["rebirths_asked_total"] += 1
        return due

    def overdue(self, now: float) -> Reading | None:
        """What has no birth though it is due, and what a missing message may have changed, as bad; each is
        told once."""
        columns = Columns()
        for node in self.nodes.values():
            for index in node.doubtful(now):
                words = (
                    f"{node.where} 的一条消息丢失，节点没有答复出生请求 · "
                    f"a message of {node.where} is missing and the node has not answered the request for its births"
                )
                columns.bad(index, int(Quality.BAD_LAST_KNOWN), words, 0, -1)
            for source in node.sources.values():
                if source.born or source.told or now < source.due or node.dead:
                    continue
                source.told = True
                if node.itself.born:
                    words = (
                        f"节点 {node.where} 在线，其设备 {source.name} 没有报告在线 · "
                        f"the node {node.where} is up, and its device {source.name} has not said that it is"
                    )
                else:
                    words = (
                        f"节点 {node.where} 没有应答：没有运行，或组名、节点名不同 · "
                        f"the node {node.where} does not answer: it is not running, or has another group or name"
                    )
                self._all_bad(columns, source, words, -1)
        return columns.reading(()) if len(columns) else None

    # ---- what comes

    def decode(self, messages: Sequence[Message], now: float) -> Reading | None:
        """All that these messages say, in their order; None when they say nothing for any tag."""
        columns = Columns()
        for number, message in enumerate(messages):
            kind, node, device = self._route(message.topic)
            if node is None:
                if kind not in _COMMANDS:
                    self._counts["unmatched_total"] += 1
                    self._book.note("unknown topic", message.topic, _stranger(kind), message.payload)
                continue
            try:
                payload = parse(message.payload)
            except MalformedError as error:
                self._counts["malformed_total"] += 1
                self._book.note("malformed", message.topic, str(error), message.payload)
                node.wanting = True
                continue
            self._hear(columns, node, kind, device, payload, message, number, now)
        return columns.reading(messages) if len(columns) else None

    def _route(self, topic: str) -> _Route:
        known = self._routes.get(topic)
        if known is None:
            levels = topic.split("/")
            ours = levels[0] == PREFIX and len(levels) > 2
            kind = "" if not ours else levels[1] if levels[1] == "STATE" else levels[2]
            node = None
            if len(levels) == _KINDS.get(kind):
                node = self.nodes.get((levels[1], levels[3]))
            known = (kind, node, levels[4] if len(levels) == 5 else "")
            if len(self._routes) >= MAX_CACHED_TOPICS:
                self._routes.clear()
            self._routes[topic] = known
        return known

    def _hear(
        self,
        columns: Columns,
        node: Node,
        kind: str,
        device: str,
        payload: Any,
        message: Message,
        number: int,
        now: float,
    ) -> None:
        if kind == "NDEATH":
            self._node_died(columns, node, bd_seq(payload), message, number, now)
            return
        if kind == "NBIRTH":
            if not self._node_born(node, payload, message, now):
                return
        elif node.dead or (not node.itself.born and kind != "DBIRTH"):
            self._undecodable(
                node,
                message,
                "在其节点的出生报文之前到达，含义由出生报文说明 · "
                "it came before a birth of its node, which says what it means",
            )
            return
        elif not node.follows(payload, again=message.again):
            self._counts["gaps_total"] += 1
            node.wanting = True
            node.miss()
            self._book.note(
                "gap",
                message.topic,
                "此前有消息丢失，已请求新的出生报文 · messages are missing before this one; a new birth is asked for",
            )
        source = node.sources.get(device)
        if source is None:
            self._counts["unmatched_total"] += 1
            if kind != "DDEATH":
                self._book.note(
                    "unknown device",
                    message.topic,
                    f"没有测点使用设备 {device} · no point takes the device {device}",
                    message.payload,
                )
        elif kind == "DDEATH":
            self._counts["deaths_total"] += 1
            source.forget()
            source.told = True
            self._all_bad(
                columns,
                source,
                f"设备 {node.where}/{device} 报告已离线（DDEATH） · "
                f"the device {node.where}/{device} said that it is gone (DDEATH)",
                number,
            )
        elif kind in ("NBIRTH", "DBIRTH"):
            self._counts["births_total"] += 1
            self._birth(columns, node, source, payload, number)
            node.anew.update(source.indices if node.missing else ())
        elif not source.born:
            self._undecodable(
                node,
                message,
                "在其设备的出生报文之前到达，含义由出生报文说明 · "
                "it came before a birth of its device, which says what it means",
            )
        else:
            self._values(columns, node, source, payload, message, number)
            node.anew.update(source.present(payload) if node.missing else ())

    def _node_born(self, node: Node, payload: Any, message: Message, now: float) -> bool:
        if not node.born(bd_seq(payload), now):
            node.wanting = True
            self._book.note(
                "late birth",
                message.topic,
                "同一会话的离线报文刚先到达 · the death of the same session came just before it",
            )
            return False
        node.wanting = False
        node.seq = payload.seq & 255 if payload.HasField("seq") else None
        for source in node.sources.values():
            source.due, source.told = now + self._wait_s, False
            if source.name:
                source.forget()
        return True

    def _node_died(
        self, columns: Columns, node: Node, bd: int | None, message: Message, number: int, now: float
    ) -> None:
        if not node.died_of(bd, now):
            self._counts["late_deaths_total"] += 1
            self._book.note(
                "late death",
                message.topic,
                f"它结束会话 {bd}，而节点的会话为 {node.bd} · "
                f"it ends session {bd}, and the node's session is {node.bd}",
            )
            return
        self._counts["deaths_total"] += 1
        for source in node.sources.values():
            source.told = True
            self._all_bad(
                columns, source, f"节点 {node.where} 已离线（NDEATH） · the node {node.where} is gone (NDEATH)", number
            )

    def _undecodable(self, node: Node, message: Message, reason: str) -> None:
        self._counts["undecodable_total"] += 1
        node.wanting = True
        self._book.note("before birth", message.topic, reason, message.payload)

    @staticmethod
    def _all_bad(columns: Columns, source: Source, reason: str, number: int) -> None:
        for index in source.indices:
            columns.bad(index, int(Quality.BAD_NOT_CONNECTED), reason, 0, number)

    # ---- values

    def _birth(self, columns: Columns, node: Node, source: Source, payload: Any, number: int) -> None:
        lacking = source.learn(payload)
        # A birth says how things are now: a value that changed long ago still holds.
        floor = payload.timestamp if payload.timestamp < LATEST_MS else 0
        for metric in payload.metrics:
            entry = source.table.get(metric.name)
            if entry is not None:
                ts = metric.timestamp if metric.is_historical else max(metric.timestamp or floor, floor)
                self._one(columns, metric, entry, ts, number)
        for name in lacking:
            has = ", ".join(words(known) for known in list(source.types)[:8])
            where = f"{node.where}{'/' + source.name if source.name else ''}"
            reason = (
                f"{where} 的出生报文中没有度量 '{words(name)}'，{'有 ' + has if has else '其中什么也没有'} · "
                f"the birth of {where} has no metric '{words(name)}'; it has {has or 'none'}"
            )
            for want in source.wants[name]:
                columns.bad(want.tag, int(Quality.BAD_CONFIGURATION), reason, 0, number)

    def _values(
        self, columns: Columns, node: Node, source: Source, payload: Any, message: Message, number: int
    ) -> None:
        base, find = payload.timestamp, source.table.get
        add_index, add_value = columns.index.append, columns.value.append
        add_ts, add_message = columns.ts.append, columns.message.append
        for metric in payload.metrics:
            entry: Any = find(metric.alias or metric.name or 0, _UNKNOWN)
            if entry is None:
                continue
            if entry is _UNKNOWN:
                named = f"'{words(metric.name)}'" if metric.name else f"with the alias {metric.alias}"
                named_zh = f"'{words(metric.name)}'" if metric.name else f"（别名 {metric.alias}）"
                self._undecodable(node, message, f"其出生报文中没有度量 {named_zh} · its birth has no metric {named}")
                continue
            ts = metric.timestamp or base
            # 0 may say as well that the field is not set: that is looked at with care.
            if (
                entry.plain is not None
                and (value := entry.plain(metric))
                and ts < LATEST_MS
                and not (metric.is_historical or metric.properties)
            ):
                if entry.turn is not None:
                    value = entry.turn(value)
                for index in entry.tags:
                    add_index(index)
                    add_value(value)
                    add_ts(ts * 1000)
                    add_message(number)
                continue
            if metric.is_historical:
                self._counts["historical_total"] += 1
                if not ts:
                    self._undecodable(
                        node, message, "没有时间的历史值无处可放 · a historical value without a time has no place"
                    )
                    continue
            self._one(columns, metric, entry, ts, number)

    def _one(self, columns: Columns, metric: Any, entry: Any, ts_ms: int, number: int) -> None:
        """A metric on the careful way."""
        if metric.is_historical and not self._history:
            return
        doubt = ""
        if ts_ms >= LATEST_MS:
            doubt, ts_ms = f"时间 {ts_ms} 毫秒在 9999 年之后 · the time {ts_ms} ms is after the year 9999", 0
        ts, quality = ts_ms * 1000, _quality(metric)
        for want in entry.wants:
            first = len(columns)
            try:
                value, text = convert(python_value(metric, entry.code, want.element), entry.code, want.type)
                if quality is not None and quality < Quality.UNCERTAIN:
                    raise NoValueError("节点称此值为坏值 · the node itself calls this value bad", Quality(quality))
            except NoValueError as error:
                columns.bad(want.tag, int(error.quality), str(error), ts, number)
                continue
            columns.add(want.tag, value, ts, number, text)
            if doubt or quality is not None:
                columns.doubt(
                    first,
                    int(Quality.UNCERTAIN),
                    doubt or "节点称此值不确定 · the node itself calls this value uncertain",
                )


def _quality(metric: Any) -> int | None:
    """What the property `Quality` says where it is not good: OPC's byte, or 500 for stale."""
    if not metric.properties:
        return None
    try:
        properties = PropertySet.FromString(metric.properties)
    except DecodeError:
        return int(Quality.UNCERTAIN)
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key.lower() == b"quality":
            said = value.int_value or value.long_value
            if value.is_null or 192 <= said <= 255:
                return None
            if said == 500:
                return int(Quality.BAD_LAST_KNOWN)
            return int(Quality.UNCERTAIN) if 64 <= said < 128 else int(Quality.BAD)
    return None


def _stranger(kind: str) -> str:
    if kind in _KINDS:
        return "没有测点使用此节点 · no point takes anything from this node"
    return "这不是主机所读的 Sparkplug B 主题 · this is no topic of Sparkplug B that a host reads"
