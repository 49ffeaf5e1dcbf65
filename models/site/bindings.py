"""From bindings, rows of tables or inline in an equipment's file, to points with everything resolved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from pydantic import ValidationError

from models.identity import point_id
from models.site.model import STATUTORY_SILENCE_S, Connection, Kind, Limit, Name, Point, Retention
from models.site.problems import Problems, nearest
from models.site.schema import Binding, plain_words
from models.thing import PointModel, Template
from models.units import IDENTITY, Affine, UnitError, compile_unit

CheckTag = Callable[[Connection, Point], None]
"""Raises ValueError in plain words when an adapter cannot read such a point."""


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
    point, two readings of an address, two paths of an id."""

    def __init__(
        self,
        mine: str,
        instances: Mapping[str, Instance | None],
        connections: Mapping[str, Connection | None],
        problems: Problems,
        check_tag: CheckTag | None,
    ) -> None:
        """A None in `instances` or `connections` is one whose own entry is wrong: named already."""
        self.mine = mine
        self.instances = instances
        self.connections = connections
        self.problems = problems
        self.check_tag = check_tag
        self.points: list[Point] = []
        self.bound: dict[str, tuple[str, str]] = {}
        self._ids: dict[int, str] = {}
        self._addresses: dict[tuple[str, str], Point] = {}
        self._words: dict[int, tuple[Name, Mapping[int, Name]]] = {}

    def bind(self, equipment: str, key: str, values: Mapping[str, Any], source: Source) -> None:
        """One binding. Its mistakes go to the problems."""
        if equipment not in self.instances:
            self._wrong(
                source, "equipment", f"there is no equipment '{equipment}'" + nearest(equipment, self.instances)
            )
            return
        instance = self.instances[equipment]
        if instance is None:
            return
        model = instance.template.points.get(key)
        if model is None:
            message = f"the template '{instance.template.id}' has no point '{key}'"
            self._wrong(source, "point", message + nearest(key, instance.template.points))
            return
        path = f"{self.mine}/{equipment}/{key}"
        first = self.bound.get(path)
        if first is not None:
            self._wrong(source, "point", f"{equipment}/{key} is bound twice; first at {first[0]}:{first[1]}")
            return
        self.bound[path] = (source.file, source.where("point"))
        binding = self._binding(instance, values, source)
        if binding is None:
            return
        connection = self._connection(binding, source)
        affine = self._affine(binding, model, source)
        if not binding.address:
            self._wrong(source, "address", f"{equipment}/{key} has no address")
        elif affine is not None and connection is not None:
            group = self._group(binding, connection, source)
            if group is not None:
                point = self._point(path, instance, key, model, binding, connection.name, group, affine, source)
                if point is not None:
                    self._accept(point, connection, source)

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
            self._wrong(source, "connection", "the connection is missing" + nearest("", self.connections))
        elif name not in self.connections:
            self._wrong(source, "connection", f"there is no connection '{name}'" + nearest(name, self.connections))
        else:
            return self.connections[name]
        return None

    def _group(self, binding: Binding, connection: Connection, source: Source) -> str | None:
        if binding.group in connection.groups:
            return binding.group
        if not binding.group:
            if len(connection.groups) == 1:
                return next(iter(connection.groups))
            self._wrong(
                source, "group", f"the group is missing: '{connection.name}' has {', '.join(connection.groups)}"
            )
            return None
        message = f"the connection '{connection.name}' has no group '{binding.group}'"
        self._wrong(source, "group", message + nearest(binding.group, connection.groups))
        return None

    def _affine(self, binding: Binding, model: PointModel, source: Source) -> Affine | None:
        if binding.scale == 0:
            self._wrong(source, "scale", "a scale of 0 makes every value the same")
            return None
        if model.kind is Kind.TEXT and (binding.scale != 1 or binding.offset != 0):
            self._wrong(source, "scale", "a text has neither scale nor offset")
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
        source: Source,
    ) -> Point | None:
        low = _first(binding.low, model.low)
        high = _first(binding.high, model.high)
        if low > high:
            field = "low" if binding.low is not None else "high"
            self._wrong(source, field, f"low {low:g} is above high {high:g} {model.unit}".rstrip())
            return None
        silence = binding.silence if binding.silence is not None else model.silence
        if model.retention is Retention.STATUTORY and silence > STATUTORY_SILENCE_S:
            message = f"a statutory point may be silent for {STATUTORY_SILENCE_S:g} s at most, not {silence:g} s"
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
        )

    def _accept(self, point: Point, connection: Connection, source: Source) -> None:
        other_path = self._ids.setdefault(point.id, point.path)
        if other_path != point.path:
            message = f"'{point.path}' and '{other_path}' have the same id {point.id}: rename one of them"
            self._wrong(source, "point", message)
            return
        other = self._addresses.setdefault((point.connection, point.address), point)
        for column, this, that in (("type", point.type, other.type), ("order", point.order, other.order)):
            if this != that:
                where = ":".join(self.bound[other.path])
                message = f"{point.address} is read as {column} '{this}' here and as '{that}' at {where}"
                self._wrong(source, column, message)
                return
        if self.check_tag is not None:
            try:
                self.check_tag(connection, point)
            except ValueError as error:
                self._wrong(source, "address", str(error))
                return
        self.points.append(point)


@lru_cache(maxsize=4096)
def _compiled(scale: float, offset: float, source: str, target: str) -> Affine:
    """Scale and offset in the source's unit, then the unit. Long tables have few of these."""
    return Affine(scale, offset).then(compile_unit(source, target) if source != target else IDENTITY)


def _first(*numbers: float | None) -> float:
    return next((number for number in numbers if number is not None), math.nan)
