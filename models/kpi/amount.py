"""Amounts that were counted, with how much of their time is known: energy, tonnes, metres, holes, hours.

An amount of which nothing was heard is not zero: its `known` part says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from models.counters import Counted


@dataclass(frozen=True, slots=True)
class Amount:
    """`value`: what is known to have been counted; `spread`: the part of it that was counted across gaps and spread
    over them. µs: `covered_us` in which the counter was heard, `known_us` in which it was or is known by the values
    around, of `calendar_us`; of several counters the sum of theirs. `resets`, `dips`, `leaps`: see
    `models.counters`."""

    value: float = 0.0
    spread: float = 0.0
    covered_us: int = 0
    known_us: int = 0
    calendar_us: int = 0
    resets: int = 0
    dips: int = 0
    leaps: int = 0

    @property
    def coverage(self) -> float | None:
        """The part of the time in which it was heard; None of no time at all."""
        return self.covered_us / self.calendar_us if self.calendar_us else None

    @property
    def known(self) -> float | None:
        """The part of the time whose amount is known; None of no time at all."""
        return self.known_us / self.calendar_us if self.calendar_us else None

    def facts(self) -> dict[str, Any]:
        """As answers tell it: `value` is null where nothing is known of any of the time."""
        return {
            "value": self.value if self.known_us else None,
            "spread": self.spread,
            "coverage": self.coverage,
            "known": self.known,
            "resets": self.resets,
            "dips": self.dips,
            "leaps": self.leaps,
        }


def total(amounts: Iterable[Amount]) -> Amount:
    """All together; the same ones in the same order give the same to the last digit."""
    several = list(amounts)
    return Amount(
        fsum(each.value for each in several),
        fsum(each.spread for each in several),
        *(sum(getattr(each, name) for each in several) for name in _WHOLE),
    )


_WHOLE = ("covered_us", "known_us", "calendar_us", "resets", "dips", "leaps")


@dataclass(frozen=True, slots=True)
class Buckets:
    """One counter by the buckets of a day: fields as of an `Amount`, [n] each."""

    value: tuple[float, ...]
    spread: tuple[float, ...]
    covered_us: tuple[int, ...]
    known_us: tuple[int, ...]
    resets: int = 0
    dips: int = 0
    leaps: int = 0

    @staticmethod
    def of(counted: Counted) -> Buckets:
        return Buckets(
            tuple(counted.amount.tolist()),
            tuple(counted.spread.tolist()),
            tuple(counted.covered_us.tolist()),
            tuple(counted.known_us.tolist()),
            counted.resets,
            counted.dips,
            counted.leaps,
        )

    def amount(self, widths: Sequence[int], only: Iterable[int] | None = None) -> Amount:
        """Of all buckets, or of `only` these, which last `widths` [n] µs. What was odd is told of the whole."""
        chosen = range(len(widths)) if only is None else [*only]
        return Amount(
            fsum(self.value[n] for n in chosen),
            fsum(self.spread[n] for n in chosen),
            sum(self.covered_us[n] for n in chosen),
            sum(self.known_us[n] for n in chosen),
            sum(widths[n] for n in chosen),
            self.resets if only is None else 0,
            self.dips if only is None else 0,
            self.leaps if only is None else 0,
        )

    def facts(self) -> list[Any]:
        """For a document; `read` takes them back. Leaps stand in it where there are any: documents of before they were
        told stay what they were."""
        return [
            list(self.value),
            list(self.spread),
            list(self.covered_us),
            list(self.known_us),
            self.resets,
            self.dips,
            *([self.leaps] if self.leaps else []),
        ]

    @staticmethod
    def read(facts: Sequence[Any]) -> Buckets:
        value, spread, covered, known, *told = facts
        return Buckets(tuple(value), tuple(spread), tuple(covered), tuple(known), *told)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One amount by another, `over` / `per`, each counted only in the time in which both are known: `paired_us` of
    `calendar_us`."""

    over: float = 0.0
    per: float = 0.0
    paired_us: int = 0
    calendar_us: int = 0

    @property
    def value(self) -> float | None:
        """None where the lower is unknown or nothing."""
        return self.over / self.per if self.per > 0 else None

    @property
    def coverage(self) -> float | None:
        """The part of the time in which both are known."""
        return self.paired_us / self.calendar_us if self.calendar_us else None

    def facts(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "over": self.over,
            "per": self.per,
            "coverage": self.coverage,
            "hours": self.paired_us / 3_600_000_000,
        }


def ratio(several: Iterable[Ratio]) -> Ratio:
    """All together, in this order."""
    known = list(several)
    return Ratio(
        fsum(each.over for each in known),
        fsum(each.per for each in known),
        sum(each.paired_us for each in known),
        sum(each.calendar_us for each in known),
    )
