"""A mine's README.md: what it is, its ports, and what each device holds where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tools.mines import connections, maps, plant, safety
from tools.mines.description import Mine
from tools.mines.item import Item


def page(mine: Mine) -> str:
    """The whole page."""
    return "\n".join([*_head(mine), *_ports(mine), *_devices(mine), *_sensors(mine)]) + "\n"


HEAD = """\
# {zh} · {en}

虚构矿井：{county_zh}，120万吨/年，仅用于仿真，由 `python -m tools.mines` 生成，请勿手工修改。

A fictional mine of 1.2 Mt/a in {county_en}, Jincheng. `python -m tools.mines` writes its files from
`tools/mines/mines/{folder}.yaml` and the makers' maps in `tools/mines/maps`: change those. A test holds the folder
against them.

* {face}工作面 · face {face}: {supports} supports, {face_m:g} m; {advanced_m:g} of {panel_m:g} m are won.
* 智能化设备使用率 · utilisation of intelligent equipment **{mean:.2f}**: the mean of {shares}.
* `map/*.geojson`: [east, north, up] in m of EPSG:4526 (CGCS2000, 3-degree zone 38, the zone before the easting), though
  the axes of that system are north and east. The place is made up.
* `network.yaml`: the ring, what hangs on it, the gateways. `rules/*.yaml`: linkages (联动). `simulation.yaml`: what the
  simulated machines, gas and people are like.
"""

START = """\
## 启动 · Start

一条命令启动整座矿：模拟设备、总线（也是 MQTT 服务器）、存储、接口和全部网关。
One command starts all of it: devices, bus (which is the MQTT broker too), store, API and every gateway.

```console
$ sevenones demo --mine {folder} --home .sevenones-{folder}
$ sevenones watch --home .sevenones-{folder} --equipment belt_101              # in another terminal
$ sevenones write {code}/belt_101/speed_set 2.5 --home .sevenones-{folder}
$ sevenones simulate fault heading_air_stop heading_1 --home .sevenones-{folder}
```

`sevenones simulate --mine {folder}` starts the devices alone, without a broker. Passwords that nobody has set are made
and kept in the home's `demo-devices.json`; a gateway that is started by itself needs them in the variables below.
"""

PORTS = """\

MQTT and Sparkplug share a broker. Also from the environment: `SEVENONES_OPCUA_PASSWORD`, `SEVENONES_MQTT_PASSWORD`,
`SEVENONES_HOME` (the exchange files lie in its `kj/{folder}`), `SEVENONES_PERSONNEL_URL` (a database with a view
`station_readings` of the columns `id`, `read_at`, `point`, `value`; SQLite `.sevenones/personnel-{folder}.db`).
`demo` and `simulate` set those that are not set; their SQLite file is `personnel.db` in the home.
"""


def _head(mine: Mine) -> Iterator[str]:
    mean = sum(mine.utilisation.values()) / len(mine.utilisation)
    shares = ", ".join(f"{name} {share:.2f}" for name, share in mine.utilisation.items())
    yield HEAD.format(mean=mean, shares=shares, face_m=mine.face_m, **dict(mine))


def _ports(mine: Mine) -> Iterator[str]:
    yield START.format(folder=mine.folder, code=mine.code)
    yield "## 连接与端口 · Connections and ports"
    yield ""
    yield "| connection | gateway | protocol | port | variable | equipment |"
    yield "|---|---|---|---|---|---|"
    used: dict[str, set[str]] = {}
    for item in plant.items(mine):
        used.setdefault(item.connection, set()).add(item.template)
    adapters, gateways, ports = connections.adapters(mine), connections.gateways(mine), connections.ports(mine)
    for name, adapter in adapters.items():
        variable, port = ports.get(name, ("", ""))
        shown = f"`{variable}`" if variable else ""
        templates = ", ".join(sorted(used[name])) if adapter != "kj" else "safety sensors"
        yield f"| {name} | {gateways[name]} | {adapter} | {port} | {shown} | {templates} |"
    yield PORTS.format(folder=mine.folder)


def _devices(mine: Mine) -> Iterator[str]:
    yield "## 设备测点 · What each device holds"
    yield ""
    yield "value = (raw × scale + offset) in `unit`; {+n} counts from the equipment's base; {unit} is its Modbus unit."
    adapters = connections.adapters(mine)
    things = sorted((item for item in plant.items(mine) if item.map), key=lambda item: item.map)
    for name, group in groupby(things, key=lambda item: item.map):
        items = list(group)
        yield ""
        yield f"### {name}"
        yield _where(items, adapters[items[0].connection])
        yield ""
        if not any(line["address"] for line in maps.lines(name)):
            yield _plain(name, adapters[items[0].connection], items[0], mine.code)
            continue
        yield from _table(name)
    yield ""


def _where(items: Sequence[Item], adapter: str) -> str:
    if items[0].template == "hydraulic_support":
        step = items[1].base - items[0].base
        return f"support_001 … support_{len(items):03d}, each {step} further; a second host begins anew at +0"
    said = []
    for item in items:
        at = f" +{item.base}" if item.base else ""
        at = f" unit {item.unit}" if any("{unit}" in line["address"] for line in maps.lines(item.map)) else at
        said.append(f"{item.id}{at if adapter == 'modbus' else ''} ({item.connection})")
    return ", ".join(said)


def _plain(name: str, adapter: str, first: Item, code: str) -> str:
    """A map whose points are all where that protocol usually has them."""
    lines = maps.lines(name)
    example = maps.usual(adapter, first, lines[0]["point"], code)
    points = ", ".join(line["point"] + (f" ({line['unit']})" if line.get("unit") else "") for line in lines)
    return f"`{example}` and so on: {points}."


def _table(name: str) -> Iterator[str]:
    known = ("type", "order", "scale", "offset", "unit", "options", "no_value", "rollover", "group")
    columns = [key for key in known
               if any(line.get(key) for line in maps.lines(name))]  # fmt: skip
    yield "| point | address | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 2) + "|"
    for line in maps.lines(name):
        cells = [line["point"], f"`{line['address']}`", *(line.get(key, "") for key in columns)]
        yield "| " + " | ".join(cells) + " |"


def _sensors(mine: Mine) -> Iterator[str]:
    yield "## 安全传感器 · Safety sensors"
    yield ""
    yield "In files (`safety_files`): the value at the code, its state at `#state`. The others over `chamber_mqtt`."
    yield ""
    yield "| sensor | what | hangs in | limits | code |"
    yield "|---|---|---|---|---|"
    codes = safety.codes(mine)
    for sensor in safety.sensors(mine):
        told = codes.get(sensor.id, f"mine/{sensor.id}/state")
        yield f"| {sensor.id} | {sensor.zh} | {sensor.place} | {sensor.limit_set} | `{told}` |"
