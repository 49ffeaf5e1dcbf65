"""Production over any number of days: sums of what was kept of each, and the rates that follow.

Names are those of ISO 22400-2: availability = actual production time / planned busy time; effectiveness = planned run
time an item × produced quantity / actual production time; mean operating time between failures and mean time to
restoration = operating time, and down time, by failures. In place of the quality ratio, which for raw coal is 1, stands
how intelligently it was produced; the three times that these speak of are told apart: calendar, planned, producing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.kpi.amount import Amount, Ratio, ratio, total
from models.production.day import MachineDay, ProductionDay, Times
from models.production.failures import Stood

KNOWN = 0.99
"""A shift counts for effectiveness when so much of its output and of the machine's running is known."""
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Reliability:
    """`failures`: that began, with a standstill; `unclear`: fault alarms of which nobody knows whether the machine
    stood; `ran_on`: those with which it did not stop. `operating_us`, `down_us`: of the days of which alarms were
    judged, which are `days`."""

    failures: int
    unclear: int
    ran_on: int
    operating_us: int
    down_us: int
    days: int

    @property
    def mtbf_h(self) -> float | None:
        """Mean operating time between failures; None where none was."""
        return self.operating_us / HOUR_US / self.failures if self.failures else None

    @property
    def mttr_h(self) -> float | None:
        """Mean time to restoration; None where no failure began, also while one of an earlier day lasts."""
        return self.down_us / HOUR_US / self.failures if self.failures else None

    @property
    def rate(self) -> float | None:
        """Failures in 1,000 operating hours; None of a machine that did not run, or of which no alarms were judged."""
        return self.failures / self.operating_us * HOUR_US * 1000 if self.operating_us else None


@dataclass(frozen=True, slots=True)
class MachineFigure:
    """`days`: of so many; `counts`: by what was counted; `effectiveness`: tonnes by what it would have carried at its
    rated output in its producing time; `shifts`: times by the key of the shift; `reliability`: None where on no day
    alarms were judged."""

    id: str
    template: str
    days: int
    times: Times
    shifts: Mapping[str, Times]
    counts: Mapping[str, Amount]
    effectiveness: Ratio
    reliability: Reliability | None

    @property
    def availability(self) -> float | None:
        """Producing by planned time, of the planned time of which it is known; None of none."""
        known = self.times.producing + self.times.idle
        return self.times.producing / known if known else None

    @property
    def power_on(self) -> float | None:
        """Running by all time, planned or not, of the time of which it is known; None of none."""
        known = self.times.running + self.times.standing
        return self.times.running / known if known else None

    @property
    def power_on_known(self) -> float | None:
        """The part of all time of which it is known whether it ran."""
        times = self.times
        return (times.running + times.standing) / times.calendar if times.calendar else None

    @property
    def coverage(self) -> float | None:
        """The part of the planned time of which it is known."""
        return (self.times.producing + self.times.idle) / self.times.planned if self.times.planned else None

    def equipment_effectiveness(self, intelligence: float | None) -> float | None:
        """Availability × effectiveness × intelligence; None where one of them is not known."""
        parts = (self.availability, self.effectiveness.value, intelligence)
        return None if None in parts else parts[0] * parts[1] * parts[2]  # type: ignore[operator]


def output(days: Sequence[ProductionDay]) -> Amount:
    """Tonnes that the mine raised."""
    return total(counted.amount(day.widths) for day in days for _, counted in day.output)


def output_by_shift(days: Sequence[ProductionDay]) -> dict[str, Amount]:
    """The same by the key of the shift."""
    found: dict[str, list[Amount]] = defaultdict(list)
    for day in days:
        for _, counted in day.output:
            for n, (key, *_) in enumerate(day.stretches):
                found[key].append(counted.amount(day.widths, [n]))
    return {key: total(found[key]) for key in sorted(found)}


def by_machine(days: Sequence[ProductionDay]) -> dict[str, MachineFigure]:
    """By equipment id; one that was not there on some of the days has the figures of the others."""
    found: dict[str, list[tuple[ProductionDay, MachineDay]]] = defaultdict(list)
    for day in days:
        for machine in day.machines:
            found[machine.id].append((day, machine))
    return {name: _figure(found[name]) for name in sorted(found)}


def _figure(several: Sequence[tuple[ProductionDay, MachineDay]]) -> MachineFigure:
    shifts: dict[str, Times] = {}
    counts: dict[str, list[Amount]] = defaultdict(list)
    for day, machine in several:
        for key, times in machine.times.items():
            shifts[key] = shifts.get(key, Times()) + times
        for what, counted in machine.counts.items():
            counts[what].append(counted.amount(day.widths))
    last = several[-1][1]
    return MachineFigure(
        last.id,
        last.template,
        len(several),
        sum(shifts.values(), Times()),
        dict(sorted(shifts.items())),
        {what: total(counts[what]) for what in sorted(counts)},
        ratio(_effectiveness(day, machine) for day, machine in several),
        _reliability([machine for _, machine in several]),
    )


def _effectiveness(day: ProductionDay, machine: MachineDay) -> Ratio:
    counted = machine.counts.get("tonnes")
    found = []
    # A shift that the day has twice, as what lies between shifts, has one time and several amounts.
    for key in dict.fromkeys(key for key, *_ in day.stretches):
        here = [n for n, (each, *_) in enumerate(day.stretches) if each == key]
        times = machine.times[key]
        amount = None if counted is None else counted.amount(day.widths, here)
        if amount is None or machine.rated is None:
            found.append(Ratio(calendar_us=times.planned))
            continue
        sure = (amount.known or 0.0) >= KNOWN and times.producing + times.idle >= KNOWN * times.planned > 0
        rated = machine.rated * times.running / HOUR_US
        found.append(
            Ratio(amount.value, rated, times.planned, times.planned) if sure else Ratio(calendar_us=times.planned)
        )
    return ratio(found)


def _reliability(several: Iterable[MachineDay]) -> Reliability | None:
    kept = [(each, each.failures) for each in several if each.failures is not None]
    if not kept:
        return None
    stood = [one.stood for _, failures in kept for one in failures]
    return Reliability(
        stood.count(Stood.YES),
        stood.count(Stood.UNKNOWN),
        stood.count(Stood.NO),
        sum(times.running for machine, _ in kept for times in machine.times.values()),
        sum(machine.down_us or 0 for machine, _ in kept),
        len(kept),
    )


@dataclass(frozen=True, slots=True)
class Cause:
    """A line of the Pareto: what machines that stood for it lost. `cause`, `by`, `group`: as of a `Stoppage`;
    `upto`: the part of all lost time that this line and those before it make."""

    cause: str
    by: str
    group: str
    equipment: str
    stops: int
    lost_us: int
    upto: float


def pareto(days: Iterable[ProductionDay]) -> list[Cause]:
    """By cause, where it came and what stood; the costliest first."""
    lost: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for day in days:
        for machine in day.machines:
            for one in machine.stoppages:
                line = lost[one.cause, one.by, one.group, one.equipment]
                line[0] += one.new
                line[1] += one.lost_us
    whole = sum(us for _, us in lost.values())
    found, reached = [], 0
    for key, (stops, us) in sorted(lost.items(), key=lambda each: (-each[1][1], each[0])):
        reached += us
        found.append(Cause(*key, stops, us, reached / whole))
    return found
