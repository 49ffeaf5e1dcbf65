"""The units that a site has in each category: a face, a heading machine, a chamber, a belt; and the points of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from models.site.model import Equipment, Name, Point, Site
from models.utilisation.rules import Category, Clause, Version

Points = Mapping[tuple[str, str], tuple[Point, ...]]
"""(role, of whom) → its points, in the order of the equipment's ids."""

PUSHED_S = 1.0
"""How often a device that sends by itself looks at what it sends, where nobody says."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`id`: of the equipment or the chamber that it is called by; `points`: those that the category's rules read;
    `equipment`: ids of all that belong to it, its own first; `readings`: point id → µs between two readings of it, a
    change being told so late at most."""

    category: str
    id: str
    name: Name
    equipment: tuple[str, ...]
    points: Points = field(repr=False)
    readings: Mapping[int, int] = field(default_factory=dict, repr=False)

    def measures(self, clause: Clause) -> bool:
        """Whether the site has a point of all that the clause reads."""
        return all(self.points.get(pair) for pair in clause.when.reads())

    def lacks(self, category: Category) -> tuple[Clause, ...]:
        """The clauses that can never be known of it, as the site has not all of their points."""
        return tuple(one for one in category.clauses() if not one.if_measured and not self.measures(one))


def units(site: Site, version: Version) -> tuple[Unit, ...]:
    """Of all categories, in their order; the same site and version give the same."""
    by_equipment: dict[str, list[Point]] = defaultdict(list)
    for point in site.points:
        by_equipment[point.equipment].append(point)
    found: list[Unit] = []
    for key, category in version.categories.items():
        found += _chambers(site, key, category) if category.chambers else _machines(site, key, category, by_equipment)
    return tuple(found)


def _machines(site: Site, key: str, category: Category, points: Mapping[str, list[Point]]) -> Iterator[Unit]:
    for own in sorted(site.equipment.values(), key=lambda each: each.id):
        if own.template not in category.templates:
            continue
        members: dict[str, list[Equipment]] = {"": [own]}
        for name, template in category.with_.items():
            # All of them where the unit is, and nowhere else: a face has its own conveyor.
            members[name] = sorted(
                (each for each in site.equipment.values() if each.template == template and each.area == own.area),
                key=lambda each: each.id,
            )
        of = {
            (role, whom): tuple(p for member in members[whom] for p in points[member.id] if p.role == role)
            for role, whom in category.reads()
        }
        equipment = tuple(member.id for group in members.values() for member in group)
        yield Unit(key, own.id, own.name, equipment, of, _readings(site, of))


def _chambers(site: Site, key: str, category: Category) -> Iterator[Unit]:
    paths = {point.path: point for point in site.points}
    for chamber in sorted(site.chambers.values(), key=lambda each: each.id):
        inside = {path.rpartition("/")[2] for path in chamber.equipment}
        of_template = {
            whom: {name for name in inside if site.equipment[name].template == template}
            for whom, template in category.with_.items()
        }
        of: dict[tuple[str, str], tuple[Point, ...]] = {}
        for role, whom in category.reads():
            named = [paths[path] for path in sorted(chamber.points()) if paths[path].role == role]
            # Who is inside is counted where the chamber says so; everything else by what stands in it.
            among = of_template.get(whom, inside)
            own = [point for point in site.points if point.equipment in among and point.role == role]
            of[role, whom] = tuple(named or own)
        yield Unit(key, chamber.id, chamber.name, tuple(sorted(inside)), of, _readings(site, of))


def _readings(site: Site, of: Points) -> dict[int, int]:
    found: dict[int, int] = {}
    for point in (point for points in of.values() for point in points):
        group = site.connections[point.connection].groups.get(point.group)
        found[point.id] = round((group.period_s if group is not None else PUSHED_S) * 1e6)
    return found
