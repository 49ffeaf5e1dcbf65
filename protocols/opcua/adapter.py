"""The adapter `opcua`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from asyncua import ua

from models.quality import Quality
from models.site.model import Name
from protocols.adapter import Adapter, Deliver, Delivers, LinkLost, Node, Reading, Sheet, Supports, Tag, WriteRefused
from protocols.opcua.address import CALL, UnknownNamespaceError, parse_address, parse_call, readable
from protocols.opcua.alarms import MAX_CONDITIONS
from protocols.opcua.browse import MAX_NODES, Browser
from protocols.opcua.calls import call
from protocols.opcua.feed import Feeds
from protocols.opcua.history import MAX_VALUES
from protocols.opcua.options import check_options, state_readers
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import name, words
from protocols.opcua.variant import joined, name_of, reading, to_variant, type_name


@dataclass(slots=True)
class Plan:
    """The tags of a poll group. Node ids are found at the first read of each session."""

    tags: Sequence[Tag]
    types: dict[int, str]
    session: Session | None = None
    known: list[tuple[int, Any]] = field(default_factory=list)
    unknown: dict[int, str] = field(default_factory=dict)
    states: dict[int, Callable[[Any], float]] = field(default_factory=dict)

    def resolve(self, session: Session) -> None:
        if self.session is session:
            return
        self.known, self.unknown = [], {}
        for tag in self.tags:
            try:
                self.known.append((tag.index, readable(tag.address).node_id(session.namespaces)))
            except (UnknownNamespaceError, ValueError) as error:
                self.unknown[tag.index] = str(error)
        self.states = state_readers(self.tags, session)
        self.session = session


class OpcUa(Adapter[OpcUaSettings, Plan]):
    """Subscribes to a server's values, or reads them; writes and browses."""

    sheet = Sheet(
        name="opcua",
        title=Name("OPC UA", "OPC UA"),
        supports=Supports.READ | Supports.SUBSCRIBE | Supports.WRITE | Supports.BROWSE,
        delivers=Delivers.EVERY_CHANGE,
        source_time=True,
        remarks=Name(
            "订阅：连接期间服务器上报每次变化；断线期间的变化，服务器有历史时从历史补读，否则看不到。",
            "By subscription: the server reports each change while connected. Changes during an outage are read from "
            "the server's history where it keeps one, else they are not seen.",
        ),
        limits=(
            Name(
                f"浏览时每个节点最多列出 {MAX_NODES:,} 个子节点",
                f"at most {MAX_NODES:,} children of a node are listed when browsing",
            ),
            Name(
                f"断线后每个节点最多补读 {MAX_VALUES:,} 个历史值",
                f"at most {MAX_VALUES:,} values of a node are read from history after an outage",
            ),
            Name(f"最多记住 {MAX_CONDITIONS:,} 个报警", f"at most {MAX_CONDITIONS:,} alarms are remembered"),
        ),
    )
    Settings: ClassVar[type[OpcUaSettings]] = OpcUaSettings

    def __init__(self, settings: OpcUaSettings) -> None:
        super().__init__(settings)
        self._session: Session | None = None
        self._feeds: Feeds | None = None
        self._lost: LinkLost | None = None
        self._browser: Browser | None = None
        self._written_types: dict[str, str] = {}
        self._called: dict[str, float | str | None] = {}
        """With what each method was last called in this session; None: the server did not say that it ran."""
        self._counts = dict.fromkeys(
            (
                "samples_total",
                "overflows_total",
                "gaps_total",
                "queues_shortened_total",
                "history_samples_total",
                "events_total",
                "events_refused_total",
                "malformed_events_total",
            ),
            0,
        )

    @classmethod
    def check(cls, tag: Tag) -> None:
        if tag.address.startswith(CALL):
            parse_call(tag.address)
        else:
            parse_address(tag.address)
        type_name(tag.type)
        if tag.order:
            raise ValueError(
                f"OPC UA 测点没有字节序，此处给出了 '{tag.order}' · "
                f"an OPC UA point has no byte order, and '{tag.order}' is given"
            )
        check_options(tag.options)

    async def connect(self) -> None:
        self._session = Session(self.settings, self._lose)
        try:
            await self._session.open()
        except BaseException:
            await self.close()
            raise

    def _lose(self, why: LinkLost) -> None:
        self._lost = self._lost or why
        if self._feeds is not None:
            self._feeds.lose(why)

    def _open_session(self) -> Session:
        if self._lost is not None:
            raise self._lost
        if self._session is None:
            raise LinkLost("此 OPC UA 连接没有打开 · this OPC UA connection is not open")
        return self._session

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        self._feeds = Feeds(self._open_session(), self.settings, tags, self._counts, self.memory)
        await self._feeds.run(deliver)

    def plan(self, tags: Sequence[Tag]) -> Plan:
        return Plan(tags, {tag.index: type_name(tag.type) for tag in tags})

    async def read(self, plan: Plan) -> Reading:
        session = self._open_session()
        plan.resolve(session)
        index = [index for index, _ in plan.known]
        values: list[Any] = []
        step = min(self.settings.max_items_per_call, session.limits.read)
        for start in range(0, len(plan.known), step):
            nodes = [node for _, node in plan.known[start : start + step]]
            try:
                answer = await session.ask(session.services.read_attributes(nodes, ua.AttributeIds.Value))
            except ServiceRefusedError as error:
                answer = [_refused(error.status)] * len(nodes)
            if len(answer) != len(nodes):
                raise LinkLost(
                    f"{session.where} 答复了 {len(answer)} 个值，请求的是 {len(nodes)} 个 · "
                    f"{session.where} answered {len(answer)} values where {len(nodes)} were asked for"
                )
            values += answer
        self._counts["samples_total"] += len(values)
        result = reading(index, values, plan.types, plan.states)
        return joined(result, self._uncalled(plan)) if plan.unknown else result

    def _uncalled(self, plan: Plan) -> Reading:
        """Rows of the tags without a node: bad, but a method is what the server last took it with."""
        rows = {index: (why, int(Quality.BAD_CONFIGURATION), math.nan) for index, why in plan.unknown.items()}
        for tag in plan.tags:
            called = self._called.get(tag.address)
            if tag.index in rows and isinstance(called, int | float):
                rows[tag.index] = ("", int(Quality.GOOD), float(called))
        return Reading(
            np.fromiter(rows, np.int32, len(rows)),
            np.array([value for _, _, value in rows.values()]),
            np.array([quality for _, quality, _ in rows.values()], np.uint8),
            reasons={index: why for index, (why, _, _) in rows.items() if why},
        )

    async def write(self, tag: Tag, value: float | str) -> None:
        session = self._open_session()
        if tag.address.startswith(CALL):
            # Whether it ran is not known while the server has not answered, and stays so if the link goes.
            self._called[tag.address] = None
            await call(session, tag.address, type_name(tag.type), value)
            self._called[tag.address] = value
            return
        try:
            node = parse_address(tag.address).node_id(session.namespaces)
            kind = type_name(tag.type) or await self._type_at(session, tag.address, node)
            variant = to_variant(value, kind)
            # Many devices refuse a write that also sets status or time.
            data = ua.DataValue(variant, StatusCode=None)
            statuses = await session.ask(session.services.write_attributes([node], [data]))
        except UnknownNamespaceError as error:
            raise WriteRefused(str(error)) from None
        except ServiceRefusedError as error:
            raise WriteRefused(
                f"{session.where} 拒绝写入 {tag.address}：{name(error.status)} · "
                f"{session.where} refuses to write {tag.address}: {error}"
            ) from None
        if not statuses[0].is_good():
            raise WriteRefused(
                f"{session.where} 拒绝写入 {tag.address}：{name(int(statuses[0].value))} · "
                f"{session.where} refuses to write {tag.address}: {words(int(statuses[0].value))}"
            )

    async def _type_at(self, session: Session, address: str, node: Any) -> str:
        """The type that the node holds now, which is the one to write."""
        if address not in self._written_types:
            found = await session.ask(session.services.read_attributes([node], ua.AttributeIds.Value))
            if found[0].StatusCode is not None and not found[0].StatusCode.is_good():
                raise WriteRefused(
                    f"{session.where} 没有 {address}：{name(int(found[0].StatusCode.value))} · "
                    f"{session.where} has no {address}: {words(int(found[0].StatusCode.value))}"
                )
            self._written_types[address] = name_of(found[0].Value)
        return self._written_types[address]

    async def browse(self, parent: str = "") -> Sequence[Node]:
        session = self._open_session()
        if self._browser is None:
            self._browser = Browser(session)
        return await self._browser.below(parent)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._lost = self._lost or LinkLost("此 OPC UA 连接已关闭 · this OPC UA connection was closed")
            await session.close()
            if self._feeds is not None:
                self._feeds.lose(self._lost)

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)


def _refused(status: int) -> Any:
    return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(status)))
