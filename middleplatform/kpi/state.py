"""How the making of figures goes, as it is told: on the metrics page, in the API's health, to who looks at a figure."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from middleplatform.database import Place
from middleplatform.kpi.marks import STATE, mark, marked

STALE_S = 300.0
"""A figure of today is stale when nobody has looked after it for so long."""


@dataclass(slots=True)
class State:
    """`due`: sections of days that are to be made; `oldest`: the first such day, ISO; `last_made`: µs UTC, 0 for never;
    `made`, `revised`: since the start; `failing`: why nothing can be made, `outdated`: why the site is not the newest;
    `broken`: sections that could not be made, "day section: why"; `seconds`: what the last one took."""

    due: int = 0
    oldest: str = ""
    last_made: int = 0
    made: int = 0
    revised: int = 0
    seconds: float = 0.0
    failing: str = ""
    outdated: str = ""
    broken: tuple[str, ...] = ()

    def tell(self, where: Place, mine: str, at: int) -> None:
        """Keep it for the others."""
        mark(where, mine, STATE, asdict(self), at)


def told(where: Place, mine: str) -> tuple[int, dict[str, Any]] | None:
    """When it was told last (µs UTC) and what; None where it never was."""
    return marked(where, mine, STATE)


def trouble(where: Place, mine: str, now: int | None = None) -> list[tuple[str, str]]:
    """What is wrong with the making of figures, in both languages; nothing where all is well or none are made here."""
    found = told(where, mine)
    if found is None:
        return []
    at, state = found
    age_s = ((time.time_ns() // 1000 if now is None else now) - at) / 1e6
    words = []
    if age_s > STALE_S:
        words.append(
            (
                f"指标进程 {age_s / 60:.0f} 分钟无消息，指标已陈旧",
                f"the figures process has said nothing for {age_s / 60:.0f} min: figures are stale",
            )
        )
    if state["failing"]:
        words.append((f"指标暂停计算：{state['failing']}", f"no figures are made: {state['failing']}"))
    if state["outdated"]:
        words.append(
            (f"指标按旧配置计算：{state['outdated']}", f"figures are made by an older site: {state['outdated']}")
        )
    if state["broken"]:
        words.append((f"{len(state['broken'])} 项指标无法计算", f"{len(state['broken'])} figures cannot be made"))
    return words
