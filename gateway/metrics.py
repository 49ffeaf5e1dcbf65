"""The gateway's counts: as Prometheus metrics, and as the heartbeat on the bus. Read when asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.clock import WallClock
from gateway.connection import DeviceConnection, State
from gateway.guards import Why
from gateway.outbox import Outbox

PREFIX = "sevenones_gateway_"


class GatewayMetrics(Collector):
    """Collects from the parts at each scrape; nothing is counted twice."""

    def __init__(
        self,
        name: str,
        connections: Iterable[DeviceConnection],
        outbox: Outbox,
        clock: WallClock,
        connected: Callable[[], bool],
        of_site: Callable[[], dict[str, Any]] | None = None,
        asked: Mapping[str, Mapping[str, int]] | None = None,
        of_control: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        """`of_site`: the site's version that is followed; `asked`: what the doors for commands and questions
        count; `of_control`: whether commands must be signed, and the tags."""
        self._name = name
        self._connections = connections
        self._outbox = outbox
        self._clock = clock
        self._connected = connected
        self._of_site = of_site
        self._asked = asked or {}
        self._of_control = of_control
        self._started = clock.now()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield from self._polls()
        yield from self._of_connections()
        yield from self._of_outbox()
        asked = CounterMetricFamily(
            PREFIX + "asked", "Commands and questions, by what came of them", labels=["door", "what"]
        )
        for door, counts in self._asked.items():
            for what, count in sorted(counts.items()):
                asked.add_metric([door, what.removesuffix("_total")], count)
        yield asked
        if self._of_control is not None:
            control = self._of_control()
            yield _gauge("signed_only", "1 while commands must be signed", float(control["signed_only"]))
            yield _gauge("tags", "Tags that hang on machines", control["tags_count"])
            trouble = float(bool(control["trouble"] or control["tags_trouble"]))
            yield _gauge("control_trouble", "1 while the command authority or the tags cannot be read", trouble)
        process = psutil.Process(os.getpid())
        yield _gauge("resident_bytes", "Memory of this process", process.memory_info().rss)
        yield _counter("clock_jumps", "Times the system clock was set by more than a second", self._clock.jumps)

    def _polls(self) -> Iterator[Metric]:
        labels = ["connection", "group"]
        now = self._clock.monotonic()
        due = CounterMetricFamily(PREFIX + "polls_due", "Polls that were due", labels=labels)
        answered = CounterMetricFamily(PREFIX + "polls_answered", "Polls that brought a value", labels=labels)
        overruns = CounterMetricFamily(PREFIX + "poll_overruns", "Polls longer than their period", labels=labels)
        skipped = CounterMetricFamily(PREFIX + "polls_skipped", "Instants that passed unread", labels=labels)
        for connection in self._connections:
            for group in connection.groups.values():
                key = [connection.spec.name, group.name]
                due.add_metric(key, group.due(now))
                answered.add_metric(key, group.answered)
                overruns.add_metric(key, group.overruns)
                skipped.add_metric(key, group.skipped)
        yield from (due, answered, overruns, skipped)

    def _of_connections(self) -> Iterator[Metric]:
        counters: dict[str, tuple[str, Callable[[DeviceConnection], float]]] = {
            "samples": ("Values taken from devices", lambda c: c.acquisition.samples),
            "samples_reported": ("Samples sent on, bad marks included", lambda c: c.acquisition.sent),
            "samples_suppressed": ("Values within the dead-band", _suppressed),
            "samples_late": ("Values older than the newest of their point", lambda c: c.acquisition.stamper.late),
            "source_times_disbelieved": ("Source times not believed", lambda c: c.acquisition.stamper.disbelieved),
            "times_repeated": ("Samples moved 1 us to keep time rising", lambda c: c.acquisition.stamper.repeated),
            "readings_off_clock": (
                "Readings while the device's clock was further off than allowed",
                lambda c: c.acquisition.clock.skew.readings_off,
            ),
            "connects": ("Times the device was connected", lambda c: c.connects),
            "reconnects": ("Times the device was connected again", lambda c: max(0, c.connects - 1)),
            "connection_losses": ("Times a connection failed or was lost", lambda c: c.losses),
            "events": ("Events told by devices and sent", lambda c: c.occurrences.events),
            "events_refused": ("Events without a kind, a key or an equipment", lambda c: c.occurrences.refused),
            "events_corrected": (
                "Events sent without their attributes or at our time, as theirs could not be used",
                lambda c: c.occurrences.corrected,
            ),
            "adapter_errors": ("Faults of the adapter itself", lambda c: c.errors),
        }
        for name, (words, value) in counters.items():
            family = CounterMetricFamily(PREFIX + name, words, labels=["connection"])
            for connection in self._connections:
                family.add_metric([connection.spec.name], value(connection))
            yield family
        guarded = CounterMetricFamily(
            PREFIX + "guarded_samples", "Samples that a guard found fault with", labels=["connection", "guard"]
        )
        skew = GaugeMetricFamily(
            PREFIX + "clock_skew_seconds", "By how much the device's clock is ahead of ours", labels=["connection"]
        )
        for connection in self._connections:
            guards, seconds = connection.acquisition.guards, connection.acquisition.clock.skew.seconds
            for why in Why if guards is not None else ():
                if why is not Why.NOTHING:
                    guarded.add_metric([connection.spec.name, why.name.lower()], int(guards.counts[why]))
            if seconds is not None:
                skew.add_metric([connection.spec.name], seconds)
        yield from (guarded, skew)
        up = GaugeMetricFamily(PREFIX + "connection_up", "1 while the device is connected", labels=["connection"])
        own = CounterMetricFamily(PREFIX + "adapter", "What the adapters count", labels=["connection", "counter"])
        for connection in self._connections:
            up.add_metric([connection.spec.name], float(connection.state is State.UP))
            for name, count in sorted(connection.counters().items()):
                own.add_metric([connection.spec.name, name], count)
        yield from (up, own)

    def _of_outbox(self) -> Iterator[Metric]:
        outbox, bridge = self._outbox, self._outbox.bridge
        yield _counter("dropped_rows", "Samples dropped because the buffer was full", outbox.rows_dropped)
        yield _counter("publish_refused", "Times a stream was full", bridge.refusals)
        yield _counter("published_rows", "Rows that the bus has acknowledged", outbox.rows_sent)
        yield _counter("published_batches", "Batches that the bus has acknowledged", outbox.batches_sent)
        yield _counter("live_messages", "Messages with present values", outbox.live_messages)
        yield _gauge("buffered_bytes", "Memory that waiting batches take", bridge.depth_bytes)
        yield _gauge("buffered_batches", "Batches that wait for the bus", bridge.depth_entries)
        yield _gauge("dead_band_factor", "Factor on bulk dead-bands", outbox.pressure.factor)
        yield _gauge("bus_connected", "1 while the bus is connected", float(self._connected()))

    def heartbeat(self) -> dict[str, Any]:
        """The state as JSON for the bus: short, without secrets."""
        now = self._clock.monotonic()
        return {
            "process": f"gateway-{self._name}",
            "ts": self._clock.now(),
            "started": self._started,
            "bus_connected": self._connected(),
            "rows_sent": self._outbox.rows_sent,
            "rows_dropped": self._outbox.rows_dropped,
            "publish_refused": self._outbox.bridge.refusals,
            "buffered_bytes": self._outbox.bridge.depth_bytes,
            "dead_band_factor": self._outbox.pressure.factor,
            "clock_jumps": self._clock.jumps,
            "site": None if self._of_site is None else self._of_site(),
            "control": None if self._of_control is None else self._of_control(),
            "connections": {
                connection.spec.name: {
                    "adapter": connection.spec.adapter,
                    "state": str(connection.state),
                    "since": connection.since,
                    "reason": connection.reason,
                    "points": len(connection.table),
                    "samples": connection.acquisition.samples,
                    "reported": connection.acquisition.sent,
                    "losses": connection.losses,
                    "clock_skew_s": connection.acquisition.clock.skew.seconds,
                    "clock_doubted": connection.acquisition.clock.doubted,
                    "groups": {
                        group.name: {
                            "due": group.due(now),
                            "answered": group.answered,
                            "overruns": group.overruns,
                            "skipped": group.skipped,
                        }
                        for group in connection.groups.values()
                    },
                }
                for connection in self._connections
            },
        }


def _suppressed(connection: DeviceConnection) -> int:
    acquisition = connection.acquisition
    return acquisition.samples - acquisition.kept


def _counter(name: str, words: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(PREFIX + name, words, value=value)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, words, value=value)
