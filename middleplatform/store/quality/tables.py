"""The tables of data quality. What is known of each point by the hour is kept as the roll-ups are, and made anew with
them wherever samples changed."""

from __future__ import annotations

from middleplatform.store.quality.figures import TIMES

PARTITION = 400 * 24 * 3_600_000_000
"""µs."""

FIGURES = f"""CREATE TABLE IF NOT EXISTS quality_1h (
  point UInt64 CODEC(Delta, ZSTD(1)),
  ts Int64 CODEC(DoubleDelta, ZSTD(1)),
  n UInt64 CODEC(T64, ZSTD(1)),
  {"".join(f"{name}_us Int64 CODEC(T64, ZSTD(1)),  " for name in TIMES)}
  ver UInt64 CODEC(DoubleDelta, ZSTD(1))
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(ts, {PARTITION}) ORDER BY (point, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

IS_THERE = "(n > 0 OR good_us + uncertain_us + bad_us > 0)"
"""Rows without are hours that had something until a late sample took it away."""

# Counts of delays from source to store, summed since `run`: `middleplatform.store.quality.arrivals`.
_ARRIVALS = f"""CREATE TABLE IF NOT EXISTS arrivals (
  connection String, hour Int64, bin UInt8, run Int64, n UInt64, ver UInt64
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(hour, {PARTITION}) ORDER BY (connection, hour, bin, run)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

# What gateways told of their polls last in each hour: `middleplatform.store.quality.polls`.
_POLLS = f"""CREATE TABLE IF NOT EXISTS polls (
  connection String, grp String, started Int64, hour Int64, due Int64, answered Int64, ver UInt64
) ENGINE = ReplacingMergeTree(ver) PARTITION BY intDiv(hour, {PARTITION}) ORDER BY (connection, grp, started, hour)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

# Since when each point is expected, the earliest moment as the highest version:
# `middleplatform.store.quality.expected`.
_EXPECTED = """CREATE TABLE IF NOT EXISTS expected (point UInt64, since Int64, ver UInt64)
ENGINE = ReplacingMergeTree(ver) ORDER BY point
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

TABLES = (FIGURES, _ARRIVALS, _POLLS, _EXPECTED)
