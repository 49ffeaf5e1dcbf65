"""figures.yaml: what a site says of itself that its figures are reckoned by."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from models.basis import Basis, Price, ReturnAir
from models.energy.carbon import factors
from models.site.files import Folder
from models.site.model import Kind, Point
from models.site.problems import Problems
from models.site.schema import validate
from models.site.sequence_entries import Reference
from models.site.there import unknown
from models.site.yamlfile import parse
from models.tariffs import tariffs
from models.thing import Key, Number, Strict, Text
from models.units import UnitError, compile_unit
from models.utilisation.rules import standard
from models.vocabulary import roles
from models.words import at

FILE = "figures.yaml"
FAR = 2
"""A rating so many times over or under the usual is a mistake: by it a machine at work would never produce."""

Positive = Annotated[Number, Field(gt=0)]
References = Annotated[tuple[Reference, ...], Field(max_length=64)]


class PriceEntry(Strict):
    flat: Annotated[Number, Field(gt=0, lt=100)]
    effective_from: datetime.date
    source: Text


class ReturnAirEntry(Strict):
    ch4: Reference
    air: Annotated[References, Field(min_length=1)]
    degc: Literal[0, 20] = 20


class FiguresFile(Strict):
    """The whole file."""

    tariff: Text | None = None
    grid: Text | None = None
    prices: tuple[PriceEntry, ...] = ()
    rated: dict[Key, dict[str, Positive]] = Field(default_factory=dict)
    meters: dict[Reference, Annotated[tuple[Key, ...], Field(min_length=1)]] = Field(default_factory=dict)
    incoming: References = ()
    output: References = ()
    lengths_km: dict[Key, Positive] = Field(default_factory=dict)
    return_air: dict[Key, ReturnAirEntry] = Field(default_factory=dict)
    maintenance: dict[Key, tuple[int, ...]] = Field(default_factory=dict)
    source: Text

    @field_validator("tariff")
    @classmethod
    def _tariff(cls, name: str | None) -> str | None:
        if name is not None and name not in tariffs():
            raise ValueError(
                f"没有电价 '{name}'；现有 {'、'.join(tariffs())} · "
                f"there is no tariff '{name}'; there is {', '.join(tariffs())}"
            )
        return name

    @field_validator("grid")
    @classmethod
    def _grid(cls, name: str | None) -> str | None:
        if name is not None and name not in factors().grid:
            raise ValueError(
                f"没有电网区域 '{name}'；现有 {'、'.join(factors().grid)} · "
                f"there is no grid region '{name}'; there are {', '.join(factors().grid)}"
            )
        return name

    @field_validator("prices")
    @classmethod
    def _dated(cls, prices: tuple[PriceEntry, ...]) -> tuple[PriceEntry, ...]:
        if len({price.effective_from for price in prices}) < len(prices):
            raise ValueError("两个价格自同一天起执行 · two prices hold from the same day on")
        return prices


def figures(
    folder: Folder, problems: Problems, code: str, points: Mapping[str, Point], equipment: Collection[str], shifts: int
) -> Basis:
    """The basis of a site's figures; every mistake is added to the problems. The file need not be there. `points`: by
    equipment/key; `shifts`: how many the site has."""
    path = folder.root / FILE
    text = folder.read_text(path) if path.exists() else None
    document = None if text is None else parse(text, folder.name(path), problems)
    entry = validate(FiguresFile, document.data, document, (), problems) if document is not None else None
    if document is None or entry is None:
        return Basis()
    for place, wrong in (*_mistakes(entry, points, equipment), *_maintained(entry, equipment, shifts)):
        problems.add(FILE, document.line(place), wrong)

    def full(name: str) -> str:
        return f"{code}/{name}"

    return Basis(
        tariff=entry.tariff or "",
        grid=entry.grid or "",
        prices=tuple(Price(each.flat, each.effective_from, each.source) for each in entry.prices),
        rated={(name, role): value for name, of in entry.rated.items() for role, value in of.items()},
        meters={full(meter): loads for meter, loads in entry.meters.items()},
        incoming=tuple(map(full, entry.incoming)),
        output=tuple(map(full, entry.output)),
        lengths_km=dict(entry.lengths_km),
        return_air={
            name: ReturnAir(full(each.ch4), tuple(map(full, each.air)), each.degc)
            for name, each in entry.return_air.items()
        },
        maintenance=dict(entry.maintenance),
        source=entry.source,
    )


Place = tuple[str, ...]


Mistakes = Iterator[tuple[Place, str]]
"""Of what the rest of the site does not bear out: (place in the file, what is wrong)."""


def _mistakes(entry: FiguresFile, points: Mapping[str, Point], equipment: Collection[str]) -> Mistakes:
    yield from _named(entry, equipment)
    yield from _measured(entry, points, equipment)
    for name in entry.incoming:
        yield from _quantity(("incoming",), name, points, "kWh", counts=True)
    for name in entry.output:
        yield from _quantity(("output",), name, points, "t", counts=True)
    for name, air in entry.return_air.items():
        yield from _quantity(("return_air", name), air.ch4, points, "%CH4", counts=False)
        for volume in air.air:
            yield from _quantity(("return_air", name), volume, points, "m3/s", counts=False)


def _named(entry: FiguresFile, equipment: Collection[str]) -> Mistakes:
    for name, of in entry.rated.items():
        if message := unknown("equipment", name, equipment):
            yield ("rated", name), message
        for role in of:
            if message := unknown("role", role, roles()):
                yield ("rated", name, role), message
            elif (usual := _usual(role)) and not usual[0] / FAR <= of[role] <= usual[-1] * FAR:
                yield (
                    ("rated", name, role),
                    f"{of[role]:g} 不到常用值（{usual[0]:g} 到 {usual[-1]:g}）的一半，或超过其两倍："
                    "是否单位不同，或是全部电动机之和？ · "
                    f"{of[role]:g} is less than half or more than twice what is usual ({usual[0]:g} to {usual[-1]:g}): "
                    "is it of another unit, or of all motors together?",
                )
    for name in entry.lengths_km:
        if message := unknown("equipment", name, equipment):
            yield ("lengths_km", name), message


def _usual(role: str) -> list[float]:
    """What machines are rated at as a rule (`ratings` of the rules), rising; empty where nothing says."""
    version = standard().versions[-1]
    return sorted(of.ratings[role] for of in version.categories.values() if role in of.ratings)


def _maintained(entry: FiguresFile, equipment: Collection[str], shifts: int) -> Mistakes:
    for name, numbers in entry.maintenance.items():
        if message := unknown("equipment", name, equipment):
            yield ("maintenance", name), message
        for number in numbers:
            if not 1 <= number <= shifts:
                yield (
                    ("maintenance", name),
                    f"没有第 {number} 班：矿井共有 {shifts} 个班次，从 1 起数 · "
                    f"there is no shift {number}: the site has {shifts}, counted from 1",
                )


def _measured(entry: FiguresFile, points: Mapping[str, Point], equipment: Collection[str]) -> Mistakes:
    """Meters: each consumer has one at most."""
    known: dict[str, str] = {}
    for meter, loads in entry.meters.items():
        place = ("meters", meter)
        yield from _quantity(place, meter, points, "kWh", counts=True)
        for load in loads:
            if message := unknown("equipment", load, equipment):
                yield place, message
            elif (other := known.setdefault(load, meter)) != meter:
                yield (
                    place,
                    f"'{load}' 已由 {other} 计量：其电量会重复计算 · "
                    f"'{load}' is measured by {other} already: its energy would count twice",
                )


def _quantity(place: Place, name: str, points: Mapping[str, Point], unit: str, *, counts: bool) -> Mistakes:
    """A point must be there, be a counter or not, and measure what it is taken for."""
    if message := unknown("bound point", name, points):
        yield place, message
        return
    point = points[name]
    if counts != (point.kind is Kind.COUNTER):
        zh, en = ("计数测点", "a counter") if counts else ("非计数测点", "no counter")
        kind = point.kind.value
        yield place, f"'{name}' 为 {kind}，此处须为{zh} · '{name}' is {kind}, and {en} is needed"
    try:
        exact = compile_unit(point.unit, unit)
    except UnitError as wrong:
        yield place, at(f"'{name}'", wrong)
        return
    if (exact.factor, exact.offset) != (1.0, 0.0):
        yield (
            place,
            f"'{name}' 的单位为 {point.unit}；须为 {unit} · '{name}' is in {point.unit}; {unit} is needed",
        )
