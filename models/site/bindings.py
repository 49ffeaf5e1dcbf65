"""From bindings, rows of tables or inline in an equipment's file, to points with everything resolved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from pydantic import ValidationError

from models.identity import point_id
from models.site import derived, guarding
from models.site.expressions import parse
from models.site.guarding import path_of
from models.site.model import STATUTORY_SILENCE_S, Connection, Guards, Kind, Limit, Name, Point, Retention
from models.site.overlaps import SpanOf, falls_short, overlaps
from models.site.problems import Problems, hinted
from models.site.schema import Binding, plain_words
from models.thing import PointModel, Template
from models.units import IDENTITY, Affine, UnitError, compile_unit

CheckTag = Callable[[Connection, Point], None]
"""Raises ValueError in plain words when an adapter cannot read such a point."""
RangeOf = Callable[[Connection, Point], tuple[float, float] | None]
"""The lowest and highest raw number that such a point can have; None where that is not known."""


class Source(Protocol):
    """Where a binding was written."""

    @property
    def file(self) -> str: ...

    def where(self, field: str, /) -> str:
        """The line or cell of one of its fields."""
        ...


@dataclass(slots=True)
class Instance:
    """An equipment as the bindings need it. `limits`: by point key, as `models.site.limits` found them."""

    id: str
    template: Template
    defaults: Mapping[str, Any]
    limits: Mapping[str, tuple[Limit, ...]]


class Binder:
    """Makes points of bindings and keeps what only all of them together can show: two bindings of a
    point, two readings of an address, two paths of an id; at the end (`finish`) derived points,
    heartbeats and overlaps."""

    def __init__(
        self,
        mine: str,
        instances: Mapping[str, Instance | None],
        connections: Mapping[str, Connection | None],
        problems: Problems,
        check_tag: CheckTag | None,
        span_of: SpanOf | None = None,
        range_of: RangeOf | None = None,
    ) -> None:
        """A None in `instances` or `connections` is one whose own entry is wrong: named already."""
        self.mine = mine
        self.instances = instances
        self.connections = connections
        self.problems = problems
        self.check_tag = check_tag
        self.span_of = span_of
        self.range_of = range_of
        self.points: list[Point] = []
        self.bound: dict[str, tuple[str, str]] = {}
        self._ids: dict[int, str] = {}
        self._addresses: dict[tuple[str, str], Point] = {}
        self._sources: dict[str, Source] = {}
        self._derived: list[derived.Pending] = []
        self._words: dict[int, tuple[Name, Mapping[int, Name]]] = {}

    def bind(self, equipment: str, key: str, values: Mapping[str, Any], source: Source) -> None:
        """One binding. Its mistakes go to the problems."""
        if equipment not in self.instances:
            zh, en = f"没有设备 '{equipment}'", f"there is no equipment '{equipment}'"
            self._wrong(source, "equipment", hinted(zh, en, equipment, self.instances))
            return
        instance = self.instances[equipment]
        if instance is None:
            return
        model = instance.template.points.get(key)
        if model is None:
            template = instance.template
            zh, en = f"模板 '{template.id}' 没有测点 '{key}'", f"the template '{template.id}' has no point '{key}'"
            self._wrong(source, "point", hinted(zh, en, key, template.points))
            return
        path = f"{self.mine}/{equipment}/{key}"
        first = self.bound.get(path)
        if first is not None:
            where = ":".join(first)
            message = (
                f"{equipment}/{key} 绑定了两次；前一次在 {where} · {equipment}/{key} is bound twice; first at {where}"
            )
            self._wrong(source, "point", message)
            return
        self.bound[path] = (source.file, source.where("point"))
        binding = self._binding(instance, values, source)
        if binding is None:
            return
        self._sources[path] = source
        if binding.expression:
            self._derive(path, instance, key, model, binding, source)
            return
        connection = self._connection(binding, source)
        affine = self._affine(binding, model, source)
        if not binding.address:
            self._wrong(source, "address", f"{equipment}/{key} 没有地址 · {equipment}/{key} has no address")
        elif affine is not None and connection is not None:
            group = self._group(binding, connection, source)
            guards = guarding.resolve(
                binding, model, self._heartbeat(binding, connection, path, equipment), self._at(source)
            )
            if group is not None and guards is not None:
                point = self._point(path, instance, key, model, binding, connection.name, group, affine, guards, source)
                if point is not None and self._holds(point, connection, binding, source):
                    self._accept(point, connection, source)

    def finish(self, heartbeats: Mapping[str, tuple[str, int]] | None = None) -> None:
        """What can only be said once everything is bound. `heartbeats`: the file and line of each
        connection's own."""
        bound = {point.path: point for point in self.points}
        for point in derived.resolve(self._derived, bound, self._sources):
            bound[point.path] = point
            self._accept(point, None, self._sources[point.path])
        for name, message in guarding.wrong_beats(self.mine, self.connections, bound, self._sources):
            self.problems.add(*(heartbeats or {})[name], message)
        for point, field, message in guarding.wrong_watches(self.points, bound, self._sources, self.connections):
            self._wrong(self._sources[point.path], field, message)
        if self.span_of is not None:
            for one, other in overlaps(self.points, self.connections, self.span_of):
                source = self._sources[other.path]
                this, that = (f"{point.address} ({point.type or 'its usual type'})" for point in (other, one))
                zh = tuple(f"{point.address}（{point.type or '其缺省类型'}）" for point in (other, one))
                where = ":".join(self.bound[one.path])
                message = (
                    f"{zh[0]}与 {zh[1]}重叠，后者由 {where} 处的 {one.equipment}/{one.key} 读取 · "
                    f"{this} overlaps {that}, which {one.equipment}/{one.key} reads at {where}"
                )
                self.problems.note(source.file, source.where("address"), message)

    def _at(self, source: Source) -> guarding.Wrong:
        return lambda field, message: self._wrong(source, field, message)

    def _heartbeat(self, binding: Binding, connection: Connection, path: str, equipment: str) -> str:
        reference = binding.heartbeat or connection.heartbeat
        beat = path_of(reference, self.mine, equipment) if reference else ""
        return "" if beat == path else beat

    def _derive(
        self, path: str, instance: Instance, key: str, model: PointModel, binding: Binding, source: Source
    ) -> None:
        for field in ("address", "type", "order", "no_value", "rollover", "curve", "frozen", "heartbeat", "options"):
            if getattr(binding, field) and field not in instance.defaults:
                zh = f"计算测点由其他测点得出，不能有 '{field}'"
                told = f"{zh} · a derived point follows from others and has no '{field}'"
                self._wrong(source, field, told)
                return
        if model.kind is Kind.TEXT:
            told = "表达式得出数值，而该测点是文本 · an expression gives a number, and this point is a text"
            self._wrong(source, "expression", told)
            return
        try:
            expression = parse(binding.expression)
        except ValueError as error:
            self._wrong(source, "expression", str(error))
            return
        if derived.always_by_itself(model.role, expression):
            told = (
                "无论输入如何都得出远控或自动：控制方式须取自机器 · "
                "it says remote or automatic whatever its inputs are: a control mode follows from the machine"
            )
            self._wrong(source, "expression", told)
            return
        affine = self._affine(binding, model, source)
        guards = guarding.resolve(binding, model, "", self._at(source))
        if affine is None or guards is None:
            return
        bare = binding.model_copy(update={"address": "", "type": "", "order": "", "options": {}})
        point = self._point(path, instance, key, model, bare, "", "", affine, guards, source)
        if point is not None:
            unit = model.unit if binding.unit is None else binding.unit
            self._derived.append(
                derived.Pending(
                    point, expression, binding.expression, unit, lambda text: self._wrong(source, "expression", text)
                )
            )

    def _holds(self, point: Point, connection: Connection, binding: Binding, source: Source) -> bool:
        raw = self.range_of(connection, point) if self.range_of is not None else None
        good = True
        for field, message in falls_short(point, raw) if raw is not None else ():
            if field in ("low", "high") and getattr(binding, field) is None:
                # A template's range is of the thing, and not of this device.
                self.problems.note(source.file, source.where("type"), message)
            else:
                self._wrong(source, field, message)
                good = False
        return good

    def _wrong(self, source: Source, field: str, message: str) -> None:
        self.problems.add(source.file, source.where(field), message)

    def _binding(self, instance: Instance, values: Mapping[str, Any], source: Source) -> Binding | None:
        if instance.defaults:
            merged = {**instance.defaults, **values}
            if isinstance(values.get("options"), dict) and isinstance(instance.defaults.get("options"), dict):
                merged["options"] = {**instance.defaults["options"], **values["options"]}
            values = merged
        try:
            return Binding.model_validate(values)
        except ValidationError as found:
            for error in found.errors(include_url=False):
                self._wrong(source, str(error["loc"][0]), plain_words(error, Binding))
            return None

    def _connection(self, binding: Binding, source: Source) -> Connection | None:
        name = binding.connection
        if not name:
            self._wrong(source, "connection", hinted("缺少连接", "the connection is missing", "", self.connections))
        elif name not in self.connections:
            zh, en = f"没有连接 '{name}'", f"there is no connection '{name}'"
            self._wrong(source, "connection", hinted(zh, en, name, self.connections))
        else:
            return self.connections[name]
        return None

    def _group(self, binding: Binding, connection: Connection, source: Source) -> str | None:
        if binding.group in connection.groups:
            return binding.group
        if not binding.group:
            if len(connection.groups) == 1:
                return next(iter(connection.groups))
            message = (
                f"缺少分组：'{connection.name}' 有 {'、'.join(connection.groups)} · "
                f"the group is missing: '{connection.name}' has {', '.join(connection.groups)}"
            )
            self._wrong(source, "group", message)
            return None
        zh = f"连接 '{connection.name}' 没有分组 '{binding.group}'"
        en = f"the connection '{connection.name}' has no group '{binding.group}'"
        self._wrong(source, "group", hinted(zh, en, binding.group, connection.groups))
        return None

    def _affine(self, binding: Binding, model: PointModel, source: Source) -> Affine | None:
        if binding.scale == 0:
            self._wrong(source, "scale", "倍率为 0 会使所有值相同 · a scale of 0 makes every value the same")
            return None
        if model.kind is Kind.TEXT and (binding.scale != 1 or binding.offset != 0):
            self._wrong(source, "scale", "文本没有倍率和偏移 · a text has neither scale nor offset")
            return None
        try:
            return _compiled(
                binding.scale, binding.offset, model.unit if binding.unit is None else binding.unit, model.unit
            )
        except UnitError as error:
            self._wrong(source, "unit", str(error))
            return None

    def _point(
        self,
        path: str,
        instance: Instance,
        key: str,
        model: PointModel,
        binding: Binding,
        connection: str,
        group: str,
        affine: Affine,
        guards: Guards,
        source: Source,
    ) -> Point | None:
        low = _first(binding.low, model.low)
        high = _first(binding.high, model.high)
        if low > high:
            field = "low" if binding.low is not None else "high"
            zh = f"下量程 low {low:g} 高于上量程 high {high:g} {model.unit}".rstrip()
            self._wrong(source, field, f"{zh} · low {low:g} is above high {high:g} {model.unit}".rstrip())
            return None
        silence = binding.silence if binding.silence is not None else model.silence
        if model.retention is Retention.STATUTORY and silence > STATUTORY_SILENCE_S:
            message = (
                f"法定测点的静默时间最长 {STATUTORY_SILENCE_S:g} s，不能为 {silence:g} s · "
                f"a statutory point may be silent for {STATUTORY_SILENCE_S:g} s at most, not {silence:g} s"
            )
            self._wrong(source, "silence", message)
            return None
        words = self._words.get(id(model))
        if words is None:
            words = self._words[id(model)] = (model.name.resolved(), model.resolved_states())
        name, states = words
        if binding.name_zh or binding.name_en:
            name = Name(binding.name_zh or name.zh, binding.name_en or name.en)
        return Point(
            path=path,
            id=point_id(path),
            equipment=instance.id,
            key=key,
            name=name,
            role=model.role,
            kind=model.kind,
            unit=model.unit,
            retention=model.retention,
            connection=connection,
            group=group,
            address=binding.address,
            type=binding.type.strip(),
            order=binding.order.strip(),
            factor=affine.factor,
            offset=affine.offset,
            low=low,
            high=high,
            dead_band=binding.dead_band if binding.dead_band is not None else model.dead_band,
            silence_s=silence,
            states=states,
            limits=instance.limits.get(key, ()),
            writable=model.writable,
            options=binding.options,
            guards=guards,
            sensor_code=model.sensor_code,
        )

    def _accept(self, point: Point, connection: Connection | None, source: Source) -> None:
        """`connection`: None for a derived point."""
        other_path = self._ids.setdefault(point.id, point.path)
        if other_path != point.path:
            message = (
                f"'{point.path}' 与 '{other_path}' 的标识同为 {point.id}：请给其中一个改名 · "
                f"'{point.path}' and '{other_path}' have the same id {point.id}: rename one of them"
            )
            self._wrong(source, "point", message)
            return
        if connection is None:
            self.points.append(point)
            return
        other = self._addresses.setdefault((point.connection, point.address), point)
        for column, this, that in (("type", point.type, other.type), ("order", point.order, other.order)):
            if this != that:
                where = ":".join(self.bound[other.path])
                message = (
                    f"{point.address} 的 {column} 在此处为 '{this}'，在 {where} 处为 '{that}' · "
                    f"{point.address} is read as {column} '{this}' here and as '{that}' at {where}"
                )
                self._wrong(source, column, message)
                return
        if self.check_tag is not None:
            try:
                self.check_tag(connection, point)
            except ValueError as error:
                self._wrong(source, "address", str(error))
                return
        # Bits have no span: what has one and is read as a bool is a whole register.
        if point.type.lower() == "bool" and self.span_of is not None and self.span_of(connection, point) is not None:
            message = (
                f"整个寄存器按 bool 读取：任一位为 1 即为 1，请写明位，如 {point.address}.0 · "
                f"a whole register read as a bool: any bit set is 1; name the bit, {point.address}.0"
            )
            self.problems.note(source.file, source.where("type"), message)
        self.points.append(point)


@lru_cache(maxsize=4096)
def _compiled(scale: float, offset: float, source: str, target: str) -> Affine:
    """Scale and offset in the source's unit, then the unit. Long tables have few of these."""
    return Affine(scale, offset).then(compile_unit(source, target) if source != target else IDENTITY)


def _first(*numbers: float | None) -> float:
    return next((number for number in numbers if number is not None), math.nan)
