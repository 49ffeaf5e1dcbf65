"""The connections of a mine: over which gateway, how, and how often."""

from __future__ import annotations

from tools.mines.description import Mine

SURFACE, UNDERGROUND, FACE = "edge1", "edge2", "edge3"
NORMAL = {"normal": "1 s", "slow": "10 s"}
FAST = {"fast": "200 ms", **NORMAL}

# name: (gateway, adapter, offset of the port, groups)
Entry = tuple[str, str, int, dict[str, str]]


def _table(mine: Mine) -> dict[str, Entry]:
    table: dict[str, Entry] = {
        "belt_plc_1": (SURFACE, "modbus", 0, FAST),
        "belt_plc_2": (UNDERGROUND, "modbus", 1, FAST),
        "belt_plc_3": (FACE, "modbus", 2, FAST),
        "belt_plc_4": (UNDERGROUND, "modbus", 3, FAST),
        "scales": (SURFACE, "rtu", 4, {"normal": "1 s", "slow": "5 s"}),
        "pump_station": (FACE, "modbus", 5, {"fast": "500 ms", "normal": "1 s", "slow": "5 s"}),
        "roadheader_plc_1": (UNDERGROUND, "modbus", 6, {"fast": "500 ms", **NORMAL}),
        "roadheader_plc_2": (UNDERGROUND, "modbus", 7, {"fast": "500 ms", **NORMAL}),
        "pump_plc": (UNDERGROUND, "modbus", 8, NORMAL),
        "compressor_plc": (SURFACE, "modbus", 9, {"normal": "2 s", "slow": "10 s"}),
        "support_host_1": (FACE, "modbus", 10, {"fast": "500 ms", "normal": "1 s"}),
        "support_host_2": (FACE, "modbus", 11, {"fast": "500 ms", "normal": "1 s"}),
        "aux_fans": (UNDERGROUND, "modbus", 12, NORMAL),
        "face_opcua": (FACE, "opcua", 13, FAST),
    }
    for n, gateway in enumerate((SURFACE, UNDERGROUND, UNDERGROUND, FACE)):
        table[f"substation_{n}"] = (gateway, "rtu", 20 + n, {"normal": "2 s", "slow": "10 s"})
        table[f"meters_{n}"] = (gateway, "rtu", 30 + n, {"normal": "5 s", "slow": "30 s"})
    for name, gateway in (("main_fans", SURFACE), ("bolters_mqtt", UNDERGROUND), ("chamber_mqtt", UNDERGROUND),
                          ("network_mqtt", SURFACE)):  # fmt: skip
        table[name] = (gateway, "sparkplug" if name == "main_fans" else "mqtt", 40, {"normal": "1 s"})
    table["safety_files"] = (SURFACE, "kj", -1, {"files": "10 s"})
    table["personnel_sql"] = (SURFACE, "sql", -1, {"rows": "10 s"})
    if mine.support_hosts == 1:
        del table["support_host_2"]
    if mine.aux_fans == "aux_fan_sparkplug":
        table["aux_fans"] = (UNDERGROUND, "sparkplug", 40, {"normal": "1 s"})
    table["network_mqtt"] = (SURFACE, "mqtt", 40, {"normal": "5 s"})
    return table


def ports(mine: Mine) -> dict[str, tuple[str, int]]:
    """Connection → (environment variable, port)."""
    return {
        name: ("SEVENONES_MQTT_PORT" if offset == 40 else f"SEVENONES_{name.upper()}_PORT", mine.port + offset)
        for name, (_, _, offset, _) in _table(mine).items()
        if offset >= 0
    }


def adapters(mine: Mine) -> dict[str, str]:
    """Connection → adapter."""
    return {name: "modbus" if adapter == "rtu" else adapter for name, (_, adapter, _, _) in _table(mine).items()}


def gateways(mine: Mine) -> dict[str, str]:
    """Connection → gateway."""
    return {name: gateway for name, (gateway, _, _, _) in _table(mine).items()}


def connections(mine: Mine) -> dict[str, object]:
    """What connections.yaml says."""
    at = {name: f"${{{variable}:-{port}}}" for name, (variable, port) in ports(mine).items()}
    found: dict[str, object] = {}
    for name, (gateway, adapter, _, periods) in _table(mine).items():
        settings: dict[str, object] = {"host": "127.0.0.1", "port": at.get(name, "")}
        if adapter == "modbus":
            settings |= {"unit": 1, "timeout_s": 1}
        elif adapter == "rtu":
            settings |= {"transport": "rtu-over-tcp", "timeout_s": 1}
        elif adapter == "opcua":
            settings = {
                "url": f"opc.tcp://127.0.0.1:{at[name]}/sevenones",
                "security": "basic256sha256",
                "user": "gateway",
                "password": "${SEVENONES_OPCUA_PASSWORD}",
                "certificate_dir": "${SEVENONES_HOME:-.sevenones}/opcua",
            }
        elif adapter in ("mqtt", "sparkplug"):
            settings |= {
                "user": "gateway",
                "password": "${SEVENONES_MQTT_PASSWORD}",
                "client_id": f"sevenones-{mine.folder}-{name.replace('_', '-')}",
            }
            if adapter == "sparkplug":
                settings["host_id"] = f"sevenones-{mine.folder}-{name.replace('_', '-')}"
        elif adapter == "kj":
            settings = {
                "folder": f"${{SEVENONES_HOME:-.sevenones}}/kj/{mine.folder}",
                "mine": mine.code,
                "equipment": "ch4_main_return",
            }
        elif adapter == "sql":
            settings = {
                "url": f"${{SEVENONES_PERSONNEL_URL:-sqlite:///.sevenones/personnel-{mine.folder}.db}}",
                "view": "station_readings",
                "key": "id",
                "time": "read_at",
                "name": "point",
                "value": "value",
                "poll_s": 2,
                "state_dir": "${SEVENONES_HOME:-.sevenones}/sql",
            }
        found[name] = {
            "gateway": gateway,
            "adapter": "modbus" if adapter == "rtu" else adapter,
            "settings": settings,
            "groups": {group: {"period": period} for group, period in periods.items()},
        }
    return {"connections": found}
