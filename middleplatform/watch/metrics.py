"""What the watch's Prometheus page says."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from middleplatform.watch.watching import Watching

_COUNTERS = {
    "messages": "Messages that were judged",
    "raised": "Alarms raised",
    "returned": "Alarms that returned",
    "late": "Changes found in late samples, in the journal alone",
    "refused": "Changes that the relational store will never take, in the log alone",
    "rounds": "Transactions in which changes, positions and memory were kept",
}


class WatchMetrics(Collector):
    """Of a watch that runs."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        watching, judging = self._watching, self._watching.judging
        for name, words in _COUNTERS.items():
            yield CounterMetricFamily(f"sevenones_watch_{name}", words, value=getattr(watching.counters, name))
        for name, words, value in (
            ("samples", "Samples that were judged", judging.judged),
            ("malformed", "Messages that could not be read", judging.malformed),
            ("broken", "Messages at which judging failed, passed over", judging.broken),
            ("clock_back", "How often the clock of the bus was set back", judging.engine.back),
            ("foreign", "Samples of points that their gateway does not read", judging.foreign),
            ("missed", "Messages that the streams let go before they were judged", watching.missed),
        ):
            yield CounterMetricFamily(f"sevenones_watch_{name}", words, value=value)
        for name, words, value in (
            ("rules", "Alarms that can be raised", len(list(judging.rules.alarms()))),
            ("deaf", "1 while the platform hears nothing of the mine", float(watching.deaf)),
            ("behind", "1 while the streams have more than was judged", float(watching.behind)),
            ("behind_s", "Seconds since the bus took what was judged last, while there is more", watching.behind_s),
            ("failing", "1 while nothing can be kept", float(watching.failing is not None)),
            ("outdated", "1 while the rules are not those of the site as it is", float(watching.outdated)),
        ):
            yield GaugeMetricFamily(f"sevenones_watch_{name}", words, value=value)
