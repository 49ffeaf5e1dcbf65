"""The store's client: what the other processes of the platform ask it with. Synchronous, thread-safe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import flight

from middleplatform.store.errors import StoreError, StoreUnavailable, StoreVersionError

__all__ = ["StoreClient", "StoreError", "StoreUnavailable", "StoreVersionError", "read_endpoint", "until"]

TIMEOUT_S = 30.0
_OPTIONS = [("grpc.max_receive_message_length", -1)]


INCOMPLETE = b"incomplete"
"""In the metadata of an answer's schema: samples that had come by then may lack in it."""
BACK_US = 7 * 86_400_000_000
"""How old a sample is at most that `instant` tells: what is older said nothing of the instant any more."""
UNTIL = b"until"
"""In the metadata of `changed`: the version up to which it tells, which is `since` the next time."""


def read_endpoint(home: Path) -> dict[str, str]:
    """Where the store of this home folder listens. Raises StoreUnavailable when it is not running."""
    path = home / "store" / "endpoint.json"
    try:
        endpoint: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"the store is not running: '{path}' cannot be read") from error
    return endpoint


class StoreClient:
    """Asks one store. Every method gives a pyarrow Table but `status`, and raises StoreUnavailable when the
    store does not answer, StoreError when it refuses."""

    def __init__(self, endpoint: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        self._client = flight.FlightClient(endpoint["url"], generic_options=_OPTIONS)
        header = (b"authorization", f"Bearer {endpoint['token']}".encode())
        self._options = flight.FlightCallOptions(timeout=timeout_s, headers=[header])

    def raw(self, points: Sequence[int], start: int, end: int, limit: int) -> pa.Table:
        """point, ts, value, quality, text (null where none); start ≤ ts < end; ordered by point, ts."""
        return self._ask(kind="raw", points=list(points), start=start, end=end, limit=limit)

    def buckets(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """Buckets of `width` µs from `start` on: see `middleplatform.store.integrate.SCHEMA`."""
        return self._ask(kind="buckets", points=list(points), start=start, end=end, width=width)

    def tally(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """The good samples of spans start < ts ≤ start + width, …: see `middleplatform.store.tally.SCHEMA`."""
        return self._ask(kind="tally", points=list(points), start=start, end=end, width=width)

    def newest(self, points: Sequence[int], start: int, end: int, width: int, within: int) -> pa.Table:
        """The last sample of each such span, in its last `within` µs: see `middleplatform.store.tally.NEWEST`."""
        return self._ask(kind="newest", points=list(points), start=start, end=end, width=width, within=within)

    def days(self, points: Sequence[int], start: int, end: int) -> pa.Table:
        """day (since 1970), rows: days with samples of these points, and at most how many."""
        return self._ask(kind="days", points=list(points), start=start, end=end)

    def integral(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """point, ts, integral (unit · s), good_us: see `middleplatform.store.aggregates`, as for the next three."""
        return self._ask(kind="integral", points=list(points), start=start, end=end, width=width)

    def states(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """point, ts, state (NaN: not known), duration_us, times."""
        return self._ask(kind="states", points=list(points), start=start, end=end, width=width)

    def quantiles(self, points: Sequence[int], start: int, end: int, width: int, shares: Sequence[int]) -> pa.Table:
        """point, ts, good_us, and for each share of a million a column such as `p50`."""
        return self._ask(kind="quantiles", points=list(points), start=start, end=end, width=width, shares=list(shares))

    def grid(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """point, ts, value, quality at every instant start, start + width, … of every point."""
        return self._ask(kind="grid", points=list(points), start=start, end=end, width=width)

    def quality(self, points: Sequence[int], groups: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """The quality of groups of points in windows of whole hours: see `quality.assessment.SCHEMA`. `groups`: the
        number of each point's group."""
        return self._ask(kind="quality", points=list(points), groups=list(groups), start=start, end=end, width=width)

    def quality_intervals(
        self, points: Sequence[int], start: int, end: int, cause: str | None, least: int, limit: int
    ) -> pa.Table:
        """The longest stretches in which points were not good: see `quality.intervals.SCHEMA`; `of`: of how many.
        `least`: µs that one lasts at least."""
        return self._ask(
            kind="quality_intervals",
            points=list(points),
            start=start,
            end=end,
            cause=cause,
            least=least,
            limit=limit,
        )

    def turns(
        self,
        points: Sequence[int],
        start: int,
        end: int,
        levels: Sequence[Sequence[float] | None],
        holds: Sequence[int] | None = None,
    ) -> pa.Table:
        """point, ts, end, value: when each point had which known value, or stayed on one side of its levels; what lies
        between is not known. `levels`: of each point, None where each value matters; `holds`: how long a value of each
        holds, µs, by default as the store's own site says."""
        given = [None if each is None else list(each) for each in levels]
        held = None if holds is None else list(holds)
        return self._ask(kind="turns", points=list(points), start=start, end=end, levels=given, holds=held)

    def changed(self, points: Sequence[int], start: int, end: int, since: int) -> pa.Table:
        """point, hour (since 1970): which hours were written to or made anew since the version `since` (0: the
        beginning), those that are open or wait to be rolled up included. `until(table)` is the next `since`."""
        return self._ask(kind="changed", points=list(points), start=start, end=end, since=since)

    def latest(self, points: Sequence[int] | None = None) -> pa.Table:
        """point, ts, value, quality, text, manual (a person entered or corrected it): the newest sample on disk of the
        points named, or of all."""
        return self._ask(kind="latest", points=None if points is None else list(points))

    def instant(self, points: Sequence[int], at: int) -> pa.Table:
        """The columns of `latest`: of the points named the last sample at or before an instant (µs UTC), at most so old
        as BACK_US; a point that had none is absent."""
        return self._ask(kind="instant", points=list(points), at=at)

    def events(self, equipment: Sequence[str] | None, kind: str | None, start: int, end: int, limit: int) -> pa.Table:
        """Events of the equipment named (`<mine code>/<id>`), or of all, that touch the range, in the columns of
        `models.events.SCHEMA`, ordered by start."""
        named = None if equipment is None else list(equipment)
        return self._ask(kind="events", equipment=named, event_kind=kind, start=start, end=end, limit=limit)

    def sql(
        self, text: str, points: Sequence[int], equipment: Sequence[str], events: Sequence[str], name: str
    ) -> pa.Table:
        """The answer to a statement that a caller wrote, who sees these points, equipment and events of equipment.
        `name` is for `stop_sql`. `middleplatform.store.sql.REFUSED` in its metadata: why it was not run."""
        seen = {"points": list(points), "equipment": list(equipment), "events": list(events)}
        return self._ask(kind="sql", text=text, id=name, **seen)

    def stop_sql(self, name: str) -> bool:
        """Stop a statement that runs; whether there was one."""
        return bool(self._ask(kind="sql_stop", id=name).column("stopped")[0].as_py())

    def status(self) -> dict[str, Any]:
        """Counters and gauges of the store process."""
        status: dict[str, Any] = json.loads(self._ask(kind="status").column("status")[0].as_py())
        return status

    def upkeep(self, act: str, **asked: Any) -> pa.Table:
        """`check`, `compact` or `retention` (`apply`): see `middleplatform.store.upkeep`. Takes as long as it takes."""
        return self._ask(kind=act, **asked)

    def close(self) -> None:
        self._client.close()

    def _ask(self, **ticket: Any) -> pa.Table:
        try:
            return self._client.do_get(flight.Ticket(json.dumps(ticket).encode()), self._options).read_all()
        except flight.FlightUnavailableError as error:
            raise StoreUnavailable("the store does not answer: it is not running, or it is starting") from error
        except flight.FlightTimedOutError as error:
            raise StoreUnavailable("the store did not answer in time") from error
        except flight.FlightUnauthenticatedError as error:
            raise StoreError("the store refused the token: read its endpoint file again") from error
        except flight.FlightError as error:
            raise StoreError(_message(error)) from error
        except pa.ArrowException as error:
            raise StoreUnavailable(f"the store's answer broke off: {error}") from error


def until(changed: pa.Table) -> int:
    """The version up to which an answer of `changed` tells."""
    return int(changed.schema.metadata[UNTIL])


def _message(error: flight.FlightError) -> str:
    """The server's own words, without the wrapping that Flight puts around them."""
    try:
        return str(json.loads(error.extra_info)["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(error)
