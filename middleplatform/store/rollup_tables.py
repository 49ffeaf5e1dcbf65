"""The tables of the roll-ups: one bucket a row, as `middleplatform.store.integrate` gives it."""

from __future__ import annotations

MINUTE = 60_000_000
QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
"""µs."""

NAMES = {MINUTE: "rollup_1m", QUARTER: "rollup_15m", HOUR: "rollup_1h"}
"""By the width of their buckets."""
PARTITION = {MINUTE: 10 * 24 * HOUR, QUARTER: 40 * 24 * HOUR, HOUR: 40 * 24 * HOUR}
"""µs of a partition: a question about a month opens few of them."""

GRANULE = 2_048
"""Rows read at once: questions are about few points, and larger ones take half as long again."""

IS_THERE = "(n > 0 OR good_us > 0)"
"""Rows without are windows that had something until a late sample took it away."""


def _table(width: int) -> str:
    return f"""CREATE TABLE IF NOT EXISTS {NAMES[width]} (
  point UInt64 CODEC(Delta, ZSTD(1)),
  ts Int64 CODEC(DoubleDelta, ZSTD(1)),
  n UInt64 CODEC(T64, ZSTD(1)),
  n_good UInt64 CODEC(T64, ZSTD(1)),
  min Float64 CODEC(Delta, ZSTD(1)),
  max Float64 CODEC(Delta, ZSTD(1)),
  mean Float64 CODEC(Delta, ZSTD(1)),
  first Float64 CODEC(Delta, ZSTD(1)),
  first_quality UInt8 CODEC(ZSTD(1)),
  last Float64 CODEC(Delta, ZSTD(1)),
  last_quality UInt8 CODEC(ZSTD(1)),
  worst UInt8 CODEC(ZSTD(1)),
  good_us Int64 CODEC(T64, ZSTD(1)),
  ver UInt64 CODEC(DoubleDelta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(ts, {PARTITION[width]}) ORDER BY (point, ts)
SETTINGS index_granularity = {GRANULE}, fsync_after_insert = 1, fsync_part_directory = 1"""


STAYS = "stays"
STAYS_PARTITION = PARTITION[HOUR]
STAYS_THERE = "(end > ts)"
"""Rows that end where they begin are stays that a late sample took away."""

_STAYS = f"""CREATE TABLE IF NOT EXISTS {STAYS} (
  point UInt64 CODEC(Delta, ZSTD(1)),
  ts Int64 CODEC(DoubleDelta, ZSTD(1)),
  end Int64 CODEC(DoubleDelta, ZSTD(1)),
  state Float64 CODEC(Delta, ZSTD(1)),
  many UInt8 CODEC(ZSTD(1)),
  ver UInt64 CODEC(DoubleDelta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(ts, {STAYS_PARTITION}) ORDER BY (point, ts)
SETTINGS index_granularity = {GRANULE}, fsync_after_insert = 1, fsync_part_directory = 1"""

# The hold age with which each point's roll-ups were made: with another one they are other numbers.
_AGES = """CREATE TABLE IF NOT EXISTS rollup_ages (point UInt64, age Int64, ver UInt64)
ENGINE = ReplacingMergeTree(ver) ORDER BY point
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

# Marks of what is to be made anew: `middleplatform.store.windows`.
_DIRTY = """CREATE TABLE IF NOT EXISTS dirty (kind UInt8, hour Int64, point UInt64, dirty UInt8, ver UInt64)
ENGINE = ReplacingMergeTree(ver) ORDER BY (kind, hour, point)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

TABLES = (*map(_table, NAMES), _STAYS, _AGES, _DIRTY)
