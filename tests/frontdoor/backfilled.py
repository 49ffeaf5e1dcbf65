"""A small mine to fill a store with: a part of a few machines, and a site that reads them in several ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from simulators.engine.engine import Engine
from simulators.engine.filters import Total, Wander
from simulators.engine.part import Part, Row, Rows

MACHINES = 5
KEYS = ("load", "heat", "run", "count", "word")


class Machines(Part):
    """`load` wanders, `heat` is slow, `run` toggles, `count` counts and rolls over, `word` is seldom no state."""

    def __init__(self, rng: np.random.Generator) -> None:
        names = [f"m{n}" for n in range(MACHINES)]
        self.channels = [f"{name}.{key}" for key in KEYS for name in names]
        self.channels += [f"{name}!{key}" for key in ("producing", "intelligent") for name in names]
        one, other = rng.spawn(2)  # each its own, or the cut into blocks would show
        self._load = Wander(20.0, 30.0, MACHINES, one)
        self._heat = Wander(5.0, 600.0, MACHINES, other)
        self._count = Total(MACHINES, 65_000.0 + np.arange(MACHINES))
        self._now = np.zeros(MACHINES)

    def step(self, dt: float, row: Row) -> None:
        self._now += dt
        run = (self._now + 37.0 * np.arange(MACHINES)) % 300.0 < 200.0
        row[2 * MACHINES : 3 * MACHINES] = run
        row[4 * MACHINES : 5 * MACHINES] = np.where(self._now % 97.0 < 1.5, 9.0, run)
        row[5 * MACHINES : 6 * MACHINES] = run
        row[6 * MACHINES : 7 * MACHINES] = run & (np.arange(MACHINES) % 2 == 0)

    def observe(self, dt: float, rows: Rows) -> None:
        run = rows[:, 2 * MACHINES : 3 * MACHINES]
        steps = len(rows)
        rows[:, :MACHINES] = 80.0 * run + self._load.run(dt, steps)
        rows[:, MACHINES : 2 * MACHINES] = 40.0 + self._heat.run(dt, steps)
        rows[:, 3 * MACHINES : 4 * MACHINES] = self._count.run(dt, 3.0 * run) % 65_536.0


def make(start_us: int, seed: int = 1) -> Engine:
    return Engine([Machines(np.random.default_rng(seed))], lambda _dt: None, start_us=start_us)


def broken(start_us: int) -> Engine:
    raise RuntimeError(f"no mine at {start_us}")


def _name(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def write_site(folder: Path) -> Path:
    """Two gateways; Modbus with three periods and phases, of which one is faster than a second, and MQTT."""
    for name in ("templates", "equipment", "points"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    points = {
        "load": {"kind": "analog", "unit": "A", "low": 0, "high": 120, "dead_band": 0.5},
        "heat": {"kind": "analog", "unit": "°C", "dead_band": 0.2},
        "run": {"kind": "state", "states": {0: _name("停"), 1: _name("开")}},
        "count": {"kind": "counter", "unit": "kWh"},
        "word": {"kind": "state", "states": {0: _name("停"), 1: _name("开")}},
    }
    template = {key: {"name": _name(key), "role": f"machine.{key}", **point} for key, point in points.items()}
    files = {
        "site.yaml": {
            "code": "140581999002",
            "name": _name("小矿"),
            "capacity_kt": 900,
            "gas_class": "low",
            "time_zone": "Asia/Shanghai",
        },
        "areas.yaml": {"areas": {"mine": {"name": _name("矿井")}}},
        "templates/machine.yaml": {"id": "machine", "name": _name("机"), "category": "other", "points": template},
        "equipment/all.yaml": {
            "equipment": {
                f"m{n}": {"template": "machine", "name": _name(f"{n}"), "area": "mine"} for n in range(MACHINES)
            }
        },
        "connections.yaml": {
            "connections": {
                "plc": {
                    "gateway": "edge1",
                    "adapter": "modbus",
                    "settings": {"host": "127.0.0.1", "port": 1502},
                    "groups": {
                        "fast": {"period": "300 ms"},
                        "normal": {"period": "1 s", "phase": "350 ms"},
                        "slow": {"period": "5 s", "phase": "2300 ms"},
                    },
                },
                "broker": {
                    "gateway": "edge2",
                    "adapter": "mqtt",
                    "settings": {"host": "127.0.0.1", "port": 1883, "client_id": "small"},
                },
            }
        },
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True))
    rows = ["equipment,point,connection,group,address,type,scale,rollover,options"]
    for n in range(MACHINES):
        at = 10 * n
        rows += [
            f"m{n},load,plc,fast,hr:{at},uint16,0.1,,",
            f"m{n},heat,broker,,m{n}#heat,float64,,,time=ts",
            f"m{n},run,plc,normal,hr:{at + 1}.3,bool,,,",
            f"m{n},count,plc,slow,hr:{at + 2},uint16,,65536,",
            f"m{n},word,plc,normal,hr:{at + 3},uint16,,,",
        ]
    (folder / "points" / "all.csv").write_text("\n".join(rows) + "\n")
    return folder
