"""The host's reading of births and data, without a broker: types, nulls, history, and what no number can be."""

from __future__ import annotations

import gzip
import math
import zlib
from typing import Any

import numpy as np
import pytest

from models.quality import Quality
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.mqtt.columns import Message
from protocols.sparkplug.host import COUNTS, Host
from protocols.sparkplug.values import CODES
from protocols.sparkplug.wire import COMPRESSED, Payload, PropertySet
from tests.protocols.sparkplug.node import add
from tests.protocols.sparkplug.test_conformance import tag

NOW_MS = 1_800_000_000_000


class Bench:
    """One host and the messages of one node `g/n`, in their sequence."""

    def __init__(self, *tags: Tag) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.book = FindingBook()
        self.host = Host(tags, self.counts, self.book, wait_s=10)
        self.host.begin(0.0)
        self.seq = 0
        self.now = 1.0

    def payload(self, *, seq: bool = True) -> Any:
        payload = Payload(timestamp=NOW_MS)
        if seq:
            payload.seq, self.seq = self.seq, (self.seq + 1) & 255
        return payload

    def hear(self, kind: str, payload: Any, device: str = "") -> Reading | None:
        topic = f"spBv1.0/g/{kind}/n{'/' + device if device else ''}"
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        return self.host.decode([Message(topic, data, False, -1)], self.now)

    def born(self, *metrics: tuple[str, str, Any], bd: int = 0) -> Reading | None:
        self.seq = 0
        payload = self.payload()
        add(payload, "bdSeq", "UInt64", bd)
        for alias, (name, kind, value) in enumerate(metrics):
            add(payload, name, kind, value, alias=alias, timestamp=NOW_MS)
        return self.hear("NBIRTH", payload)

    def death(self, bd: int) -> Any:
        payload = self.payload(seq=False)
        add(payload, "bdSeq", "UInt64", bd)
        return payload


def one(kind: str, value: Any, point: str = "", *, data: bool = False, **options: Any) -> Reading:
    """The reading of one metric, from its birth or from data after it."""
    bench = Bench(tag(0, "g/n:v", point, **options))
    found = bench.born(("v", kind, value))
    if data:
        payload = bench.payload()
        add(payload, "", kind, value, alias=0)
        found = bench.hear("NDATA", payload)
    assert found is not None
    assert found.index.tolist() == [0] and found.ts is not None and found.ts.tolist() == [NOW_MS * 1000]
    return found


@pytest.mark.parametrize("data", [False, True], ids=["birth", "data"])
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Int8", -1),
        ("Int8", 127),
        ("Int16", -32768),
        ("Int32", -2),
        ("Int32", 2**31 - 1),
        ("Int64", -3),
        ("Int64", -(2**53)),
        ("UInt8", 255),
        ("UInt16", 65535),
        ("UInt32", 2**32 - 1),
        ("UInt64", 2**53),
        ("Float", 0.5),
        ("Double", -1e300),
        ("Boolean", True),
        ("Boolean", False),
        ("DateTime", NOW_MS),
    ],
)
def test_p15_every_number_is_the_number_that_was_sent(kind: str, value: float, data: bool) -> None:
    found = one(kind, value, data=data)
    assert found.value.tolist() == [float(value)] and found.quality.tolist() == [192] and not found.reasons


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("String", "自动", "自动"),
        ("Text", "", ""),
        ("DateTime", 1_700_000_000_123, "2023-11-14T22:13:20.123+00:00"),
        ("Boolean", True, "true"),
        ("Int32", -5, "-5"),
    ],
)
def test_texts(kind: str, value: Any, text: str) -> None:
    found = one(kind, value, "text")
    assert found.text is not None and found.text.to_pylist() == [text] and found.quality.tolist() == [192]


def test_mess_7_a_string_in_gbk_is_read() -> None:
    bench = Bench(tag(0, "g/n:v", "text"))
    payload = bench.payload()
    add(payload, "v", "String", "x").string_value = "主井皮带".encode("gbk")
    found = bench.hear("NBIRTH", payload)
    assert found is not None and found.text is not None and found.text.to_pylist() == ["主井皮带"]


@pytest.mark.parametrize("data", [False, True], ids=["birth", "data"])
@pytest.mark.parametrize(
    ("kind", "value", "point", "words"),
    [
        ("Double", None, "", "null"),
        ("String", None, "text", "null"),
        ("Double", math.nan, "", "NaN"),
        ("Double", math.inf, "", "infinity"),
        ("Double", 2.0, "bool", "true, false"),
        ("String", "12", "", "number_text"),
        ("String", "x", "number_text", "not a number"),
        ("Bytes", b"\x01", "", "Bytes"),
        ("File", b"\x01", "text", "File"),
        ("Int32Array", b"\1\0\0\0", "", "element"),
        ("UInt8", 300, "", "no UInt8"),
        ("Int16", 40_000, "", ""),
    ],
)
def test_p16_what_cannot_be_a_value_is_bad_with_the_reason(
    kind: str, value: Any, point: str, words: str, data: bool
) -> None:
    found = one(kind, value, point, data=data)
    if not words:
        assert found.value.tolist() == [40_000 - 65536], "16 bits of a negative number"
        return
    assert math.isnan(found.value[0]) and found.quality[0] < 64 and words in found.reasons[0]


@pytest.mark.parametrize("field", ["dataset_value", "template_value", "extension_value"])
def test_a_data_set_or_template_is_bad_with_the_reason(field: str) -> None:
    bench = Bench(tag(0, "g/n:v"))
    payload = bench.payload()
    metric = payload.metrics.add(name=b"v", datatype=CODES["DataSet" if field == "dataset_value" else "Template"])
    setattr(metric, field, b"")
    found = bench.hear("NBIRTH", payload)
    assert found is not None and found.quality.tolist() == [Quality.BAD_CONFIGURATION]
    assert "which is no value of a point" in found.reasons[0]


@pytest.mark.parametrize(
    ("kind", "data", "element", "expected"),
    [
        ("Int8Array", b"\xff\x01", 0, -1.0),
        ("Int16Array", np.array([1, -2], "<i2").tobytes(), 1, -2.0),
        ("UInt32Array", np.array([1, 2**32 - 1], "<u4").tobytes(), 1, 2**32 - 1),
        ("Int64Array", np.array([-9], "<i8").tobytes(), 0, -9.0),
        ("FloatArray", np.array([0.25], "<f4").tobytes(), 0, 0.25),
        ("DoubleArray", np.array([1.5, 2.5], "<f8").tobytes(), 1, 2.5),
        ("DateTimeArray", np.array([5], "<u8").tobytes(), 0, 5.0),
        ("BooleanArray", b"\x0a\0\0\0\x80\x40", 0, 1.0),
        ("BooleanArray", b"\x0a\0\0\0\x80\x40", 9, 1.0),
        ("BooleanArray", b"\x0a\0\0\0\x80\x40", 8, 0.0),
    ],
)
def test_elements_of_arrays(kind: str, data: bytes, element: int, expected: float) -> None:
    assert one(kind, data, element=element).value.tolist() == [expected]


@pytest.mark.parametrize(
    ("kind", "data", "element"),
    [
        ("Int16Array", b"\1\0\2", 0),
        ("Int16Array", b"\1\0", 1),
        ("BooleanArray", b"\xff\0\0\0\1", 0),
        ("BooleanArray", b"\1", 0),
        ("Double", 1.0, 0),
    ],
)
def test_an_array_that_has_no_such_element_is_bad(kind: str, data: Any, element: int) -> None:
    found = one(kind, data, element=element)
    assert found.quality[0] < 64 and found.reasons[0]


def test_a_text_array_has_texts() -> None:
    found = one("StringArray", "开\0关\0".encode(), "text", element=1)
    assert found.text is not None and found.text.to_pylist() == ["关"]


def test_mess_22_historical_values_keep_their_own_time_also_in_a_birth() -> None:
    bench = Bench(tag(0, "g/n:v"))
    bench.born(("v", "Double", 1.0))
    payload = bench.payload()
    for minute in range(3):
        add(payload, "", "Double", minute, alias=0, timestamp=NOW_MS - 60_000 * (3 - minute), is_historical=True)
    add(payload, "", "Double", 9.0, alias=0, is_historical=True, timestamp=0)
    payload.timestamp = 0
    found = bench.hear("NDATA", payload)
    assert found is not None and found.ts is not None
    assert found.ts.tolist() == [(NOW_MS - 60_000 * (3 - minute)) * 1000 for minute in range(3)]
    assert bench.counts["historical_total"] == 4
    reason = "没有时间的历史值无处可放 · a historical value without a time has no place"
    assert bench.book.all()[-1].reason == reason


def test_what_the_node_itself_calls_bad_is_bad() -> None:
    bench = Bench(tag(0, "g/n:v"), tag(1, "g/n:w"))
    bench.born(("v", "Double", 1.0), ("w", "Double", 1.0))
    for said, code in ((192, 192), (500, Quality.BAD_LAST_KNOWN), (0, Quality.BAD), (64, Quality.UNCERTAIN)):
        payload = bench.payload()
        metric = add(payload, "", "Double", 2.0, alias=0)
        properties = PropertySet(keys=[b"Quality"])
        properties.values.add(type=3, int_value=said)
        metric.properties = properties.SerializeToString()
        found = bench.hear("NDATA", payload)
        assert found is not None and found.quality.tolist() == [code]
        assert (0 in found.reasons) == (code != 192)


def test_a_time_beyond_all_years_is_doubted() -> None:
    bench = Bench(tag(0, "g/n:v"))
    bench.born(("v", "Double", 1.0))
    payload = bench.payload()
    add(payload, "", "Double", 2.0, alias=0, timestamp=2**64 - 1)
    found = bench.hear("NDATA", payload)
    assert found is not None and found.ts is None and found.quality.tolist() == [Quality.UNCERTAIN]


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_compressed_payload_is_read(pack: Any) -> None:
    bench = Bench(tag(0, "g/n:v"))
    inner = bench.payload()
    add(inner, "v", "Double", 3.0, timestamp=NOW_MS)
    found = bench.hear("NBIRTH", Payload(uuid=COMPRESSED, body=pack(inner.SerializeToString())))
    assert found is not None and found.value.tolist() == [3.0]
    assert bench.hear("NDATA", Payload(uuid=COMPRESSED, body=pack(b"\0" * 50_000_000))) is None
    assert bench.hear("NDATA", Payload(uuid=COMPRESSED, body=pack(b"\0" * 500)[:-8])) is None
    assert bench.counts["malformed_total"] == 2


def test_a_birth_that_lacks_a_point_says_what_it_has() -> None:
    bench = Bench(tag(0, "g/n:v"), tag(1, "g/n:w"))
    found = bench.born(("v", "Double", 1.0))
    assert found is not None and found.quality.tolist() == [192, Quality.BAD_CONFIGURATION]
    assert "no metric 'w'" in found.reasons[1] and "v" in found.reasons[1]


def test_the_aliases_of_a_birth_before_hold_no_more() -> None:
    bench = Bench(tag(0, "g/n:v"), tag(1, "g/n:w"))
    bench.born(("v", "Double", 1.0), ("w", "Double", 1.0))
    bench.born(("w", "Double", 1.0), ("v", "Double", 1.0))
    payload = bench.payload()
    add(payload, "", "Double", 5.0, alias=0)
    found = bench.hear("NDATA", payload)
    assert found is not None and found.index.tolist() == [1]


def test_a_birth_that_its_own_death_overtook_does_not_bring_the_node_back() -> None:
    bench = Bench(tag(0, "g/n:v"))
    bench.born(("v", "Double", 1.0), bd=3)
    assert bench.host.to_ask(bench.now) == []
    bench.hear("NDEATH", bench.death(4))
    bench.now += 0.1
    assert bench.born(("v", "Double", 1.0), bd=4) is None
    assert [node.name for node in bench.host.to_ask(bench.now)] == ["n"], "a node that lives answers"
    bench.now += 1
    assert bench.born(("v", "Double", 2.0), bd=4) is not None


def test_a_death_without_a_session_and_one_of_a_node_unknown_so_far_are_believed() -> None:
    bench = Bench(tag(0, "g/n:v"))
    for payload in (bench.payload(seq=False), bench.death(9)):
        found = bench.hear("NDEATH", payload)
        assert found is not None and "NDEATH" in found.reasons[0]
    bench.born(("v", "Double", 1.0), bd=255)
    assert bench.hear("NDEATH", bench.death(254)) is None
    assert bench.hear("NDEATH", bench.death(0)) is not None, "the session after 255 is 0"


def test_a_message_that_comes_twice_is_no_gap() -> None:
    bench = Bench(tag(0, "g/n:v"))
    bench.born(("v", "Double", 1.0))
    payload = bench.payload()
    add(payload, "", "Double", 5.0, alias=0)
    for again in (False, True):
        message = Message("spBv1.0/g/NDATA/n", payload.SerializeToString(), False, 1, again)
        assert bench.host.decode([message], 1.0) is not None
    assert bench.counts["gaps_total"] == 0


def test_topics_that_are_none_of_ours_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.sparkplug.host.MAX_CACHED_TOPICS", 50)
    bench = Bench(tag(0, "g/n:v"))
    topics = ["", "spBv1.0", "spBv1.0/g", "spBv1.0/g/NDATA/n/x", "spBv1.0/g/DDATA/n", "spBv1.0/g/WHAT/n", "x/g/NDATA/n"]
    for topic in [*topics, *(f"spBv1.0/g/NDATA/other{number}" for number in range(200))]:
        assert bench.host.decode([Message(topic, b"", False, -1)], 1.0) is None
    assert bench.counts["unmatched_total"] == 207
    assert len(bench.host._routes) <= 50 and len(bench.book.all()) == 100 and bench.book.forgotten == 107
    for topic in ("spBv1.0/g/NCMD/n", "spBv1.0/g/DCMD/n/d", "spBv1.0/STATE/control"):
        bench.host.decode([Message(topic, b"", False, -1)], 1.0)
    assert bench.counts["unmatched_total"] == 207, "commands are others' business"
