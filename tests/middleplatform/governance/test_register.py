"""The catalogue of points: what it says of each, and how it is searched and filtered."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulators
from middleplatform.governance.assigned import Assigned
from middleplatform.governance.dictionaries import load
from middleplatform.governance.register import Register, entry
from middleplatform.governance.search import Search
from models.dictionaries.read import read
from models.site import load as load_site
from tests.middleplatform.governance import plain_search

DAY = datetime.date(2026, 6, 1)
CLASSES = """# kind: classification
# edition: mine 1
# source: the mine's own table
# effective_from: 2026-01-01
code,parent,zh,en,level,applies_to
S,,安全,safety,business_domain,subsystem:safety
S1,S,瓦斯,gas,data_domain,role:ch4; role:ch4.*
T,,运输,transport,business_domain,subsystem:transport
T9,T,三采区运输,transport of district 3,data_domain,area:district_3 point:belt_102/speed
"""


@pytest.fixture(scope="module")
def site():
    folder = Path(simulators.__file__).parent / "mines" / "demo"
    return load_site(folder, environment={"SEVENONES_MQTT_PASSWORD": "-", "SEVENONES_OPCUA_PASSWORD": "-"})


@pytest.fixture(scope="module")
def kept(site, tmp_path_factory):
    """One register for many questions."""
    return Register(tmp_path_factory.mktemp("home"), site)


@pytest.fixture(scope="module")
def both(kept, site):
    """The index, and what it must give."""
    codes = kept.held(DAY).code_words()
    return Search(site, codes), plain_search.Search(site, codes)


@pytest.fixture
def register(site, tmp_path):
    return Register(tmp_path, site)


def found(register: Register, q: str, most: int = 3) -> list[str]:
    held = register.held(DAY)
    points = register.site.points
    return [points[k].path.split("/", 1)[1] for k in register.find(q, held, range(len(points)))[:most]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("methane_t1/ch4", "methane_t1/ch4"),
        ("3205回风隅角甲烷T0 甲烷浓度", "methane_t0/ch4"),
        ("瓦斯 回风隅角", "methane_t0/ch4"),
        ("METHANE return corner", "methane_t0/ch4"),
        ("belt_101 speed", "belt_101/speed"),
        ("belt_101 带速", "belt_101/speed"),
        ("0004", "co_belt/co"),
        ("ｂｅｌｔ＿101 flow", "belt_101/flow"),
        ("水泵房温度", "temperature_pump_room/temperature"),
    ],
)
def test_a_point_is_found_first_in_either_language(register, q, first):
    assert found(register, q)[0] == first


def test_every_word_must_be_found(register):
    assert found(register, "belt_101 nothing-of-the-kind") == []
    assert found(register, "三采区 speed shearer")[0].startswith("shearer")
    every = found(register, "  ", 10_000)
    assert len(every) == len(register.site.points)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_part_of_a_name_finds_its_point(kept, site, data):
    register = kept
    point = data.draw(st.sampled_from(site.points))
    text = data.draw(st.sampled_from([point.name.zh, point.name.en, point.path, point.address or point.key]))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    q = text[start:end]
    held = register.held(DAY)
    paths = [site.points[k].path for k in register.find(q, held, range(len(site.points)))]
    assert point.path in paths
    assert len(paths) == len(set(paths))


pieces = st.sampled_from(
    ["瓦斯", "一号带速", "回风隅角甲烷浓度", "belt_101/speed", "/", ".", "0004", "皮带机 速度", "ｂｅｌｔ"]
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_index_ranks_as_one_point_after_the_other(kept, both, site, data):
    """Whatever is asked for, of whatever points: words, parts of them, several, what is nowhere."""
    indexed, plain = both

    def word() -> str:
        point = data.draw(st.sampled_from(site.points))
        text = data.draw(st.sampled_from([point.name.zh, point.name.en, point.path, str(point.id), point.unit or "A"]))
        start = data.draw(st.integers(0, len(text) - 1))
        return text[start : data.draw(st.integers(start + 1, len(text)))]

    words = [word() if data.draw(st.booleans()) else data.draw(pieces) for _ in range(data.draw(st.integers(1, 3)))]
    q = data.draw(st.sampled_from([" ", "", "  x"])).join(words)
    among = data.draw(st.one_of(st.just(range(len(site.points))), st.sets(st.integers(0, len(site.points) - 1))))
    synonyms = kept.held(DAY).synonyms if data.draw(st.booleans()) else ()
    assert indexed.find(q, sorted(among), synonyms) == plain.find(q, sorted(among), synonyms)


def test_a_site_without_points_is_searched_too(site):
    assert Search(replace(site, points=())).find("belt", ()) == []


def test_an_entry_says_where_a_value_comes_from_and_what_it_means(register, tmp_path, site):
    load(tmp_path, read(CLASSES.encode(), "c.csv"), "olga")
    owners = b"applies_to,owner\nsubsystem:safety,Wang\nequipment:methane_t*,Zhao\n"
    facts = {"kind": "owners", "edition": "1", "source": "x", "effective_from": "2026-02-01"}
    load(tmp_path, read(owners, "o.csv", facts), "olga")
    held = register.held(DAY)
    point = next(point for point in site.points if point.path.endswith("methane_t1/ch4"))
    said = entry(point, site, held)
    assert said["sensor_code"] == {
        "code": "0001", "zh": "环境瓦斯", "en": "methane", "value_type": "MN",
        "dictionary": {"kind": "sensor_types", "version": 0, "edition": "1", "effective_from": "2023-07-01"},
    }  # fmt: skip
    assert [each["code"] for each in said["class"]] == ["S1", "S"]
    assert said["owner"]["owner"] == "Zhao"
    assert said["source"]["gateway"] == "edge1" and said["source"]["address"] == "mine/methane_t1/state#values.ch4"
    assert [area["id"] for area in said["area"]] == ["face_3205", "district_3", "mine"]
    assert said["meaning"]["means"].startswith("volume fraction of methane")
    assert (said["unit"], said["retention"], said["template"]["subsystem"]) == ("%CH4", "statutory", "safety")
    before = entry(point, site, register.held(datetime.date(2025, 6, 1)))
    assert before["class"] == [] and before["owner"] is None


def test_the_closest_pattern_holds(site):
    rows = [
        {"applies_to": "*", "code": "all"},
        {"applies_to": "equipment:belt_*", "code": "belts"},
        {"applies_to": "role:belt.speed", "code": "speeds"},
        {"applies_to": "point:belt_102/*", "code": "102"},
        {"applies_to": "point:belt_102/speed", "code": "102's speed"},
    ]
    assigned = Assigned(rows, site)

    def code(path: str) -> str:
        return assigned.of(next(point for point in site.points if point.path.endswith(path)))["code"]

    assert [code(path) for path in ("methane_t1/ch4", "belt_101/speed", "belt_102/flow", "belt_102/speed")] == [
        "all", "belts", "102", "102's speed",
    ]  # fmt: skip


def test_the_api_filters_pages_and_refuses(platform):
    every = platform.get("catalogue").json()
    assert every["total"] == 6 and every["points"][0]["source"]["connection"] == "on-edge1"
    page = platform.get("catalogue", limit=2, offset=4).json()
    assert [p["point"] for p in page["points"]] == [p["point"] for p in every["points"][4:]]
    assert platform.get("catalogue", equipment="pump1", kind="analog").json()["total"] == 2
    assert platform.get("catalogue", q="一号带速").json()["points"][0]["key"] == "speed"
    assert platform.get("catalogue", sensor_code="none").json()["total"] == 6
    assert platform.get("catalogue", owner="nobody").json()["total"] == 0
    assert platform.get("catalogue", gateway="edge1", role="belt.speed").json()["total"] == 1
    assert platform.get("catalogue", area="face1").json()["total"] == 4
    assert platform.get("catalogue", subsystem="drainage").json()["total"] == 2
    assert platform.get("catalogue", point="belt1/nothing").status_code == 404
    assert platform.get("catalogue", day="yesterday").status_code == 400
    with platform.client(None) as client:
        assert client.get("/api/v1/catalogue").status_code == 401
