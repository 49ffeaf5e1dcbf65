"""What the store's Prometheus page says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

_COUNTERS = {
    "rows": "Samples written",
    "events": "Events written",
    "foreign_events": "Events of equipment of another gateway or mine, dropped",
    "mistimed_events": "Events before 2000 or more than a day ahead, dropped",
    "inserts": "Inserts of samples",
    "insert_seconds": "Time spent in inserts of samples",
    "rollup_rows": "Rows of roll-ups written",
    "malformed": "Messages that could not be read",
}
_GAUGES = {
    "pending": "Messages fetched and not yet on disk",
    "quarantine_rows": "Rows in quarantine",
    "dirty_hours": "Hours that wait to be rolled up (again)",
    "points": "Points with a latest value",
    "newest_received_seconds": "When the gateway received the newest batch on disk, Unix time",
    "failing": "1 while writing fails",
}


class StoreMetrics(Collector):
    """Of the store's status."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        status = self._status()
        for name, words in _COUNTERS.items():
            yield CounterMetricFamily(f"sevenones_store_{name}", words, value=status[name])
        for name, words in _GAUGES.items():
            yield GaugeMetricFamily(f"sevenones_store_{name}", words, value=float(status[name] or 0))
        aside = CounterMetricFamily("sevenones_store_quarantined", "Rows set aside", labels=["reason"])
        for reason, rows in status["quarantined"].items():
            aside.add_metric([reason], rows)
        yield aside
        lag = GaugeMetricFamily("sevenones_store_lag_messages", "Messages not yet stored", labels=["stream"])
        for stream, messages in status["lag"].items():
            lag.add_metric([stream], messages)
        yield lag
