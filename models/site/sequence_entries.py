"""What a file of sequences may say, entry by entry."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from models.sequence import Direction, OnFailure
from models.site.schema import REFERENCE, Span
from models.thing import Key, Names, Number, Strict, Text

Reference = Annotated[str, Field(pattern=REFERENCE)]
Commands = Annotated[dict[Reference, Number | Text], Field(max_length=32)]


class ConditionEntry(Strict):
    """One comparison; at_least and at_most together make a band."""

    point: Reference
    at_least: Number | None = None
    at_most: Number | None = None
    equals: Number | None = None
    one_of: Annotated[tuple[Number, ...], Field(max_length=16)] = ()
    of: Reference | None = None
    lasting: Annotated[Span, Field(ge=0, le=600)] = 0.0

    @model_validator(mode="after")
    def _compares(self) -> ConditionEntry:
        states = (self.equals is not None) + bool(self.one_of)
        band = self.at_least is not None or self.at_most is not None
        if states + band != 1:
            raise ValueError(
                "equals、one_of、at_least 与 at_most 须给出其中一种 · "
                "give one of equals, one_of, or at_least and at_most"
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least 大于 at_most：永远不能成立 · at_least is above at_most: this is never true")
        if self.of is not None and not band:
            raise ValueError("of: 须与 at_least 或 at_most 一起使用 · of: goes with at_least or at_most")
        return self


class UntilEntry(Strict):
    all: Annotated[tuple[ConditionEntry, ...], Field(max_length=16)] = ()
    any: Annotated[tuple[ConditionEntry, ...], Field(max_length=16)] = ()

    @model_validator(mode="after")
    def _some(self) -> UntilEntry:
        if bool(self.any) == bool(self.all):
            raise ValueError("须给出 any: 或 all:，其下为条件 · give any: or all: with conditions")
        return self


class EmptyingEntry(Strict):
    speed: Reference
    length_m: Annotated[Number, Field(gt=0, le=20_000)]
    margin: Annotated[Span, Field(ge=0, le=600)]


class StepEntry(Strict):
    name: Names
    command: Commands = Field(default_factory=dict)
    until: UntilEntry | None = None
    empties: EmptyingEntry | None = None
    wait: Annotated[Span, Field(gt=0, le=3600)] | None = None
    keep: Annotated[tuple[ConditionEntry, ...], Field(max_length=16)] = ()
    within: Annotated[Span, Field(gt=0, le=7200)]
    on_failure: OnFailure = OnFailure.ABORT

    @model_validator(mode="after")
    def _ends(self) -> StepEntry:
        ways = [each for each in (self.until, self.empties, self.wait) if each is not None]
        if self.command and self.until is None:
            raise ValueError(
                "下达命令的步骤须写明如何确认：until: · a step that commands says how it is confirmed: until:"
            )
        if len(ways) != 1:
            raise ValueError("until:、empties: 和 wait: 须给出其中一个 · give one of until:, empties: and wait:")
        if self.wait is not None and self.wait >= self.within:
            raise ValueError(
                f"等待 {self.wait:g} s，而 {self.within:g} s 后即失败：within: 须更长 · "
                f"waits for {self.wait:g} s and fails after {self.within:g} s: within: must be longer"
            )
        return self


class Included(Strict):
    """A step that stands for all those of another sequence."""

    sequence: Key


class SequenceEntry(Strict):
    name: Names
    direction: Direction
    warning: Annotated[Span, Field(ge=0, le=60)] = 0.0
    warn: Commands = Field(default_factory=dict)
    needs: Annotated[tuple[ConditionEntry, ...], Field(max_length=64)] = ()
    steps: Annotated[dict[Key, dict[str, Any]], Field(min_length=1, max_length=64)]
    """Checked as steps one by one, each as the shape that it has."""
    abort: Annotated[dict[Key, dict[str, Any]], Field(max_length=64)] = Field(default_factory=dict)
    source: Text
