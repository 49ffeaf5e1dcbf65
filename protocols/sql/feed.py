"""Which rows are new: those above the last key, and late ones a little below it.

Rows do not come in the order of their keys: a transaction that began first may end last. So with each
poll the rows just behind the last key are read again, and those not seen before, or changed, are new.
"""

from __future__ import annotations

import datetime
import decimal
import time
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from protocols.adapter import LinkLost
from protocols.findings import FindingBook
from protocols.sql.database import Database, Row, moment
from protocols.sql.settings import SqlSettings

log = structlog.get_logger(__name__)

COUNTS = ("rows_total", "late_rows_total", "key_resets_total", "future_keys_total")


class Feed:
    """The rows of one source. `last`: the highest key that was read, None before the first."""

    def __init__(
        self,
        settings: SqlSettings,
        database: Database,
        columns: tuple[str, ...],
        last: Any,
        counts: dict[str, int],
        book: FindingBook,
    ) -> None:
        self.last = last
        self._settings = settings
        self._database = database
        self._columns = columns
        self._counts = counts
        self._book = book
        self._zone = ZoneInfo(settings.time_zone)
        self._seen: dict[int, Any] = {}
        self._future: Any = None
        self._began = False

    def start(self) -> None:
        """Where to begin when nothing was read before. Raises LinkLost, also for a key that cannot be one."""
        newest = self._database.newest_key()
        if newest is not None and not isinstance(newest, int | float | decimal.Decimal | datetime.datetime):
            kind = type(newest).__name__
            raise LinkLost(
                f"键“{self._settings.key}”的类型是 {kind}，应为递增的数或时间 · "
                f"the key '{self._settings.key}' is a {kind}: it must be a number or a time that rises"
            )
        if self.last is not None and newest is not None and _is_time(self.last) != _is_time(newest):
            raise LinkLost(
                f"键“{self._settings.key}”以前是另一种类型，请删除 state_dir 中的文件 · "
                f"the key '{self._settings.key}' was of another kind before: remove the file in state_dir"
            )
        if self.last is None and self._settings.start == "newest" and newest is not None:
            limit = self._limit(newest)
            self.last = newest if limit is None or newest <= limit else self._database.newest_key(limit)

    def poll(self) -> list[Row]:
        """What is new since the last poll; `last` is then the key up to which all was read."""
        like = self._database.newest_key() if self.last is None else self.last
        if like is None:
            return []
        late = self._late()
        rows = self._database.after(self._columns, self.last, self._limit(like))
        if rows:
            self.last = rows[-1][0]
        elif not late:
            self._look_around()
        self._counts["rows_total"] += len(rows) + len(late)
        self._remember(rows)
        return late + rows

    def _limit(self, like: Any) -> Any:
        """The highest key that is taken, where keys are times: one from the far future would hide all rows
        until then."""
        if not _is_time(like):
            return None
        return moment(like, round((time.time() + self._settings.future_s) * 1e6), self._zone)

    def _low(self) -> Any:
        if _is_time(self.last):
            return self.last - datetime.timedelta(seconds=self._settings.overlap_s)
        return self.last - self._settings.overlap_rows

    def _late(self) -> list[Row]:
        if self.last is None:
            return []
        low = self._low()
        rows = self._database.between(self._columns, low, self.last)
        fresh = [row for row, known in zip(rows, map(_identity, rows), strict=True) if known not in self._seen]
        self._seen = {known: key for known, key in self._seen.items() if key >= low}
        if self._began:
            self._counts["late_rows_total"] += len(fresh)
        self._began = True
        self._remember(fresh)
        return fresh

    def _remember(self, rows: list[Row]) -> None:
        if self.last is not None:
            low = self._low()
            self._seen.update((_identity(row), row[0]) for row in rows if row[0] >= low)

    def _look_around(self) -> None:
        """Nothing is new: have the keys begun again, or is there one in the future?"""
        newest = self._database.newest_key()
        if newest is None or self.last is None:
            return
        if newest < self._low():
            self._counts["key_resets_total"] += 1
            self._book.note(
                "keys begin again",
                self._database.source,
                f"上一个为 {self.last}，现为 {newest} · the last was {self.last}, now it is {newest}",
            )
            log.warning("sql_keys_reset", source=self._database.source, last=str(self.last), newest=str(newest))
            self.last = None
            self._seen.clear()
        elif newest > self.last and newest != self._future:
            self._future = newest
            self._counts["future_keys_total"] += 1
            self._book.note(
                "key in the future",
                self._database.source,
                f"{newest} 须等到其时间 · {newest} has to wait until its time has come",
            )
            log.warning("sql_key_in_the_future", source=self._database.source, key=str(newest))


def _is_time(key: Any) -> bool:
    return isinstance(key, datetime.datetime)


def _identity(row: Row) -> int:
    # By its words: every NaN that is read has another hash of its own, and -1 has that of -2.
    return hash(repr(row))
