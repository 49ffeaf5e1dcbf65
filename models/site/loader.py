"""A site's folder → a Site, or every mistake in it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.identity import SEGMENT
from models.site import annexes, consistency, figures, interlocks, linkages, patrols, rotations, sequences, tables
from models.site.bindings import Binder, CheckTag, Instance, RangeOf
from models.site.environment import Filler
from models.site.files import Folder
from models.site.library import Library
from models.site.limits import limits_of
from models.site.model import Area, Connection, Coordinates, Equipment, Group, Shift, Site, TemplateFacts
from models.site.overlaps import SpanOf
from models.site.own_alarms import own_alarms
from models.site.problems import Problem, Problems, SiteErrors, hinted, nearest
from models.site.schema import AreaEntry, ConnectionEntry, EquipmentEntry, SiteFile, entries, validate
from models.site.there import CALLED, There
from models.site.yamlfile import Document, parse
from models.site.yamlfile import Path as Place

DEFAULT_GROUP = Group("default", 1.0)
"""What a connection without groups has: one whose device sends by itself needs none."""

KNOWN = (
    "site.yaml",
    "areas.yaml",
    "connections.yaml",
    "equipment",
    "points",
    "templates",
    "rules",
    interlocks.FOLDER,
    "alarms",
    "map",
    "network.yaml",
    consistency.FILE,
    sequences.FOLDER,
    rotations.FILE,
    patrols.FOLDER,
    figures.FILE,
    "simulation.yaml",
    "mirror.yaml",
)

NO_FOLDER = "不是目录：请给出 site.yaml 所在的目录 · is not a folder: give the folder that holds site.yaml"

CheckSettings = Callable[[Connection], Iterable[tuple[tuple[str | int, ...], str]]]
"""The mistakes in a connection's adapter or settings: (path below the connection, what is wrong)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination found. `site` is None when there are problems; notes are no mistakes."""

    site: Site | None
    problems: list[Problem]
    notes: list[Problem]


def load(
    folder: Path,
    *,
    check_tag: CheckTag | None = None,
    check_settings: CheckSettings | None = None,
    span_of: SpanOf | None = None,
    range_of: RangeOf | None = None,
    environment: Mapping[str, str] | None = None,
) -> Site:
    """The site in `folder`. Raises SiteErrors with all of its mistakes."""
    report = examine(
        folder,
        check_tag=check_tag,
        check_settings=check_settings,
        span_of=span_of,
        range_of=range_of,
        environment=environment,
    )
    if report.site is None:
        raise SiteErrors(report.problems)
    return report.site


def examine(
    folder: Path,
    *,
    check_tag: CheckTag | None = None,
    check_settings: CheckSettings | None = None,
    span_of: SpanOf | None = None,
    range_of: RangeOf | None = None,
    environment: Mapping[str, str] | None = None,
    require_environment: bool = True,
) -> Report:
    """As `load`, with everything that was found. Without `require_environment`, a variable that is not
    set is a note, and what it would fill is not checked."""
    problems = Problems()
    if not folder.is_dir():
        problems.add(str(folder), "", NO_FOLDER)
        return Report(None, problems.found, problems.notes)
    with _no_collection():
        site = _Loading(
            folder, problems, check_tag, check_settings, span_of, range_of, environment or {}, require_environment
        ).run()
    return Report(None if problems.count else site, problems.ordered(), problems.notes)


def connection(
    folder: Path,
    name: str,
    *,
    check_settings: CheckSettings | None = None,
    environment: Mapping[str, str] | None = None,
) -> Connection:
    """One connection of a site, whatever else is wrong or missing there yet. Raises SiteErrors."""
    problems = Problems()
    if not folder.is_dir():
        problems.add(str(folder), "", NO_FOLDER)
        raise SiteErrors(problems.found)
    loading = _Loading(folder, problems, None, check_settings, None, None, environment or {}, require_environment=True)
    loading.only = name
    loading._connections()
    found = loading.connections.get(name)
    if found is None and name not in loading.connections and not problems.count:
        zh, en = f"没有连接 '{name}'", f"there is no connection '{name}'"
        problems.add("connections.yaml", "", hinted(zh, en, name, loading.connections))
    if found is None or problems.count:
        raise SiteErrors(problems.ordered())
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Loading makes many objects that all stay: the collector's walks over them would double its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(slots=True)
class _Inline:
    """A binding in an equipment's file: its lines."""

    document: Document
    path: Place
    defaults: Place

    @property
    def file(self) -> str:
        return self.document.file

    def where(self, field: str) -> str:
        own = (*self.path, field)
        inherited = (*self.defaults, field)
        if own not in self.document.lines and inherited in self.document.lines:
            return str(self.document.line(inherited))
        return str(self.document.line(own))


class _Loading:
    def __init__(
        self,
        folder: Path,
        problems: Problems,
        check_tag: CheckTag | None,
        check_settings: CheckSettings | None,
        span_of: SpanOf | None,
        range_of: RangeOf | None,
        environment: Mapping[str, str],
        require_environment: bool,
    ) -> None:
        self.folder = Folder(folder, problems)
        self.problems = problems
        self.check_tag = check_tag
        self.check_settings = check_settings
        self.span_of = span_of
        self.range_of = range_of
        self.environment = environment
        self.require_environment = require_environment
        self.only: str | None = None
        """The one connection that is looked at, when only one is."""
        self.areas: dict[str, Area | None] = {}
        self.connections: dict[str, Connection | None] = {}
        self.heartbeats: dict[str, tuple[Document, Place]] = {}
        self.equipment: dict[str, Equipment] = {}
        self.instances: dict[str, Instance | None] = {}
        self.at: dict[str, tuple[Document, Place]] = {}
        self.inline: list[tuple[str, str, dict[str, Any], _Inline]] = []

    def run(self) -> Site | None:
        self._names()
        facts = self._facts()
        self._areas()
        self._connections()
        library = Library(self.folder, self.problems)
        files = self.folder.list("equipment", (".yaml",))
        for path in files:
            self._equipment(path, library)
        if not files:
            message = "没有 .yaml 文件：矿井配置须有设备 · has no .yaml file: a site needs equipment"
            self.problems.add("equipment", "", message)
        binder = Binder(
            facts.code if facts else "0" * 12,
            self.instances,
            self.connections,
            self.problems,
            self.check_tag,
            self.span_of,
            self.range_of,
        )
        for equipment, key, values, source in self.inline:
            binder.bind(equipment, key, values, source)
        for path in self.folder.list("points", (".csv", ".xlsx")):
            self._table(path, binder)
        binder.finish(
            {name: (document.file, document.line(place)) for name, (document, place) in self.heartbeats.items()}
        )
        self._unbound(binder)
        self._annexes(facts, binder)
        self._relations(binder)
        self._sequences(binder, len(facts.shifts) if facts else 0)
        self._linkages(binder)
        return self._site(facts, binder, library) if facts and not self.problems.count else None

    def _names(self) -> None:
        """A folder with a slip in its name would be left out in silence."""
        for path in sorted(self.folder.root.iterdir()):
            if path.name in KNOWN or path.name.startswith(".") or path.suffix.lower() == ".md":
                continue
            if "did you mean" in nearest(path.name, KNOWN):
                self.problems.add(path.name, "", hinted("不会被读取", "is not read", path.name, KNOWN))
            else:
                self.problems.note(path.name, "", "不会被读取 · is not read")

    def _document(self, name: str | Path) -> Document | None:
        path = self.folder.root / name
        text = self.folder.read_text(path)
        return None if text is None else parse(text, self.folder.name(path), self.problems)

    def _facts(self) -> SiteFile | None:
        document = self._document("site.yaml")
        return validate(SiteFile, document.data, document, (), self.problems) if document else None

    def _areas(self) -> None:
        document = self._document("areas.yaml")
        if document is None:
            return
        found = entries(document, "areas", self.problems)
        for name, data in found.items():
            self._segment(document, ("areas", name), name, "area")
            entry = validate(AreaEntry, data, document, ("areas", name), self.problems)
            self.areas[name] = Area(name, entry.name.resolved(), entry.parent) if entry else None
        for name, area in self.areas.items():
            if area is None or area.parent is None:
                continue
            place: Place = ("areas", name, "parent")
            if area.parent not in self.areas:
                zh, en = f"没有区域 '{area.parent}'", f"there is no area '{area.parent}'"
                message = hinted(zh, en, area.parent, self.areas)
                self.problems.add(document.file, document.line(place), message)
            elif self._goes_round(area):
                message = f"区域 '{name}' 位于它自身之内 · the area '{name}' lies within itself"
                self.problems.add(document.file, document.line(place), message)

    def _goes_round(self, area: Area) -> bool:
        seen: set[str] = set()
        up = area.parent
        while up is not None and up not in seen:
            if up == area.id:
                return True
            seen.add(up)
            above = self.areas.get(up)
            up = above.parent if above else None
        return False

    def _segment(self, document: Document, place: Place, name: str, what: str) -> None:
        if not SEGMENT.fullmatch(name):
            message = (
                f"{CALLED[what]}标识 '{name}' 须为 1 到 40 个 a-z、0-9、_ 和 - · "
                f"the {what} id '{name}' is not 1 to 40 of a-z, 0-9, _ and -"
            )
            self.problems.add(document.file, document.line(place), message)

    def _connections(self) -> None:
        document = self._document("connections.yaml")
        if document is None:
            return
        for name, data in entries(document, "connections", self.problems).items():
            place: Place = ("connections", name)
            if self.only not in (None, name):
                self.connections[name] = None
                continue
            self._segment(document, place, name, "connection")
            filler = Filler(self.environment, document, self.problems, required=self.require_environment)
            entry = validate(ConnectionEntry, filler.fill(data, place), document, place, self.problems)
            self.connections[name] = None
            if entry is None:
                continue
            groups = {key: Group(key, group.period, group.phase, group.priority) for key, group in entry.groups.items()}
            for key, group in groups.items():
                if group.phase_s is not None and group.phase_s >= group.period_s:
                    message = (
                        f"相位 {group.phase_s:g} s 须小于周期 {group.period_s:g} s · "
                        f"the phase {group.phase_s:g} s must be below the period {group.period_s:g} s"
                    )
                    self.problems.add(document.file, document.line((*place, "groups", key, "phase")), message)
            connection = Connection(
                name=name,
                gateway=entry.gateway,
                adapter=entry.adapter,
                settings=entry.settings,
                groups=groups or {DEFAULT_GROUP.name: DEFAULT_GROUP},
                heartbeat=entry.heartbeat or "",
                clock=entry.clock,
                time_zone=entry.time_zone or "",
                skew_s=entry.skew,
            )
            self.heartbeats[name] = (document, (*place, "heartbeat"))
            self.connections[name] = connection
            for below, message in self.check_settings(connection) if self.check_settings else ():
                at = (*place, *below)
                if not any(unset[: len(at)] == at for unset in filler.unset):
                    self.problems.add(document.file, document.line(at), filler.as_written(message, at))

    def _equipment(self, path: Path, library: Library) -> None:
        document = self._document(path)
        if document is None:
            return
        for name, data in entries(document, "equipment", self.problems).items():
            place: Place = ("equipment", name)
            line = document.line(place)
            self._segment(document, place, name, "equipment")
            if name in self.instances:
                first, first_place = self.at[name]
                where = f"{first.file}:{first.line(first_place)}"
                message = (
                    f"设备 '{name}' 出现两次；前一次在 {where} · the equipment '{name}' is here twice; first at {where}"
                )
                self.problems.add(document.file, line, message)
                continue
            self.instances[name] = None
            self.at[name] = (document, place)
            entry = validate(EquipmentEntry, data, document, place, self.problems)
            if entry is None:
                continue
            if entry.area not in self.areas:
                zh, en = f"没有区域 '{entry.area}'", f"there is no area '{entry.area}'"
                message = hinted(zh, en, entry.area, self.areas)
                self.problems.add(document.file, document.line((*place, "area")), message)
            instance = self.instances[name] = self._instance(name, entry, library, document, place)
            subsystem = instance.template.category if instance is not None else ""
            self.equipment[name] = Equipment(name, entry.template, entry.name.resolved(), entry.area, subsystem)
            for key, binding in entry.points.items():
                source = _Inline(document, (*place, "points", key), (*place, "defaults"))
                if isinstance(binding, dict):
                    self.inline.append((name, key, binding, source))
                else:
                    message = "绑定须为映射：{address: …} · a binding is a mapping: {address: …}"
                    self.problems.add(document.file, source.where(""), message)

    def _instance(
        self, name: str, entry: EquipmentEntry, library: Library, document: Document, place: Place
    ) -> Instance | None:
        try:
            template = library.get(entry.template)
        except KeyError:
            zh, en = f"没有模板 '{entry.template}'", f"there is no template '{entry.template}'"
            message = hinted(zh, en, entry.template, library.ids())
            self.problems.add(document.file, document.line((*place, "template")), message)
            return None
        if template is None:
            return None

        def say(below: Place, message: str) -> None:
            self.problems.add(document.file, document.line((*place, *below)), message)

        return Instance(name, template, entry.defaults, limits_of(template, entry, say))

    def _table(self, path: Path, binder: Binder) -> None:
        data = self.folder.read(path)
        if data is None:
            return
        read = tables.read_csv if path.suffix.lower() == ".csv" else tables.read_xlsx
        for row in read(data, self.folder.name(path), self.problems):
            equipment, key = row.values.pop("equipment", None), row.values.pop("point", None)
            if equipment is None or key is None:
                field = "equipment" if equipment is None else "point"
                self.problems.add(row.file, row.where(field), f"缺少 '{field}' · the {field} is missing")
            else:
                binder.bind(str(equipment), str(key), row.values, row)

    def _unbound(self, binder: Binder) -> None:
        for name, instance in self.instances.items():
            if instance is None:
                continue
            prefix = f"{binder.mine}/{name}/"
            left = [key for key in instance.template.points if prefix + key not in binder.bound]
            if left:
                document, place = self.at[name]
                message = f"{name} 未绑定的测点：{'、'.join(left)} · {name}: not bound: {', '.join(left)}"
                self.problems.note(document.file, document.line(place), message)

    def _annexes(self, facts: SiteFile | None, binder: Binder) -> None:
        """The map and the network."""
        origin = facts.coordinates.origin if facts and facts.coordinates else None
        prefix = len(binder.mine) + 1
        there = There(
            equipment=self.instances,
            areas=self.areas,
            bound={path[prefix:] for path in binder.bound},
            gateways={name: found.gateway if found else "" for name, found in self.connections.items()},
            origin=(origin.y, origin.x) if origin else None,
        )
        self.features = annexes.check(self.folder, self.problems, there)

    def _relations(self, binder: Binder) -> None:
        prefix = len(binder.mine) + 1
        points = {point.path[prefix:]: point for point in binder.points}
        self.relations = consistency.relations(self.folder, self.problems, points)
        self.interlocks = interlocks.interlocks(self.folder, self.problems, binder.mine, self.instances, points)
        self.alarms = own_alarms(self.folder, self.problems, points, binder.mine)

    def _sequences(self, binder: Binder, shifts: int) -> None:
        prefix = len(binder.mine) + 1
        points = {point.path[prefix:]: point for point in binder.points}
        self.sequences = sequences.sequences(self.folder, self.problems, binder.mine, points)
        self.rotations = rotations.rotations(self.folder, self.problems, binder.mine, points, self.sequences)
        self.basis = figures.figures(self.folder, self.problems, binder.mine, points, self.instances, shifts)
        self.chambers = patrols.chambers(self.folder, self.problems, binder.mine, points, self.instances)

    def _linkages(self, binder: Binder) -> None:
        prefix = len(binder.mine) + 1
        points = {point.path[prefix:]: point for point in binder.points}
        bound = {path[prefix:] for path in binder.bound}
        gateways = {name: found for name, found in self.connections.items() if found}
        self.linked = linkages.linkages(self.folder, self.problems, linkages.Bound(points, bound, gateways))

    def _site(self, facts: SiteFile, binder: Binder, library: Library) -> Site:
        coordinates = None
        if facts.coordinates is not None:
            origin = facts.coordinates.origin
            coordinates = Coordinates(facts.coordinates.system, (origin.x, origin.y, origin.z))
        return Site(
            code=facts.code,
            name=facts.name.resolved(),
            capacity_kt=facts.capacity_kt,
            gas_class=facts.gas_class,
            time_zone=facts.time_zone,
            version=self.folder.version(),
            areas={name: area for name, area in self.areas.items() if area},
            equipment=self.equipment,
            connections={name: connection for name, connection in self.connections.items() if connection},
            points=tuple(sorted(binder.points, key=lambda point: point.path)),
            shifts=tuple(Shift(shift.name.resolved(), shift.start, shift.end) for shift in facts.shifts),
            coordinates=coordinates,
            run_style=facts.run_style,
            features=self.features,
            templates={
                template.id: TemplateFacts(
                    template.id, template.name.resolved(), template.category, library.digest(template.id)
                )
                for template in (found.template for found in self.instances.values() if found)
            },
            relations=self.relations,
            interlocks=self.interlocks,
            sequences=self.sequences,
            rotations=self.rotations,
            alarms=self.alarms[0],
            alarm_changes=self.alarms[1],
            chambers=self.chambers,
            basis=self.basis,
            linkages=self.linked,
        )
