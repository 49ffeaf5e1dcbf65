"""The catalogue of faults, `catalogue.yaml`: what each is, what it may befall, and what must be noticed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from models.site.problems import Problems, hinted
from models.site.schema import Span
from models.site.yamlfile import parse
from simulators.design.strict import Strict

FILE = Path(__file__).with_name("catalogue.yaml")

Target = Literal["machine", "air", "sensor", "device", "link"]
Text = Annotated[str, Field(min_length=1, max_length=400)]


class FaultError(Exception):
    """A fault that cannot be made: which, why, and what to do, in Chinese and English."""


class Names(Strict):
    zh: Text
    en: Text


class Amount(Names):
    """What the amount means, its unit, what is possible, and what is usual."""

    unit: str
    low: float
    high: float
    usual: float

    @model_validator(mode="after")
    def _possible(self) -> Amount:
        if not self.low <= self.usual <= self.high:
            raise ValueError(f"usual {self.usual:g} is not between {self.low:g} and {self.high:g}")
        return self


class Sign(Strict):
    """One thing that must be seen within `within` seconds: a value, a quality or an alarm of `point` – of the
    target itself ("*": of all its points), or of equipment of the template `of` that is near it."""

    of: str = ""
    point: str
    value: float | None = None
    quality: Literal["bad", "uncertain", "stale"] | None = None
    alarm: Literal["hi", "hihi", "lo", "lolo", "state"] | None = None
    within: Annotated[Span, Field(gt=0, le=86_400)]

    @model_validator(mode="after")
    def _one(self) -> Sign:
        if sum(each is not None for each in (self.value, self.quality, self.alarm)) != 1:
            raise ValueError("exactly one of value, quality and alarm")
        return self

    def words(self) -> str:
        """As a person reads it."""
        what = f"{self.value:g}" if self.value is not None else self.quality or f"alarm {self.alarm}"
        owner = f"{self.of}." if self.of else ""
        return f"{owner}{self.point} → {what} ≤ {self.within:g} s"


class Fault(Strict):
    name: Names
    target: Target
    on: tuple[str, ...] = ()
    kind: str = ""
    amount: Amount | None = None
    expected: Names
    signs: tuple[Sign, ...] = ()

    def checked(self, id_: str, amount: float | None) -> float:
        """The amount to act with: the usual one for None. Raises FaultError for an impossible one."""
        if self.amount is None:
            if amount not in (None, 1, 1.0):
                raise FaultError(
                    f"故障 {id_} 没有程度，只有发生与否 · the fault {id_} is there or not: it has no amount"
                )
            return 1.0
        wanted = self.amount.usual if amount is None else amount
        if not self.amount.low <= wanted <= self.amount.high:
            bounds = f"{self.amount.low:g} … {self.amount.high:g} {self.amount.unit}"
            raise FaultError(
                f"故障 {id_} 的{self.amount.zh}应为 {bounds}，给出的是 {wanted:g} · "
                f"{id_}: {self.amount.en} must be {bounds}, not {wanted:g}"
            )
        return wanted


@cache
def catalogue() -> Mapping[str, Fault]:
    """All faults by id, in the file's order; each `kind` filled."""
    problems = Problems()
    document = parse(FILE.read_text("utf-8"), FILE.name, problems)
    if document is None:
        raise ValueError("\n".join(map(str, problems.found)))
    read = TypeAdapter(dict[str, Fault]).validate_python(document.data)
    return {id_: fault if fault.kind else fault.model_copy(update={"kind": id_}) for id_, fault in read.items()}


def fault_of(id_: str) -> Fault:
    """Raises FaultError with what there is."""
    known = catalogue()
    if id_ not in known:
        raise FaultError(hinted(f"没有故障 '{id_}'", f"there is no fault '{id_}'", id_, known))
    return known[id_]
