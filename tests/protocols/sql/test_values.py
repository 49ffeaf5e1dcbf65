"""What a row's columns say: numbers, texts, times and qualities of every sort that databases hold."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality import Quality
from protocols.sql.decode import floats, micros
from tests.protocols.sql.source import Reader, Source, tag

ZONE = ZoneInfo("Asia/Shanghai")


async def test_decimals_texts_null_nan_and_infinity_in_a_text_column(postgres, tmp_path):
    source = Source(postgres, "name text, value text")
    for value in ("1.5", " -2e3 ", "坏", None, "NaN", "inf", ""):
        source.add("CH4", value)
    tags = [tag(0, "CH4"), tag(1, "CH4", "text")]
    async with Reader(source.settings(tmp_path, start="beginning"), tags) as reader:
        await reader.until(lambda: len(reader.rows()) == 14, "all rows")
        numbers = [row for row in reader.rows() if row[0] == 0]
        assert [row[1] for row in numbers[:2]] == [1.5, -2000] and [row[2] for row in numbers[:2]] == [192, 192]
        assert all(math.isnan(row[1]) and row[2] == Quality.BAD_SENSOR_FAILURE for row in numbers[2:])
        words = [d.reading.text for d in reader.deliveries if d.reading.text is not None]
        assert [t for column in words for t in column.to_pylist() if t is not None] == [
            "1.5", " -2e3 ", "坏", "NaN", "inf", "",
        ]  # fmt: skip


async def test_decimal_integer_and_boolean_columns_and_other_columns_of_a_row(postgres, tmp_path):
    source = Source(postgres, "name text, value numeric(20,4), state int, running boolean, big bigint")
    source.add("CH4", Decimal("12345678.9012"), state=5, running=True, big=2**40)
    tags = [tag(0, "CH4"), tag(1, "CH4#state"), tag(2, "CH4#running", "bool"), tag(3, "CH4#big"), tag(4, "CH4#none")]
    async with Reader(source.settings(tmp_path), tags) as reader:
        await reader.until(lambda: len(reader.rows()) == 4, "four values")
        assert dict(row[:2] for row in reader.rows()) == {0: 12345678.9012, 1: 5, 2: 1, 3: 2**40}
        bad = reader.deliveries[0].reading
        assert bad.index.tolist() == [4] and "no column 'none'" in bad.reasons[4] and "running" in bad.reasons[4]


async def test_one_column_a_point(postgres, tmp_path):
    source = Source(postgres, "level double precision, flow real, note text")
    source.do("INSERT INTO raw (at, level, flow, note) VALUES ('2026-09-23 10:13:19+08', 2.5, NULL, '正常')")
    tags = [tag(0, "level"), tag(1, "flow"), tag(2, "note", "text")]
    async with Reader(source.settings(tmp_path, name=None, value=None), tags) as reader:
        await reader.until(lambda: len(reader.rows()) == 3, "a row")
        level, flow, note = reader.rows()
        moment = int(datetime(2026, 9, 23, 10, 13, 19, tzinfo=ZONE).timestamp() * 1e6)
        assert level[1:4] == (2.5, 192, moment)
        assert flow[2] == Quality.BAD_SENSOR_FAILURE and "NULL" in flow[4]
        assert note[2] == 192
        assert [node.address for node in await reader.adapter.browse()] == ["level", "flow", "note"]


async def test_mess_8_times_without_a_zone_are_the_mines(postgres, tmp_path):
    source = Source(postgres, "name text, value real, local timestamp, said text, epoch bigint")
    source.add("CH4", 1, local=datetime(2026, 9, 23, 10, 13, 19), said="20260923101319", epoch=1790129599)
    source.add("CH4", 2)
    expected = int(datetime(2026, 9, 23, 10, 13, 19, tzinfo=ZONE).timestamp() * 1e6)
    for column in ("local", "said", "epoch"):
        settings = source.settings(tmp_path / column, time=column, start="beginning")
        async with Reader(settings, [tag(0, "CH4")]) as reader:
            await reader.until(lambda reader=reader: reader.deliveries, "a delivery")
            reading = reader.deliveries[0].reading
            assert reading.ts.tolist() == [expected, 0]
            assert reading.quality.tolist() == [192, 64] and "no time" in reading.reasons[0]
    # … and as the key of what is new
    settings = source.settings(tmp_path / "key", time="local", key="local")
    async with Reader(settings, [tag(0, "CH4")]) as reader:
        await reader.has(1)
        source.add("CH4", 3, local=datetime(2026, 9, 23, 10, 13, 20))
        await reader.has(1, 3)


async def test_the_sources_quality_is_an_opc_byte_or_one_of_its_words(postgres, tmp_path):
    source = Source(postgres, "name text, value real, q text")
    for number, word in enumerate(("192", "24", "OK", None, "999")):
        source.add(f"P{number}", number, q=word)
    tags = [tag(n, f"P{n}") for n in range(5)]
    for words, expected in (({}, [192, 24, 64, 64, 64]), ({"OK": 192, "192": 0}, [0, 64, 192, 64, 64])):
        settings = source.settings(tmp_path / str(len(words)), quality="q", quality_map=words)
        async with Reader(settings, tags) as reader:
            await reader.until(lambda reader=reader: len(reader.rows()) == 5, "all")
            assert [row[2] for row in sorted(reader.rows())] == expected
            assert all(row[4] for row in reader.rows() if row[2] < 192)


async def test_names_are_listed(postgres, tmp_path):
    source = Source(postgres)
    for name in ("CO", "CH4", "CO"):
        source.add(name, 1)
    async with Reader(source.settings(tmp_path), []) as reader:
        assert [node.address for node in await reader.adapter.browse()] == ["CH4", "CO"]


def plainly(value):
    if value is None:
        return math.nan, False
    if isinstance(value, str):
        text = value.strip()
        try:
            return float(text) if text.isascii() and "_" not in text else math.nan, not text.isascii() or "_" in text
        except ValueError:
            return math.nan, True
    return float(value), False


ANY = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.sampled_from(["", " ", "1.5", "+2", "1e5", "-.5", "坏", "1,5", "０", "nan", "Infinity", "1_000", "0x10"])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY, max_size=20))
def test_any_column_is_read_as_one_value_at_a_time(column):
    held = np.fromiter(column, object, len(column))
    values, unreadable = floats(held)
    for mine, wrong, value in zip(values.tolist(), unreadable.tolist(), column, strict=True):
        number, none = plainly(value)
        assert wrong == none, value
        assert mine == number or math.isclose(mine, number, rel_tol=1e-15) or (math.isnan(mine) and math.isnan(number))


TIMES = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(tzinfo=ZONE))


@settings(max_examples=200, deadline=None)
@given(st.lists(TIMES, max_size=10), st.sampled_from(["aware", "s", "ms", "us", "text"]))
def test_times_of_every_form_are_the_same_instant(column, form):
    exact = [None if one is None else round(one.replace(microsecond=0).timestamp()) for one in column]
    forms = {
        "aware": lambda one, s: one.replace(microsecond=0),
        "s": lambda one, s: s,
        "ms": lambda one, s: s * 1000,
        "us": lambda one, s: s * 1_000_000,
        "text": lambda one, s: one.strftime("%Y-%m-%d %H:%M:%S"),
    }
    given_ = [None if one is None else forms[form](one, s) for one, s in zip(column, exact, strict=True)]
    assert micros(given_, ZONE).tolist() == [0 if s is None else s * 1_000_000 for s in exact]


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY | st.binary(max_size=4) | st.dates() | st.lists(st.integers(), max_size=2), max_size=8))
def test_what_is_no_time_at_all_raises_nothing(column):
    assert len(micros(column, ZONE)) == len(column)
    values, unreadable = floats(np.fromiter(column, object, len(column)))
    assert len(values) == len(unreadable) == len(column)
