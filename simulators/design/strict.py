"""The base of every design, and the kinds of numbers that designs share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
NotNegative = Annotated[float, Field(ge=0, le=1e6)]
Celsius = Annotated[float, Field(ge=-40, le=250)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def rising(low: float, high: float, what: str) -> None:
    """Raises ValueError unless low ≤ high."""
    if low > high:
        raise ValueError(f"{what}: {low:g} 大于 · is above {high:g}")
