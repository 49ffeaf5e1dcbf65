"""The page on values watched at the edge says what is so."""

import re
from pathlib import Path

from models.site.expressions import FUNCTIONS
from models.site.model import ClockPolicy
from models.site.schema import Binding
from models.site.tables import _CHINESE
from sevenones.site_check import examine
from tests.models.sites import SITE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "edge.md").read_text(encoding="utf-8")

TEMPLATE = """\
id: small_pump
name: {zh: 水泵, en: Small pump}
category: drainage
points:
  beat: {name: {zh: 心跳, en: Heartbeat}, role: device.heartbeat, kind: counter}
  flow: {name: {zh: 流量, en: Flow}, role: pump.flow, kind: analog, unit: m3/h}
  level: {name: {zh: 水位, en: Level}, role: sump.level, kind: analog, unit: m, low: 0, high: 5}
  total: {name: {zh: 累计, en: Total}, role: pump.total, kind: counter, unit: m3}
  valve:
    name: {zh: 阀, en: Valve}
    role: valve.state
    kind: state
    states: {0: {zh: 关, en: shut}, 1: {zh: 开, en: open}}
  voltage: {name: {zh: 电压, en: Voltage}, role: motor.voltage, kind: analog, unit: V}
  current: {name: {zh: 电流, en: Current}, role: motor.current, kind: analog, unit: A}
  power: {name: {zh: 功率, en: Power}, role: motor.power, kind: analog, unit: kW}
  efficiency: {name: {zh: 单耗, en: Efficiency}, role: pump.efficiency, kind: analog}
"""


def test_the_examples_pass_the_check_and_mean_what_they_say(tmp_path: Path) -> None:
    blocks = dict(re.findall(r'```yaml title="([^"]+)"\n(.*?)```', PAGE, re.S))
    files = {
        "site.yaml": SITE,
        "areas.yaml": "areas:\n  room: {name: {zh: 泵房, en: Pump room}}\n",
        "templates/small_pump.yaml": TEMPLATE,
        **blocks,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = examine(tmp_path)
    assert report.site is not None, "\n".join(map(str, report.problems))
    points = {point.key: point for point in report.site.points}
    beat = "140525000099/pump_1/beat"
    assert {key: point.guards.heartbeat for key, point in points.items() if point.formula is None} == {
        key: "" if key == "beat" else beat for key in points if key not in ("power", "efficiency")
    }
    assert points["level"].guards.curve[1] == (12000.0, 240.0) and points["level"].factor == 0.01
    assert points["power"].factor == 0.001, "VA to kW"
    assert points["power"].formula is not None and points["power"].formula.inputs[0].endswith("/valve")
    (connection,) = report.site.connections.values()
    assert connection.clock is ClockPolicy.CHECK and connection.groups["urgent"].priority == 8


def test_every_column_heading_and_function_that_the_page_names_is_there_and_none_is_left_out() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE, re.M)
    later = list(Binding.model_fields)
    assert {column for column, _ in rows} == set(later[later.index("no_value") :])
    assert all(_CHINESE[heading] == column for column, heading in rows)
    named = PAGE.split("## Expressions")[1].split("## The device's clock")[0]
    assert all(re.search(rf"\b{name}\b", named) for name in FUNCTIONS)
