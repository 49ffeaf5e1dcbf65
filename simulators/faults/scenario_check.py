"""A scenario against its mine: every name that it uses is there, every amount is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.site.loader import examine
from models.site.model import Kind, Point, Site
from models.site.problems import Problem, Problems, SiteErrors, nearest
from models.site.yamlfile import Path as Place
from models.site.yamlfile import parse
from simulators.design.mine import FILE, load_design
from simulators.faults.catalogue import Fault, FaultError, fault_of
from simulators.faults.dispatch import resolve
from simulators.faults.distortion import KINDS
from simulators.faults.scenario import Expectation, FaultEntry, Read, read


def load_scenario(path: Path, environment: Mapping[str, str] | None = None) -> tuple[Read, Site]:
    """A scenario and its mine, both without a mistake; variables that are not set are not looked at, so load the
    mine again to run it. Raises SiteErrors with all mistakes."""
    found = read(path)
    report = examine(found.folder, environment=environment, require_environment=False)
    if report.site is None:
        raise SiteErrors(report.problems)
    site = report.site
    problems = check(found, site, disturbances(site, found.folder))
    if problems.count:
        raise SiteErrors(problems.ordered())
    return found, site


def section(folder: Path, name: str) -> Any:
    """One section of a mine's simulation.yaml as plain data; {} where there is none. Raises SiteErrors."""
    path = folder / FILE
    if not path.exists():
        return {}
    problems = Problems()
    document = parse(path.read_text("utf-8"), FILE, problems)
    if document is None:
        raise SiteErrors(problems.ordered())
    return document.data.get(name) or {} if isinstance(document.data, dict) else {}


def disturbances(site: Site, folder: Path) -> Mapping[str, Sequence[str]]:
    """What can happen to what in a mine, as its own simulation says. Raises SiteErrors."""
    from simulators.plant import Plant
    from simulators.plant.sketch import sketch

    design = load_design(folder) or sketch(site)
    try:
        return Plant(site, design, seed=1, start_us=0).disturbances()
    except ValueError as error:
        raise SiteErrors([Problem(FILE, "", str(error))]) from error


def check(found: Read, site: Site, known: Mapping[str, Sequence[str]]) -> Problems:
    """All mistakes of a scenario at their lines. `known`: what can happen to what, as `disturbances`."""
    return _Checking(found, site, known).run()


class _Checking:
    def __init__(self, found: Read, site: Site, known: Mapping[str, Sequence[str]]) -> None:
        self.scenario, self.document, self.site, self.known = found.scenario, found.document, site, known
        self.points = {f"{point.equipment}/{point.key}": point for point in site.points}
        self.problems = Problems()

    def run(self) -> Problems:
        busy: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
        for number, entry in enumerate(self.scenario.faults):
            self._fault(entry, ("faults", number), busy)
        for number, expectation in enumerate(self.scenario.expect):
            self._expectation(expectation, ("expect", number))
        for number, threshold in enumerate(self.scenario.thresholds):
            keys = [threshold.point, *([threshold.state] if threshold.state else [])]
            for field, key in zip(("point", "state"), keys, strict=False):
                self._point(f"{threshold.sensor}/{key}", ("thresholds", number, field))
        return self.problems

    def _add(self, path: Place, message: str) -> None:
        self.problems.add(self.document.file, self.document.line(path), message)

    def _fault(
        self, entry: FaultEntry, path: Place, busy: dict[tuple[str, str], list[tuple[float, float, int]]]
    ) -> None:
        try:
            fault = fault_of(entry.fault)
        except FaultError as error:
            self._add((*path, "fault"), str(error))
            return
        try:
            fault.checked(entry.fault, entry.amount)
        except FaultError as error:
            self._add((*path, "amount"), str(error))
        if entry.at >= self.scenario.duration:
            self._add((*path, "at"), f"the scenario ends after {self.scenario.duration:g} s, before this begins")
        self._target(entry.fault, fault, entry.target, (*path, "target"))
        begin, end = entry.at, entry.at + (entry.for_s or self.scenario.duration)
        line = self.document.line(path)
        for other_begin, other_end, other_line in busy.setdefault((entry.fault, entry.target), []):
            if begin < other_end and other_begin < end:
                self._add(path, f"{entry.fault} of {entry.target} is still there from line {other_line}")
        busy[entry.fault, entry.target].append((begin, end, line))

    def _target(self, id_: str, fault: Fault, target: str, path: Place) -> None:
        if fault.target in ("device", "link"):
            self._connection(target, path, fault.on, id_)
        elif fault.target == "sensor" and "/" in target:
            point = self._point(target, path)
            if point is not None and (fault.kind not in KINDS or point.kind is not Kind.ANALOG):
                self._add(path, f"{target} cannot have {id_}: it needs an analog point and one of {', '.join(KINDS)}")
        elif fault.on and target not in self.site.equipment:
            self._add(path, f"there is no equipment '{target}'" + nearest(target, self.site.equipment))
        elif fault.on and (template := self.site.equipment[target].template) not in fault.on:
            self._add(path, f"'{target}' is a {template}: only {', '.join(fault.on)} can have {id_}")
        else:
            try:
                resolve(id_, fault, target, self.known)
            except FaultError as error:
                self._add(path, str(error))

    def _connection(self, name: str, path: Place, adapters: tuple[str, ...] = (), id_: str = "") -> None:
        connection = self.site.connections.get(name)
        if connection is None:
            self._add(path, f"there is no connection '{name}'" + nearest(name, self.site.connections))
        elif adapters and connection.adapter not in adapters:
            self._add(path, f"'{name}' speaks {connection.adapter}: only {', '.join(adapters)} can have {id_}")

    def _point(self, name: str, path: Place) -> Point | None:
        if name not in self.points:
            owner = name.partition("/")[0]
            near = [each for each in self.points if each.startswith(f"{owner}/")] or list(self.points)
            self._add(path, f"there is no point '{name}'" + nearest(name, near))
        return self.points.get(name)

    def _expectation(self, expectation: Expectation, path: Place) -> None:
        if expectation.at + expectation.within > self.scenario.duration:
            self._add((*path, "within"), f"reaches beyond the scenario's end after {self.scenario.duration:g} s")
        if expectation.connection is not None:
            self._connection(expectation.connection, (*path, "connection"))
            return
        point = self._point(expectation.point or "", (*path, "point"))
        if point is None or expectation.value is None:
            return
        if point.states and expectation.value not in point.states:
            known = ", ".join(map(str, point.states))
            self._add((*path, "value"), f"{point.key} has no state {expectation.value:g}: it has {known}")
        elif not point.low <= expectation.value <= point.high and point.low <= point.high:
            self._add((*path, "value"), f"{expectation.value:g} is outside {point.low:g} … {point.high:g} {point.unit}")
