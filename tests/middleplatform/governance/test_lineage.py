"""Lineage: from a value back to the device, by the versions that were in force at its time."""

from __future__ import annotations

import datetime
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

import simulators
from middleplatform.access.tokens import create_token
from middleplatform.api.times import iso
from middleplatform.governance import manual
from middleplatform.governance.dictionaries import load
from middleplatform.governance.lineage import NotThen, of_figure, of_point, of_rollup
from middleplatform.governance.versions import record
from models.dictionaries.builtin import builtin
from models.site.model import Formula, Name, Site, TemplateFacts
from sevenones.commands.lineage import lineage
from tests.middleplatform.api.build import batch, path_of, site
from tests.middleplatform.api.stage import until
from tests.middleplatform.governance.test_manual import told
from tests.servers import CODE

FLOW, LEVEL, SPEED = (path_of(name) for name in ("pump1/flow", "pump1/level", "belt1/speed"))
YEAR_2026 = 1_767_225_600_000_000


def derived(version: str, expression: str = "level * 2", *inputs: str) -> Site:
    """The small site, its pump's flow derived of other points."""
    whole = site()
    formula = Formula(expression, "x0 * 2", inputs or (LEVEL,))
    points = tuple(
        replace(p, formula=formula, address="")
        if p.path == FLOW
        else replace(p, sensor_code="0007")
        if p.path == LEVEL
        else p
        for p in whole.points
    )
    template = TemplateFacts("pump", Name("水泵", "pump"), "drainage", "d1" * 32)
    return replace(whole, version=version, points=points, templates={"pump": template})


def every(kind: str, name: str) -> bool:
    return True


def chain(graph, start: str, *hows: str) -> str:
    """The node at the end of a way of edges."""
    for how in hows:
        (start,) = [of for made, of, named in graph.edges if made == start and named == how]
    return start


def test_a_derived_value_leads_to_the_device(place):
    record(place, derived("a"), "olga", at=100, number=1)
    graph = of_point(place, site(), every, FLOW, 200)
    root = f"point:{FLOW}"
    assert graph.nodes[root]["rule"] == {"expression": "level * 2", "since_version": 1}
    address = graph.nodes[chain(graph, root, "computed from", "read at")]
    assert (address["address"], address["type"]) == ("hr:1", "int16")
    connection = graph.nodes[chain(graph, root, "computed from", "read at", "over")]
    assert (connection["name"], connection["adapter"]) == ("on-edge1", "modbus")
    assert chain(graph, root, "computed from", "read at", "over", "run by") == "gateway:edge1"
    template = graph.nodes[chain(graph, root, "of", "instance of")]
    assert (template["name"], template["digest"], template["since_version"]) == ("pump", "d1" * 32, 1)
    assert not any(how == "coded by" for _, _, how in graph.edges)  # in 1970 no dictionary held
    assert all(node["id"] == identity for identity, node in graph.nodes.items())


def test_it_is_told_by_the_versions_of_its_time(place):
    record(place, derived("a"), "olga", at=YEAR_2026, number=1)
    record(place, derived("b", "level + speed", LEVEL, SPEED), "olga", at=YEAR_2026 + 100, number=2)
    own = builtin()["sensor_types"]
    later = replace(own, edition="2", effective_from=datetime.date(2026, 6, 1))
    load(place, later, "olga")

    def inputs(at: int) -> set[str]:
        return {of for _, of, how in of_point(place, site(), every, FLOW, at).edges if how == "computed from"}

    assert inputs(YEAR_2026 + 50) == {f"point:{LEVEL}"}
    assert inputs(YEAR_2026 + 150) == {f"point:{LEVEL}", f"point:{SPEED}"}
    graph = of_point(place, site(), every, FLOW, YEAR_2026 + 150)
    assert graph.nodes[f"point:{FLOW}"]["rule"]["since_version"] == 2
    assert graph.nodes[f"point:{LEVEL}"]["since_version"] == 1
    half_year = YEAR_2026 + 200 * 86_400_000_000

    def code(at: int) -> dict:
        found = of_point(place, site(), every, LEVEL, at)
        return found.nodes[chain(found, f"point:{LEVEL}", "coded by")]

    assert (code(YEAR_2026)["edition"], code(half_year)["edition"]) == ("1", "2")
    assert code(YEAR_2026)["entry"]["zh"] == "水仓水位"


def test_before_the_first_version_what_runs_now_is_told(place):
    record(place, derived("a"), "olga", at=100, number=1)
    graph = of_point(place, derived("z"), every, FLOW, 50)
    assert graph.nodes[f"point:{FLOW}"]["since_version"] is None
    with pytest.raises(NotThen) as refused:
        of_point(place, site(), every, path_of("belt1/nothing"), 200)
    assert refused.value.version == 1


def test_inputs_out_of_sight_are_counted_and_not_named(place):
    record(place, derived("a", "level + speed", LEVEL, SPEED), "olga", at=100, number=1)
    graph = of_point(place, site(), lambda kind, name: "belt1" not in name, FLOW, 200)
    assert graph.hidden == 1 and "belt1" not in str((graph.nodes, graph.edges))


def test_points_that_name_each_other_end(place):
    whole = derived("a", "x", SPEED)
    loop = tuple(replace(p, formula=Formula("y", "x0", (FLOW,))) if p.path == SPEED else p for p in whole.points)
    record(place, replace(whole, points=loop), "olga", at=100, number=1)
    graph = of_point(place, site(), every, FLOW, 200)
    assert {node["name"] for node in graph.nodes.values() if node["kind"] == "point"} == {FLOW, SPEED}


def test_a_rollup_names_its_corrections_and_from_where_values_may_hold(place):
    record(place, derived("a"), "olga", at=1, number=1)
    for ts in (1_000_000, 500_000_000):
        entry = manual.enter_values(place, CODE, LEVEL, told((ts, 1.5)), "dirty", "olga")
        manual.decide(place, CODE, entry.id, "pavel", approve=True)
        manual.published(place, entry.id)
    graph = of_rollup(place, site(), every, LEVEL, 60_000_000, 60_000_000)
    root = graph.nodes[graph.root]
    assert (root["samples_from"], root["end"]) == (0, 120_000_000)
    told_of = [node for node in graph.nodes.values() if node["kind"] == "manual"]
    assert [(node["who"], node["decided_by"], node["first"]["ts"]) for node in told_of] == [
        ("olga", "pavel", 1_000_000)
    ]


def test_a_figure_leads_to_its_points(place):
    record(place, derived("a"), "olga", at=1, number=1)
    graph = of_figure(place, site(), every, "utilisation", {"rule": "U", "version": "3"}, [FLOW, SPEED], 5)
    assert {of for made, of, _ in graph.edges if made == "figure:utilisation"} == {f"point:{FLOW}", f"point:{SPEED}"}
    assert f"point:{LEVEL}" in graph.nodes


def test_over_the_api_with_the_bucket_that_the_store_has(platform):
    at = time.time_ns() // 1000 - 10_800_000_000
    platform.send(batch(platform.next_number(), ("pump1/level", at, 2.0, 192)), live=False)
    until(
        lambda: platform.get("history", point="pump1/level", start=str(at), end=str(at + 1)).json()["series"][0][
            "samples"
        ]["ts"]
    )
    found = platform.get("lineage", point="pump1/level", at=iso(at), width="1m").json()
    assert (found["bucket"]["n"], found["bucket"]["mean"]) == (1, 2.0)
    kinds = {node["kind"] for node in found["nodes"]}
    assert kinds >= {"rollup", "point", "address", "connection", "gateway", "equipment"}
    assert {"from": found["root"], "to": f"point:{LEVEL}", "how": "aggregates"} in found["edges"]
    assert platform.get("lineage", point="pump1/level").json()["bucket"] is None
    assert platform.get("lineage", point="pump1/nothing").status_code == 404
    assert platform.get("lineage", point="pump1/level", width="nonsense").status_code == 400
    operator = create_token(platform.home, "o", role="operator")
    with platform.client() as client:
        client.headers["Authorization"] = f"Bearer {operator}"
        assert client.get("/api/v1/lineage", params={"point": "pump1/level"}).status_code == 403


def test_the_command_draws_the_tree(tmp_path):
    folder = Path(simulators.__file__).parent / "mines" / "demo"
    app = Typer()
    app.command()(lineage)
    wide = {"COLUMNS": "250"}
    done = CliRunner().invoke(app, ["methane_t1/ch4", "--site", str(folder), "--home", str(tmp_path)], env=wide)
    assert done.exit_code == 0, done.output
    for word in (
        "over: connection chamber_mqtt",
        "run by: gateway edge1",
        "template methane_sensor",
        "sensor_types 0 0001",
    ):
        assert word in done.output
    wrong = CliRunner().invoke(app, ["methane_t1/ch5", "--site", str(folder), "--home", str(tmp_path)])
    assert wrong.exit_code == 1 and "no point" in wrong.output
