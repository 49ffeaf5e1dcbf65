"""What happened to one point, from the bytes on the wire to the quality: rendered when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from gateway.acquire import Acquisition
from gateway.clock import EARLIEST, FUTURE_US
from gateway.connection import DeviceConnection
from gateway.points import NEVER
from models import quality
from models.quality import Quality
from models.site.model import Formula
from models.words import at
from protocols.adapter import Reading


class Diagnostics:
    """Looks points of all connections up by path."""

    def __init__(self, connections: Iterable[DeviceConnection], dropped: Callable[[], Mapping[int, int]]) -> None:
        self._dropped = dropped
        self._connections = connections  # asked anew each time: they may change

    def paths(self) -> list[str]:
        return sorted(path for connection in self._connections for path in connection.rows)

    def of(self, path: str) -> dict[str, Any] | None:
        """All that is known of one point, fit for JSON; None when this gateway has no such point."""
        connection = next((connection for connection in self._connections if path in connection.rows), None)
        if connection is None:
            return None
        row = connection.rows[path]
        acquisition, point = connection.acquisition, connection.table.points[row]
        reading: Reading | None = acquisition.readings[row]
        answered = bool(acquisition.answered[row])
        code = _code(connection, row)
        at, used = int(acquisition.at[row]), int(acquisition.stamper.last[row])
        return {
            "point": path,
            "id": str(point.id),
            "connection": connection.spec.name,
            "adapter": connection.spec.adapter,
            "state": str(connection.state),
            "address": point.address,
            "type": point.type,
            "order": point.order,
            "group": point.group,
            **_as_read(reading, row),
            "scaled": _number(acquisition.value[row]) if answered else None,
            "unit": point.unit,
            "quality": code,
            "quality_words": {"zh": quality.label(code, "zh"), "en": quality.label(code, "en")},
            "reason": _reason(connection, row, reading, code),
            "expression": None if point.formula is None else point.formula.text,
            "clock_skew_s": acquisition.clock.skew.seconds,
            "used_ts": None if used == NEVER else used,
            "received_ts": None if at == NEVER else at,
            "latency_ms": None if at == NEVER else int(acquisition.latency_us[row]) / 1000,
            "reported": {
                "value": _number(acquisition.report.value[row]),
                "quality": int(acquisition.report.quality[row]),
                "ts": None if acquisition.report.ts[row] == NEVER else int(acquisition.report.ts[row]),
            },
            "samples_taken": int(acquisition.taken[row]),
            "samples_reported": int(acquisition.reported[row]),
            "samples_dropped": self._dropped().get(point.id, 0),
        }


def _reason(  # noqa: PLR0911  (one return a reason)
    connection: DeviceConnection, row: int, reading: Reading | None, code: int
) -> str | None:
    """Why the point is not good."""
    if code >= quality.GOOD:
        return None
    acquisition, point = connection.acquisition, connection.table.points[row]
    told = acquisition.reasons[row]
    if point.formula is not None:
        words = _of_inputs(connection, point.formula, row, code)
        if words is not None:
            return words
    if not acquisition.answered[row] or (told and code < quality.UNCERTAIN):
        return str(told) if told else connection.reason or None
    if acquisition.guards is not None:
        words = acquisition.guards.words(row, int(acquisition.at[row]))
        if words is not None:
            return words
    if code == quality.UNCERTAIN and acquisition.clock_doubted[row]:
        return _doubted_time(acquisition, row, reading)
    if code == Quality.UNCERTAIN_RANGE:
        return f"{acquisition.value[row]:g} {point.unit} is outside {point.low:g} … {point.high:g}"
    if code == Quality.BAD_SENSOR_FAILURE and point.formula is not None:
        return "the expression gave no number, as when it divides by zero"
    if code == Quality.BAD_SENSOR_FAILURE and reading is not None:
        return f"the device sent {_as_read(reading, row)['decoded']}, which is no number"
    return quality.label(code, "en")


def _of_inputs(connection: DeviceConnection, formula: Formula, row: int, code: int) -> str | None:
    """What is wrong with the input that the point has its quality from."""
    for path in formula.inputs:
        other = connection.rows[path]
        if other != row and _code(connection, other) == code:
            words = _reason(connection, other, connection.acquisition.readings[other], code)
            return at(path.split("/", 1)[1], words)
    return None


def _code(connection: DeviceConnection, row: int) -> int:
    acquisition = connection.acquisition
    if not acquisition.answered[row]:
        return _marked(int(acquisition.marked[row]))
    code = int(acquisition.quality[row])
    return quality.UNCERTAIN if code >= quality.GOOD and acquisition.clock_doubted[row] else code


def _doubted_time(acquisition: Acquisition, row: int, reading: Reading | None) -> str:
    source = None if reading is None else _as_read(reading, row)["source_ts"]
    skew = acquisition.clock.skew
    if source is not None and not EARLIEST <= source <= int(acquisition.at[row]) + FUTURE_US:
        words = f"the device says that it is {_moment(source)}, which cannot be: our time was taken"
        return f"{words} ({skew.words()})" if skew.off else words
    if skew.off:
        return skew.words()
    return "two samples came with one time: the later was moved by 1 µs"


def _moment(us: int) -> str:
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:
        return f"{us} µs"


def _marked(code: int) -> int:
    return code if code != 255 else int(Quality.BAD_WAITING)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _as_read(reading: Reading | None, row: int) -> dict[str, Any]:
    """What the last reading said of this point, before anything was made of it."""
    if reading is None:
        return {"raw_hex": None, "decoded": None, "text": None, "source_ts": None, "source_quality": None}
    place = int(np.flatnonzero(reading.index == row)[-1])
    raw: bytes | None = None
    if reading.raw is not None:
        try:
            raw = reading.raw(row)
        except Exception:  # diagnostics show what there is, whatever an adapter does
            raw = None
    decoded = float(reading.value[place])
    return {
        "raw_hex": None if raw is None else raw[:256].hex(" "),
        "decoded": decoded if math.isfinite(decoded) else str(decoded),
        "text": None if reading.text is None else reading.text[place].as_py(),
        "source_ts": None if reading.ts is None or not reading.ts[place] else int(reading.ts[place]),
        "source_quality": int(reading.quality[place]),
    }
