"""Payloads as vendors write them: lists of samples, CSV, plain words, GBK, and times in every form."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest

from models.quality import Quality
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.mqtt.columns import Message
from protocols.mqtt.decode import COUNTS, Decoder
from protocols.mqtt.topic import captured, covers, fewest
from tests.protocols.mqtt.broker import tag

NOON = 1_768_456_800_000_000
"""2026-01-15 14:00:00 in Shanghai, 06:00 UTC."""
ZONE = {"time_zone": "Asia/Shanghai"}


class Bench:
    def __init__(self, *tags: Tag, discover: tuple[str, ...] = ()) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.book = FindingBook()
        self.decoder = Decoder(tags, self.counts, self.book, discover)

    def hear(self, payload: Any, topic: str = "t") -> Reading | None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.decoder.decode([Message(topic, data, False, 0)])


def rows(payload: Any, *tags: Tag) -> list[tuple[int, int, float]]:
    """Index, seconds after NOON and value of each row; all must be good."""
    found = Bench(*tags).hear(payload)
    assert found is not None and not found.reasons, found and found.reasons
    assert set(found.quality.tolist()) == {192}
    ts = (
        [0] * len(found) if found.ts is None else [round((ts - NOON) / 1e6, 3) if ts else 0 for ts in found.ts.tolist()]
    )
    return list(zip(found.index.tolist(), ts, found.value.tolist(), strict=True))


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (NOON // 1_000_000, {}),
        (NOON / 1e6, {}),
        (NOON // 1000, {}),
        (NOON, {}),
        (NOON * 1000, {}),
        (str(NOON // 1000), {}),
        ("2026-01-15T06:00:00Z", {}),
        ("2026-01-15T14:00:00+08:00", {}),
        ("2026-01-15T14:00:00.000+0800", {}),
        ("2026-01-15 14:00:00", ZONE),
        ("2026/01/15 14:00:00", ZONE),
        ("2026/1/15 14:00:00.0", ZONE),
        ("2026-1-15 14:0", ZONE),
        ("2026.01.15 14:00:00", ZONE),
        ("2026年1月15日 14时00分00秒", ZONE),
        ("20260115140000", ZONE),
        (20260115140000, ZONE),
        ("20260115140000000", ZONE),
        (20260115140000000, ZONE),
        ("15/01/26 14.00", {**ZONE, "time_format": "%d/%m/%y %H.%M"}),
        ("Jan 15 2026 06:00:00 +0000", {"time_format": "%b %d %Y %H:%M:%S %z"}),
        (20260115, {**ZONE, "time_format": "%Y%m%d", "shift": 14 * 3600}),
    ],
)
def test_mess_8_a_time_in_any_usual_form(value: Any, options: dict[str, Any]) -> None:
    shift = options.pop("shift", 0) if "shift" in options else 0
    assert rows({"v": 1, "ts": value}, tag(0, "t#v", time="ts", **options)) == [(0, -shift, 1.0)]


@pytest.mark.parametrize(
    ("value", "options", "words"),
    [
        ("2026-01-15 14:00:00", {}, "time_zone"),
        (20260115140000, {}, "time_zone"),
        ("2026-13-15 14:00:00", ZONE, "neither ISO 8601"),
        (20261315140000, ZONE, "no date"),
        ("15.01.2026", {**ZONE, "time_format": "%Y-%m-%d"}, "%Y-%m-%d"),
        ("2026-01-15 25:00:00", ZONE, "neither ISO 8601"),
    ],
)
def test_mess_8_a_time_that_cannot_be_known_is_never_guessed(value: Any, options: Any, words: str) -> None:
    found = Bench(tag(0, "t#v", time="ts", **options)).hear({"v": 1, "ts": value})
    assert found is not None and found.ts is None
    assert found.quality.tolist() == [Quality.UNCERTAIN] and words in found.reasons[0]


SAMPLES = {
    "device": "p1",
    "sent": NOON // 1000,
    "data": [{"t": NOON // 1000 + 1000 * n, "v": n / 2, "inner": {"w": [n, -n]}} for n in range(3)],
}
EXPECTED = [(0, 0, 0.0), (0, 1, 0.5), (0, 2, 1.0)]


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("t#v", {"samples": "data", "time": "t"}),
        ("t#data[*].v", {"time": "t"}),
        ("t#data[*].v", {"time": "data[*].t"}),
        ("t#$.data[*].v", {"time": "$.data[*].t"}),
    ],
)
def test_a_list_of_samples_is_rows_each_with_its_own_time(address: str, options: dict[str, str]) -> None:
    assert rows(SAMPLES, tag(0, address, **options)) == EXPECTED


def test_samples_may_have_the_payloads_time_and_nested_values() -> None:
    assert rows(SAMPLES, tag(0, "t#data[*].inner.w[1]", time="$.sent")) == [(0, 0, -n) for n in (0.0, 1.0, 2.0)]
    assert rows([[NOON, 4], [NOON + 1_000_000, 5]], tag(0, "t#$[*][1]", time="[0]")) == [(0, 0, 4.0), (0, 1, 5.0)]
    assert rows({"v": [1, 2]}, tag(0, "t#v[*]")) == [(0, 0, 1.0), (0, 0, 2.0)]
    assert Bench(tag(0, "t#v[*]")).hear({"v": []}) is None


def test_one_message_feeds_tags_of_several_layouts() -> None:
    found = rows(SAMPLES, tag(0, "t#data[*].v", time="t"), tag(1, "t#sent"), tag(2, "t#data[1].v", time="data[2].t"))
    assert sorted(found) == [*EXPECTED, (1, 0, NOON / 1000), (2, 2, 0.5)]


def test_p5_an_element_is_found_by_its_name() -> None:
    payload = {"values": [{"id": "T1", "v": 1.5}, {"id": 7, "v": 2.5}, {"v": 3}]}
    assert rows(payload, tag(0, "t#values[id=7].v"), tag(1, "t#values[id='T1'].v")) == [(0, 0, 2.5), (1, 0, 1.5)]
    found = Bench(tag(0, "t#values[id=T9].v")).hear(payload)
    assert found is not None and "no element whose 'id' is 'T9'" in found.reasons[0]


@pytest.mark.parametrize("payload", [{"data": {}}, {"data": None}, {}, [], 5])
def test_p16_samples_that_are_no_list_are_malformed(payload: Any) -> None:
    bench = Bench(tag(0, "t#data[*].v", time="t"))
    found = bench.hear(payload)
    assert found is not None and found.quality.tolist() == [Quality.BAD_COMMUNICATION]
    assert "samples" in found.reasons[0] and bench.counts["malformed_total"] == 1


CSV = {"format": "csv"}


@pytest.mark.parametrize(
    ("payload", "address", "options"),
    [
        (b"time,level\n1768456800,1.5\n1768456801,2.5\n", "t#level", {"time": "time"}),
        (b"\xef\xbb\xbftime;level\r\n1768456800; 1.5\r\n1768456801;2.5", "t#level", {"time": "time", "separator": ";"}),
        (b"1768456800\t1.5\n\n1768456801\t2.5\n", "t#[1]", {"time": "[0]", "header": "false", "separator": "tab"}),
        (b"level,1.5,2.5\ntime,1768456800,1768456801\n", "t#level", {"time": "time", "columnar": "true"}),
        ("时间,水位(m)\n2026-01-15 14:00:00,1.5\n2026-01-15 14:00:01,2.5".encode("gbk"), "t#['水位(m)']",
         {"time": "时间", "encoding": "gbk", **ZONE}),
        (b'"time","a, b"\n"1768456800","1.5"\n"1768456801","2.5"\n', "t#['a, b']", {"time": "time"}),
    ],
)  # fmt: skip
def test_csv_in_its_usual_forms(payload: bytes, address: str, options: dict[str, str]) -> None:
    assert rows(payload, tag(0, address, **CSV, **options)) == [(0, 0, 1.5), (0, 1, 2.5)]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,level\n1,x\n", "not a number"),
        (b"a,level\n1,\n", "not a number"),
        (b"a,b\n1,2\n", "no 'level'"),
        (b"a,level\n1\n", "no 'level'"),
        (b'"' + b"x" * 200_000, "not CSV"),
        (b"\xff\xfe\x80", "not utf-8"),
    ],
)
def test_p16_csv_that_is_none_is_bad_with_the_reason(payload: bytes, words: str) -> None:
    found = Bench(tag(0, "t#level", **CSV)).hear(payload)
    assert found is not None and found.quality[0] < 64 and words in found.reasons[0], found.reasons


@pytest.mark.parametrize(
    ("payload", "kind", "options", "expected"),
    [
        (b"12.5", "", {}, 12.5),
        (b" 12\r\n", "number", {}, 12.0),
        (b"-1e3\0\0", "", {}, -1000.0),
        ("运行".encode("gbk"), "", {"encoding": "gbk", "words": "运行=1, 停止=0"}, 1.0),
        ("停止".encode(), "", {"words": {"运行": 1, "停止": 0}}, 0.0),
    ],
)
def test_plain_numbers_and_words(payload: bytes, kind: str, options: dict[str, Any], expected: float) -> None:
    assert rows(payload, tag(0, "t#$", kind, format="text", **options)) == [(0, 0, expected)]


def test_a_word_that_the_site_does_not_know_is_bad_with_those_that_it_knows() -> None:
    found = Bench(tag(0, "t#$", format="text", words="ON=1,OFF=0")).hear(b"TRIP")
    assert found is not None and "'TRIP' is none of 'ON', 'OFF'" in found.reasons[0]


def test_mess_7_json_in_gbk() -> None:
    payload = '{"名称": "主井", "值": 3.5}'.encode("gbk")
    found = Bench(tag(0, "t#值", encoding="gb2312"), tag(1, "t#名称", "text", encoding="gbk")).hear(payload)
    assert found is not None and found.text is not None
    assert found.value[0] == 3.5 and found.text.to_pylist() == [None, "主井"]
    told = Bench(tag(0, "t#值")).hear(payload)
    assert told is not None and "set the option encoding to gbk" in told.reasons[0]
    wrong = Bench(tag(0, "t#值", encoding="gbk")).hear(b"\xff\xff")
    assert wrong is not None and "not gbk text" in wrong.reasons[0]


def test_mess_19_words_give_a_json_text_its_number() -> None:
    assert rows({"v": "关"}, tag(0, "t#v", words="开=0,关=1")) == [(0, 0, 1.0)]


# ---- what is discovered


def test_unknown_devices_on_a_wildcard_are_findings_and_not_losses() -> None:
    bench = Bench(tag(0, "mine/pump1/state#v"), discover=("mine/+/state",))
    assert bench.hear({"v": 1}, "mine/pump1/state") is not None
    for _ in range(3):
        assert bench.hear({"v": 2}, "mine/pump7/state") is None
    (finding,) = bench.book.all()
    assert (finding.kind, finding.where, finding.count) == ("unknown topic", "mine/pump7/state", 3)
    assert "'pump7'" in finding.reason and finding.payload == b'{"v": 2}'


@pytest.mark.parametrize(
    ("pattern", "topic", "names"),
    [
        ("mine/+/state", "mine/p/state", "p"),
        ("+/+/x", "a/b/x", "a/b"),
        ("mine/#", "mine/a/b", "a/b"),
        ("a/b", "a/b", ""),
    ],
)
def test_what_wildcards_capture(pattern: str, topic: str, names: str) -> None:
    assert captured(pattern, topic) == names


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("a/+", "a/b", True),
        ("a/+", "a/+", True),
        ("a/#", "a/+/c", True),
        ("a/#", "a", True),
        ("a/b", "a/+", False),
        ("a/+", "a/#", False),
        ("a/+/c", "a/b/c/d", False),
        ("#", "$SYS/a", False),
        ("#", "a", True),
        ("+", "a/b", False),
    ],
)
def test_which_pattern_covers_which(wide: str, narrow: str, covered: bool) -> None:
    assert covers(wide, narrow) is covered


def test_a_topic_is_subscribed_to_once() -> None:
    assert fewest(["a/b", "a/+", "c", "c", "a/b/c", "x/#", "x/y"]) == ["a/+", "c", "a/b/c", "x/#"]


def test_the_book_of_findings_is_bounded_and_remembers_the_latest() -> None:
    book = FindingBook(limit=10)
    for number in range(100):
        book.note("kind", str(number % 20), "r" * 10_000, b"x" * 10_000)
    assert len(book.all()) == 10 and book.all()[-1].where == "19"
    assert book.counts == {"kind": 100} and book.forgotten == 90
    assert all(len(f.payload) == 256 and len(f.reason) == 512 for f in book.all())


def test_nothing_good_is_nan() -> None:
    found = Bench(tag(0, "t#v", "number_text")).hear({"v": "nan"})
    assert found is not None and math.isnan(found.value[0]) and found.quality[0] < 64


def test_p14_ten_thousand_topics_are_compiled_and_met_in_no_time() -> None:
    """Each pattern is not held against each topic: only the few with wildcards are."""
    tags = [tag(number, f"mine/{number}/state#v") for number in range(10_000)]
    began = time.process_time()
    bench = Bench(*tags, tag(10_000, "mine/+/alarm#v"))
    assert len(fewest(bench.decoder.patterns)) == 10_001
    for number in range(10_000):
        found = bench.hear(b'{"v": 1.5}', f"mine/{number}/state")
        assert found is not None and found.index.tolist() == [number]
    assert time.process_time() - began < 15
