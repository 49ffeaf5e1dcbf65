"""A platform's data as Arrow tables, pandas or polars frames."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sevenones.client.client import Client, ClientError, NoAnswer

Moment = str | int | datetime
"""`now`, `-10m`, ISO 8601 with a zone, µs since 1970, or a datetime with a zone."""
Frames = Literal["arrow", "pandas", "polars"]
MOST_ROWS = 1_000_000
"""Raw samples that one answer may have; beyond that there are exports."""
_TRIES = 8


class Incomplete(UserWarning):
    """The platform has received samples that it could not write in time and that may lack: ask again."""


class Platform:
    """One platform. Every method that asks for data gives a pyarrow Table, or what `frames` names; all raise
    ClientError in plain words. Points are named by path, by path without the mine's code, or by id."""

    def __init__(self, url: str, token: str, frames: Frames = "arrow", timeout_s: float = 60.0) -> None:
        if frames not in ("arrow", "pandas", "polars"):
            raise ClientError(f"没有“{frames}”：可用 arrow、pandas、polars · frames are arrow, pandas or polars")
        self._client, self._frames = Client(url, token, timeout_s), frames

    @staticmethod
    def of_home(home: Path = Path(".sevenones"), frames: Frames = "arrow") -> Platform:
        """The platform of the demo that runs in a home."""
        known = Client.of_home(home)
        return Platform(known.url, known.token, frames)

    def points(self, q: str = "", equipment: Sequence[str] = ()) -> Any:
        """The catalogue's points that fit: point, id, equipment, name_zh, name_en, unit, role, kind."""
        import pyarrow as pa

        found = self._client.get("points", q=q or None, equipment=list(equipment) or None, limit=10_000)["points"]
        flat = [
            {
                **{name: facts[name] for name in ("point", "id", "unit", "role", "kind")},
                "equipment": facts["equipment"]["id"],
                "name_zh": facts["name"]["zh"],
                "name_en": facts["name"]["en"],
            }
            for facts in found
        ]
        names = ("point", "id", "equipment", "name_zh", "name_en", "unit", "role", "kind")
        return self._framed(pa.Table.from_pylist(flat, pa.schema([(name, pa.string()) for name in names])))

    def live(self, points: Sequence[str] = (), equipment: Sequence[str] = ()) -> Any:
        """What points are now: point, id, value, text, unit, quality, ts, age_s, stale."""
        import pyarrow as pa

        found = self._client.get("live", point=list(points) or None, equipment=list(equipment) or None)["values"]
        kinds = {"value": pa.float64(), "quality": pa.uint8(), "ts": pa.int64(), "age_s": pa.float64()}
        kinds["stale"] = pa.bool_()
        names = ("point", "id", "value", "text", "unit", "quality", "ts", "age_s", "stale")
        schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
        return self._framed(pa.Table.from_pylist([{name: row[name] for name in names} for row in found], schema))

    def history(
        self,
        points: Sequence[str],
        start: Moment = "-1h",
        end: Moment = "now",
        buckets: int | None = None,
        width: str | None = None,
    ) -> Any:
        """Raw samples, at most a million, or buckets (min, max, mean weighted by time, good_us, …)."""
        limit = MOST_ROWS if buckets is None and width is None else None
        table, headers = self._table("history", points, start, end, buckets=buckets, width=width, limit=limit)
        if headers.get("X-Truncated") == "true":
            raise ClientError(
                f"样本超过 {MOST_ROWS} 条：请用 export() · over {MOST_ROWS} samples: take export(), or a shorter range"
            )
        return self._framed(table)

    def integral(
        self, points: Sequence[str], start: Moment = "-1h", end: Moment = "now", width: str | None = None
    ) -> Any:
        """`integral` in the unit times seconds, over good time only, and that time (`good_us`)."""
        return self._framed(self._table("aggregates/integral", points, start, end, width=width)[0])

    def states(
        self, points: Sequence[str], start: Moment = "-1h", end: Moment = "now", width: str | None = None
    ) -> Any:
        """How long (`duration_us`) and how often (`times`) points were in each state; NaN: not known."""
        return self._framed(self._table("aggregates/states", points, start, end, width=width)[0])

    def quantiles(
        self,
        points: Sequence[str],
        q: Sequence[float] = (0.05, 0.5, 0.95),
        start: Moment = "-1h",
        end: Moment = "now",
        width: str | None = None,
    ) -> Any:
        """Quantiles weighted by time, in columns such as `p95`."""
        shares = ",".join(f"{share:.6f}" for share in q)
        return self._framed(self._table("aggregates/quantiles", points, start, end, width=width, q=shares)[0])

    def resample(self, points: Sequence[str], step: str = "1m", start: Moment = "-1h", end: Moment = "now") -> Any:
        """What each point was at start, start + step, …: a row for each point and instant."""
        return self._framed(self._table("resample", points, start, end, step=step)[0])

    def join(
        self,
        points: Sequence[str],
        step: str = "1m",
        start: Moment = "-1h",
        end: Moment = "now",
        quality: bool = False,
    ) -> Any:
        """The same side by side: a row for each instant, a column for each point."""
        return self._framed(self._table("join", points, start, end, step=step, quality=str(quality).lower())[0])

    def export(
        self,
        path: Path | str,
        points: Sequence[str] = (),
        equipment: Sequence[str] = (),
        start: Moment = "-1d",
        end: Moment = "now",
        progress: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> Path:
        """Raw samples of any size in a file: Parquet, Arrow or CSV, by the path's ending. `progress` is told what
        the platform says of the export, once a second. A download that breaks off goes on where it was."""
        path = Path(path)
        form = path.suffix.removeprefix(".")
        if form not in {"parquet", "arrow", "csv"}:
            raise ClientError(f"{path.name} 应以 .parquet、.arrow 或 .csv 结尾 · name it .parquet, .arrow or .csv")
        body = {"point": list(points), "equipment": list(equipment), "format": form}
        order = self._client.ask("POST", "exports", body={**body, "start": _moment(start), "end": _moment(end)})
        return self.fetch(order["id"], path, progress)

    def fetch(self, export: str, path: Path | str, progress: Callable[[Mapping[str, Any]], None] | None = None) -> Path:
        """Wait for an export, fetch its file, and delete it on the platform. To be called again with the same
        id and path after a stop: it goes on where it was."""
        path = Path(path)
        part = path.with_name(f"{path.name}.{export}.part")
        pause = 0.1
        while (facts := self._patiently(lambda: self._client.get(f"exports/{export}")))["state"] != "done":
            if progress is not None:
                progress(facts)
            if facts["state"] == "failed":
                raise ClientError(f"{facts['words']['zh']} · {facts['words']['en']}")
            time.sleep(pause)
            pause = min(1.0, pause * 1.5)
        if progress is not None:
            progress(facts)
        self._patiently(lambda: self._append(export, part, facts["bytes"]))
        part.replace(path)
        self._client.ask("DELETE", f"exports/{export}")
        return path

    def _append(self, export: str, part: Path, size: int) -> None:
        """Fetch what the part of the file lacks."""
        have = part.stat().st_size if part.exists() else 0
        if have < size:
            headers = {"Range": f"bytes={have}-"}
            with (
                self._client.answer("GET", f"exports/{export}/file", headers=headers) as answer,
                part.open("ab") as file,
            ):
                while block := answer.read(1 << 20):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
        if part.stat().st_size != size:
            raise NoAnswer("下载中断 · the download broke off")

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Ask anew while the platform does not answer, for about a minute."""
        for attempt in range(_TRIES):
            try:
                return ask()
            except NoAnswer:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(min(20.0, 0.2 * 2**attempt))
        raise AssertionError("not reached")

    def _table(
        self, path: str, points: Sequence[str], start: Moment, end: Moment, **query: Any
    ) -> tuple[Any, Mapping[str, str]]:
        import pyarrow as pa

        if isinstance(points, str):
            points = [points]
        asked = {"point": list(points), "start": _moment(start), "end": _moment(end), "format": "arrow", **query}
        with self._client.answer("GET", path, asked) as answer:
            headers = dict(answer.headers)
            table = pa.ipc.open_stream(answer.read()).read_all()
        headers = {name.title(): value for name, value in headers.items()}
        if headers.get("X-Incomplete") == "true":
            warnings.warn("最新样本可能尚未包含 · the newest samples may lack: ask again", Incomplete, stacklevel=3)
        return table, headers

    def _framed(self, table: Any) -> Any:
        try:
            if self._frames == "pandas":
                return table.to_pandas()
            if self._frames == "polars":
                import polars

                return polars.from_arrow(table)
        except ImportError:
            raise ClientError(f"需要安装 {self._frames} · install {self._frames}: pip install {self._frames}") from None
        return table


def _moment(when: Moment) -> str:
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ClientError(f"时间 {when} 缺少时区 · the time {when} has no time zone")
        return when.isoformat()
    return str(when)
