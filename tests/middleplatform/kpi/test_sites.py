"""The site as it was: kept with what figures need of it, and found again for any day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from middleplatform.kpi import sites
from models.alarms.stops import stopped_by
from models.utilisation.rules import standard
from models.utilisation.units import units
from tests.middleplatform.kpi.stored import small_site


@pytest.fixture(scope="module")
def site():
    return small_site()


def facts(site):
    """Without bounds, of which those that are not there are no numbers and equal to nothing."""
    site = sites.needed(site)
    return replace(site, points=tuple(replace(point, low=0.0, high=0.0) for point in site.points))


def test_a_version_comes_back_with_all_that_figures_need_and_no_way_to_its_devices(place, site):
    assert sites.adopt(place, site, 100)
    (part,) = sites.parts(place, site.code, 5, 50)
    assert (part.start, part.end) == (5, 50), "the first version always was"
    assert facts(part.site) == facts(site)
    assert not any(each.settings for each in part.site.connections.values())
    version = standard().versions[-1]
    assert [u.readings for u in units(part.site, version)] == [u.readings for u in units(site, version)]
    assert [(u.id, {k: [p.id for p in v] for k, v in u.points.items()}) for u in units(part.site, version)] == [
        (u.id, {k: [p.id for p in v] for k, v in u.points.items()}) for u in units(site, version)
    ]
    assert part.site.linkages == site.linkages
    assert site.linkages, "or nothing is shown"
    assert stopped_by(part.site) == stopped_by(site)


def test_versions_share_the_time_between_them(place, site):
    assert sites.parts(place, site.code, 0, 9) == ()
    assert sites.adopt(place, site, 100)
    assert not sites.adopt(place, site, 150)
    assert sites.adopt(place, replace(site, version="v2"), 200)
    assert sites.adopt(place, site, 300), "what was undone is a change, too"

    def found(start, end):
        return [(p.site.version, p.start, p.end) for p in sites.parts(place, site.code, start, end)]

    assert found(0, 1000) == [(site.version, 0, 200), ("v2", 200, 300), (site.version, 300, 1000)]
    assert found(200, 300) == [("v2", 200, 300)]
    assert found(299, 301) == [("v2", 299, 300), (site.version, 300, 301)]
    assert found(150, 200) == [(site.version, 150, 200)]
