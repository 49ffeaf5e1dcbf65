"""The forms in which history is answered: JSON by point and column, CSV, Arrow stream, Parquet.

All of them hold the same rows in the same order: by the points as they were named, then by time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Response
from numpy.typing import NDArray
from pyarrow import csv, parquet

from middleplatform.api import sheet
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
    `width` None for raw samples. `kind`: what the rows of a point are called."""

    catalogue: Catalogue
    rows: NDArray[np.intp]
    table: pa.Table
    start: int
    end: int
    width: int | None
    truncated: bool = False
    kind: Literal["samples", "buckets"] = "samples"

    @property
    def incomplete(self) -> bool:
        """Whether samples that the store has received, and could not write in time, may lack."""
        return INCOMPLETE in (self.table.schema.metadata or {})

    def headers(self, form: str) -> dict[str, str]:
        headers = {"X-Truncated": "true" if self.truncated else "false"}
        headers["X-Incomplete"] = "true" if self.incomplete else "false"
        if form in {"csv", "parquet", "xlsx"}:
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
        series.append({"point": point.path, "id": str(point.id), "unit": point.unit, answer.kind: columns})
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


def as_csv(table: pa.Table) -> bytes:
    """Comma-separated, with a head; `point` and `id` as text, `time` as ISO 8601, NaN as nothing."""
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if field.name in {"point", "id"}:  # an id as a number would lose digits in a spreadsheet
            table = table.set_column(index, field.name, column.cast(pa.string()))
        elif pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ"))
        elif field.type == pa.float64():
            table = table.set_column(index, field.name, pc.if_else(pc.is_nan(column), None, column))
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    return sink.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


BOM = "\ufeff".encode()
"""With it in front, a spreadsheet reads UTF-8."""


def tabular(table: pa.Table, form: str, headers: dict[str, str]) -> Response:
    """One flat table in a form other than JSON."""
    if form == "csv":
        return Response(BOM + as_csv(table), headers=headers, media_type="text/csv; charset=utf-8")
    body = as_arrow(table) if form == "arrow" else as_parquet(table)
    return Response(body, headers=headers, media_type=MEDIA[form])


def _sheet(answer: Answer) -> Response:
    rows = answer.table.num_rows
    if rows > sheet.MOST_ROWS:
        raise ApiError(
            400,
            "too_many_rows",
            f"共 {rows} 行，XLSX 最多 {sheet.MOST_ROWS} 行：请分桶，或用 csv、parquet",
            f"{rows} rows, a sheet has at most {sheet.MOST_ROWS}: take buckets, or csv or parquet",
            "format",
            limit=sheet.MOST_ROWS,
        )
    body = sheet.as_xlsx(answer.flat(), answer.catalogue.site.time_zone)
    return Response(body, headers=answer.headers("xlsx"), media_type=sheet.MEDIA)


def write(answer: Answer, form: str) -> Response:
    """The answer in a form of MEDIA, or as `xlsx`. Raises ApiError 400 where it has too many rows for a sheet."""
    if form == "xlsx":
        return _sheet(answer)
    return _json(answer) if form == "json" else tabular(answer.flat(), form, answer.headers(form))
