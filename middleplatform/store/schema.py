"""The tables, and the version of what lies on disk."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from middleplatform.store.engine import Embedded, Engine
from middleplatform.store.errors import StoreVersionError
from middleplatform.store.quality.tables import TABLES as QUALITY_TABLES
from middleplatform.store.rollup_tables import TABLES as ROLLUP_TABLES

VERSION = 3
"""2 has roll-ups, 3 has stays and quarters, which a program for less would let grow wrong."""
OLDER = frozenset({"1", "2"})
"""Versions that are brought to ours when they are opened: only what is new is made, and rolled up by and by."""
DAY = 86_400_000_000
"""µs in a day: the width of a partition."""

# Delta is the smallest for values that move in steps of their resolution (1.4 bytes where Gorilla
# takes 3.7). A key is written again with a higher `ver` to change it: the highest one holds.
SAMPLES = f"""CREATE TABLE IF NOT EXISTS samples (
  point UInt64 CODEC(Delta, ZSTD(1)),
  ts Int64 CODEC(DoubleDelta, ZSTD(1)),
  value Float64 CODEC(Delta, ZSTD(1)),
  quality UInt8 CODEC(ZSTD(1)),
  text Nullable(String) CODEC(ZSTD(1)),
  ver UInt64 CODEC(DoubleDelta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(ts, {DAY}) ORDER BY (point, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

EVENTS = """CREATE TABLE IF NOT EXISTS events (
  id String CODEC(ZSTD(1)),
  equipment LowCardinality(String),
  kind LowCardinality(String),
  start Int64 CODEC(Delta, ZSTD(1)),
  end Nullable(Int64) CODEC(ZSTD(1)),
  quality UInt8,
  source LowCardinality(String),
  attributes String CODEC(ZSTD(1)),
  ver UInt64 CODEC(Delta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

QUARANTINE = f"""CREATE TABLE IF NOT EXISTS quarantine (
  arrived Int64 CODEC(DoubleDelta, ZSTD(1)),
  gateway LowCardinality(String),
  reason LowCardinality(String),
  point UInt64 CODEC(Delta, ZSTD(1)),
  ts Int64 CODEC(DoubleDelta, ZSTD(1)),
  value Float64 CODEC(Delta, ZSTD(1)),
  quality UInt8 CODEC(ZSTD(1)),
  text Nullable(String) CODEC(ZSTD(1)),
  ver UInt64 CODEC(DoubleDelta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(arrived, {DAY}) ORDER BY (gateway, reason, point, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

SAMPLE_COLUMNS = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("value", pa.float64()),
        ("quality", pa.uint8()),
        ("text", pa.string()),
        ("ver", pa.uint64()),
    ]
)


SETTING = "SEVENONES_STORE"
"""The environment variable that names a ClickHouse server or cluster; without it the engine is embedded."""


def open_store(folder: Path, url: str | None = None) -> Engine:
    """The engine, its tables made: embedded on the store's folder, or at a `clickhouse://` URL. Raises
    StoreVersionError when what lies there is of a version that is neither ours nor one of `OLDER`, StoreError when
    it cannot be opened."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if url:
        from middleplatform.store.clickhouse import open_server

        return _with_tables(open_server(url, VERSION, OLDER))
    marker = folder / "version"
    found = None
    if marker.exists():
        found = marker.read_text().strip()
        if found != str(VERSION) and found not in OLDER:
            raise StoreVersionError(
                f"“{folder}”的存储版本为“{found}”，本程序读取版本 {VERSION}：请移走该目录，或改用写入它的程序 · "
                f"the store in '{folder}' is of version '{found}', this program reads version {VERSION}. "
                "Move the folder away, or start the program that wrote it"
            )
    engine = _with_tables(Embedded(folder / "chdb"))
    if found != str(VERSION):
        fresh = marker.with_name("version.new")
        fresh.write_text(f"{VERSION}\n")
        fresh.replace(marker)
    return engine


def _with_tables(engine: Engine) -> Engine:
    try:
        for statement in (SAMPLES, EVENTS, QUARANTINE, *ROLLUP_TABLES, *QUALITY_TABLES):
            engine.execute(statement)
    except BaseException:
        engine.close()
        raise
    return engine
