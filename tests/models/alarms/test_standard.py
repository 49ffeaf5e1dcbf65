"""The standard rules against the house's roles and templates."""

from __future__ import annotations

from pathlib import Path

import yaml

from models import vocabulary
from models.alarms.standard import Bits, standards

LIBRARY = Path("models/library")


def test_every_role_is_the_houses_and_every_state_one_that_a_template_has() -> None:
    templates = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(LIBRARY.glob("*.yaml"))]
    states: dict[str, set[int]] = {}
    for template in templates:
        for point in template["points"].values():
            states.setdefault(point["role"], set()).update(point.get("states", {}))
    found = standards()
    for name, rule in found.rules.items():
        wanted = rule.is_.bits if isinstance(rule.is_, Bits) else rule.is_
        for role in rule.roles:
            assert role in vocabulary.roles(), f"{name}: {role}"
            assert states[role] >= set(wanted), f"{name}: {role}"
        if rule.gate is not None:
            assert states[rule.gate.role] >= set(rule.gate.unless), name
        assert set(rule.templates) <= {template["id"] for template in templates}, name
    for name, together in found.together.items():
        assert states[together.role] >= {together.is_}, name
        assert set(together.templates) <= {template["id"] for template in templates}, name
    limits = found.limits
    for role in (
        *limits.cut,
        *limits.on_s,
        *limits.running.roles,
        *(role for roles in limits.roles.values() for role in roles),
    ):
        assert role in vocabulary.roles(), role


def test_what_must_never_be_shelved_is_statutory() -> None:
    rules = standards().rules
    for name in ("smoke", "feed.abnormal", "duct.no_air", "fan.stopped", "lock.gas", "lock.wind", "sensor.fault"):
        assert rules[name].statutory, name
    assert standards().together["fan.none"].statutory


def test_what_a_statutory_point_is_judged_by_comes_no_later_than_it_does() -> None:
    """Statutory samples go first: a gate behind them is not known yet when they are judged, and lets them raise."""
    for name, rule in standards().rules.items():
        if rule.gate is None:
            continue
        for path in sorted(LIBRARY.glob("*.yaml")):
            points = yaml.safe_load(path.read_text(encoding="utf-8"))["points"].values()
            judged = {point.get("retention") for point in points if point["role"] in rule.roles}
            gates = {point.get("retention") for point in points if point["role"] == rule.gate.role}
            assert "statutory" not in judged or gates <= {"statutory"}, f"{name}: {path.name}"
