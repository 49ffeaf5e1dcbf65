"""interlocks/belts.yaml: a belt starts only onto one that runs, as far as one gateway sees both."""

from __future__ import annotations

from typing import Any

from tools.mines import plant
from tools.mines.description import Mine
from tools.mines.rules import INTERLOCK, UPSTREAM

HEAD = ("What must hold for a machine to be started: see docs/control.md.",)


APART = {("belt_102", "belt_101"), ("belt_104", "belt_103")}
"""Pairs whose belts two gateways read: there the sequence alone keeps the order."""


def interlocks(mine: Mine) -> dict[str, dict[str, Any]]:
    """By id."""
    called = plant.called(mine)
    return {
        f"{belt}_onto_{onto}": {
            "name": {
                "zh": f"{called[onto].zh}运行后方可启动{called[belt].zh}",
                "en": f"The {called[belt].within} starts only while the {called[onto].within} runs",
            },
            "equipment": belt,
            "unless": [{"point": f"{onto}/running", "equals": 1}],
            "source": INTERLOCK,
        }
        for onto, fed in UPSTREAM.items()
        for belt in fed
        if (belt, onto) not in APART
    }
