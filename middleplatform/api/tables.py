"""A table of any columns as an answer: JSON by column, CSV, Arrow stream, Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Response
from pyarrow import csv, parquet

from middleplatform.api.forms import MEDIA
from middleplatform.api.responses import encode

EXACT = 2**53
"""Whole numbers beyond this would be rounded by JavaScript: a column that holds one is text in JSON."""

Facts = Mapping[str, Any]


def values(column: pa.ChunkedArray) -> list[Any]:
    """A column as JSON has it: times as ISO 8601, large whole numbers as text, what is not a number as null."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _iso(column).to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_integer(kind) and kind.bit_width == 64:
        bounds = pc.min_max(column).as_py()
        if bounds["min"] is not None and not -EXACT <= bounds["min"] <= bounds["max"] <= EXACT:
            return column.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_floating(kind):
        return _finite(column)
    return [_plain(value) for value in column.to_pylist()]


def _finite(column: pa.ChunkedArray) -> list[Any]:
    known = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    return known.to_pylist()  # type: ignore[no-any-return]


def _iso(column: pa.ChunkedArray) -> pa.ChunkedArray:
    form = "%Y-%m-%dT%H:%M:%SZ"  # the seconds with as many decimals as the column has
    return pc.strftime(column, form)


def _plain(value: Any) -> Any:
    """What orjson knows, of a value within a list or of a rare type."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _json(table: pa.Table, facts: Facts) -> Response:
    columns = [
        {"name": field.name, "type": str(field.type), "values": values(column)}
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return Response(encode({"rows": table.num_rows, **facts, "columns": columns}), media_type=MEDIA["json"])


def _csv(table: pa.Table, facts: Facts) -> Response:
    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            column = _iso(column)  # noqa: PLW2901
        elif pa.types.is_integer(column.type) and column.type.bit_width == 64:
            column = column.cast(pa.string())  # noqa: PLW2901
        elif pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)  # noqa: PLW2901
        elif not (pa.types.is_string(column.type) or pa.types.is_primitive(column.type)):
            texts = [json.dumps(_plain(value), ensure_ascii=False) for value in column.to_pylist()]
            column = pa.array(texts, pa.string())  # noqa: PLW2901
        columns.append(column)
    sink = io.BytesIO()
    sink.write("\ufeff".encode())  # with it a spreadsheet reads UTF-8
    csv.write_csv(pa.table(columns, names=table.schema.names), sink)
    return Response(sink.getvalue(), headers=_headers(facts), media_type="text/csv; charset=utf-8")


def _arrow(table: pa.Table, facts: Facts) -> Response:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Response(sink.getvalue().to_pybytes(), headers=_headers(facts), media_type=MEDIA["arrow"])


def _parquet(table: pa.Table, facts: Facts) -> Response:
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    return Response(sink.getvalue(), headers=_headers(facts), media_type=MEDIA["parquet"])


def _headers(facts: Facts) -> dict[str, str]:
    return {f"X-{name.replace('_', '-').title()}": str(int(value)) for name, value in facts.items() if value}


WRITERS: dict[str, Callable[[pa.Table, Facts], Response]] = {
    "json": _json,
    "csv": _csv,
    "arrow": _arrow,
    "parquet": _parquet,
}
