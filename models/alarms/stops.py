"""Which machines a trip elsewhere stops or leaves without power, by the site's linkages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.alarms.linked import FEED
from models.site.model import Act, Linkage, Site

STOPPING = (Act.STOP, Act.POWER_OFF)


def stopped_by(site: Site) -> Mapping[str, tuple[str, ...]]:
    """By equipment: those at which a trip stops it, the nearest first. A linkage stops what it commands and what must
    follow; one that cuts a feed, all that stands where the feed does. What it stops may stop others in its turn."""
    points = {point.path: point for point in site.points}
    standing: dict[str, list[str]] = {}
    for name, equipment in site.equipment.items():
        standing.setdefault(equipment.area, []).append(name)

    def of(paths: Iterable[str]) -> set[str]:
        return {points[path].equipment for path in paths if path in points}

    def stops(linkage: Linkage) -> set[str]:
        results = [comparison.point for comparison in linkage.then]
        found = of((*linkage.command, *results))
        for path in results:
            if linkage.act is Act.POWER_OFF and path in points and points[path].role == FEED:
                found.update(standing.get(site.equipment[points[path].equipment].area, ()))
        return found

    by: dict[str, dict[str, None]] = {}
    for linkage in site.linkages:
        if linkage.act in STOPPING and linkage.enabled and not linkage.shadow:
            causes = sorted(of(comparison.point for comparison in linkage.when.comparisons))
            for name in sorted(stops(linkage)):
                by.setdefault(name, {}).update(dict.fromkeys(each for each in causes if each != name))
    return {name: _nearest(name, by) for name in by}


def _nearest(name: str, by: Mapping[str, Mapping[str, None]]) -> tuple[str, ...]:
    """Everything that stops it, by how many linkages lie between."""
    known = {name: None}
    edge = [name]
    while edge:
        edge = [cause for each in edge for cause in by.get(each, ()) if cause not in known]
        known |= dict.fromkeys(edge)
    return tuple(known)[1:]
