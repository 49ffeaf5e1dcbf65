"""What linkages must not be: unable to act, unrestorable, contradictory, circular, or too slow for their own time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from models.control.effects import Effect
from models.control.policy import policy
from models.site.model import Act, Comparison, Conditions, Connection, Kind, Linkage, Name, Point
from models.site.problems import Problems

if TYPE_CHECKING:
    from models.site.linkages import Placed

SWITCHING = ("command.breaker", "command.run")
"""Roles whose words switch power and start machines."""
ENERGISES = (Effect.POWER_ON, Effect.START)

Box = Mapping[str, tuple[float, float]]
"""Values that points may have together: each within its bounds, others anything."""


def check(
    found: Sequence[Placed],
    points: Mapping[str, Point],
    connections: Mapping[str, Connection],
    period_s: Callable[[Point], float],
    times: Mapping[str, float],
    problems: Problems,
) -> None:
    """Add every mistake of the linkages that gateways carry out; what the mine's own hardware does is its own."""
    ours = [placed for placed in found if not placed.linkage.mine]
    for placed in ours:
        one = placed.linkage
        for key, message in (
            *_commands(one, points),
            *_labelled(one, points),
            *_restoring(one),
            *_by_itself(one, points),
            *_slow(one, points, connections, period_s, times),
        ):
            problems.add(placed.document.file, placed.line(key), message)
    acting = [placed for placed in ours if placed.linkage.enabled]
    for first, second in combinations(acting, 2):
        if why := _contradiction(first.linkage, second.linkage):
            where = f"{first.document.file}:{first.line()}"
            message = f"{why.zh}在 {where} · {why.en} at {where}"
            problems.add(second.document.file, second.line("command"), message)
    _circles(acting, problems)


def _commands(one: Linkage, points: Mapping[str, Point]) -> Iterator[tuple[str, str]]:
    given = [("command", *item) for item in one.command.items()]
    given += [("restore", *item) for item in one.restores().items()]
    for key, path, value in given:
        point = points[path]
        name = f"{point.equipment}/{point.key}"
        if not point.writable:
            zh = f"{name} 不可写：其模板没有 writable: true"
            yield key, f"{zh} · {name} is not writable: its template does not say writable: true"
        elif point.kind is Kind.STATE and point.states and value not in point.states:
            yield key, f"{name} 没有状态 {value:g} · {name} has no state {value:g}"
        elif value < point.low or value > point.high:
            zh = f"{name} = {value:g} 超出量程 {point.low:g} … {point.high:g}"
            yield key, f"{zh} · {name} = {value:g} is outside what it can be, {point.low:g} … {point.high:g}"


def _effects(command: Mapping[str, float], points: Mapping[str, Point]) -> Iterator[tuple[str, Effect]]:
    """What a command does to switches and drives; what it does to anything else is of no concern here."""
    for path, value in command.items():
        if points[path].role in SWITCHING:
            yield f"{points[path].equipment}/{points[path].key}", policy().effect(points[path], value)


def _labelled(one: Linkage, points: Mapping[str, Point]) -> Iterator[tuple[str, str]]:
    """What a rule is called changes nothing about what it does."""
    for name, effect in _effects(one.command, points):
        if effect is Effect.POWER_OFF and one.act is not Act.POWER_OFF:
            yield (
                "act",
                f"分断 {name} 却写作 {one.act}：分断断路器即为 power_off；请去掉 act: · "
                f"opens {name} and is called {one.act}: what opens a breaker is power_off; leave act: out",
            )
        if effect in ENERGISES and one.act in (Act.STOP, Act.POWER_OFF):
            yield (
                "command",
                f"会在 {one.act} 规则中{policy().named(effect).zh} {name}：请为它另写一条规则 · "
                f"would {policy().named(effect).en} {name} in a rule that is {one.act}: give it a rule of its own",
            )


def _by_itself(one: Linkage, points: Mapping[str, Point]) -> Iterator[tuple[str, str]]:
    if one.restore is None or not one.restore.automatic:
        return
    for name, effect in _effects(one.restore.command, points):
        if effect in ENERGISES:
            what = policy().named(effect)
            yield (
                "restore",
                f"会自动{what.zh} {name}：须由人员操作，by: authorised · "
                f"would {what.en} {name} by itself: a person does, by: authorised",
            )


def _restoring(one: Linkage) -> Iterator[tuple[str, str]]:
    if one.act is Act.POWER_OFF:
        if one.restore is None:
            yield (
                "command",
                (
                    "断电却没有复电条件：请在下面写明何时可以复电，如 "
                    "restore: {when: {all: [{point: …, below: 1.0}]}} · "
                    "takes power away and has no restore: say below what it may be restored, such as "
                    "restore: {when: {all: [{point: …, below: 1.0}]}}"
                ),
            )
        elif one.restore.automatic:
            yield (
                "restore",
                "复电须由授权人员操作，不得自动：by: authorised · "
                "power is restored by an authorised person, never automatic: by: authorised",
            )
        if not one.latched:
            yield (
                "latched",
                "断电后须保持动作直到复电：latched: true · "
                "takes power away and must stay tripped until it is restored: latched: true",
            )
    elif one.latched and one.restore is None:
        yield (
            "latched",
            "保持动作却没有 restore：请写明何时可以复位 · "
            "stays tripped and has no restore: say under what it may be restored",
        )
    elif one.restore is not None and not one.latched:
        yield (
            "restore",
            "会自行复位，其 restore 从不使用：latched: true，或去掉 restore: · "
            "is ready again by itself, and its restore is never asked: latched: true, or leave restore: out",
        )
    if one.restore is None:
        return
    if _same_value(one):
        yield "restore", "在使其动作的值上也允许复位 · may be restored at a value at which it trips"
    elif unseen := _unseen(one):
        names = ", ".join(path.partition("/")[2] for path in unseen)
        zh = f"{names.replace(', ', '、')} 使其动作，却无论其值如何都允许复位：all: 下须各写限值"
        yield (
            "restore",
            f"{zh} · may be restored whatever {names} shows, by which it trips: all: with a limit for each",
        )


def _same_value(one: Linkage) -> bool:
    """Whether some point has values that both trip and let restore."""
    restoring = {c.point: (c.low, c.high) for c in one.restore.when.comparisons} if one.restore else {}
    return any(
        (bounds := restoring.get(c.point)) is not None and c.low <= bounds[1] and bounds[0] <= c.high
        for c in one.when.comparisons
    )


def _unseen(one: Linkage) -> list[str]:
    """Of what takes power away the points by which it trips and that some way to restore it does not look at: every one
    that has a limit, and those without which it may trip again at once."""
    if one.act is not Act.POWER_OFF or one.restore is None:
        return []
    limited = {c.point for c in one.when.comparisons if math.isinf(c.low) or math.isinf(c.high)}
    trips, found = _boxes(one.when), set()
    for way in _boxes(one.restore.when):
        found |= limited - way.keys()
        for box in trips:
            if _meet(way, box):
                found |= box.keys() - way.keys()
    return sorted(found)


def _slow(
    one: Linkage,
    points: Mapping[str, Point],
    connections: Mapping[str, Connection],
    period_s: Callable[[Point], float],
    times: Mapping[str, float],
) -> Iterator[tuple[str, str]]:
    across = False
    worst: tuple[float, str, str] = (0.0, "", "")
    for comparison in one.when.comparisons:
        point = points[comparison.point]
        far = any(connections[point.connection].gateway != gateway for gateway in one.gateways)
        across |= far
        parts = [
            (period_s(point), "两次采集之间", "between two polls"),
            (comparison.lasting_s, "持续", "lasting"),
            (point.guards.debounce_s, "防抖", "debounce"),
            (times["hop_s"] if far else 0.0, "来自另一网关", "from the other gateway"),
            (times["write_s"] if one.command else 0.0, "写入", "for the write"),
        ]
        words = " + ".join(f"{seconds:g} s {what}" for seconds, _, what in parts if seconds)
        zh = " + ".join(f"{what} {seconds:g} s" for seconds, what, _ in parts if seconds)
        name = f"{point.equipment}/{point.key}"
        worst = max(worst, (sum(seconds for seconds, _, _ in parts), f"{name}: {words}", f"{name}：{zh}"))
    if worst[0] > one.within_s:
        zh = f"不能在 {one.within_s:g} s 内完成：{worst[2]} = {worst[0]:g} s"
        yield "within", f"{zh} · cannot be done within {one.within_s:g} s: {worst[1]} = {worst[0]:g} s"
    limit = times["across_s"] if across else times["local_s"]
    if one.act is Act.POWER_OFF and one.within_s > limit:
        zh, where = ("跨网关", "across gateways") if across else ("单个网关", "by one gateway")
        yield (
            "within",
            f"{zh}断电须在 {limit:g} s 内完成，此处写的是 {one.within_s:g} s · "
            f"power is cut within {limit:g} s {where}, and this says {one.within_s:g} s",
        )


# ---- beside each other


def _boxes(conditions: Conditions) -> list[Box]:
    """The values under which they hold, as boxes of which one is enough."""
    if not conditions.every:
        return [{one.point: (one.low, one.high)} for one in conditions.comparisons]
    box: dict[str, tuple[float, float]] = {}
    for one in conditions.comparisons:
        low, high = box.get(one.point, (one.low, one.high))
        box[one.point] = max(low, one.low), min(high, one.high)
    return [box] if all(low <= high for low, high in box.values()) else []


def _meet(one: Box, other: Box) -> bool:
    return all(one[p][0] <= other[p][1] and other[p][0] <= one[p][1] for p in one.keys() & other.keys())


def _contradiction(one: Linkage, other: Linkage) -> Name | None:
    """Why both cannot stand, all but where the other is; None when they can: of rules of different priority the first
    one's word holds."""
    if one.priority != other.priority:
        return None
    apart = [path for path in one.command.keys() & other.command.keys() if one.command[path] != other.command[path]]
    if not apart or not any(_meet(a, b) for a in _boxes(one.when) for b in _boxes(other.when)):
        return None
    path = sorted(apart)[0]
    name = path.partition("/")[2]
    there, here = f"{one.command[path]:g}", f"{other.command[path]:g}"
    return Name(
        f"与 '{one.id}' 矛盾：两者条件可同时成立，而 {name} 在那里应为 {there}，在此应为 {here}；"
        "请给出不同的优先级，或互斥的条件；另一条",
        f"contradicts '{one.id}': {name} is to be {there} there and {here} here while "
        "both may be so; give them different priorities, or conditions that exclude each other; the other is",
    )


def _circles(acting: Sequence[Placed], problems: Problems) -> None:
    """A rule whose command or its consequence fulfils the condition of another, and so on, until one undoes it."""
    after = {
        placed.linkage.id: [other for other in acting if other is not placed and _leads(placed.linkage, other.linkage)]
        for placed in acting
    }
    for placed in acting:
        one = placed.linkage
        way = _undone(one, after)
        if way is not None:
            names = " → ".join((one.id, *(step.linkage.id for step in way)))
            message = (
                f"成环：其命令引发的规则又将其撤销：{names} · "
                f"goes in a circle: what it commands leads to a rule that undoes it: {names}"
            )
            problems.add(placed.document.file, placed.line("command"), message)


def _leads(one: Linkage, other: Linkage) -> bool:
    effects = [Comparison(path, value, value) for path, value in one.command.items()]
    effects += one.then
    boxes = _boxes(other.when)
    return any(
        effect.point in box and box[effect.point][0] <= effect.low and effect.high <= box[effect.point][1]
        for effect in effects
        for box in boxes
    )


def _undone(one: Linkage, after: Mapping[str, Sequence[Placed]]) -> list[Placed] | None:
    """The way from a rule to one that commands a point of its own otherwise."""
    seen: set[str] = {one.id}
    ways: list[list[Placed]] = [[step] for step in after[one.id]]
    while ways:
        way = ways.pop(0)
        last = way[-1].linkage
        if last.id in seen:
            continue
        seen.add(last.id)
        if any(one.command[path] != last.command[path] for path in one.command.keys() & last.command.keys()):
            return way
        ways += [[*way, step] for step in after[last.id]]
    return None
