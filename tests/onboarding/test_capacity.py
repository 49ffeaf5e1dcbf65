"""P4: whether a site's polls fit is said before anything is started, and what to do where they do not."""

import json

import pytest

from gateway.onboarding.capacity import TIGHT, capacity, measure
from models.site.loader import load
from protocols.adapter import Tag
from protocols.modbus.forecast import asked_by
from protocols.modbus.place import Place
from protocols.modbus.planner import compile_plan
from tests.onboarding.command import device, sevenones

TEMPLATE = (
    "id: many\nname: {zh: 多, en: Many}\ncategory: other\npoints:\n"
    + "".join(f"  p{n}: {{name: {{zh: 点{n}, en: p{n}}}, role: a.b, kind: analog}}\n" for n in range(1000))
)  # fmt: skip
FACTS = (
    "code: '140525000009'\nname: {zh: 例, en: Example}\ncapacity_kt: 900\ngas_class: low\ntime_zone: Asia/Shanghai\n"
)


def site(folder, connections, rows):
    """`connections`: name → (settings, groups); `rows`: (equipment, point, connection, group, address)."""
    for name in ("templates", "equipment", "points"):
        (folder / name).mkdir(parents=True)
    (folder / "templates" / "many.yaml").write_text(TEMPLATE)
    (folder / "site.yaml").write_text(FACTS)
    (folder / "areas.yaml").write_text("areas:\n  mine: {name: {zh: 矿, en: Mine}}\n")
    entries = {
        name: {"gateway": "edge1", "adapter": "modbus", "settings": settings, "groups": groups}
        for name, (settings, groups) in connections.items()
    }
    (folder / "connections.yaml").write_text(json.dumps({"connections": entries}))
    machines = {row[0]: {"template": "many", "name": {"zh": row[0], "en": row[0]}, "area": "mine"} for row in rows}
    (folder / "equipment" / "all.yaml").write_text(json.dumps({"equipment": machines}))
    lines = ["equipment,point,connection,group,address", *(",".join(map(str, row)) for row in rows)]
    (folder / "points" / "all.csv").write_text("\n".join(lines) + "\n")
    return folder


def plc(port=502, **more):
    return {"host": "127.0.0.1", "port": port, **more}


def test_p1_a_thousand_neighbours_take_eight_requests(tmp_path):
    rows = [("e", f"p{n}", "plc", "all", f"hr:{n}") for n in range(1000)]
    found = load(site(tmp_path / "s", {"plc": (plc(), {"all": {"period": 1}})}, rows))
    one = capacity(found, 0.02)[0]
    assert len(one.groups[0].requests) == 8 and one.requests_per_s == 8
    assert one.groups[0].poll_s == pytest.approx(8 * 0.02) and one.share == pytest.approx(0.16)
    assert not one.advice and not one.too_much


def test_p4_what_cannot_be_kept_is_said_with_a_period_that_can(tmp_path):
    rows = [("e", f"p{n}", "plc", "fast", f"hr:{n * 50}") for n in range(30)]
    found = load(site(tmp_path / "s", {"plc": (plc(), {"fast": {"period": 0.2}})}, rows))
    one = capacity(found, 0.02)[0]
    assert one.too_much and one.share == pytest.approx(3.0)
    said = "\n".join(english for _, english in one.advice)
    assert "30 requests in all groups; with gap: 64" in said
    assert "make the period at least 1 s" in said and TIGHT >= 30 * 0.02 / 1
    assert "4.3 times as long" in said


def test_p4_many_units_behind_one_address_are_judged_together(tmp_path):
    """One serial server with 130 meters: each alone is idle, together they are too much."""
    names = [f"meter{n}" for n in range(130)]
    connections = {name: (plc(unit=number + 1), {"all": {"period": 2}}) for number, name in enumerate(names)}
    rows = [(name, "p0", name, "all", "hr:0") for name in names]
    loads = capacity(load(site(tmp_path / "s", connections, rows)), 0.02)
    assert all(one.share == pytest.approx(0.01) for one in loads)
    assert all(one.too_much and "130 %" in one.advice[-1][1] for one in loads)


def test_a_slow_group_that_holds_up_a_fast_one_is_named(tmp_path):
    rows = [("e", f"p{n}", "plc", "slow", f"hr:{n * 50}") for n in range(20)] + [("e", "p500", "plc", "fast", "hr:9")]
    groups = {"fast": {"period": 0.2}, "slow": {"period": 10}}
    one = capacity(load(site(tmp_path / "s", {"plc": (plc(), groups)}, rows)), 0.02)[0]
    assert not one.too_much and "the group fast with its period of 0.2 s waits" in one.advice[0][1]


@pytest.mark.parametrize(("baud", "parity", "stop"), [(9600, "even", 1), (9600, "none", 2), (115200, "odd", 1)])
def test_the_load_of_a_serial_line_is_that_of_its_characters(baud, parity, stop):
    plan = compile_plan([Tag(n, "p", f"hr:{n}") for n in range(100)], unit=1, gap=8, max_registers=125, max_bits=2000)
    (request,) = asked_by(plan, Place("serial", "", "/dev/ttyS0", baud, parity, stop))
    bits = 9 + (parity != "none") + stop
    characters, silence = (8 + 205) * bits / baud, 2 * max(3.5 * 11 / baud, 0.00175)
    assert (request.sent_bytes, request.received_bytes) == (8, 205)
    assert characters < request.line_s <= characters + silence + 1e-9
    assert asked_by(plan, Place("tcp", "10.0.0.1", 502))[0].line_s == 0


async def test_measured_beats_assumed(tmp_path):
    slow = device({1: {"hr": {0: bytes(400)}}})
    slow.delay_s = 0.05
    await slow.start()
    try:
        rows = [("e", f"p{n}", "plc", "all", f"hr:{n * 50}") for n in range(3)] + [("e", "p9", "dead", "all", "hr:0")]
        connections = {
            "plc": (plc(slow.port), {"all": {"period": 1}}),
            "dead": (plc(1, timeout_s=0.3), {"all": {"period": 1}}),
        }
        folder = site(tmp_path / "s", connections, rows)
        took, failed = await measure(load(folder), ["plc", "dead"])
        assert 0.15 <= took["plc", "all"] < 1.5 and list(failed) == ["dead"]
        done = await sevenones("plan", folder, "--measure", "--connection", "plc")
        assert done.code == 0 and "实测 · measured" in done.out
    finally:
        await slow.close()


async def test_the_command_ends_with_1_where_periods_cannot_be_kept(tmp_path):
    rows = [("e", f"p{n}", "plc", "fast", f"hr:{n * 200}") for n in range(30)]
    folder = site(tmp_path / "s", {"plc": (plc(), {"fast": {"period": 0.2}})}, rows)
    done = await sevenones("plan", folder)
    assert done.code == 1 and "周期" in done.out and "make the period at least" in done.out
    fine = await sevenones("plan", folder, "--round-trip", "2ms", "--json")
    assert fine.code == 0 and json.loads(fine.out)[0]["groups"][0]["requests"] == 30
    assert (await sevenones("plan", folder, "--round-trip", "fast")).code == 1
    assert (await sevenones("plan", tmp_path / "nowhere")).code == 1
