"""Whether values and events that people give can be true: a point's range and states, the past, one value a time."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from middleplatform.api import times
from middleplatform.api.errors import ApiError
from middleplatform.governance.manual import MAX_SPAN, Told
from models.events import MAX_ATTRIBUTES
from models.quality import Quality
from models.site.model import Kind, Point

_QUALITIES = {int(code) for code in Quality}
EARLIEST = 946_684_800_000_000
"""2000-01-01 in µs: what is older the store sets aside."""


def samples(point: Point, given: list[dict[str, Any]], now: int) -> Told:
    """The samples as columns, by time. Raises ApiError 400 that names the sample."""
    ts = np.array([_past(each["time"], now, f"samples.{k}.time") for k, each in enumerate(given)], np.int64)
    order = np.argsort(ts, kind="stable")
    ts = ts[order]
    again = np.flatnonzero(np.diff(ts) == 0)
    if len(again):
        at = times.iso(int(ts[again[0]]))
        raise _wrong(f"{at} 出现两次", f"{at} is here twice: one value a time", "samples")
    if int(ts[-1] - ts[0]) > MAX_SPAN:
        raise _wrong(
            f"时间跨度超过 {MAX_SPAN // 86_400_000_000} 天，请分次录入",
            f"the samples span over {MAX_SPAN // 86_400_000_000} days: enter them in several",
            "samples",
        )
    for place, each in enumerate(given):
        _check(point, each, f"samples.{place}")
    given = [given[place] for place in order.tolist()]
    none = [each["value"] is None and each["text"] is None for each in given]
    quality = [
        each["quality"] if each["quality"] is not None else int(Quality.BAD if missing else Quality.GOOD_LOCAL_OVERRIDE)
        for each, missing in zip(given, none, strict=True)
    ]
    return Told(
        ts,
        np.array([np.nan if each["value"] is None else each["value"] for each in given], np.float64),
        np.array(quality, np.uint8),
        tuple(each["text"] for each in given),
    )


def event(given: dict[str, Any], now: int) -> dict[str, Any]:
    """An event's body, its times as µs. Raises ApiError 400."""
    start = _past(given["start"], now, "start")
    end = None if given["end"] is None else _past(given["end"], now, "end")
    if end is not None and end < start:
        raise _wrong("结束早于开始", "the end is before the start", "end")
    attributes = given["attributes"]
    if len(json.dumps(attributes, ensure_ascii=False).encode("utf-8", "replace")) > MAX_ATTRIBUTES - 200:
        raise _wrong("属性过大", f"the attributes take over {MAX_ATTRIBUTES - 200} bytes", "attributes")
    quality = int(Quality.GOOD_LOCAL_OVERRIDE)
    return {"id": "", "kind": given["kind"], "start": start, "end": end, "quality": quality, "attributes": attributes}


def _check(point: Point, given: dict[str, Any], where: str) -> None:
    value, quality, text = given["value"], given["quality"], given["text"]
    if quality is not None and quality not in _QUALITIES:
        known = ", ".join(map(str, sorted(_QUALITIES)))
        raise _wrong(f"质量码 {quality} 未知，可用 {known}", f"the quality {quality} is none of {known}", where)
    if text is not None and point.kind is not Kind.TEXT:
        raise _wrong("该测点不是文本测点", "this point is not of kind text: give a value", where)
    if value is not None and point.kind is Kind.TEXT:
        raise _wrong("文本测点应给出 text", "this point is of kind text: give a text", where)
    if value is None and text is None:
        if quality is not None and quality >= int(Quality.UNCERTAIN):
            raise _wrong("没有数值的样本质量应为坏", "a sample without a value is bad: its quality is below 64", where)
        return
    if value is None:
        return
    if point.kind is Kind.STATE and point.states and value not in point.states:
        known = ", ".join(map(str, point.states))
        raise _wrong(
            f"{value:g} 不是该测点的状态（{known}）", f"{value:g} is none of this point's states: {known}", where
        )
    if value < point.low or value > point.high:
        bounds = f"{point.low:g} … {point.high:g} {point.unit}".strip()
        raise _wrong(
            f"{value:g} 超出测点范围 {bounds}", f"{value:g} is outside what this point can be: {bounds}", where
        )


def _past(text: str, now: int, where: str) -> int:
    at = times.parse_time(text, now, where)
    if not EARLIEST <= at <= now:
        raise _wrong("时间应在 2000 年之后、当前之前", f"{times.iso(at)} is not between 2000 and now", where)
    return at


def _wrong(zh: str, en: str, where: str) -> ApiError:
    return ApiError(400, "wrong_entry", zh, en, where)
