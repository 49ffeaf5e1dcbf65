"""What the files of a site may say, and pydantic's findings in plain words with their lines."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from models.identity import MANUAL
from models.site.model import DEFAULT_PRIORITY, DEFAULT_SKEW_S, ClockPolicy, RunStyle
from models.site.problems import Problems, hinted
from models.site.yamlfile import Document, Path
from models.thing import Key, LimitFact, Names, Number, Strict, Text

M = TypeVar("M", bound=BaseModel)

_DURATION = re.compile(r"([0-9]*\.?[0-9]+)\s*(ms|s|min|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def _seconds(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError(
                f"'{value}' 不是时间长度，写作 0.2、200 ms、5 s 或 1 min · "
                f"'{value}' is not a time span such as 0.2, 200 ms, 5 s or 1 min"
            )
        return float(match[1]) * _SECONDS[match[2]]
    return value


Span = Annotated[Number, BeforeValidator(_seconds)]
"""Seconds, or "200 ms", "5 s", "1 min"."""

REFERENCE = r"^([a-z0-9_-]{1,40}/)?[a-z0-9_-]{1,40}$"
"""Another point: its key, when it is of the same equipment, or equipment/key."""

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"没有时区 '{name}'；中国写作 Asia/Shanghai · there is no time zone '{name}'; for China write Asia/Shanghai"
        ) from error
    return name


class ShiftEntry(Strict):
    name: Names
    start: Clock
    end: Clock


class Origin(Strict):
    x: Number
    y: Number
    z: Number = 0.0


class CoordinatesEntry(Strict):
    system: Text
    origin: Origin


class SiteFile(Strict):
    """site.yaml"""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    name: Names
    capacity_kt: Annotated[int, Field(gt=0, le=1_000_000)]
    gas_class: Literal["low", "high", "outburst"]
    time_zone: Annotated[str, AfterValidator(_zone)]
    shifts: tuple[ShiftEntry, ...] = ()
    coordinates: CoordinatesEntry | None = None
    run_style: RunStyle = RunStyle.GREY

    @field_validator("shifts")
    @classmethod
    def _shifts_do_not_overlap(cls, shifts: tuple[ShiftEntry, ...]) -> tuple[ShiftEntry, ...]:
        taken: dict[int, str] = {}
        for shift in shifts:
            start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (shift.start, shift.end))
            for minute in range(start, end if end > start else end + 1440):
                other = taken.setdefault(minute % 1440, shift.name.zh)
                if other != shift.name.zh:
                    raise ValueError(
                        f"班次 '{other}' 与 '{shift.name.zh}' 重叠 · the shifts '{other}' and '{shift.name.zh}' overlap"
                    )
        return shifts


class AreaEntry(Strict):
    name: Names
    parent: str | None = None


class GroupEntry(Strict):
    period: Annotated[Span, Field(gt=0, le=86400)]
    phase: Annotated[Span, Field(ge=0)] | None = None
    priority: Annotated[int, Field(ge=1, le=9)] = DEFAULT_PRIORITY


def _gateway(name: str) -> str:
    if name == MANUAL:
        raise ValueError(
            f"'{MANUAL}' 是人工录入数据的来源：请给网关另起名称 · "
            f"'{MANUAL}' is the source of what people enter by hand: give the gateway another name"
        )
    return name


class ConnectionEntry(Strict):
    gateway: Annotated[Key, AfterValidator(_gateway)]
    adapter: Text
    settings: dict[str, Any] = Field(default_factory=dict)
    groups: dict[Key, GroupEntry] = Field(default_factory=dict)
    heartbeat: Annotated[str, StringConstraints(pattern=REFERENCE)] | None = None
    clock: ClockPolicy = ClockPolicy.SOURCE
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    skew: Annotated[Span, Field(gt=0, le=86400)] = DEFAULT_SKEW_S


def _numbers(value: object) -> object:
    """A list of numbers, or a cell such as `65535; 32767`."""
    if isinstance(value, str):
        parts = [part for part in re.split(r"[;；,，\s]+", value.strip()) if part]
        try:
            return [float(int(part, 16)) if part.lower().startswith("0x") else float(part) for part in parts]
        except ValueError:
            raise ValueError(
                f"'{value}' 不是数值列表，写作 65535; 32767 · '{value}' is not a list of numbers such as 65535; 32767"
            ) from None
    return [value] if isinstance(value, int | float) else value


def _pairs(value: object) -> object:
    """A list of pairs, or a cell such as `4:0; 12:50; 20:100`."""
    if isinstance(value, str):
        pairs = [part.replace("：", ":").split(":") for part in re.split(r"[;；\s]+", value.strip()) if part]
        try:
            return [[float(number) for number in pair] for pair in pairs]
        except ValueError:
            raise ValueError(
                f"'{value}' 不是标定曲线，写作 4:0; 12:50; 20:100（原始值:值） · "
                f"'{value}' is not a curve such as 4:0; 12:50; 20:100 (raw:value)"
            ) from None
    return value


class Binding(Strict):
    """Where a point's raw value comes from and how it is read; a row of a point table. low, high and
    dead_band are in the template's unit, `unit` is the source's."""

    connection: str = ""
    group: str = ""
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    type: str = ""
    order: str = ""
    scale: Number = 1.0
    offset: Number = 0.0
    unit: str | None = None
    low: Number | None = None
    high: Number | None = None
    dead_band: Annotated[Number, Field(ge=0)] | None = None
    silence: Annotated[Span, Field(gt=0, le=3600)] | None = None
    name_zh: Text | None = None
    name_en: Text | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    no_value: Annotated[tuple[Number, ...], BeforeValidator(_numbers), Field(max_length=16)] = ()
    rollover: Annotated[Number, Field(gt=1, le=2**53)] | None = None
    frozen: Annotated[Span, Field(gt=0, le=86400)] | None = None
    heartbeat: Annotated[str, StringConstraints(pattern=REFERENCE)] | None = None
    jump: Annotated[Number, Field(gt=0)] | None = None
    curve: Annotated[tuple[tuple[Number, Number], ...], BeforeValidator(_pairs), Field(max_length=64)] = ()
    debounce: Annotated[Span, Field(gt=0, le=60)] | None = None
    expression: str = ""


class OwnLimit(LimitFact):
    """A limit that the mine sets for one equipment, and why."""

    reason: Text


class EquipmentEntry(Strict):
    """One equipment. `points` and `defaults` are checked as Bindings, one by one."""

    template: str
    name: Names
    area: str
    limit_set: str | None = None
    limits: dict[str, tuple[OwnLimit, ...]] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    points: dict[str, Any] = Field(default_factory=dict)


_NUMBERS = ("float_type", "float_parsing", "finite_number")
_INTEGERS = ("int_type", "int_parsing", "int_from_float")


def plain_words(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One of pydantic's findings as an engineer would say it, in both languages."""
    kind, value = error["type"], error.get("input")
    context = error.get("ctx") or {}
    shown = f"'{value}'" if isinstance(value, str) else f"{value:g}" if type(value) is float else _what(value)
    seen = shown if isinstance(value, str) or type(value) is float else _what_zh(value)
    last = str(error["loc"][-1]) if error["loc"] else ""
    if any(word in last.lower() for word in ("password", "secret", "token")):
        shown, seen = "something else", "别的内容"  # what is not to be seen on a screen
    if kind == "missing":
        return f"缺少 '{last}' · '{last}' is missing"
    if kind == "extra_forbidden":
        return hinted(f"未知的键 '{last}'", f"unknown key '{last}'", last, _fields(model, error["loc"][:-1]))
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind == "string_pattern_mismatch":
        zh, en = _pattern(last, str(context.get("pattern", "")))
        return f"{seen} {zh} · {shown} {en}"
    fixed: dict[str, Callable[[], tuple[str, str]]] = {
        **dict.fromkeys(_NUMBERS, lambda: (f"须为数值，现为 {seen}", f"must be a number, got {shown}")),
        **dict.fromkeys(_INTEGERS, lambda: (f"须为整数，现为 {seen}", f"must be a whole number, got {shown}")),
        "string_type": lambda: (f"须为文本，现为 {seen}", f"must be text, got {shown}"),
        "string_too_short": lambda: ("为空", "is empty"),
        "string_too_long": lambda: (
            f"超过 {context['max_length']} 个字符",
            f"has more than {context['max_length']} characters",
        ),
        "literal_error": lambda: (
            _one_of_zh(context["expected"], seen),
            f"must be one of {context['expected']}, got {shown}",
        ),
        "enum": lambda: (_one_of_zh(context["expected"], seen), f"must be one of {context['expected']}, got {shown}"),
        "greater_than": lambda: (
            f"须大于 {context['gt']:g}，现为 {seen}",
            f"must be above {context['gt']:g}, got {shown}",
        ),
        "greater_than_equal": lambda: (
            f"不得小于 {context['ge']:g}，现为 {seen}",
            f"must be at least {context['ge']:g}, got {shown}",
        ),
        "less_than_equal": lambda: (
            f"不得大于 {context['le']:g}，现为 {seen}",
            f"must be at most {context['le']:g}, got {shown}",
        ),
        "dict_type": lambda: (f"须为映射（键: 值），现为 {seen}", f"must be a mapping (key: value), got {shown}"),
        "model_type": lambda: (f"须为映射（键: 值），现为 {seen}", f"must be a mapping (key: value), got {shown}"),
        "too_long": lambda: (f"超过 {context['max_length']} 项", f"has more than {context['max_length']} entries"),
        "missing_argument": lambda: ("须为原始值与值的数对", "must be pairs of raw and value"),
        "tuple_type": lambda: (f"须为列表，现为 {seen}", f"must be a list, got {shown}"),
    }
    if kind in fixed:
        zh, en = fixed[kind]()
        return f"'{last}' {zh} · '{last}' {en}"
    return f"'{last}' 不正确：{error['msg']} · '{last}': {error['msg']}"


def _one_of_zh(expected: str, seen: str) -> str:
    """`expected`: pydantic's list, 'a', 'b' or 'c'."""
    return f"须为 {expected.replace(' or ', '、').replace(', ', '、')} 之一，现为 {seen}"


def _what(value: object) -> str:
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), str(value))


def _what_zh(value: object) -> str:
    return {dict: "映射", list: "列表", type(None): "空"}.get(type(value), str(value))


def _pattern(field: str, pattern: str) -> tuple[str, str]:
    if pattern == REFERENCE:
        return "不是另一个测点：写它的键，或 equipment/key", "is not another point: write its key, or equipment/key"
    if pattern == r"^[0-9]{12}$":
        return "不是矿井编码：须为 12 位数字", "is not a mine code: 12 digits"
    if "{1,40}" in pattern:
        return "须为 1 到 40 个 a-z、0-9、_ 和 - 的名称", "is not a name of 1 to 40 of a-z, 0-9, _ and -"
    if ":[0-5]" in pattern:
        return "不是 08:00 这样的时刻", "is not a time of day such as 08:00"
    return f"不符合 '{field}' 的格式（{pattern}）", f"is not what '{field}' may be ({pattern})"


def _fields(model: type[BaseModel], path: Iterable[str | int]) -> Iterable[str]:
    """The keys that may stand at a path below a model."""
    current: Any = model
    for part in path:
        while not (isinstance(current, type) and issubclass(current, BaseModel)):
            inner = [a for a in getattr(current, "__args__", ()) if a is not type(None) and a is not str]
            if not inner:
                return ()
            current = inner[-1]
            if isinstance(part, int) or not (isinstance(current, type) and issubclass(current, BaseModel)):
                break
        if isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = current.model_fields[str(part)].annotation
    while not (isinstance(current, type) and issubclass(current, BaseModel)):
        inner = [a for a in getattr(current, "__args__", ()) if a is not type(None)]
        if not inner:
            return ()
        current = inner[-1]
    return current.model_fields.keys()


def validate(model: type[M], data: Any, document: Document, path: Path, problems: Problems) -> M | None:
    """`data`, which stands at `path` of the document, as a model; None with each mistake at its line."""
    if not isinstance(data, dict):
        message = (
            f"此处须为映射（键: 值），而不是{_what_zh(data)} · a mapping (key: value) is needed here, not {_what(data)}"
        )
        problems.add(document.file, document.line(path), message)
        return None
    try:
        return model.model_validate(data)
    except ValidationError as found:
        for error in found.errors(include_url=False):
            loc = tuple(part for part in error["loc"] if part != "[key]")
            problems.add(document.file, document.line((*path, *loc)), plain_words(error, model))
        return None


def entries(document: Document, key: str, problems: Problems) -> dict[str, Any]:
    """The mapping below the one key that the file must have: `areas:`, `connections:`, `equipment:`."""
    data = document.data
    if not isinstance(data, dict):
        problems.add(document.file, document.line(()), f"须以 '{key}:' 开头 · must begin with '{key}:'")
        return {}
    for other in data:
        if other != key:
            message = hinted(f"未知的键 '{other}'", f"unknown key '{other}'", str(other), [key])
            problems.add(document.file, document.line((other,)), message)
    below = data.get(key)
    if not isinstance(below, dict):
        if key not in data or below is not None:
            message = (
                f"须有 '{key}:'，其下为映射：标识 → 内容 · '{key}:' must be here and hold a mapping: id → what it is"
            )
            problems.add(document.file, document.line((key,)), message)
        return {}
    return {str(name): value for name, value in below.items()}
