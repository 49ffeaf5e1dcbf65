"""What a command does to its machine."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """`policy.yaml` says which value of which point does what."""

    START = "start"
    STOP = "stop"
    RESET = "reset"
    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    MODE = "mode"
    SET = "set"

    @property
    def safe(self) -> bool:
        """Whether no tag, interlock or right of control may ever be in its way."""
        return self in (Effect.STOP, Effect.POWER_OFF)
