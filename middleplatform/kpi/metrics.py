"""What the figures process's Prometheus page says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from middleplatform.kpi.state import State


class FiguresMetrics(Collector):
    """Of figures that are being made."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        state = self._state()
        for name, words, count in (
            ("made", "Sections of days that were made", state.made),
            ("revised", "Of them, those that came out otherwise than what was published", state.revised),
        ):
            yield CounterMetricFamily(f"sevenones_figures_{name}", words, value=count)
        behind = (datetime.now(UTC).date() - date.fromisoformat(state.oldest)).days if state.oldest else 0
        for name, words, value in (
            ("due", "Sections of days that are to be made", float(state.due)),
            ("behind_days", "Days since the oldest day that is to be made", float(behind)),
            ("age_s", "Seconds since a figure was made last", time.time() - state.last_made / 1e6),
            ("make_s", "Seconds that the last one took", state.seconds),
            ("broken", "Figures that cannot be made", float(len(state.broken))),
            ("failing", "1 while the store or the relational store is away", float(bool(state.failing))),
            (
                "outdated",
                "1 while the site has mistakes and its last good version is used",
                float(bool(state.outdated)),
            ),
        ):
            yield GaugeMetricFamily(f"sevenones_figures_{name}", words, value=value)
