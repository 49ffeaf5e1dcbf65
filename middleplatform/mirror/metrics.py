"""What the mirror's Prometheus page says."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from middleplatform.mirror.copying import Copying

_COUNTERS = {
    "written": "Samples that the server has taken",
    "refused": "Samples that the server will never take, dropped",
    "malformed": "Messages that could not be read",
    "missed": "Messages that the streams let go before they were mirrored",
}


class MirrorMetrics(Collector):
    """Of a copying that runs."""

    def __init__(self, copying: Copying) -> None:
        self._copying = copying

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        copying = self._copying
        for name, words in _COUNTERS.items():
            yield CounterMetricFamily(f"sevenones_mirror_{name}", words, value=getattr(copying.counters, name))
        yield GaugeMetricFamily("sevenones_mirror_points", "Points that are mirrored", value=len(copying.lines.points))
        failing = float(copying.failing is not None)
        yield GaugeMetricFamily("sevenones_mirror_failing", "1 while nothing can be written", value=failing)
