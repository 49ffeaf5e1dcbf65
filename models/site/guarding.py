"""What a binding says about watching its point, resolved and checked against the kind of point."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import pairwise

from models.site.model import Connection, Guards, Kind, Point
from models.site.schema import Binding
from models.thing import PointModel

Wrong = Callable[[str, str], None]
"""Takes the field that is wrong and why."""

HEARTBEAT_S = 10.0
"""How long a heartbeat may stand still when it says nothing itself (by `frozen`)."""

_KINDS = {
    "rollover": (Kind.COUNTER, "只有计数才会从 0 重新开始", "begins again at 0 only when it counts"),
    "jump": (Kind.ANALOG, "只有测量值才有变化速度", "has a speed only when it is a measured quantity"),
    "curve": (Kind.ANALOG, "只有测量值才作标定", "is calibrated only when it is a measured quantity"),
    "debounce": (Kind.STATE, "只有开关量才会抖动", "bounces only when it is a switch"),
}


def resolve(binding: Binding, model: PointModel, heartbeat: str, wrong: Wrong) -> Guards | None:
    """The guards of a binding; None when something about them is wrong. `heartbeat` is a path or ""."""
    good = True
    for field, (kind, zh, why) in _KINDS.items():
        if getattr(binding, field) and model.kind is not kind:
            wrong(
                field,
                f"'{field}' 用于 {kind.value} 类测点，该测点为 {model.kind.value} 类：{zh} · "
                f"'{field}' is for points of kind {kind.value}, this one is of kind {model.kind.value}: it {why}",
            )
            good = False
    if binding.frozen and model.kind is Kind.TEXT:
        wrong(
            "frozen",
            "'frozen' 不用于文本，文本可以一直不变 · 'frozen' is not for texts, which may rightly stay the same",
        )
        good = False
    if binding.curve and (binding.scale != 1 or binding.offset != 0):
        wrong(
            "curve",
            "标定曲线取代倍率和偏移：请去掉这两项 · a curve takes the place of scale and offset: leave those out",
        )
        good = False
    if binding.curve and len(binding.curve) < 2:
        wrong("curve", "标定曲线至少要有两个点 · a curve needs two points at least")
        good = False
    for (one, _), (other, _) in pairwise(binding.curve):
        if one >= other:
            wrong(
                "curve",
                f"标定曲线的原始值必须递增：{other:g} 排在 {one:g} 之后 · "
                f"the raw numbers of a curve must rise: {other:g} comes after {one:g}",
            )
            good = False
            break
    if not good:
        return None
    return Guards(
        no_value=binding.no_value,
        rollover=binding.rollover or 0.0,
        frozen_s=binding.frozen or model.frozen_s or 0.0,
        heartbeat=heartbeat,
        jump=binding.jump or model.jump or 0.0,
        curve=binding.curve,
        debounce_s=binding.debounce or model.debounce_s or 0.0,
    )


def path_of(reference: str, mine: str, equipment: str) -> str:
    """The path that `key` or `equipment/key` names, seen from an equipment."""
    return f"{mine}/{reference}" if "/" in reference else f"{mine}/{equipment}/{reference}"


def wrong_beats(
    mine: str, connections: Mapping[str, Connection | None], bound: Mapping[str, Point], named: Container[str]
) -> Iterator[tuple[str, str]]:
    """Connections whose heartbeat cannot be one, and why. `named`: paths that are bound, rightly or not."""
    for name, connection in connections.items():
        if connection is None or not connection.heartbeat:
            continue
        reference = connection.heartbeat
        path = path_of(reference, mine, "")
        if "/" not in reference:
            yield (
                name,
                f"连接的心跳写作 equipment/point，而不是 '{reference}' · "
                f"write the heartbeat of a connection as equipment/point, not '{reference}'",
            )
        elif path not in named:
            yield name, _unbound_beat(reference)
        elif path in bound and bound[path].connection != name:
            yield name, _beat_elsewhere(reference, bound[path])


def wrong_watches(
    points: Iterable[Point],
    bound: Mapping[str, Point],
    named: Container[str],
    connections: Mapping[str, Connection | None],
) -> Iterator[tuple[Point, str, str]]:
    """Points whose own heartbeat or `frozen` cannot be right: (point, field, why)."""
    points = list(points)
    beats = {point.guards.heartbeat for point in points}
    for point in points:
        path = point.guards.heartbeat
        key = path.partition("/")[2]
        connection = connections.get(point.connection)
        whole = connection.heartbeat if connection is not None else ""
        if path and key != whole:
            if path not in named:
                yield point, "heartbeat", _unbound_beat(key)
            elif path in bound and bound[path].connection != point.connection:
                yield point, "heartbeat", _beat_elsewhere(key, bound[path])
        if point.guards.frozen_s and point.kind is not Kind.ANALOG and point.path not in beats:
            yield (
                point,
                "frozen",
                f"{point.kind.value} 类测点可以一直不变：'frozen' 用于有波动的测量值和心跳 · "
                f"a point of kind {point.kind.value} may rightly stay the same: "
                "'frozen' is for noisy measurements and for heartbeats",
            )


def _unbound_beat(name: str) -> str:
    return f"作心跳的测点 '{name}' 没有绑定 · no point '{name}' is bound, which shall be the heartbeat"


def _beat_elsewhere(name: str, beat: Point) -> str:
    return f"心跳 '{name}' 由连接 '{beat.connection}' 读取 · the heartbeat '{name}' is read over '{beat.connection}'"
