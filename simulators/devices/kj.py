"""A monitoring system (KJ…) that writes the national exchange files into the folder that its connection names.

The grammar is written here anew, from 煤安监办〔2019〕42号 and MT/T 1201.1-2023 as receivers describe it: a file is
`<mine>_<TYPE>_<yyyyMMddHHmmss>.txt`, appears whole by a rename, and holds a header and records whose fields end
with `;`, the records with `~`, the file with `||`. CDDY and FZDY (definitions) come at the start, after a
reset and once a day, CDSS and FZSS (real time), RYSS (people) and JZSS each period, TJSJ (statistics) every five
minutes, YCBJ (exceptions) while a point has one, with its end once.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Kind, Point
from simulators.devices.device import LINK_FAULTS, Device, DeviceError
from simulators.devices.kj_records import AREA_CODE, Episode, Statistics, exception_of, people, state_of
from simulators.encode import EncodeError, Typed

log = structlog.get_logger(__name__)

_ADDRESS = re.compile(r"(?:(?P<kind>[A-Z]{4}):)?(?P<code>[0-9A-Za-z_.-]{1,40}|\*)(?:#(?P<field>[a-z]+))?")
_FIELDS = {
    "CDSS": ("value", "state"),
    "TJSJ": ("average", "max", "min"),
    "FZSS": ("run", "power"),
    "JZSS": ("run", "power"),
    "RYSS": ("people", "leaders"),
}
PERIOD_S = 20.0
"""Without another one in the connection's settings; systems write every 20 to 60 s."""
STATISTICS_S, DEFINITIONS_S = 300, 86_400
MOST_HELD = 2_000
"""Files that wait while the link is cut; more, and the oldest are given up."""


class KjFolder(Device):
    """Writes files of one mine. `files` counts what it wrote; `encoding`: utf-8, unless the connection says gbk or
    gb18030. Raises DeviceError for addresses that no exchange file has."""

    tells_all = True
    kinds = frozenset({"reset", "hang", "slow", "garbage", "clock_jump"}) | LINK_FAULTS

    def __init__(self, connection: Connection, points: Sequence[Point], mine_name: str = "模拟煤矿") -> None:
        super().__init__(connection, points)
        settings = connection.settings
        self.folder = Path(str(settings["folder"]))
        self.mine = str(settings["mine"])
        self.mine_name = mine_name
        encoding = str(settings.get("encoding", "auto"))
        self.encoding = "utf-8" if encoding == "auto" else encoding
        prefix, self.record_end, self.file_end = (
            ("N", "^", "]]]") if settings.get("profile") == "nmsa-n" else ("", "~", "||")
        )
        self._prefix = prefix
        self._zone = ZoneInfo(str(settings.get("time_zone", "Asia/Shanghai")))
        periods = [group.period_s for group in connection.groups.values()]
        self.period_s = max(1.0, min(periods)) if periods else PERIOD_S
        try:
            self._typed = Typed(self.points)
        except EncodeError as error:
            raise DeviceError(f"connection '{connection.name}': {error}") from None
        self._rows: dict[tuple[str, str], dict[str, int]] = {}
        for row, point in enumerate(self.points):
            match = _ADDRESS.fullmatch(point.address)
            kind = "" if match is None else match["kind"] or "CDSS"
            if match is None or kind not in _FIELDS or (match["field"] or _FIELDS[kind][0]) not in _FIELDS[kind]:
                raise DeviceError(f"{point.path}: '{point.address}' is in no exchange file that is simulated")
            self._rows.setdefault((kind, match["code"]), {})[match["field"] or _FIELDS[kind][0]] = row
        self._statistics = {code: Statistics() for kind, code in self._rows if kind == "TJSJ"}
        self._episodes: dict[str, Episode] = {}
        self._values: NDArray[np.float64] = np.full(len(self.points), np.nan)
        self._last: dict[str, int] = {}
        self._defined_us = self._told_us = 0
        self._faults: dict[str, float] = {}
        self._away_until = 0.0
        self._waiting: list[tuple[str, bytes]] = []
        self._later: set[asyncio.Task[None]] = set()
        self._dice = random.Random(1)
        self.files = 0

    async def prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(
                f"connection '{self.connection.name}': the folder {self.folder} cannot be made: {error.strerror}"
            ) from error

    async def start(self) -> None:
        """There is nothing that listens: files appear."""

    def stamp(self, ts: int) -> int:
        """Times in the files are whole seconds."""
        return ts - ts % 1_000_000

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        self._values = self._typed.hold(values, texts)
        return self._values

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        loop = asyncio.get_running_loop()
        self._tally(ts)
        if self._faults.get("hang") or loop.time() < self._away_until:
            return
        now = ts + self.clock_off_us
        if now - self._defined_us >= DEFINITIONS_S * 1_000_000 or now < self._defined_us:
            self._defined_us = now
            self._write("CDDY", self._definitions(now), now)
            self._write("FZDY", [[code, f"{code[-5:]}号分站", "", "", ""] for code in self._codes("FZSS")], now)
            self._write("RYQY", [["重点区域", code, "", f"{code[-4:]}区域"] for code in self._areas()], now)
        self._write("CDSS", [self._real_time(code, now) for code in self._codes("CDSS")], now)
        for kind in ("FZSS", "JZSS"):
            self._write(kind, [self._station(kind, code, now) for code in self._codes(kind)], now)
        if any(kind == "RYSS" for kind, _ in self._rows):
            self._write("RYSS", self._people(self._time(now)), now, even_empty=True)
        self._write("YCBJ", self._exceptions(now), now)
        if self._statistics and now - self._told_us >= STATISTICS_S * 1_000_000:
            self._told_us = now
            self._write("TJSJ", [self._statistic(code, now) for code in self._codes("TJSJ")], now)

    def _codes(self, kind: str) -> list[str]:
        return [code for of, code in self._rows if of == kind]

    def _areas(self) -> list[str]:
        return [code for code in self._codes("RYSS") if code != "*" and len(code) <= AREA_CODE]

    def _text(self, row: int | None, none: str = "") -> str:
        """A value as these files write it, after the device's own scale."""
        held = None if row is None else self._typed[row]
        if held is None:
            return none
        if isinstance(held, bool):
            return str(int(held))
        return f"{held:.10g}" if isinstance(held, float) else str(held)

    def _point(self, code: str) -> tuple[Point, str, str]:
        """The point, the name of its sensor's type, and its unit."""
        rows = self._rows["CDSS", code] if ("CDSS", code) in self._rows else self._rows["TJSJ", code]
        point = self.points[rows.get("value", next(iter(rows.values())))]
        return point, point.name.zh, point.unit

    def _definitions(self, now: int) -> list[list[str]]:
        found = []
        for code in self._codes("CDSS"):
            point, _, unit = self._point(code)
            # 28 characters: mine, system, kind of value, kind of sensor, the system's own number.
            analogue = point.kind is Kind.ANALOG
            kind = code[14:16] if len(code) == 28 else "MN" if analogue else "KG"
            low, high = (f"{v:g}" if np.isfinite(v) else "" for v in (point.low, point.high))
            ranges = [high if analogue else "", low if analogue else ""]
            words = ["", ""] if analogue else ["开", "停"]
            record = [code, code[12:14] or "01", f"{self.mine}00001", code[16:20], kind, unit if analogue else ""]
            record += [*ranges, *[""] * 8, *words, point.name.zh, *[""] * 4, self._time(now)]
            found.append(record)
        return found

    def _real_time(self, code: str, now: int) -> list[str]:
        rows = self._rows["CDSS", code]
        _, name, unit = self._point(code)
        state = state_of(rows, self._typed)
        return [code, name, name, self._text(rows.get("value")), unit, state, self._time(now)]

    def _station(self, kind: str, code: str, now: int) -> list[str]:
        rows = self._rows[kind, code]
        return [code, self._text(rows.get("run"), "0"), self._text(rows.get("power"), "1"), self._time(now)]

    def _people(self, when: str) -> list[list[str]]:
        counts = {code: rows for (kind, code), rows in self._rows.items() if kind == "RYSS"}
        wanted = {code: int(self._number(rows.get("people", rows.get("leaders")))) for code, rows in counts.items()}
        leaders = {code: int(self._number(rows["leaders"])) for code, rows in counts.items() if "leaders" in rows}
        return people(self.mine, wanted, leaders, when)

    def _number(self, row: int | None) -> float:
        return 0.0 if row is None or np.isnan(self._values[row]) else float(self._values[row])

    def _tally(self, ts: int) -> None:
        for code, statistics in self._statistics.items():
            rows = self._rows["TJSJ", code]
            source = self._rows.get(("CDSS", code), {}).get("value", next(iter(rows.values())))
            held = self._typed[source]
            if held is not None and not isinstance(held, str):
                statistics.take(float(held), ts)

    def _statistic(self, code: str, now: int) -> list[str]:
        _, name, unit = self._point(code)
        found, self._statistics[code] = self._statistics[code], Statistics()
        rows = self._rows["TJSJ", code]
        own = {field: self._text(row) for field, row in rows.items()} if ("CDSS", code) not in self._rows else {}
        high, low, mean = (
            own.get(key) or value for key, value in zip(("max", "min", "average"), found.texts(), strict=True)
        )
        begin = self._time(now - STATISTICS_S * 1_000_000)
        high_at, low_at = self._time(found.high_us + self.clock_off_us), self._time(found.low_us + self.clock_off_us)
        return [code, name, name, unit, begin, self._time(now), high, high_at, low, low_at, mean, self._time(now)]

    def _exceptions(self, now: int) -> list[list[str]]:
        """Records of those that run, and once of those that have ended."""
        records = []
        for code in self._codes("CDSS"):
            rows, point = self._rows["CDSS", code], self._point(code)[0]
            held = self._typed[rows["value"]] if "value" in rows else None
            value = float(held) if held is not None and not isinstance(held, str) else np.nan
            kind = exception_of(state_of(rows, self._typed), switch=point.kind is Kind.STATE)
            episode = self._episodes.get(code)
            if episode is not None and episode.kind != kind:
                records.append(self._exception(code, episode, now, self._time(now)))
                del self._episodes[code]
                episode = None
            if kind:
                episode = self._episodes.setdefault(code, episode or Episode(kind, now))
                episode.values.take(value, now)
                records.append(self._exception(code, episode, now, ""))
        return records

    def _exception(self, code: str, episode: Episode, now: int, end: str) -> list[str]:
        _, name, unit = self._point(code)
        high, low, mean = episode.values.texts()
        when = [self._time(us) for us in (episode.values.high_us, episode.values.low_us)]
        begun = self._time(episode.since_us)
        told = [high, when[0], low, when[1], mean]
        return [code, name, name, unit, episode.kind, begun, end, *told, "", "", "", "", self._time(now)]

    def _time(self, us: int) -> str:
        return self._local(us).strftime("%Y-%m-%d %H:%M:%S")

    def _local(self, us: int) -> datetime:
        return datetime.fromtimestamp(us // 1_000_000, self._zone)

    def _write(self, kind: str, records: Sequence[Sequence[str]], now: int, *, even_empty: bool = False) -> None:
        if not records and not even_empty:
            return
        kind = self._prefix + kind
        # Never two of one name in one second: the later is put a second on.
        second = now // 1_000_000
        second += second == self._last.get(kind)
        self._last[kind] = second
        now = second * 1_000_000
        about = ["", "模拟监控系统", "", ""] if kind.endswith("CDDY") else []
        header = [self.mine, self.mine_name, *about, self._time(now)]
        lines = [";".join(_clean(field) for field in line) for line in (header, *records)]
        text = "".join(line + self.record_end for line in lines) + self.file_end
        data = text.encode(self.encoding, "replace")
        if self._faults.get("garbage"):
            # With its end: one without is only ever waited for.
            data = self._dice.randbytes(len(data)) + self.file_end.encode()
        self._send(f"{self.mine}_{kind}_{self._local(now):%Y%m%d%H%M%S}.txt", data)

    def _send(self, name: str, data: bytes) -> None:
        """Put a file on its way over the link."""
        if self._faults.get("loss") and self._dice.random() < self._faults["loss"]:
            return
        if self._faults.get("cut"):
            self._waiting.append((name, data))
            del self._waiting[:-MOST_HELD]
            return
        wait = self._faults.get("slow", 0.0) + self._faults.get("delay", 0.0)
        if wait:
            task = asyncio.get_running_loop().create_task(self._put_later(wait, name, data))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        else:
            self._put(name, data)

    async def _put_later(self, wait: float, name: str, data: bytes) -> None:
        await asyncio.sleep(wait)
        self._put(name, data)

    def _put(self, name: str, data: bytes) -> None:
        """The file appears whole: written under another name first. One that cannot be written is lost and told."""
        half = self.folder / f".{name}.part"
        try:
            half.write_bytes(data)
            half.replace(self.folder / name)
        except OSError as error:
            log.warning("kj_file_lost", file=name, folder=str(self.folder), error=error.strerror)
            return
        self.files += 1

    def _begin(self, kind: str, amount: float) -> None:
        if kind == "reset":
            self._away_until = asyncio.get_running_loop().time() + amount
            self._defined_us = 0
            self._waiting.clear()
        elif kind != "clock_jump":
            self._faults[kind] = amount
            if kind == "cut" and not amount:
                waiting, self._waiting = self._waiting, []
                for name, data in waiting:
                    self._put(name, data)

    async def close(self) -> None:
        for task in tuple(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)


def _clean(field: str) -> str:
    """What separates may not stand in a field."""
    return re.sub(r"[;；~^\]|\r\n]", " ", field)
