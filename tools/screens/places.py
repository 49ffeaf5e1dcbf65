"""Which machines and points of the mine that runs a picture shows: found by role, as the console finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[[str], Any]


def places(ask: Ask) -> dict[str, str]:
    """What stands for each `{…}` of pages.yaml. `ask` gets a path under /api/v1/ as JSON."""
    mine = ask("mine")
    by_template: dict[str, str] = {}
    for each in mine["equipment"]:
        by_template.setdefault(each["template"], each["id"])
    points = ask("points?limit=10000")["points"]

    def of_role(role: str) -> str:
        return next((point["point"] for point in points if point["role"] == role), "")

    trend = ",".join(filter(None, (of_role(role) for role in ("ch4", "belt.speed", "shearer.speed"))))
    return {**by_template, "trend": trend, "gas": of_role("ch4")}
