"""patrols/chambers.yaml: the chambers that nobody attends, and who looks in how often."""

from __future__ import annotations

from typing import Any

from tools.mines.sequences import PUMPS

OWN = "矿方设定：每班至少一次 set by the mine: at least once a shift"
SINCE = "2026-01-01"
TEAM = {"zh": "机电队", "en": "electrical team"}


def patrols() -> dict[str, Any]:
    """The whole file."""
    return {
        "patrols": {
            "pump_room": {
                "name": {"zh": "中央水泵房", "en": "Central drainage pump room"},
                "equipment": ["pump_room_1", *PUMPS, "pump_5"],
                "environment": ["temp_pump_room/temperature", "humidity_pump_room/humidity", "co_pump_room/co"],
                "presence": "station_11/persons",
                "door": "door_1/door",
                "camera": "中央水泵房-01",
                "plan": [{"every": "4 h", "by": TEAM, "effective_from": SINCE}],
                "source": OWN,
            },
            "substation": {
                "name": {"zh": "中央变电所", "en": "Central substation"},
                "equipment": ["feeder_1_01", "feeder_1_02", "feeder_1_03", "transformer_1"],
                "environment": ["temp_substation/temperature", "ch4_substation/ch4", "smoke_substation/smoke"],
                "presence": "station_12/persons",
                "door": "door_2/door",
                "camera": "中央变电所-01",
                "plan": [{"every": "8 h", "by": TEAM, "effective_from": SINCE}],
                "source": OWN,
            },
        }
    }
