"""P16 at length: malformed JSON, CSV and text; and every readable payload against a plain reference."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.adapter import Tag
from tests.protocols.mqtt.broker import tag
from tests.protocols.mqtt.fuzz import endure
from tests.protocols.mqtt.test_payloads import Bench

ROW = {"t": 1_768_456_800, "v": 1.5, "w": "开", "x": [1, 2, {"y": True}], "z": None}
JSON = [
    json.dumps(body).encode() for body in (ROW, [ROW, ROW], {"data": [ROW] * 3, "t": "2026-01-15 14:00:00"}, 5, "a")
]
JSON += ['{"名称": "主井", "v": 3}'.encode("gbk"), b'{"v": NaN, "t": Infinity}', b"[" * 500]
CSV = [
    b"t,v,w\n1768456800,1.5,a\n1768456801,2.5,b\n",
    "时间;v\n2026-01-15 14:00:00;3\n".encode("gbk"),
    b'"a,b"\n',
]
TEXT = [b"12.5", "运行".encode(), "停止".encode("gbk"), b"1e999", b"", b"nan"]

LAYOUTS: dict[str, tuple[list[bytes], list[Tag]]] = {
    "json": (
        JSON,
        [
            tag(0, "t#v", time="t"),
            tag(1, "t#data[*].v", time="t", time_zone="Asia/Shanghai"),
            tag(2, "t#w", "text"),
            tag(3, "t#x[2].y", "bool"),
            tag(4, "t#$", "number_text", encoding="gbk"),
            tag(5, "t#v", samples="$", time="t"),
            tag(6, "t#data[v=1.5].x[0]", time="t", time_format="%Y-%m-%d %H:%M:%S", time_zone="Asia/Shanghai"),
        ],
    ),
    "csv": (
        CSV,
        [
            tag(0, "t#v", format="csv", time="t"),
            tag(1, "t#[1]", format="csv", header="false", encoding="gbk", separator=";"),
            tag(2, "t#v", "text", format="csv", columnar="true"),
        ],
    ),
    "text": (
        TEXT,
        [tag(0, "t#$", format="text"), tag(1, "t#$", format="text", encoding="gbk", words="停止=0,运行=1")],
    ),
}


def fuzz(name: str, count: int) -> None:
    seeds, tags = LAYOUTS[name]
    bench = Bench(*tags)
    rejected = endure(bench.hear, seeds, tags, count, seed=7)
    told = sum(bench.book.counts.values())
    assert told >= rejected > count // 20, "what was rejected is counted"
    assert bench.counts["malformed_total"] == bench.book.counts.get("malformed", 0)
    assert len(bench.book.all()) <= 100


@pytest.mark.parametrize("name", LAYOUTS)
def test_p16_ten_thousand_malformed_payloads(name: str) -> None:
    fuzz(name, 10_000)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LAYOUTS)
def test_p16_a_million_malformed_payloads(name: str) -> None:
    fuzz(name, 1_000_000)


# ---- the plain reference: the path taken apart by a person's rules, one step at a time


def reference(document: Any, path: str) -> list[Any]:
    """All values that a path leads to; [*] for each element. Raises KeyError when there is none."""
    found = [document]
    for step in re.findall(r"\.?([a-z]+)|\[(\d+)\]|(\[\*\])", path):
        name, number, star = step
        then: list[Any] = []
        for value in found:
            if star:
                if not isinstance(value, list):
                    raise KeyError(path)
                then += value
            elif name and isinstance(value, dict) and name in value:
                then.append(value[name])
            elif number and isinstance(value, list) and int(number) < len(value):
                then.append(value[int(number)])
        found = then
    return found


LEAF = st.none() | st.booleans() | st.floats() | st.integers(-(2**60), 2**60) | st.text("ab1", max_size=3)
DOCUMENT = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
STEP = st.sampled_from(["a", "b", "c", "[0]", "[1]"])


@given(DOCUMENT, st.lists(STEP, min_size=1, max_size=3), st.booleans(), st.lists(STEP, max_size=2))
def test_every_value_is_the_one_that_the_reference_finds(
    document: Any, before: list[str], star: bool, after: list[str]
) -> None:
    steps = [*before, *(["[*]"] if star else []), *after]
    path = "".join(step if step.startswith("[") or not number else f".{step}" for number, step in enumerate(steps))
    path = f"${path}" if path.startswith("[") else path
    document = json.loads(json.dumps(document))
    bench = Bench(tag(0, f"t#{path}"))
    found = bench.hear(document)
    try:
        values = reference(document, path)
    except KeyError:
        assert found is not None and found.quality[0] < 64
        return
    numbers = [float(value) for value in values if isinstance(value, bool | int | float) and math.isfinite(value)]
    good = [] if found is None else found.value[found.quality >= 192].tolist()
    assert good == numbers
