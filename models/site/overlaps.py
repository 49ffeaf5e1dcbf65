"""What an adapter's own words show of a site: values that overlap in the device, such as hr:100 as
float32 and hr:101 as int16, and numbers that a type cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

from models.site.model import Connection, Point

Span = tuple[Hashable, int, int]
"""A table of the device, and the first and last place in it that a value takes."""
SpanOf = Callable[[Connection, Point], Span | None]
"""What an adapter says of a point; None where places have no order or sharing one is usual."""


def overlaps(
    points: Iterable[Point], connections: Mapping[str, Connection | None], span_of: SpanOf
) -> Iterator[tuple[Point, Point]]:
    """Pairs of points whose places overlap and are not the same, each with the nearest before it."""
    tables: dict[tuple[str, Hashable], list[tuple[int, int, Point]]] = {}
    for point in points:
        connection = connections.get(point.connection)
        span = span_of(connection, point) if connection is not None and point.address else None
        if span is not None:
            table, first, last = span
            tables.setdefault((point.connection, table), []).append((first, last, point))
    for places in tables.values():
        places.sort(key=lambda place: place[:2])
        widest = places[0]
        for place in places[1:]:
            if place[0] <= widest[1] and place[:2] != widest[:2]:
                yield widest[2], place[2]
            if place[1] > widest[1]:
                widest = place


_ENDS = {"low": "下量程", "high": "上量程"}


def falls_short(point: Point, raw: tuple[float, float]) -> Iterator[tuple[str, str]]:
    """The fields of a point that its type, whose raw numbers are those from `raw[0]` to `raw[1]`, cannot
    hold, and why. Its range is not looked at where a curve or a roll-over stands between."""
    least, most = raw
    guards, type_, zh_type = point.guards, point.type or "its usual type", point.type or "其缺省类型"
    for number in guards.no_value:
        if not least <= number <= most:
            zh = f"{zh_type} 只能表示 {least:.10g} … {most:.10g}，不会出现 {number:.10g}"
            yield "no_value", f"{zh} · {type_} holds {least:.10g} … {most:.10g}, so {number:.10g} never comes"
    if guards.rollover > most + 1:
        zh = f"{zh_type} 最大为 {most:.10g}，达不到 {guards.rollover:.10g}"
        yield "rollover", f"{zh} · {type_} ends at {most:.10g} and never reaches {guards.rollover:.10g}"
    if guards.curve or guards.rollover:
        return
    low, high = sorted(end * point.factor + point.offset for end in raw)
    step = abs(point.factor)
    for field, bound, short in (
        ("low", point.low, point.low < low - step),
        ("high", point.high, point.high > high + step),
    ):
        if short:
            holds = f"{low:.10g} … {high:.10g} {point.unit}".rstrip()
            zh = f"{zh_type} 按此倍率只能表示 {holds}，达不到{_ENDS[field]} {bound:.10g}"
            yield field, f"{zh} · {type_} with this scale holds {holds} and never reaches {field} {bound:.10g}"
