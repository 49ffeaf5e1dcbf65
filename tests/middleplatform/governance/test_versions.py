"""Versions of the site: kept once, compared part by part, against a plain reference."""

from __future__ import annotations

import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

import simulators
from bus import sites
from bus.connection import Bus
from bus.credentials import load
from middleplatform.database import connect
from middleplatform.database.tables.sites import site_parts
from middleplatform.governance.parts import connection_facts, parts
from middleplatform.governance.sight import sees
from middleplatform.governance.versions import (
    UnknownVersion,
    counts,
    difference,
    history_of,
    newest_number,
    parts_at,
    record,
    version_at,
    versions,
)
from models.site import load as load_site
from models.site.model import Connection, Site
from tests.middleplatform.api.build import path_of
from tests.middleplatform.api.stage import until
from tests.middleplatform.governance.build import changed
from tests.servers import CODE


def test_a_version_says_who_and_when_and_is_kept_once(place):
    first = record(place, changed("a"), "olga", at=100, note="first", number=7)
    assert record(place, changed("a"), "somebody", at=200, number=7) == first
    assert record(place, changed("a"), "files") == first
    second = record(place, changed("b", high=9.0), "pavel", at=300, number=8)
    assert [(v.version, v.who, v.at, v.note, v.number) for v in versions(place, CODE)] == [
        (2, "pavel", 300, "", 8),
        (1, "olga", 100, "first", 7),
    ]
    assert newest_number(place, CODE) == 8
    assert [version_at(place, CODE, at) for at in (99, 100, 299, 300)] == [None, first, first, second]
    assert versions(place, "000000000000") == []


def test_a_linkage_that_acts_later_or_on_less_is_a_difference(place):
    low = load_site(
        Path(simulators.__file__).parent / "mines" / "low",
        environment={"SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x"},
    )
    one = next(each for each in low.linkages if each.command)
    rest = [each for each in low.linkages if each is not one]
    later = replace(one, within_s=one.within_s + 30, command=dict(list(one.command.items())[:-1]))
    record(place, low, "olga", at=100, number=1)
    record(place, replace(low, linkages=(later, *rest[1:]), version="b"), "olga", at=200, number=2)
    gone, changed_ = sorted(difference(place, low.code, 1, 2), key=lambda each: each.new is not None)
    assert (gone.kind, gone.name, gone.new) == ("linkage", rest[0].id, None)
    assert (changed_.kind, changed_.name) == ("linkage", one.id) and changed_.fields.keys() == {"command", "within_s"}
    assert changed_.fields["within_s"] == (one.within_s, one.within_s + 30)
    assert counts(place, low.code, 1)["linkage"] == len(low.linkages)
    wing = replace(low, points=tuple(point for point in low.points if point.path not in one.command))
    assert sees(low, low)("linkage", one.id) and not sees(low, wing)("linkage", one.id)


def test_a_difference_has_old_and_new_values(place):
    record(place, changed("a"), "olga", number=1)
    record(place, changed("b", without="pump1/flow", high=9.0, address="hr:2"), "olga", number=2)
    speed, flow = difference(place, CODE, 1, 2)
    assert (speed.kind, speed.name) == ("point", path_of("belt1/speed"))
    assert speed.fields == {"address": ("hr:1", "hr:2"), "high": (None, 9.0)}
    assert (flow.name, flow.new, flow.old["unit"]) == (path_of("pump1/flow"), None, "")
    back = difference(place, CODE, 2, 1)
    assert back[0].fields == {"address": ("hr:2", "hr:1"), "high": (9.0, None)}
    assert back[1].old is None
    assert counts(place, CODE, 1)["point"] - counts(place, CODE, 2)["point"] == 1
    assert [version.version for version, _ in history_of(place, CODE, "point", path_of("belt1/speed"))] == [1, 2]


def test_only_what_changed_takes_room(place):
    record(place, changed("a"), "olga", number=1)
    for number in range(2, 12):
        record(place, changed(str(number), high=float(number)), "olga", number=number)
    with connect(place).connect() as connection:
        rows = connection.execute(select(func.count()).select_from(site_parts)).scalar()
    assert rows == len(parts(changed("a"))) + 10


@pytest.mark.parametrize("version", [0, 3, 2**31 - 1])
def test_a_version_that_is_not_there_is_named(place, version):
    with pytest.raises(UnknownVersion) as refused:
        counts(place, CODE, 1)
    assert refused.value.there is None
    record(place, changed("a"), "olga", number=1)
    record(place, changed("b"), "olga", number=2)
    with pytest.raises(UnknownVersion) as refused:
        difference(place, CODE, 1, version)
    assert (refused.value.version, refused.value.there) == (version, (1, 2))


def test_many_that_record_at_once_make_one_version(place):
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda number: record(place, changed("a"), "olga", number=number % 3 + 1), range(6)))
    found = versions(place, CODE)
    assert sorted(v.number for v in found) == [1, 2, 3]
    assert {v.version for v in made} == {1, 2, 3}


COUNTED = itertools.count()
EDITS = st.lists(
    st.tuples(st.sampled_from(["", "pump1/flow", "pump1/level"]), st.sampled_from([1.0, 2.0, 3.0])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_version_is_found_again_as_it_was(tmp_path, edits):
    place, mine = tmp_path, f"{next(COUNTED):012}"
    made: list[Site] = []
    for number, (without, high) in enumerate(edits, 1):
        made.append(replace(changed(str(number), without=without, high=high), code=mine))
        record(place, made[-1], "olga", number=number)
    for version, site in enumerate(made, 1):
        wanted = {name: json.loads(body) for (kind, name), body in parts(site).items() if kind == "point"}
        assert parts_at(place, mine, version, "point") == wanted
    for old in range(1, len(made) + 1):
        was, now = parts(made[old - 1]), parts(made[-1])
        found = difference(place, mine, old, len(made))
        assert {(c.kind, c.name) for c in found} == {p for p in was.keys() | now.keys() if was.get(p) != now.get(p)}


def test_a_whole_mine_with_its_templates_and_codes(place):
    folder = Path(simulators.__file__).parent / "mines" / "demo"
    site = load_site(folder, environment={"SEVENONES_MQTT_PASSWORD": "hush-hush", "SEVENONES_OPCUA_PASSWORD": "hush"})
    record(place, site, "olga", number=1)
    assert counts(place, site.code, 1)["template"] == len({e.template for e in site.equipment.values()})
    template = parts_at(place, site.code, 1, "template")["methane_sensor"]
    assert template["category"] == "safety" and len(template["digest"]) == 64
    assert parts_at(place, site.code, 1, "point")[f"{site.code}/methane_t1/ch4"]["sensor_code"] == "0001"
    assert "hush" not in json.dumps([*parts(site).values()])


def test_a_connection_keeps_its_place_and_no_secret():
    settings = {
        "host": "10.0.0.1", "url": "opc.tcp://user:hush@plc:4840/x", "password": "hush", "unit": 3, "token": "hush",
        "database": "hush@x",
    }  # fmt: skip
    facts = connection_facts(Connection("plc", "edge1", "opcua", settings, {}))
    assert facts["settings"] == {"host": "10.0.0.1", "url": "opc.tcp://plc:4840/x", "unit": 3, "database": "…"}


def asked(platform, path: str, **query):
    with platform.client("admin") as client:
        return client.get(f"/api/v1/{path}", params=query)


def test_what_is_published_on_the_bus_is_kept_and_told(platform, tmp_path):
    assert until(lambda: asked(platform, "site/versions").json()["versions"])[-1]["number"] is None
    folder = tmp_path / "site"
    shutil.copytree(Path(simulators.__file__).parent / "mines" / "demo", folder)
    facts = (folder / "site.yaml").read_text()
    (folder / "site.yaml").write_text(facts.replace("140525000001", CODE))

    async def publish(note: str) -> int:
        credential = load(platform.home, "engineer")
        async with await Bus.connect(platform.bus_url(), credential, name="site", wait_s=10) as bus:
            return await sites.publish(bus, CODE, sites.pack(folder), "olga", note=note)

    platform.within(publish("as the demo"))
    table = folder / "points" / "belts.csv"
    table.write_text(
        table.read_text().replace("belt_101,energy,belt_plc,slow,hr:10", "belt_101,energy,belt_plc,slow,hr:30")
    )
    number = platform.within(publish("energy moved"))
    newest = until(lambda: [v for v in asked(platform, "site/versions").json()["versions"] if v["number"] == number])[0]
    assert (newest["who"], newest["note"]) == ("olga", "energy moved")
    detail = asked(platform, f"site/versions/{newest['version']}").json()
    assert detail["parts"]["point"] > 50 and detail["parts"]["mine"] == 1
    found = asked(platform, f"site/versions/{newest['version'] - 1}/diff", to=newest["version"]).json()
    assert found["counts"] == {"point": {"added": 0, "changed": 1, "removed": 0}}
    assert found["changes"][0]["fields"] == {"address": ["hr:10", "hr:30"]}


def test_refusals_name_what_there_is(platform):
    for path, query in (("site/versions/999", {}), ("site/versions/1/diff", {"to": 999})):
        answer = until(lambda path=path, query=query: asked(platform, path, **query))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_version")
    assert asked(platform, "site/versions/0").status_code == 400
    assert asked(platform, "site/versions/1/diff").status_code == 400
    with platform.client(None) as client:
        assert client.get("/api/v1/site/versions").status_code == 401
