"""A process's Prometheus page: on loopback, for those who hold the token in `metrics/<process>.json` of the home."""

from __future__ import annotations

import hmac
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from bus.secret import Announcement


class MetricsPage:
    """Serves `/metrics` from a thread of its own until `close`."""

    def __init__(self, home: Path, process: str, collector: Collector) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(collector)
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
        self._announced = Announcement(home / "metrics" / f"{process}.json", {"url": url, "token": token})

    def close(self) -> None:
        self._announced.withdraw()
        self._server.shutdown()
        self._server.server_close()
