"""What the data's routes answer, for the description only: the answers themselves are made as columns or
from what was prepared, without these."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Words(BaseModel):
    zh: str
    en: str


class EquipmentOf(BaseModel):
    id: str
    name: Words


class Range(BaseModel):
    low: float | None
    high: float | None


class LimitOf(BaseModel):
    """`kind`: hihi, hi, lo, lolo. `restore`: where it ends, null for at `value`."""

    kind: str
    value: float | None
    restore: float | None


class PointFacts(BaseModel):
    """`point` is its path; `id` is a whole number of 64 bits, written as text."""

    point: str
    id: str
    equipment: EquipmentOf
    key: str
    name: Words
    unit: str
    role: str
    kind: str
    retention: str
    range: Range
    limits: list[LimitOf]
    states: dict[str, Words]
    silence_s: float
    writable: bool


class Points(BaseModel):
    total: int
    offset: int
    points: list[PointFacts]


class LiveValue(BaseModel):
    """`ts` is µs since 1970, `time` the same as ISO 8601. `stale`: no sample for twice `silence_s`; the quality
    is then 20, whatever it was. A point that never had a sample has quality 32 and no value. `manual`: a person entered
    or corrected it; who and why is in `/manual/versions`."""

    point: str
    id: str
    value: float | None
    text: str | None
    unit: str
    quality: int
    quality_words: Words
    time: str | None
    ts: int | None
    age_s: float | None
    stale: bool
    manual: bool


class Live(BaseModel):
    time: str
    ts: int
    values: list[LiveValue]


class Columns(BaseModel):
    """Columns of equal length. Raw: time, ts, value, quality, text (only where there is any). Buckets: time and ts
    of their start, n, n_good, min, max, mean, first, first_quality, last, last_quality, worst, good_us; those of
    an aggregate have its columns."""

    model_config = ConfigDict(extra="allow")

    time: list[str]
    ts: list[int]


class Series(BaseModel):
    """`samples` or `buckets`, whichever was asked for."""

    point: str
    id: str
    unit: str
    samples: Columns | None = None
    buckets: Columns | None = None


class History(BaseModel):
    """`incomplete`: the store has received samples that it could not write in time: ask again."""

    start: str
    end: str
    start_us: int
    end_us: int
    width_us: int | None
    truncated: bool
    incomplete: bool
    series: list[Series]


class JoinedPoint(BaseModel):
    """One value an instant, null where there is no good one; `quality` only when asked for."""

    point: str
    id: str
    unit: str
    value: list[float | None]
    quality: list[int] | None = None


class Joined(BaseModel):
    """Points on one grid of instants: start, start + step, …"""

    start: str
    end: str
    start_us: int
    end_us: int
    step_us: int
    incomplete: bool
    time: list[str]
    ts: list[int]
    points: list[JoinedPoint]


class EventFacts(BaseModel):
    """`end` is null while it lasts."""

    id: str
    equipment: str
    kind: str
    start: int
    end: int | None
    start_time: str
    end_time: str | None
    quality: int
    quality_words: Words
    source: str
    attributes: dict[str, object]


class Events(BaseModel):
    events: list[EventFacts]
    truncated: bool
    incomplete: bool
