"""What a linkage should have brought about and did not: a cut that leaves its range live, a belt that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from models.alarms.finding import Kind
from models.site.expressions import Node
from models.site.model import Comparison, Linkage, Name, Point

FEED = "feed.state"


def unmet(linkage: Linkage) -> tuple[Node, tuple[str, ...]]:
    """Its condition holds, and what must follow does not: as a tree over points."""
    inputs = tuple(dict.fromkeys(each.point for each in (*linkage.when.comparisons, *linkage.then)))
    place = {path: Node("input", number=float(number)) for number, path in enumerate(inputs)}
    when = _chain("&" if linkage.when.every else "|", [_holds(each, place) for each in linkage.when.comparisons])
    then = _chain("&", [_holds(each, place) for each in linkage.then])
    return Node("&", (when, Node("not", (then,)))), inputs


def all_are(count: int, state: float) -> Node:
    """So many points are all of a state: as a tree over them."""
    parts = [Node("==", (Node("input", number=float(n)), Node("number", number=state))) for n in range(count)]
    return _chain("&", parts)


def patience_s(linkage: Linkage, points: Sequence[Point]) -> float:
    """How long it may be so: its time, and until every point was surely heard of."""
    lasting = max(each.lasting_s for each in (*linkage.when.comparisons, *linkage.then))
    return linkage.within_s + lasting + max(point.silence_s for point in points)


def kind_of(results: Sequence[Point]) -> tuple[Kind, Name]:
    """馈电异常 where what must follow is a dead feed, and what both are called; `results`: the points of `then`."""
    if any(point.role == FEED for point in results):
        return Kind.FEED_FAULT, Name("馈电异常：断电后仍有电", "Feed abnormal: still live after the cut")
    return Kind.ALARM, Name("联动未动作", "A linkage did not act")


def _holds(each: Comparison, place: dict[str, Node]) -> Node:
    point = place[each.point]
    if each.low == each.high:
        return Node("==", (point, Node("number", number=each.low)))
    bounds = [(">=", each.low), ("<=", each.high)]
    return _chain("&", [Node(sign, (point, Node("number", number=at))) for sign, at in bounds if np.isfinite(at)])


def _chain(sign: str, parts: Sequence[Node]) -> Node:
    return reduce(lambda one, other: Node(sign, (one, other)), parts)
