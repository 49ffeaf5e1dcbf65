"""The API's Prometheus figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class _Api(Collector):
    def __init__(self, state: Any) -> None:
        self._state = state

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        live, hub = self._state.live, self._state.hub
        yield CounterMetricFamily("sevenones_api_live_messages", "Live messages taken", value=live.messages)
        yield CounterMetricFamily("sevenones_api_live_malformed", "Live messages not readable", value=live.malformed)
        yield CounterMetricFamily("sevenones_api_live_unknown", "Live rows with an unknown id", value=live.unknown)
        yield CounterMetricFamily(
            "sevenones_api_live_foreign", "Live rows of points that another gateway reads", value=live.foreign
        )
        yield CounterMetricFamily("sevenones_api_live_old", "Live rows older than what was held", value=live.old)
        yield GaugeMetricFamily("sevenones_api_points_stale", "Points that are stale now", value=int(live.stale.sum()))
        yield GaugeMetricFamily("sevenones_api_points_waiting", "Points without any sample", value=live.waiting())
        yield GaugeMetricFamily("sevenones_api_streams", "WebSocket clients now", value=hub.sockets)
        yield GaugeMetricFamily("sevenones_api_feeds", "Different subscriptions now", value=hub.feeds())
        yield CounterMetricFamily("sevenones_api_slow_clients", "Clients let go as too slow", value=hub.slow)
        yield GaugeMetricFamily("sevenones_api_bus_connected", "1 while connected", value=self._state.bus.connected)


def registry_of(state: Any) -> CollectorRegistry:
    """A registry over an application's state."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Api(state))
    return registry
