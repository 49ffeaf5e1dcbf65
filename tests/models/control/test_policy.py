"""What writing a value does, and that no role is given what another must do."""

from __future__ import annotations

import math

import pytest

from models.control.effects import Effect
from models.control.policy import policy
from models.site.model import Kind, Name
from tests.gateway.sites import point

RUN = {0: Name("无", "none"), 1: Name("启动", "start"), 2: Name("停止", "stop"), 3: Name("复位", "reset")}
VALVE = {0: Name("关", "closed"), 1: Name("开", "open")}
BREAKER = {0: Name("无", "none"), 1: Name("合闸", "close"), 2: Name("分闸", "open")}


@pytest.mark.parametrize(
    ("role", "kind", "states", "value", "effect"),
    [
        ("command.run", Kind.STATE, RUN, 1, Effect.START),
        ("command.run", Kind.STATE, RUN, 2, Effect.STOP),
        ("command.run", Kind.STATE, RUN, 0, Effect.STOP),
        ("command.run", Kind.STATE, RUN, 3, Effect.RESET),
        ("command.run", Kind.STATE, {}, 7, Effect.START),
        ("command.run", Kind.STATE, {}, None, Effect.START),
        ("command.run", Kind.STATE, {0: Name("启动", "start"), 1: Name("停止", "stop")}, 0, Effect.START),
        ("command.run", Kind.STATE, VALVE, 1, Effect.START),
        ("command.run", Kind.STATE, {1: Name("打开", "open"), 2: Name("切断", "cut")}, 2, Effect.START),
        ("command.run", Kind.STATE, {2: Name("高速", "fast")}, 2, Effect.START),
        ("command.run", Kind.STATE, {1: Name("启动", "stop")}, 1, Effect.START),
        ("command.run", Kind.STATE, {}, 2, Effect.STOP),
        ("command.run", Kind.STATE, RUN, 2.5, Effect.START),
        ("command.breaker", Kind.STATE, {2: Name("储能", "charge")}, 2, Effect.POWER_ON),
        ("command.breaker", Kind.STATE, {2: Name("跳闸", "tripped")}, 2, Effect.POWER_OFF),
        ("command.breaker", Kind.STATE, {}, 2, Effect.POWER_OFF),
        ("command.breaker", Kind.STATE, BREAKER, 1, Effect.POWER_ON),
        ("command.breaker", Kind.STATE, BREAKER, 2, Effect.POWER_OFF),
        ("command.breaker", Kind.STATE, BREAKER, 0, Effect.POWER_OFF),
        ("command.breaker", Kind.STATE, {}, 9, Effect.POWER_ON),
        ("command.breaker", Kind.STATE, {}, math.pi, Effect.POWER_ON),
        ("command.mode", Kind.STATE, {1: Name("停止", "stop")}, 1, Effect.MODE),
        ("command.speed", Kind.ANALOG, {}, 0.0, Effect.STOP),
        ("command.speed", Kind.ANALOG, {}, 2.5, Effect.SET),
        ("command.speed", Kind.STATE, {0: Name("高速", "fast")}, 0, Effect.SET),
        ("", Kind.STATE, BREAKER, 2, Effect.SET),
        ("", Kind.STATE, VALVE, 1, Effect.SET),
        ("", Kind.STATE, RUN, 1, Effect.START),
        ("", Kind.STATE, RUN, 2, Effect.SET),
        ("valve.state", Kind.STATE, VALVE, 1, Effect.SET),
        ("", Kind.ANALOG, {}, 2.0, Effect.SET),
        ("", Kind.TEXT, {}, "stop", Effect.SET),
    ],
)
def test_a_value_is_read_by_its_states_name_then_its_number_then_as_the_dangerous_one(
    role, kind, states, value, effect
):
    assert policy().effect(point("p", role=role, kind=kind, states=states), value) is effect


def test_only_stopping_and_switching_off_are_safe_and_nobody_starts_by_remote_what_is_under_local_control():
    facts = policy()
    assert {effect for effect in Effect if effect.safe} == {Effect.STOP, Effect.POWER_OFF}
    for role in facts.roles:
        for effect in set(Effect) - {Effect.POWER_OFF}:
            assert "local" not in facts.does([role], effect), (role, effect)
    assert not facts.does(["nobody"], Effect.STOP) and not facts.acts(["nobody"], "tag")
    assert [role for role in facts.roles if facts.acts([role], "override")] == ["dispatcher"]
    assert facts.is_direct(["operator"], Effect.STOP) and not facts.is_direct(["operator"], Effect.START)
    assert facts.is_direct(["operator", "sequence"], Effect.START)
