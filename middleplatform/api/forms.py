"""The forms in which history is answered: JSON by point and column, CSV, Arrow stream, Parquet.

All of them hold the same rows in the same order: by the points as they were named, then by time.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Response
from numpy.typing import NDArray
from pyarrow import csv, parquet

from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.responses import encode
from middleplatform.api.times import iso
from middleplatform.store.client import INCOMPLETE

MEDIA = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def accepted(header: str) -> str:
    """The form that an Accept header asks for; JSON where it leaves it open. Raises ApiError 406."""
    asked = [part.partition(";")[0].strip().lower() for part in header[:1000].split(",")]
    for media in asked:
        for form, known in MEDIA.items():
            if media == known:
                return form
    if not header.strip() or any(media in {"*/*", "application/*", "text/html", "text/*"} for media in asked):
        return "json"
    raise ApiError(
        406,
        "no_such_form",
        f"没有格式“{shown(header)}”：可用 {'、'.join(MEDIA.values())}",
        f"there is no form '{shown(header)}': take one of {', '.join(MEDIA.values())}, or format=",
        "Accept",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the store said: `table` as the store gives it, `rows` the points as they were named, times µs,
    `width` None for raw samples."""

    catalogue: Catalogue
    rows: NDArray[np.intp]
    table: pa.Table
    start: int
    end: int
    width: int | None
    truncated: bool

    @property
    def incomplete(self) -> bool:
        """Whether samples that the store has received, and could not write in time, may lack."""
        return INCOMPLETE in (self.table.schema.metadata or {})

    def headers(self, form: str) -> dict[str, str]:
        headers = {"X-Truncated": "true" if self.truncated else "false"}
        headers["X-Incomplete"] = "true" if self.incomplete else "false"
        if form in {"csv", "parquet"}:
            headers["Content-Disposition"] = f'attachment; filename="history.{form}"'
        return headers

    def spans(self) -> list[tuple[int, int]]:
        """First row and number of rows of each point named: the store's rows lie together by point."""
        points = self.table.column("point").to_numpy()
        starts = np.flatnonzero(np.append(True, points[1:] != points[:-1])) if len(points) else np.empty(0, np.intp)
        counts = np.diff(np.append(starts, len(points)))
        at = {int(points[start]): (int(start), int(count)) for start, count in zip(starts, counts, strict=True)}
        return [at.get(self.catalogue.points[row].id, (0, 0)) for row in self.rows.tolist()]

    def flat(self) -> pa.Table:
        """One table in the order named: path, id, time (UTC), ts, and the store's columns."""
        parts = [self.table.slice(start, count) for start, count in self.spans() if count]
        table = pa.concat_tables(parts).combine_chunks() if parts else self.table.slice(0, 0).combine_chunks()
        ids = table.column("point").to_numpy()
        columns: dict[str, Any] = {
            "point": self.catalogue.paths_of(ids),
            "id": table.column("point"),
            "time": table.column("ts").cast(pa.timestamp("us", tz="UTC")),
            **{name: table.column(name) for name in table.schema.names if name != "point"},
        }
        return pa.table(columns)


def _json(answer: Answer) -> Response:
    series = []
    for row, (start, count) in zip(answer.rows.tolist(), answer.spans(), strict=True):
        point = answer.catalogue.points[row]
        part = answer.table.slice(start, count)
        columns: dict[str, Any] = {"time": part.column("ts").to_numpy().astype("M8[us]").astype("U26").tolist()}
        columns["time"] = [f"{moment}Z" for moment in columns["time"]]
        for name in part.schema.names:
            if name == "text":
                if part.column(name).null_count < count:
                    columns[name] = part.column(name).to_pylist()
            elif name != "point":
                columns[name] = np.ascontiguousarray(part.column(name).to_numpy())
        kind = "samples" if answer.width is None else "buckets"
        series.append({"point": point.path, "id": str(point.id), "unit": point.unit, kind: columns})
    body = {
        "start": iso(answer.start),
        "end": iso(answer.end),
        "start_us": answer.start,
        "end_us": answer.end,
        "width_us": answer.width,
        "truncated": answer.truncated,
        "incomplete": answer.incomplete,
        "series": series,
    }
    return Response(encode(body), headers=answer.headers("json"), media_type=MEDIA["json"])


def _csv(answer: Answer) -> Response:
    table = answer.flat()
    for name in ("point", "id"):  # an id as a number would lose digits in a spreadsheet
        table = table.set_column(table.schema.get_field_index(name), name, table.column(name).cast(pa.string()))
    moment = pc.strftime(table.column("time"), "%Y-%m-%dT%H:%M:%SZ")
    table = table.set_column(table.schema.get_field_index("time"), "time", moment)
    for index, field in enumerate(table.schema):
        if field.type == pa.float64():
            column = table.column(index)
            table = table.set_column(index, field.name, pc.if_else(pc.is_nan(column), None, column))
    sink = io.BytesIO()
    sink.write("\ufeff".encode())  # with it a spreadsheet reads UTF-8
    csv.write_csv(table, sink)
    return Response(sink.getvalue(), headers=answer.headers("csv"), media_type="text/csv; charset=utf-8")


def _arrow(answer: Answer) -> Response:
    table = answer.flat()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body = sink.getvalue().to_pybytes()
    return Response(body, headers=answer.headers("arrow"), media_type=MEDIA["arrow"])


def _parquet(answer: Answer) -> Response:
    sink = io.BytesIO()
    parquet.write_table(answer.flat(), sink, compression="zstd")
    return Response(sink.getvalue(), headers=answer.headers("parquet"), media_type=MEDIA["parquet"])


WRITERS: dict[str, Callable[[Answer], Response]] = {"json": _json, "csv": _csv, "arrow": _arrow, "parquet": _parquet}
