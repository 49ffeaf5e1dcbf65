"""A scope: what it lets be seen, that it can only be narrowed, and that what is beyond it is unknown to a view."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.access.errors import AccessError
from middleplatform.access.scope import CLASSES, EVERYTHING, Scope
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from models.identity import point_id
from models.site.model import Area, Connection, Equipment, Kind, Name, Point, Retention, Site
from tests.middleplatform.api.build import site as small_site
from tests.servers import CODE

AREAS = {"east": None, "face1": "east", "gate1": "face1", "west": None, "sump": "west"}
SUBSYSTEMS = ("transport", "drainage", "safety")
OTHER = "140581000001"


def site(machines: list[tuple[str, str, list[bool]]]) -> Site:
    """Machines by area, subsystem and whether each of their points is statutory."""
    name = Name("某", "some")
    equipment = {f"m{i}": Equipment(f"m{i}", "t", name, area, sub) for i, (area, sub, _) in enumerate(machines)}
    points = [
        Point(
            *(f"{CODE}/m{i}/p{j}", point_id(f"{CODE}/m{i}/p{j}"), f"m{i}", f"p{j}", name, "r", Kind.ANALOG, ""),
            Retention.STATUTORY if statutory else Retention.BULK,
            *(f"c{i % 2}", "g", "hr:1", "int16", "abcd", 1.0, 0.0, 0.0, 1.0, 0.0, 30.0),
        )
        for i, (_, _, kinds) in enumerate(machines)
        for j, statutory in enumerate(kinds)
    ]
    connections = {f"c{i}": Connection(f"c{i}", "edge1", "modbus", {}, {}) for i in range(2)}
    areas = {area: Area(area, name, parent) for area, parent in AREAS.items()}
    return Site(CODE, name, 1, "low", "Asia/Shanghai", "1", areas, equipment, connections, tuple(points))


machines = st.lists(
    st.tuples(st.sampled_from(list(AREAS)), st.sampled_from(SUBSYSTEMS), st.lists(st.booleans(), max_size=3)),
    min_size=1,
    max_size=8,
)


def some(names):
    return st.none() | st.lists(st.sampled_from(list(names)), min_size=1, max_size=3, unique=True)


written = st.fixed_dictionaries(
    {"mines": some([CODE, OTHER]), "areas": some(AREAS), "subsystems": some(SUBSYSTEMS), "classes": some(CLASSES)}
)


def plainly(asked: dict, equipment: Equipment, statutory: bool) -> bool:
    """Whether one point is seen, said once more in plain words."""
    if asked["mines"] is not None and CODE not in asked["mines"]:
        return False
    around, area = [], equipment.area
    while area is not None:
        around.append(area)
        area = AREAS[area]
    if asked["areas"] is not None and not set(around) & set(asked["areas"]):
        return False
    if asked["subsystems"] is not None and equipment.subsystem not in asked["subsystems"]:
        return False
    return asked["classes"] is None or ("statutory" if statutory else "bulk") in asked["classes"]


@settings(max_examples=60, deadline=None)
@given(machines, written, written)
def test_what_is_seen_is_what_every_bound_allows(made, first, second):
    whole = site(made)
    scope = Scope.of(first).narrowed(Scope.of(second))
    view = Catalogue(whole).within(scope)
    expected = [
        index
        for index, point in enumerate(whole.points)
        if all(
            plainly(asked, whole.equipment[point.equipment], point.retention is Retention.STATUTORY)
            for asked in (first, second)
        )
    ]
    assert view.rows.tolist() == expected
    assert view.visible_ids().tolist() == sorted(whole.points[index].id for index in expected)
    assert len(view) == len(expected) == len(view.site.points)
    for index, point in enumerate(whole.points):
        for name in (point.path, f"{point.equipment}/{point.key}", str(point.id)):
            if index in expected:
                assert view.resolve([name], 1).tolist() == [index]
            else:
                with pytest.raises(ApiError) as refused:
                    view.resolve([name], 1)
                assert refused.value.status == 404
                assert not set(refused.value.more["nearest"]) - {p.path for p in view.site.points}
    assert view.search("", [], "", "") == expected
    assert scope.narrowed(EVERYTHING) == scope
    wider = Scope.of(first).points(whole)
    assert not (scope.points(whole) & ~wider).any(), "narrowing never adds"
    assert Scope.load(scope.dump()) == scope


def test_a_view_holds_nothing_of_what_is_beyond():
    whole = Catalogue(small_site())
    view = whole.within(Scope.of({"areas": ["east"]}))
    assert {point.equipment for point in view.site.points} == {"belt1"} == set(view.site.equipment)
    assert set(view.site.areas) == {"face1", "east"}
    assert view.search("pump", [], "", "") == []
    for asked in (["pump1"], [f"{CODE}/pump1"]):
        with pytest.raises(ApiError) as refused:
            view.equipment(asked)
        assert (refused.value.status, refused.value.more["nearest"]) == (404, [])
    assert view.events_of(None) == [f"{CODE}/belt1"]
    with pytest.raises(ApiError):
        view.events_of("pump1")
    assert whole.events_of(None) is None
    assert whole.within(EVERYTHING) is whole
    assert whole.within(Scope.of({"areas": ["east"]})) is view, "a view is kept"


def test_classes_of_data():
    whole = Catalogue(small_site())
    statutory = whole.within(Scope.of({"classes": ["statutory"]}))
    assert [point.path for point in statutory.site.points] == [f"{CODE}/pump1/flow"]
    assert statutory.events_of(None) == []
    assert statutory.events_of("pump1") == []
    events = whole.within(Scope.of({"classes": ["events"]}))
    assert len(events) == 0 and set(events.events_of(None)) == {f"{CODE}/belt1", f"{CODE}/pump1"}


def test_a_scope_of_another_mine_sees_nothing():
    view = Catalogue(small_site()).within(Scope.of({"mines": [OTHER]}))
    assert (len(view), view.events_of(None), np.size(view.visible_ids())) == (0, [], 0)


@pytest.mark.parametrize(
    "wrong",
    [{"mine": ["x"]}, {"mines": "x"}, {"areas": []}, {"areas": ["A b"]}, {"areas": [1]}, {"classes": ["all"]},
     {"areas": ["x"] * 201}, {"subsystems": 3}],
)  # fmt: skip
def test_a_scope_that_cannot_be_is_refused(wrong):
    with pytest.raises(AccessError, match="a scope"):
        Scope.of(wrong)


@pytest.mark.parametrize("kept", ["x", "[1]", '["x"]', '[{"mines": "x"}]', "{}x", '[{"zones": ["x"]}]'])
def test_a_scope_that_cannot_be_read_is_not_everything(kept):
    with pytest.raises(AccessError):
        Scope.load(kept)
