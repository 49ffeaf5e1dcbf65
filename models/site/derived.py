"""Derived points: put in order once all others are bound, with what only the whole shows.

Inputs that are not there, that another connection reads, that are texts; circles; units that do not
go together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from models.site import measures
from models.site.expressions import Expression, outcomes
from models.site.guarding import path_of
from models.site.model import Formula, Kind, Point
from models.site.problems import hinted
from models.thing import ControlMode
from models.units import UnitError

Wrong = Callable[[str], None]

BY_ITSELF = frozenset({float(ControlMode.REMOTE), float(ControlMode.AUTO)})
"""What no control mode may say whatever its machine says: utilisation counts by it."""


def always_by_itself(role: str | None, expression: Expression) -> bool:
    """Whether it is of a control mode and says remote or automatic whatever its inputs are."""
    said = outcomes(expression.tree) if role == "control.mode" else None
    return said is not None and said <= BY_ITSELF


@dataclass(slots=True)
class Pending:
    """A derived point that waits for its inputs. `point` has neither connection nor formula yet."""

    point: Point
    expression: Expression
    text: str
    unit: str
    """What the expression is said to give."""
    wrong: Wrong


def resolve(pending: Sequence[Pending], bound: Mapping[str, Point], refused: Mapping[str, object]) -> list[Point]:
    """The derived points that are right, each after those that it needs. `bound`: all others, by path;
    `refused`: paths that were bound and are wrong themselves, which is named already."""
    known = dict(bound)
    waiting = {one.point.path: one for one in pending}
    needs = {
        path: [path_of(name, *_place(one.point)) for name in one.expression.inputs] for path, one in waiting.items()
    }
    found: list[Point] = []
    for path in _order(needs, waiting):
        one = waiting[path]
        point = _resolved(one, needs[path], known, {**waiting, **refused})
        if point is not None:
            known[path] = point
            found.append(point)
    return found


def _place(point: Point) -> tuple[str, str]:
    return point.path.split("/", 1)[0], point.equipment


def _order(needs: Mapping[str, Sequence[str]], waiting: Mapping[str, Pending]) -> list[str]:
    """The derived points, each after those it needs; those of a circle are named and left out."""
    left = dict(needs)
    while True:
        graph = {path: [other for other in inputs if other in left] for path, inputs in left.items()}
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = list(dict.fromkeys(error.args[1]))
            keys = [path.split("/", 1)[1] for path in reversed(circle)]
            for path in circle:
                way = " → ".join([*keys, keys[0]])
                waiting[path].wrong(f"该测点由其自身得出：{way} · this point is derived from itself: {way}")
                del left[path]


def _resolved(
    one: Pending, inputs: Sequence[str], known: Mapping[str, Point], named: Mapping[str, object]
) -> Point | None:
    points = []
    for name, path in zip(one.expression.inputs, inputs, strict=True):
        point = known.get(path)
        if point is None:
            if path not in named:
                keys = [other.split("/", 1)[1] for other in known]
                own = [key.split("/")[1] for key in keys if key.startswith(one.point.equipment + "/")]
                zh, en = f"测点 '{name}' 没有绑定", f"no point '{name}' is bound"
                one.wrong(hinted(zh, en, name, keys if "/" in name else own))
            return None
        if point.kind is Kind.TEXT:
            one.wrong(f"'{name}' 是文本，而表达式只有数值 · '{name}' is a text, and an expression has numbers only")
            return None
        points.append(point)
    connections = sorted({point.connection for point in points})
    if len(connections) > 1:
        one.wrong(
            f"其输入来自 {'、'.join(connections)}：计算测点的输入须来自同一个连接 · "
            f"its inputs come over {' and '.join(connections)}: a derived point has those of one connection only"
        )
        return None
    try:
        unit = measures.unit_of(one.expression, [point.unit for point in points])
    except UnitError as error:
        one.wrong(str(error))
        return None
    if unit is not None and not measures.agree(unit, one.unit):
        one.wrong(
            f"表达式得出 '{unit:~}'，而该测点写作 '{one.unit}'：请写 unit: … · "
            f"the expression gives '{unit:~}', and the point is said to come in '{one.unit}': write unit: …"
        )
        return None
    formula = Formula(one.text, one.expression.code(), tuple(inputs))
    return replace(one.point, connection=connections[0], group=points[0].group, formula=formula)
