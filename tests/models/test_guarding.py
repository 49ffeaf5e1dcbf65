"""What a site says about watching its points and deriving others, right and wrong."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.site import examine, load
from models.site.expressions import FUNCTIONS, MAX_INPUTS, MAX_LENGTH, parse
from models.site.model import ClockPolicy, Guards
from sevenones.site_check import examine as whole_check
from tests.models.sites import CONNECTIONS, POINTS, english, write


def table(column, *rows):
    """A point table with one more column: rows of (point, address, type, scale, cell)."""
    head = f"equipment,point,connection,group,address,type,scale,{column}\n"
    return head + "".join(f"belt,{p},plc,slow,{a},{t},{s},{cell}\n" for p, a, t, s, cell in rows)


def problems(tmp_path, **files):
    return "\n".join(map(str, whole_check(write(tmp_path, **files)).problems))


def points_of(tmp_path, **files):
    return {point.key: point for point in load(write(tmp_path, **files)).points}


def test_all_guards_are_read_from_cells_and_from_yaml(tmp_path):
    rows = (
        "equipment,point,connection,group,address,type,no_value,frozen,jump,heartbeat,rollover,debounce,curve\n"
        "belt,speed,plc,slow,hr:0,uint16,65535；0x7fff,10 min,0.5,running,,,\n"
        "belt,running,plc,slow,hr:1,uint16,,5 s,,,,200 ms,\n"
        "belt,coal_total,plc,slow,hr:2,uint16,,,,,65536,,\n"
        "belt,flow,plc,slow,hr:3,uint16,,,,,,,4:0; 12：50; 20:100\n"
    )
    found = points_of(tmp_path, points__all_csv=rows)
    beat = "140525000099/belt/running"
    assert found["speed"].guards == Guards(no_value=(65535.0, 32767.0), frozen_s=600.0, jump=0.5, heartbeat=beat)
    assert found["running"].guards == Guards(frozen_s=5.0, debounce_s=0.2)
    assert found["coal_total"].guards == Guards(rollover=65536.0)
    assert found["flow"].guards.curve == ((4.0, 0.0), (12.0, 50.0), (20.0, 100.0))
    assert found["ch4"].guards == Guards()


def test_chinese_headings_name_the_guards(tmp_path):
    rows = "设备,测点,连接,分组,地址,类型,空值,跳变\nbelt,speed,plc,slow,hr:0,uint16,65535,2\n"
    assert points_of(tmp_path, points__all_csv=rows)["speed"].guards == Guards(no_value=(65535.0,), jump=2.0)


def test_a_connection_has_heartbeat_clock_zone_and_its_groups_priority(tmp_path):
    connections = CONNECTIONS.replace(
        "    settings:\n", "    heartbeat: belt/running\n    clock: check\n    time_zone: Asia/Shanghai\n"
        "    skew: 3 s\n    settings:\n", 1
    ).replace("slow: {period: 5}", "slow: {period: 5, priority: 8}")  # fmt: skip
    rows = POINTS + "belt,running,plc,slow,hr:9,uint16,,,,\n"
    site = load(write(tmp_path, connections_yaml=connections, points__all_csv=rows))
    plc = site.connections["plc"]
    assert (plc.clock, plc.time_zone, plc.skew_s) == (ClockPolicy.CHECK, "Asia/Shanghai", 3.0)
    assert [group.priority for group in plc.groups.values()] == [5, 8]
    beats = {point.key: point.guards.heartbeat for point in site.points if point.connection == "plc"}
    assert beats == {"speed": "140525000099/belt/running", "flow": "140525000099/belt/running", "running": ""}


@pytest.mark.parametrize(
    ("column", "row", "expected"),
    [
        ("rollover", ("speed", "hr:0", "uint16", "", "65536"), "H2: 'rollover' is for points of kind counter"),
        ("rollover", ("coal_total", "hr:0", "uint16", "", "4294967296"), "H2: uint16 ends at 65535 and never reaches"),
        ("jump", ("coal_total", "hr:0", "uint32", "", "5"), "H2: 'jump' is for points of kind analog"),
        ("debounce", ("speed", "hr:0", "uint16", "", "200 ms"), "H2: 'debounce' is for points of kind state"),
        ("frozen", ("running", "hr:0", "uint16", "", "10 min"), "H2: a point of kind state may rightly stay the same"),
        ("frozen", ("speed", "hr:0", "uint16", "", "soon"), "H2: 'soon' is not a time span"),
        ("heartbeat", ("speed", "hr:0", "uint16", "", "beats"), "H2: no point 'belt/beats' is bound"),
        ("heartbeat", ("speed", "hr:0", "uint16", "", "gas/ch4"), "H2: the heartbeat 'gas/ch4' is read over 'broker'"),
        ("no_value", ("speed", "hr:0", "uint16", "", "none"), "H2: 'none' is not a list of numbers"),
        ("no_value", ("speed", "hr:0", "int16", "", "65535"), "H2: int16 holds -32768 … 32767, so 65535 never comes"),
        ("curve", ("speed", "hr:0", "uint16", "", "4:0; 4:1"), "H2: the raw numbers of a curve must rise: 4 comes"),
        ("curve", ("speed", "hr:0", "uint16", "0.1", "4:0; 20:1"), "H2: a curve takes the place of scale and offset"),
        ("curve", ("speed", "hr:0", "uint16", "", "4:0"), "H2: a curve needs two points at least"),
        ("curve", ("speed", "hr:0", "uint16", "", "4-0"), "H2: '4-0' is not a curve such as"),
        ("high", ("flow", "hr:0", "int16", "0.1", "5000"), "H2: int16 with this scale holds -3276.8 … 3276.7 t/h"),
        ("low", ("flow", "hr:0", "uint16", "0.1", "-5"), "H2: uint16 with this scale holds 0 … 6553.5 t/h"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_at_its_cell(tmp_path, column, row, expected):
    (found,) = whole_check(write(tmp_path, points__all_csv=table(column, row))).problems  # named once
    assert english(found).startswith("points/all.csv:" + expected), found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("heartbeat: running", "write the heartbeat of a connection as equipment/point"),
        ("heartbeat: belt/beats", "no point 'belt/beats' is bound"),
        ("heartbeat: gas/ch4", "is read over 'broker'"),
        ("heartbeat: a b", "'a b' is not another point: write its key"),
        ("clock: sundial", "'clock' must be one of"),
        ("time_zone: Asia/Taiyuan", "there is no time zone 'Asia/Taiyuan'"),
        ("groups: {fast: {period: 1, priority: 10}}", "'priority' must be at most 9"),
    ],
)
def test_what_a_connection_cannot_say_is_named_at_its_line(tmp_path, line, expected):
    mqtt = "    adapter: mqtt\n"
    connections = CONNECTIONS.replace(mqtt, f"    {line}\n{mqtt}")
    found = problems(tmp_path, connections_yaml=connections)
    if "gas/ch4" in line:  # its own connection: right
        assert not found
    else:
        assert re.match(r"connections\.yaml:1[34]: ", found) and expected in found, found


def test_a_template_range_beyond_the_type_is_a_note_and_overlapping_registers_too(tmp_path):
    rows = (
        "equipment,point,connection,group,address,type,scale\n"
        "belt,speed,plc,slow,hr:100,float32,\n"
        "belt,flow,plc,slow,hr:101,int16,0.01\n"
        "belt,current_1,plc,slow,hr:103,uint16,0.01\n"
        "belt,running,plc,slow,hr:103.3,bool,\n"
    )
    report = whole_check(write(tmp_path, points__all_csv=rows))
    assert report.site is not None, report.problems
    notes = "\n".join(map(str, report.notes))
    assert (
        "points/all.csv:E3: hr:101（int16）与 hr:100（float32）重叠，后者由 points/all.csv:B2 处的 belt/speed 读取 · "
        "hr:101 (int16) overlaps hr:100 (float32), which belt/speed reads at points/all.csv:B2"
    ) in notes
    assert notes.count("overlaps") == 1, "a word read bit by bit is usual"
    assert "points/all.csv:F3: int16 按此倍率只能表示 -327.68 … 327.67 t/h，达不到上量程" in notes
    assert " · int16 with this scale holds -327.68 … 327.67 t/h and never reaches high" in notes


# ---- derived points


def test_a_derived_point_has_its_formula_inputs_connection_and_unit(tmp_path):
    rows = (
        "equipment,point,connection,group,address,type,unit,expression\n"
        "belt,current_1,plc,slow,hr:0,uint16,,\n"
        "belt,current_2,plc,fast,hr:1,uint16,,[belt/current_1] * 0.5\n".replace("hr:1,uint16", ",")
        + "belt,speed,plc,slow,hr:2,uint16,,\n"
        'belt,flow,,,,,kg/s,"where(speed > 0.2, max(current_1, current_2), 0) * 2"\n'
    )
    found = points_of(tmp_path, points__all_csv=rows)
    flow = found["flow"]
    mine = "140525000099/belt/"
    assert flow.formula.inputs == (mine + "speed", mine + "current_1", mine + "current_2")
    assert flow.formula.code == "(where((x0>0.2),maximum(x1,x2),0.0)*2.0)"
    assert (flow.connection, flow.group, flow.address) == ("plc", "slow", "")
    assert flow.factor == pytest.approx(3.6), "kg/s to t/h"
    assert found["current_2"].formula.inputs == (mine + "current_1",)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["flow,,,,,,speed + 1"], "no point 'speed' is bound"),
        (["flow,,,,,,[gas/ch4] + current_1"], "its inputs come over broker and plc"),
        (["flow,,,,,,current_1 +"], "is not an expression such as"),
        (["flow,,,,,,__import__('os').system('x')"], "no names that begin with _"),
        (["flow,,,,,,current_1.real"], "an expression may not hold 'current_1.real'"),
        (["flow,,,,,,open(current_1)"], "there is no function 'open'"),
        (["flow,,,hr:9,,,current_1 * 2"], "a derived point follows from others and has no 'address'"),
        (["flow,,,,,,current_1"], "the expression gives 'A', and the point is said to come in 't/h'"),
        (["flow,,,,,,current_1 + current_1 * current_1"], "are added or compared: bring them to one unit first"),
        (["flow,,,,,,current_2 * 2", "current_2,,,,,,flow * 2"], "this point is derived from itself: belt/"),
        (["flow,,,,,,flow * 2"], "this point is derived from itself: belt/flow → belt/flow"),
        (["mode,,,,,,2 + current_1 * 0"], "it says remote or automatic whatever its inputs are"),
        (['mode,,,,,,"where(current_1 > 0, 2, 1 + 2)"'], "it says remote or automatic whatever its inputs are"),
    ],
)
def test_a_wrong_expression_is_named_at_its_cell(tmp_path, rows, expected):
    rows = "".join(f"belt,{row}\n" for row in rows)
    head = "equipment,point,connection,group,address,type,unit,expression\nbelt,current_1,plc,slow,hr:0,uint16,,\n"
    found = problems(tmp_path, points__all_csv=head + rows)
    assert expected in found and "points/all.csv:" in found, found
    assert found.startswith(("points/all.csv:H3", "points/all.csv:E3")), found


def test_an_input_that_is_wrong_itself_is_named_once(tmp_path):
    head = "equipment,point,connection,group,address,type,unit,expression\nbelt,current_1,plc,slow,hr:x,uint16,,\n"
    found = problems(tmp_path, points__all_csv=head + "belt,flow,,,,,,current_1 * 2\n")
    assert found.count("\n") == 0 and "hr:x" in found, found


def test_expressions_are_bounded():
    for text in (
        "a+" * 60 + "a",
        "a" * (MAX_LENGTH + 1),
        "(" * 220 + "a" + ")" * 220,
        "a**99",
        "1e999*a",
        "9" * 400 + "*a",
    ):
        with pytest.raises(ValueError):
            parse(text)
    nested = "a"
    for _ in range(30):
        nested = f"(1<{nested}<2)"
    with pytest.raises(ValueError):
        parse(nested)
    assert len(parse("+".join(f"a{i}" for i in range(32))).inputs) == 32


def test_a_percentage_of_the_lower_explosive_limit_is_a_twentieth_percent_of_methane(tmp_path):
    assert points_of(tmp_path)["ch4"].factor == 0.05
    assert examine(tmp_path).site is not None


PUMP = """\
id: own_pump
name: {zh: 泵, en: Pump}
category: drainage
points:
  flow: {name: {zh: 流量, en: Flow}, role: pump.flow, kind: analog, unit: m3/h, frozen_s: 600, jump: 50}
  door: {name: {zh: 门, en: Door}, role: door.state, kind: state, debounce_s: 0.2, states: {0: {zh: 关, en: shut}}}
"""
PUMPS = """\
equipment:
  pump_1:
    template: own_pump
    name: {zh: 泵, en: Pump}
    area: mine
    defaults: {connection: plc, group: slow}
    points:
      flow: {address: "hr:50", jump: 20, no_value: [65535, -9999], curve: [[4, 0], [20, 100]]}
      door: {address: "hr:51"}
"""


def test_a_template_suggests_guards_and_a_binding_overrides_them(tmp_path):
    site = load(write(tmp_path, templates__own_pump_yaml=PUMP, equipment__pumps_yaml=PUMPS))
    found = {point.key: point.guards for point in site.points if point.equipment == "pump_1"}
    assert found["flow"] == Guards(
        frozen_s=600.0, jump=20.0, no_value=(65535.0, -9999.0), curve=((4.0, 0.0), (20.0, 100.0))
    )
    assert found["door"] == Guards(debounce_s=0.2)


@pytest.mark.parametrize(
    ("was", "now"), [("kind: analog, unit: m3/h", "kind: counter, unit: m3"), ("frozen_s: 600", "debounce_s: 1")]
)
def test_a_template_that_guards_what_cannot_be_guarded_so_is_refused(tmp_path, was, now):
    files = {"templates__own_pump_yaml": PUMP.replace(was, now), "equipment__pumps_yaml": PUMPS}
    assert "templates/own_pump.yaml:5" in problems(tmp_path, **files)


def test_derived_points_are_not_among_those_read_over_a_connection(tmp_path):
    rows = POINTS + "belt,current_1,plc,slow,hr:9,uint16,,,,\n"
    rows = "\n".join(f"{line}," for line in rows.splitlines()).replace("unit,", "unit,expression", 1)
    site = load(write(tmp_path, points__all_csv=rows + "\nbelt,current_2,,,,,,,,,current_1 * 1.5\n"))
    assert "current_2" in {point.key for point in site.points if point.connection == "plc"}
    assert {point.key for point in site.points_of("plc")} == {"speed", "flow", "current_1"}


@settings(max_examples=1500, deadline=None)
@given(
    st.text(st.sampled_from("ab0159.,+-*/()<>=!&|~^%@[]{}:;'\"_ \n\\éwhereminotadlk"), max_size=60)
    | st.text(max_size=40)
)
def test_whatever_is_typed_is_refused_in_words_or_is_arithmetic_and_nothing_else(text):
    try:
        code = parse(text).code()
    except ValueError as error:
        assert str(error)
        return
    names = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"\d\.\d*e[+-]?\d+", "0.0", code)))
    assert names <= {"minimum", "maximum", *FUNCTIONS} | {f"x{i}" for i in range(MAX_INPUTS)}
    assert re.fullmatch(r"[\w.+\-*/()<>=!&|~,]*", code), code


@pytest.mark.proof
@settings(max_examples=1_000_000, deadline=None)
@given(st.text(st.sampled_from("ab01.,+-*/()<>=[]_ whereminotadlk"), max_size=80))
def test_a_million_typed_expressions(text):
    try:
        parse(text).code()
    except ValueError as error:
        assert str(error)
