"""The server that is written to: one request at a time, and what its answer means."""

from __future__ import annotations

import pyarrow as pa

from middleplatform.mirror.lines import body
from middleplatform.mirror.settings import MirrorError, Settings

TIMEOUT_S = 20.0
_REFUSED = frozenset({400, 413, 422})
"""Trying again does not help: a line is wrong, or there are too many."""


class TargetAway(Exception):
    """Not written, and to be tried again: away, overloaded, set up wrongly, or no such server."""


class LinesRefused(Exception):
    """The server will never take these lines as they are, all together."""


class Target:
    """Blocking; one thread."""

    def __init__(self, settings: Settings) -> None:
        try:
            from influxdb_client import InfluxDBClient, WriteService
        except ImportError:
            raise MirrorError("the mirror needs: pip install sevenones[influx]") from None
        self._settings = settings
        self._client = InfluxDBClient(
            settings.url, settings.token or None, timeout=round(TIMEOUT_S * 1000), enable_gzip=True, org=settings.org
        )
        self._service = WriteService(self._client.api_client)

    def write(self, lines: pa.StringArray) -> None:
        """Have them written. Raises TargetAway, LinesRefused."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            _, status, _ = self._service.post_write_with_http_info(
                org=self._settings.org,
                bucket=self._settings.bucket,
                body=body(lines),
                precision="us",
                content_type="text/plain; charset=utf-8",
            )
        except ApiException as error:
            raise _meaning(error.status, _words(error.body)) from None
        except (HTTPError, OSError, ValueError) as error:
            raise TargetAway(f"{type(error).__name__}: {error}"[:300]) from None
        if status != 204:
            # A proxy's page, say: "200 OK" is not what a write is answered with.
            raise TargetAway(f"the answer to a write was {status}, not 204: is {self._settings.url} the right server?")

    def close(self) -> None:
        self._client.close()


def _meaning(status: int | None, words: str) -> Exception:
    said = f"{status}: {words}"
    if status in _REFUSED:
        return LinesRefused(said)
    return TargetAway(said)


def _words(body: object) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    return " ".join(text.split())[:300]
