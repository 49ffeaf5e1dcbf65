"""How much a site asks of its devices, before anything is asked: requests, the line's load, and what is too much.

The time of a poll is that of its requests in turn: each takes a round trip, and on a serial line the time of its
characters besides. Round trips are assumed unless they were measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.onboarding.target import Target, TargetError, of_connection
from gateway.schedule import phases
from models.site.model import Connection, Point, Site
from protocols.adapter import Adapter, AdapterError, Request, Supports, Tag

NETWORK_S = 0.02
"""An assumed round trip: a PLC on a mine's ring answers within this, mostly much sooner."""
TIGHT, FULL = 0.7, 1.0
"""Shares of the time from which a device has no room for retries, and none at all."""
WORTH_IT = 0.3
"""Share of the time below which sparing requests is not worth a word."""
GAPS = (16, 32, 64, 124)


@dataclass(frozen=True, slots=True)
class GroupLoad:
    """One poll group. `requests` None: the protocol cannot say them beforehand. `poll_s`: one poll's seconds."""

    name: str
    period_s: float
    phase_s: float
    points: int
    requests: Sequence[Request] | None
    poll_s: float

    @property
    def share(self) -> float:
        """Of its period, the part in which the device is asked."""
        return self.poll_s / self.period_s


@dataclass(slots=True)
class Load:
    """One connection. `mode` is poll or subscribe; `measured`: its poll times were; `place`: what it shares with
    other connections that take turns; `advice` in Chinese and English."""

    name: str
    adapter: str
    mode: str
    points: int
    groups: list[GroupLoad]
    place: object
    measured: bool = False
    timeout_s: float = 0.0
    advice: list[tuple[str, str]] = field(default_factory=list)
    too_much: bool = False

    @property
    def requests_per_s(self) -> float:
        return sum(len(group.requests or ()) / group.period_s for group in self.groups)

    @property
    def share(self) -> float:
        """Of the time, the part in which the device is asked: above 1 it cannot keep its periods."""
        return sum(group.share for group in self.groups)

    @property
    def line_share(self) -> float:
        """Of a serial line's time, the part in which characters are on it."""
        return sum(sum(request.line_s for request in group.requests or ()) / group.period_s for group in self.groups)

    def say(self, zh: str, en: str, *, too_much: bool = False) -> None:
        self.advice.append((zh, en))
        self.too_much |= too_much


def capacity(
    site: Site, round_trip_s: float = NETWORK_S, measured: Mapping[tuple[str, str], float] | None = None
) -> list[Load]:
    """The load of every connection of the site. `measured`: seconds of a poll by (connection, group). Raises
    TargetError for settings that cannot be."""
    measured = measured or {}
    when = _phases(site)
    loads = [
        _load(connection, site.points_of(connection.name), when, round_trip_s, measured)
        for connection in site.connections.values()
    ]
    for load in loads:
        _judge(load)
    _judge_shared(loads)
    return loads


def _phases(site: Site) -> Mapping[tuple[str, str], float]:
    """As each gateway staggers its own connections."""
    found: dict[tuple[str, str], float] = {}
    for gateway in site.gateways():
        found |= phases([one for one in site.connections.values() if one.gateway == gateway])
    return found


def polled(device: Adapter[Any, Any]) -> bool:
    """Whether the gateway asks, or the device sends by itself."""
    if Supports.READ not in device.sheet.supports:
        return False
    return Supports.SUBSCRIBE not in device.sheet.supports or bool(getattr(device.settings, "poll", False))


def tags_of(points: Iterable[Point], group: str) -> list[Tag]:
    """The tags of one poll group, as the gateway gives them to the adapter."""
    return [
        Tag(index, point.path, point.address, point.type, point.order, point.options)
        for index, point in enumerate(point for point in points if point.group == group)
    ]


def _load(
    connection: Connection,
    points: Sequence[Point],
    when: Mapping[tuple[str, str], float],
    round_trip_s: float,
    measured: Mapping[tuple[str, str], float],
) -> Load:
    device = of_connection(connection).build()
    mode = "poll" if polled(device) else "subscribe"
    load = Load(connection.name, connection.adapter, mode, len(points), [], _place(connection, device))
    load.timeout_s = float(getattr(device.settings, "timeout_s", 0.0) or 0.0)
    pause_s = _pause(device)
    for group in connection.groups.values() if mode == "poll" else ():
        tags = tags_of(points, group.name)
        if not tags:
            continue
        requests = device.requests(device.plan(tags)) or None
        took = measured.get((connection.name, group.name))
        load.measured |= took is not None
        if took is None:
            took = sum(request.line_s + round_trip_s + pause_s for request in requests or ()) or round_trip_s
        phase = when.get((connection.name, group.name), 0.0)
        load.groups.append(GroupLoad(group.name, group.period_s, phase, len(tags), requests, took))
    if mode == "poll":
        _advise_gap(load, device, points)
    return load


def _place(connection: Connection, device: Adapter[Any, Any]) -> object:
    place = getattr(device.settings, "place", None)
    if place is not None:
        return place
    host, port = getattr(device.settings, "host", None), getattr(device.settings, "port", None)
    return (connection.adapter, host, port) if host else connection.name


def _pause(device: Adapter[Any, Any]) -> float:
    quirks = getattr(device.settings, "quirks", device.settings)
    return float(getattr(quirks, "pause_s", 0.0) or 0.0)


def _advise_gap(load: Load, device: Adapter[Any, Any], points: Sequence[Point]) -> None:
    """Whether a larger gap would spare many requests: bytes are cheap, round trips are not."""
    now = sum(len(group.requests or ()) for group in load.groups)
    if now < 4 or load.share < WORTH_IT or not hasattr(device.settings, "gap"):
        return
    for gap in GAPS:
        if gap <= device.settings.gap:
            continue
        other = type(device)(device.settings.model_copy(update={"gap": gap}))
        least = sum(len(other.requests(other.plan(tags_of(points, group.name)))) for group in load.groups)
        if least <= 0.6 * now:
            load.say(
                f"一轮共 {now} 个请求；若设备允许读未用寄存器，settings 中写 gap: {gap} 只需 {least} 个",
                f"{now} requests in all groups; with gap: {gap} in its settings {least} would do, if the device lets "
                "registers be read that nobody asked for",
            )
            return


def _judge(load: Load) -> None:
    for group in load.groups:
        if group.poll_s > group.period_s:
            load.say(
                f"{group.name} 组一轮需 {group.poll_s:.2g} 秒，超过周期 {group.period_s:g} 秒：周期至少改为 "
                f"{_round_up(group.poll_s / TIGHT):g} s",
                f"one poll of the group {group.name} takes {group.poll_s:.2g} s, longer than its period of "
                f"{group.period_s:g} s: make the period at least {_round_up(group.poll_s / TIGHT):g} s",
                too_much=True,
            )
    slow = max(load.groups, key=lambda group: group.poll_s, default=None)
    fast = min(load.groups, key=lambda group: group.period_s, default=None)
    if slow is not None and fast is not None and slow is not fast and slow.poll_s > fast.period_s >= fast.poll_s:
        load.say(
            f"读 {slow.name} 组的 {slow.poll_s:.2g} 秒里，{fast.name} 组（周期 {fast.period_s:g} 秒）要等待并跳过轮询",
            f"while the group {slow.name} is read, {slow.poll_s:.2g} s long, the group {fast.name} with its period of "
            f"{fast.period_s:g} s waits and skips polls",
        )
    _judge_share(load, load.share)


def _judge_share(load: Load, share: float) -> None:
    factor = share / TIGHT
    if share > FULL:
        load.say(
            f"全部轮询需要 {share * 100:.0f} % 的时间，做不到：周期放慢到约 {factor:.1f} 倍，或减少测点",
            f"all its polls need {share * 100:.0f} % of the time, which there is not: make the periods about "
            f"{factor:.1f} times as long, or read fewer points",
            too_much=True,
        )
    elif share > TIGHT:
        load.say(
            f"轮询占用 {share * 100:.0f} % 的时间，没有余量应付重试",
            f"its polls take {share * 100:.0f} % of the time: nothing is left for retries",
        )


def _judge_shared(loads: Sequence[Load]) -> None:
    """Connections to one address or on one line take turns: what counts is all of them together."""
    places: dict[object, list[Load]] = {}
    for load in loads:
        if load.mode == "poll":
            places.setdefault(load.place, []).append(load)
    for sharing in places.values():
        share = sum(load.share for load in sharing)
        if len(sharing) < 2 or share <= TIGHT:
            continue
        names = ", ".join(load.name for load in sharing)
        for load in sharing:
            load.say(
                f"与同一地址上的连接（{names}）轮流，合计占用 {share * 100:.0f} % 的时间",
                f"it takes turns with the connections of the same address ({names}); together they need "
                f"{share * 100:.0f} % of the time",
                too_much=share > FULL,
            )


def _round_up(seconds: float) -> float:
    """A period that reads well: 0.1, 0.2, 0.5, 1, 2, 5 … s."""
    step = 0.1
    while True:
        for factor in (1, 2, 5):
            if step * factor >= seconds:
                return step * factor
        step *= 10


async def measure(site: Site, names: Sequence[str]) -> tuple[dict[tuple[str, str], float], dict[str, str]]:
    """Poll each group of these connections twice, one connection after the other, and take the second time: the
    first also narrows down what the device refuses. Gives the seconds, and why a connection could not be measured."""
    took: dict[tuple[str, str], float] = {}
    failed: dict[str, str] = {}
    for name in names:
        connection = site.connections[name]
        target: Target = of_connection(connection)
        try:
            if not polled(target.build()):
                continue
            async with target.opened() as device:
                for group in connection.groups:
                    tags = tags_of(site.points_of(name), group)
                    if not tags:
                        continue
                    plan = device.plan(tags)
                    await device.read(plan)
                    started = time.monotonic()
                    await device.read(plan)
                    took[name, group] = time.monotonic() - started
        except (AdapterError, TargetError) as error:
            failed[name] = str(error)
    return took, failed
