"""The store's Prometheus page: on loopback, for those who hold the token in `metrics/store.json`."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bus.secret import Announcement

_COUNTERS = {
    "rows": "Samples written",
    "events": "Events written",
    "foreign_events": "Events of another mine's equipment, dropped",
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


class _Store(Collector):
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


class MetricsPage:
    """Serves `/metrics` from a thread of its own until `close`."""

    def __init__(self, home: Path, status: Callable[[], Mapping[str, Any]]) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Store(status))
        token = secrets.token_urlsafe(32)
        expected = f"Bearer {token}".encode()

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = (self.headers.get("Authorization") or "").encode()
                if not hmac.compare_digest(given, expected):
                    self.send_error(401, "a bearer token is needed")
                    return
                if self.path != "/metrics":
                    self.send_error(404, "only /metrics is here")
                    return
                body = generate_latest(registry)
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE_LATEST)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """A request for metrics is not worth a line."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        url = f"http://127.0.0.1:{self._server.server_address[1]}/metrics"
        self._announced = Announcement(home / "metrics" / "store.json", {"url": url, "token": token})

    def close(self) -> None:
        self._announced.withdraw()
        self._server.shutdown()
        self._server.server_close()
