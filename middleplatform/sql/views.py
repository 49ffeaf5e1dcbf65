"""The tables that analysts see. Each is a view of what one caller may see, with every sample once.

A view's text is the only place where a real table is named. The caller's points are those of the table
`seen_points` under the number of its scope, its equipment those of `seen_equipment`. They are taken by an explicit
PREWHERE: it is done before anything of the caller's own statement, so that not even a failing condition can tell of
rows that are not to be seen, and the engine moves nothing else there.
"""

from __future__ import annotations

from dataclasses import dataclass

# Here the names of tables and numbers of scopes meet, and nothing of a caller's.
# ruff: noqa: S608
_POINTS = "point IN (SELECT point FROM default.seen_points WHERE scope = {points})"
_EQUIPMENT = "equipment IN (SELECT equipment FROM default.seen_equipment WHERE scope = {equipment})"
_EVENTS = "equipment IN (SELECT equipment FROM default.seen_equipment WHERE scope = {events})"


@dataclass(frozen=True, slots=True)
class View:
    """`columns`: name, type, meaning in Chinese and in English. `text` reads the rows; `{points}`, `{equipment}` and
    `{events}` in it stand for numbers of scopes. `reads` are the real tables in it."""

    columns: tuple[tuple[str, str, str, str], ...]
    text: str
    reads: frozenset[str]


VIEWS: dict[str, View] = {
    "samples": View(
        (
            ("point", "UInt64", "测点编号", "the point's id; point_id('belt_101/speed') names one"),
            ("time", "DateTime64(6, 'UTC')", "时间", "when it was"),
            ("ts", "Int64", "时间，自 1970 年起的微秒数", "the same, µs since 1970"),
            ("value", "Float64", "数值，无值时为 NaN", "NaN when there is none"),
            ("quality", "UInt8", "质量（OPC），192 起为好", "OPC: from 192 good, from 64 uncertain, below bad"),
            ("text", "Nullable(String)", "文本值", "the value of a point whose values are text"),
        ),
        "SELECT point, fromUnixTimestamp64Micro(ts, 'UTC') AS time, ts, value, quality, text "
        f"FROM default.samples FINAL PREWHERE {_POINTS}",
        frozenset({"samples", "seen_points"}),
    ),
    "points": View(
        (
            ("point", "UInt64", "测点编号", "the point's id"),
            ("path", "String", "路径", "<mine code>/<equipment>/<point>"),
            ("equipment", "String", "所属设备", "<mine code>/<equipment>"),
            ("name_zh", "String", "中文名", "its name in Chinese"),
            ("name_en", "String", "英文名", "its name in English"),
            ("unit", "String", "单位", "unit of its values"),
            ("role", "String", "角色", "what it is for: belt.speed, ch4, …"),
            ("kind", "String", "类别", "analog, state, counter or text"),
            ("retention", "String", "保存类别", "bulk or statutory"),
            ("low", "Float64", "量程下限，无则 NaN", "the least that it can be, NaN for no bound"),
            ("high", "Float64", "量程上限，无则 NaN", "the most that it can be, NaN for no bound"),
            ("silence_s", "Float64", "最长静默，秒", "the longest time without a sample, s"),
        ),
        "SELECT point, path, equipment, name_zh, name_en, unit, role, kind, retention, low, high, silence_s "
        f"FROM default.site_points PREWHERE {_POINTS}",
        frozenset({"site_points", "seen_points"}),
    ),
    "equipment": View(
        (
            ("equipment", "String", "设备", "<mine code>/<equipment>"),
            ("name_zh", "String", "中文名", "its name in Chinese"),
            ("name_en", "String", "英文名", "its name in English"),
            ("template", "String", "模板", "the template that it is made from"),
            ("area", "String", "所在区域", "where it stands now"),
        ),
        f"SELECT equipment, name_zh, name_en, template, area FROM default.site_equipment PREWHERE {_EQUIPMENT}",
        frozenset({"site_equipment", "seen_equipment"}),
    ),
    "events": View(
        (
            ("id", "String", "编号", "the event's id"),
            ("equipment", "String", "设备", "<mine code>/<equipment>"),
            ("kind", "String", "种类", "what happened"),
            ("start_time", "DateTime64(6, 'UTC')", "开始", "when it began"),
            ("end_time", "Nullable(DateTime64(6, 'UTC'))", "结束，未结束为 NULL", "when it ended, NULL while it lasts"),
            ("start", "Int64", "开始，微秒", "the same, µs since 1970"),
            ("end", "Nullable(Int64)", "结束，微秒", "the same, µs since 1970"),
            ("quality", "UInt8", "质量", "as of samples"),
            ("source", "String", "来源", "who told of it"),
            ("attributes", "String", "属性（JSON）", "further facts, JSON"),
        ),
        "SELECT id, equipment, kind, fromUnixTimestamp64Micro(start, 'UTC') AS start_time, "
        "fromUnixTimestamp64Micro(end, 'UTC') AS end_time, start, end, quality, source, attributes "
        f"FROM default.events FINAL PREWHERE {_EVENTS}",
        frozenset({"events", "seen_equipment"}),
    ),
}
