"""Addresses, times and payloads, with what devices really send."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quality import Quality
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.mqtt import decode
from protocols.mqtt.address import AbsentError, find, parse_address, parse_path
from protocols.mqtt.binding import Binding
from protocols.mqtt.columns import Message
from protocols.mqtt.decode import COUNTS, Decoder
from protocols.mqtt.form import MAX_PAYLOAD_BYTES
from protocols.mqtt.topic import matches
from tests.protocols.mqtt.broker import Broker, Publisher, tag
from tests.protocols.mqtt.test_delivery import running


def reading(payload: bytes | Any, *tags: Tag, topic: str = "t", retained: bool = False) -> Reading:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = Decoder(tags, dict.fromkeys(COUNTS, 0), FindingBook()).decode([Message(topic, data, retained, 0)])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "topic", "steps"),
    [
        ("a/b#c", "a/b", ("c",)),
        ("a/b#c.d[0].e", "a/b", ("c", "d", 0, "e")),
        ("a/##$", "a/#", ()),
        ("##$.x", "#", ("x",)),
        ("a/+#$[2][0]", "a/+", (2, 0)),
        ("a#['x.y'].z", "a", ("x.y", "z")),
        ('a#["x y"]', "a", ("x y",)),
        ("矿/水泵#水位", "矿/水泵", ("水位",)),
        ("a#motor temp", "a", ("motor temp",)),
        ("a#$ref", "a", ("$ref",)),
    ],
)
def test_addresses(address: str, topic: str, steps: tuple[str | int, ...]) -> None:
    found = parse_address(address)
    assert (found.topic, found.steps) == (topic, steps)


@pytest.mark.parametrize("path", ["", ".a", "a.", "a[", "a[-1]", "a['x", "a.b]", "[a]", ".".join("a" * 40)])
def test_wrong_paths(path: str) -> None:
    with pytest.raises(ValueError, match="JSON path"):
        parse_path(path)


@given(
    st.lists(st.one_of(st.integers(0, 99), st.text(st.sampled_from("ab é水-_$"), min_size=1)), min_size=1, max_size=6)
)
def test_what_a_path_names_is_found(steps: list[str | int]) -> None:
    written = "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps)
    document: Any = 42
    for step in reversed(steps):
        document = {step: document} if isinstance(step, str) else [None] * step + [document]
    assert find(document, parse_path(written)) == 42
    with pytest.raises(AbsentError):
        find({}, parse_path(written))


@pytest.mark.parametrize(
    ("pattern", "topic", "taken"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+/b", "/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
    ],
)
def test_topic_patterns_as_the_standard_says(pattern: str, topic: str, taken: bool) -> None:
    assert matches(pattern.split("/"), topic.split("/")) is taken


EXACT = 1_700_000_000_123_456


@pytest.mark.parametrize(
    ("value", "options", "ts"),
    [
        (1_700_000_000, {}, 1_700_000_000_000_000),
        (1_700_000_000.25, {}, 1_700_000_000_250_000),
        (1_700_000_000_123, {}, 1_700_000_000_123_000),
        (EXACT, {}, EXACT),
        (EXACT * 1000 + 789, {}, EXACT),
        (str(EXACT), {}, EXACT),
        ("2023-11-14T22:13:20.123456Z", {}, EXACT),
        ("2023-11-15T06:13:20.123456+08:00", {}, EXACT),
        ("2023-11-15 06:13:20.123456", {"time_zone": "Asia/Shanghai"}, EXACT),
        (5_000, {"time_unit": "s"}, 5_000_000_000),
        (5_000.5, {"time_unit": "ms"}, 5_000_500),
    ],
)
def test_times(value: Any, options: dict[str, str], ts: int) -> None:
    found = reading({"v": 1.0, "ts": value}, tag(0, "t#v", time="ts", **options))
    assert found.ts is not None and found.ts.tolist() == [ts]
    assert found.quality.tolist() == [192] and not found.reasons


@pytest.mark.parametrize(
    "value", ["2023-11-14T22:13:20", "soon", None, True, [], 0, -5, 1e300, "nan", "inf", "1e999", 10**40, "9" * 400]
)
def test_a_time_that_cannot_be_read_makes_the_value_uncertain(value: Any) -> None:
    found = reading({"v": 1.0, "ts": value}, tag(0, "t#v", time="ts"))
    assert found.ts is None and found.value.tolist() == [1.0]
    assert found.quality.tolist() == [Quality.UNCERTAIN] and "time" in found.reasons[0]


@pytest.mark.parametrize(
    "options", [{"time_unit": "s"}, {"time": "ts", "time_unit": "min"}, {"time": ""}, {"time": "a", "zone": "UTC"}]
)
def test_wrong_options(options: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Binding.of(tag(0, "t#v", **options))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1.5, "", 1.5),
        (7, "", 7.0),
        (True, "", 1.0),
        (False, "bool", 0.0),
        (1, "bool", 1.0),
        ("12.5", "number_text", 12.5),
        (3, "number_text", 3.0),
        ("on", "text", "on"),
        ("", "text", ""),
        (5, "text", "5"),
        ({"a": [1]}, "text", '{"a":[1]}'),
    ],
)
def test_values(value: Any, kind: str, expected: float | str) -> None:
    found = reading({"v": value}, tag(0, "t#v", kind))
    assert found.quality.tolist() == [192] and not found.reasons
    if isinstance(expected, str):
        assert found.text is not None and found.text.to_pylist() == [expected] and math.isnan(found.value[0])
    else:
        assert found.text is None and found.value.tolist() == [expected]


@pytest.mark.parametrize(
    ("payload", "kind", "words"),
    [
        (b'{"v": "12.5"}', "", "number_text"),
        (b'{"v": "x"}', "number_text", "not a number"),
        (b'{"v": null}', "", "null"),
        (b'{"v": null}', "text", "null"),
        (b'{"v": {}}', "", "an object"),
        (b'{"v": [1]}', "", "a list"),
        (b'{"v": 2}', "bool", "true, false"),
        (b'{"v": NaN}', "", "NaN"),
        (b'{"v": -Infinity}', "", "infinity"),
        (b'{"v": 1e999}', "", "infinity"),
        (b'{"v": "inf"}', "number_text", "infinity"),
        (b'{"v": "nan"}', "number_text", "NaN"),
        (b'{"w": 1}', "", "there is 'w'"),
        (b"[]", "", "not an object"),
        (b"5", "", "not an object"),
        (b'{"v": 1', "", "not JSON"),
        (b"", "", "not JSON"),
        (b"\xff\xfe\x00", "", "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "", "not JSON"),
        (b'{"NaN":' + b"[" * 200_000, "", "not JSON"),
        (b'{"v":' + b" " * MAX_PAYLOAD_BYTES + b"1}", "", "1,000,000 is the most"),
    ],
)
def test_what_cannot_be_a_value_is_bad_with_the_reason(payload: bytes, kind: str, words: str) -> None:
    found = reading(payload, tag(0, "t#v", kind))
    assert math.isnan(found.value[0]) and found.quality[0] < 64
    assert words in found.reasons[0], found.reasons
    assert found.raw is not None and found.raw(0) == payload and found.raw(5) is None


def test_a_huge_integer_is_bad_and_not_an_error() -> None:
    found = reading(b'{"v": 1' + b"0" * 400 + b', "x": NaN}', tag(0, "t#v"))
    assert found.quality[0] < 64 and "infinity" in found.reasons[0]


def test_a_part_that_comes_by_turns_is_told_only_while_it_was_never_there() -> None:
    counts = dict.fromkeys(COUNTS, 0)
    decoder = Decoder([tag(0, "t#a"), tag(1, "t#b")], counts, FindingBook())

    def send(payload: bytes) -> list[tuple[int, float]]:
        found = decoder.decode([Message("t", payload, False, 0)])
        return [] if found is None else list(zip(found.index.tolist(), found.quality.tolist(), strict=True))

    assert send(b'{"a": 1}') == [(0, 192), (1, Quality.BAD_CONFIGURATION)]
    assert send(b'{"a": 1}') == [(0, 192)]
    assert send(b'{"b": 1}') == [(1, 192)]
    assert send(b"{}") == []
    assert counts["absent_total"] == 5


def test_a_retained_message_without_a_time_is_of_unknown_age() -> None:
    bare = reading({"v": 1}, tag(0, "t#v"), retained=True)
    assert bare.quality.tolist() == [Quality.UNCERTAIN_LAST_USABLE] and "retained" in bare.reasons[0]
    dated = reading({"v": 1, "ts": 1_700_000_000}, tag(0, "t#v", time="ts"), retained=True)
    assert dated.quality.tolist() == [192] and not dated.reasons


def test_several_messages_are_rows_in_their_order_each_with_its_own_time() -> None:
    tags = [tag(0, "+/s#v", time="ts"), tag(1, "a/s#v"), tag(2, "+/s#w", "text")]
    messages = [
        Message(
            f"{'ab'[number % 2]}/s", json.dumps({"v": number, "ts": 1000 + number, "w": str(number)}).encode(), False, 0
        )
        for number in range(4)
    ]
    found = Decoder(tags, dict.fromkeys(COUNTS, 0), FindingBook()).decode(messages)
    assert found is not None and found.ts is not None and found.text is not None and found.raw is not None
    rows = sorted(
        zip(found.index.tolist(), found.ts.tolist(), found.value.tolist(), found.text.to_pylist(), strict=True), key=str
    )
    assert [row for row in rows if row[0] == 0] == [(0, (1000 + n) * 1_000_000, float(n), None) for n in range(4)]
    assert [row for row in rows if row[0] == 1] == [(1, 0, 0.0, None), (1, 0, 2.0, None)]
    assert [row[3] for row in rows if row[0] == 2] == ["0", "1", "2", "3"]
    assert found.raw(1) == messages[2].payload and found.raw(0) == messages[3].payload


def test_the_memory_of_topics_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_CACHED_TOPICS", 100)
    decoder = Decoder([tag(0, "a/+#v")], dict.fromkeys(COUNTS, 0), FindingBook())
    for number in range(1000):
        assert decoder.route(f"a/{number}")
        assert decoder.route(f"b/{number}") == ()
    assert len(decoder._known) <= 100


@given(st.binary(max_size=200), st.sampled_from(["", "bool", "text", "number_text"]))
def test_no_payload_raises(payload: bytes, kind: str) -> None:
    found = reading(payload, tag(0, "t#v", kind, time="ts"), tag(1, "t#$", kind))
    assert not any(math.isinf(value) for value in found.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "ts", "x"]), inner, max_size=3),
)


@given(JSON, st.sampled_from(["", "bool", "text", "number_text"]))
def test_no_document_raises(document: Any, kind: str) -> None:
    tags = [tag(0, "t#v", kind, time="ts"), tag(1, "t#v[0].x", kind), tag(2, "t#$", kind)]
    found = reading(json.dumps(document).encode(), *tags)
    bad = found.quality < 64
    assert {int(index) for index in found.index[bad]} <= set(found.reasons)


async def test_rubbish_on_one_topic_is_counted_and_disturbs_no_other(broker: Broker, publisher: Publisher) -> None:
    async with running(broker.port, [tag(0, "good#v"), tag(1, "rubbish#v")]) as run:
        for number in range(50):
            await publisher.publish("rubbish", b"\xff{]")
            await publisher.publish("good", {"v": number})
            await publisher.publish("nobody", b"asks")
        await run.until(100)
        rows = [
            (index, value)
            for delivery in run.deliveries
            for index, value in zip(delivery.reading.index.tolist(), delivery.reading.value.tolist(), strict=True)
        ]
        assert [value for index, value in rows if index == 0] == list(range(50))
        assert all(math.isnan(value) for index, value in rows if index == 1)
        assert run.adapter.counters()["malformed_total"] == 50
        assert run.adapter.counters()["acknowledged_total"] == 100
