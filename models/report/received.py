"""What a report says of days that came from a mine ready-made: the platform has no samples to reckon them from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from models.site.model import Name


def received(mines: Mapping[Name, Collection[date]]) -> tuple[Name, ...]:
    """A sentence for each mine of which days were received."""
    return tuple(
        Name(
            f"证据：{name.zh} 的 {len(days)} 天由该矿编制后送来，本平台没有其判定区间和样本，不能复算。",
            f"Evidence: {len(days)} days of {name.en} were made by the mine and received; their intervals and samples "
            "are not here, so that they cannot be reckoned again.",
        )
        for name, days in mines.items()
        if days
    )
