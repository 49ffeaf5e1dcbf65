"""The thing model: what a kind of equipment has to say, whoever built it.

A template (`models/library/*.yaml`) gives its points keys, roles, units, ranges and limits; an
equipment of a site is an instance of one. Consoles, KPIs and rules bind to roles, never to keys
or addresses. A limit is a fact of a regulation or a maker, so it says where it comes from and
since when it holds.
"""

from __future__ import annotations

import datetime
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from models.site.model import DEFAULT_SILENCE_S, STATUTORY_SILENCE_S, Kind, Name, Retention
from models.units import UnitError, check_unit

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
"""A segment of a path: equipment ids and point keys."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _no_bool(value: object) -> object:
    """YAML's true is not the number 1."""
    if isinstance(value, bool):
        raise ValueError("须为数值，不能为 true 或 false · a number is needed, not true or false")
    return value


Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]


class ControlMode(IntEnum):
    """The one enum of control modes (role `control.mode`); a site maps each device's own codes to it."""

    UNKNOWN = 0
    LOCAL = 1
    REMOTE = 2
    AUTO = 3
    INSPECTION = 4


CONTROL_MODES: dict[int, Name] = {
    ControlMode.UNKNOWN: Name("未知", "unknown"),
    ControlMode.LOCAL: Name("就地", "local"),
    ControlMode.REMOTE: Name("远控", "remote"),
    ControlMode.AUTO: Name("自动", "auto"),
    ControlMode.INSPECTION: Name("检修", "inspection"),
}


class Strict(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Names(Strict):
    """A name in Chinese and in English, both needed."""

    zh: Text
    en: Text

    def resolved(self) -> Name:
        return Name(self.zh, self.en)


class LimitFact(Strict):
    """A limit in the point's unit. `restore` is where it ends, when that differs from `value`. One that
    is not `confirmed` is a usual or second-hand figure: each mine confirms it or sets its own."""

    kind: Literal["hihi", "hi", "lo", "lolo"]
    value: Number
    restore: Number | None = None
    source: Text
    effective_from: datetime.date
    confirmed: bool = True


class PointModel(Strict):
    """One point of a template. `low` and `high` bound what the value can physically be. `sensor_code`
    is its type in the national dictionary (models/exchange/dictionaries), "" where that has none."""

    name: Names
    role: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=60)]
    kind: Kind
    unit: str = ""
    sensor_code: Annotated[str, StringConstraints(pattern=r"^([0-9]{4})?$")] = ""
    low: Number | None = None
    high: Number | None = None
    dead_band: Annotated[Number, Field(ge=0)] = 0.0
    silence_s: Annotated[Number, Field(gt=0, le=3600)] | None = None
    retention: Retention = Retention.BULK
    states: dict[int, Names] = {}
    limits: tuple[LimitFact, ...] = ()
    writable: bool = False
    frozen_s: Annotated[Number, Field(gt=0, le=86400)] | None = None
    """How long the value may stay exactly the same; only of what is never quite still."""
    jump: Annotated[Number, Field(gt=0)] | None = None
    """The most that the value can change in a second, in `unit`."""
    debounce_s: Annotated[Number, Field(gt=0, le=60)] | None = None

    @field_validator("unit")
    @classmethod
    def _unit_is_known(cls, unit: str) -> str:
        try:
            check_unit(unit)
        except UnitError as error:
            raise ValueError(str(error)) from error
        return unit

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(
                f"下量程 low {self.low:g} 须低于上量程 high {self.high:g} · "
                f"low {self.low:g} must be below high {self.high:g}"
            )
        if self.kind in (Kind.STATE, Kind.TEXT) and (self.unit or self.limits):
            kind = self.kind.value
            raise ValueError(f"{kind} 类测点没有单位和限值 · a point of kind {kind} has neither unit nor limits")
        if self.states and self.kind is not Kind.STATE:
            raise ValueError("只有 state 类测点才有 states · only a point of kind state has states")
        if self.kind is Kind.STATE and not self.states and self.role != "control.mode":
            raise ValueError(
                "state 类测点须给出 states：值 → zh 和 en · a point of kind state needs its states: value → zh and en"
            )
        if self.states and self.role == "control.mode":
            raise ValueError(
                "control.mode 使用本系统统一的 states：请去掉 · control.mode has the house's own states: leave them out"
            )
        if (self.frozen_s or self.jump) and self.kind is not Kind.ANALOG:
            raise ValueError("frozen_s 和 jump 用于 analog 类测点 · frozen_s and jump are for points of kind analog")
        if self.debounce_s and self.kind is not Kind.STATE:
            raise ValueError("debounce_s 用于 state 类测点 · debounce_s is for points of kind state")
        for limit in self.limits:
            if (self.low is not None and limit.value < self.low) or (self.high is not None and limit.value > self.high):
                said = f"{limit.kind} {limit.value:g}"
                raise ValueError(f"限值 {said} 超出量程 low 到 high · the limit {said} is outside low to high")
        check_limit_order(self.limits)
        if self.retention is Retention.STATUTORY and self.silence > STATUTORY_SILENCE_S:
            raise ValueError(
                f"法定测点的静默时间最长 {STATUTORY_SILENCE_S:g} s · "
                f"a statutory point may be silent for {STATUTORY_SILENCE_S:g} s at most"
            )
        return self

    @property
    def silence(self) -> float:
        """The longest time without a sample, in seconds, its default filled in."""
        if self.silence_s is not None:
            return self.silence_s
        return STATUTORY_SILENCE_S if self.retention is Retention.STATUTORY else DEFAULT_SILENCE_S

    def resolved_states(self) -> dict[int, Name]:
        if self.role == "control.mode":
            return dict(CONTROL_MODES)
        return {value: names.resolved() for value, names in self.states.items()}


def check_limit_order(limits: tuple[LimitFact, ...]) -> None:
    """Raises ValueError when a kind comes twice on one date, or lolo ≤ lo < hi ≤ hihi does not hold."""
    latest: dict[str, LimitFact] = {}
    for limit in sorted(limits, key=lambda fact: fact.effective_from):
        before = latest.get(limit.kind)
        if before is not None and before.effective_from == limit.effective_from:
            raise ValueError(
                f"限值 {limit.kind} 在 {limit.effective_from} 给出了两次 · "
                f"the limit {limit.kind} is given twice for {limit.effective_from}"
            )
        latest[limit.kind] = limit
    order = [(kind, latest[kind].value) for kind in ("lolo", "lo", "hi", "hihi") if kind in latest]
    for (kind, value), (above, more) in pairwise(order):
        if value > more or (value == more and kind[:2] != above[:2]):
            raise ValueError(
                f"限值 {kind} {value:g} 须低于 {above} {more:g} · "
                f"the limit {kind} {value:g} must be below {above} {more:g}"
            )


class EventKind(Strict):
    """A kind of event that the equipment raises, and what its attributes are called."""

    name: Names
    attributes: dict[Key, Names] = {}


class Template(Strict):
    """A kind of equipment. `limit_sets`: named sets of limits by point, of which an equipment picks
    one, for sensors whose limits depend on where they hang."""

    id: Key
    name: Names
    category: Literal[
        "transport", "mining", "heading", "drainage", "ventilation", "power", "network", "safety", "other"
    ]
    points: dict[Key, PointModel] = Field(min_length=1)
    limit_sets: dict[str, LimitSet] = {}
    events: dict[Key, EventKind] = {}

    @model_validator(mode="after")
    def _sets_name_points(self) -> Self:
        for name, limits in self.limit_sets.items():
            for key in limits.points:
                if key not in self.points:
                    raise ValueError(
                        f"限值组 '{name}' 提到测点 '{key}'，而本模板没有该测点 · "
                        f"limit set '{name}' names the point '{key}', which this template does not have"
                    )
        return self


class LimitSet(Strict):
    """Limits for one place of hanging, by point key."""

    name: Names
    points: dict[Key, tuple[LimitFact, ...]]

    @model_validator(mode="after")
    def _order(self) -> Self:
        for limits in self.points.values():
            check_limit_order(limits)
        return self


Template.model_rebuild()
