"""The adapter `sql`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from models.quality import Quality
from models.site.model import Name
from protocols import blocking
from protocols.adapter import Adapter, Deliver, Delivers, Delivery, LinkLost, Node, Reading, Sheet, Supports, Tag
from protocols.findings import Finding, FindingBook
from protocols.sql.address import TYPES, check_address
from protocols.sql.database import MOST_LATE, Database
from protocols.sql.decode import Decoder
from protocols.sql.feed import COUNTS, Feed
from protocols.sql.position import Position
from protocols.sql.settings import SqlSettings

MOST_NAMES = 10_000
"""That `browse` shows."""
LOADING_S = 25.0
"""For loading the libraries, on a slow and busy box."""


class Sql(Adapter[SqlSettings, None]):
    """Asks a view for its new rows again and again, and notes the last one once it is in the bus."""

    sheet = Sheet(
        name="sql",
        title=Name("SQL 数据库", "SQL databases"),
        supports=Supports.SUBSCRIBE | Supports.BROWSE,
        delivers=Delivers.AT_LEAST_ONCE,
        source_time=True,
        remarks=Name(
            "按递增的键或时间读取视图中的新行，只读；写入总线之后才保存读到的位置，重启后从该处继续。",
            "Reads the new rows of a view by a rising key or time, read-only; how far it has read is kept on disk once "
            "the bus has the rows, and it goes on from there after a restart.",
        ),
        limits=(
            Name(f"迟到的行一次最多查看 {MOST_LATE:,} 行", f"at most {MOST_LATE:,} late rows are looked at in one go"),
            Name(f"浏览最多列出 {MOST_NAMES:,} 个名称", f"at most {MOST_NAMES:,} names are listed when browsing"),
        ),
    )
    Settings: ClassVar[type[SqlSettings]] = SqlSettings

    def __init__(self, settings: SqlSettings) -> None:
        super().__init__(settings)
        self._database: Database | None = None
        self._counts = dict.fromkeys(COUNTS, 0)
        self._book = FindingBook()
        self._place = ("sql", settings.url.get_secret_value() or settings.url_env)

    @classmethod
    def check(cls, tag: Tag) -> None:
        check_address(tag.address)
        if tag.type not in TYPES:
            raise ValueError(
                f"没有类型 '{tag.type}'，有 {', '.join(filter(None, TYPES))}，或不写 · "
                f"the type '{tag.type}' is unknown; there are {', '.join(filter(None, TYPES))}, or nothing"
            )
        if tag.order:
            raise ValueError(
                f"数据库的值没有字节序，此处给出了 '{tag.order}' · "
                f"a database's value has no byte order, and '{tag.order}' is given"
            )
        if tag.options:
            raise ValueError(
                f"SQL 测点没有选项，此处给出了 {', '.join(map(str, tag.options))} · "
                f"an SQL point has no options, and {', '.join(map(str, tag.options))} is given"
            )

    async def connect(self) -> None:
        self._database = await self._call(lambda: Database(self.settings), LOADING_S)
        await self._call(self._database.open)

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        database = self._database
        if database is None:
            raise LinkLost("此数据库没有打开 · this database is not open")
        decoder = Decoder(self.settings, tags, database.columns)
        if decoder.wrong:
            await deliver(Delivery(_bad(decoder.wrong)))
        source = f"{database.where} {self.settings.view or self.settings.query} {self.settings.key}"
        position = Position(Path(self.settings.state_dir), source)
        kept = await self._call(position.read)
        feed = Feed(self.settings, database, decoder.columns, kept, self._counts, self._book)
        await self._call(feed.start)
        while True:
            rows = await self._call(feed.poll)
            reading = await self._call(lambda rows=rows: decoder.decode(rows))  # type: ignore[misc]
            if reading is not None:
                await self._deliver(reading, deliver)
            if decoder.absent and not (rows and len(rows) >= self.settings.rows_per_poll):
                words = (
                    "至今读到的行都没有此名称：名称对吗？也可能只是少见 · "
                    "no row that was read so far has this name: is it right? It may only be rare"
                )
                await deliver(Delivery(_bad(dict.fromkeys(decoder.absent, words))))
                decoder.absent.clear()
            if feed.last != kept:
                kept = feed.last
                if kept is not None:
                    await self._call(lambda kept=kept: position.write(kept))  # type: ignore[misc]
            if len(rows) < self.settings.rows_per_poll // 2:
                await asyncio.sleep(self.settings.poll_s)

    async def _deliver(self, reading: Reading, deliver: Deliver) -> None:
        """Deliver, and wait until the bus has it: only then may the position move."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def acknowledge() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

        await deliver(Delivery(reading, acknowledge))
        await done.wait()

    async def browse(self, parent: str = "") -> Sequence[Node]:
        """The names in the name column, or the columns."""
        database = self._database
        if database is None:
            raise LinkLost("此数据库没有打开 · this database is not open")
        if parent:
            return []
        used = self.settings
        if used.name:
            names: Sequence[str] = await self._call(lambda: database.names(MOST_NAMES))
        else:
            names = [name for name in database.columns if name not in (used.key, used.time, used.quality)]
        return [Node(name, name, "", "") for name in names]

    async def close(self) -> None:
        database, self._database = self._database, None
        if database is None:
            return
        # Over a connection that hangs, closing hangs too: its thread is left to itself then.
        with contextlib.suppress(TimeoutError):
            await blocking.call(database.close, min(1.0, self.settings.timeout_s), self._place)

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def findings(self) -> Sequence[Finding]:
        return self._book.all()

    async def _call(self, function: Callable[[], blocking.T], limit: float = 0.0) -> blocking.T:
        # The database bounds its own answers; half as long again is for one that does not.
        limit = limit or self.settings.timeout_s * 1.5
        try:
            return await blocking.call(function, limit, self._place)
        except TimeoutError:
            raise LinkLost(
                f"数据库在 {limit:.1f} 秒内没有应答：其服务器是否在运行？ · "
                f"the database did not answer within {limit:.1f} s: is its server up?"
            ) from None


def _bad(reasons: Mapping[int, str]) -> Reading:
    return Reading(
        index=np.fromiter(reasons, np.int32, len(reasons)),
        value=np.full(len(reasons), np.nan),
        quality=np.full(len(reasons), Quality.BAD_CONFIGURATION, np.uint8),
        ts=np.zeros(len(reasons), np.int64),
        reasons=dict(reasons),
    )
