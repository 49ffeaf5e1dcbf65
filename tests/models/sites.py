"""Small sites for tests: a right one, written out, to be spoilt."""

import re
from dataclasses import replace
from pathlib import Path

from models.site.problems import Problem

SITE = """\
code: "140525000099"
name: {zh: 测试矿, en: Test mine}
capacity_kt: 900
gas_class: low
time_zone: Asia/Shanghai
shifts:
  - {name: {zh: 早班, en: early}, start: 08:00, end: 20:00}
  - {name: {zh: 晚班, en: late}, start: 20:00, end: 08:00}
"""
AREAS = """\
areas:
  mine: {name: {zh: 矿, en: Mine}}
  face: {name: {zh: 工作面, en: Face}, parent: mine}
"""
CONNECTIONS = """\
connections:
  plc:
    gateway: edge1
    adapter: modbus
    settings:
      host: 127.0.0.1
      port: ${PORT:-502}
    groups:
      fast: {period: 200 ms, phase: 50 ms}
      slow: {period: 5}
  broker:
    gateway: edge1
    adapter: mqtt
    settings: {host: 127.0.0.1, client_id: t}
"""
EQUIPMENT = """\
equipment:
  belt: {template: belt_conveyor, name: {zh: 皮带, en: Belt}, area: mine}
  gas:
    template: methane_sensor
    limit_set: T2
    name: {zh: 甲烷, en: Methane}
    area: face
    defaults: {connection: broker, options: {time: ts}}
    points:
      ch4: {address: "mine/gas#v", unit: "%LEL"}
      state: {address: "mine/gas#s"}
"""
POINTS = """\
equipment,point,connection,group,address,type,order,scale,offset,unit
belt,speed,plc,fast,hr:0,float32,cdab,,,
belt,flow,plc,slow,hr:2,uint16,,0.5,10,kg/s
"""


def english(problem: Problem) -> str:
    """The problem as it is told, its Chinese words, which must be there first, taken out."""
    zh, separator, en = problem.message.partition(" · ")
    assert separator and re.search(r"[一-鿿]", zh), problem
    return str(replace(problem, message=en))


def write(root: Path, **files: str | bytes) -> Path:
    """The right site at `root`, its files replaced or added by name with __ for / and _ for the dot."""
    plain: dict[str, str | bytes] = {
        "site.yaml": SITE,
        "areas.yaml": AREAS,
        "connections.yaml": CONNECTIONS,
        "equipment/all.yaml": EQUIPMENT,
        "points/all.csv": POINTS,
    }
    for key, content in files.items():
        folder, _, rest = key.rpartition("__")
        stem, _, suffix = rest.rpartition("_")
        plain[f"{folder}/{stem}.{suffix}" if folder else f"{stem}.{suffix}"] = content
    for name, content in plain.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root
