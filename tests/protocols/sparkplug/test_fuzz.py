"""Malformed protobuf by the ten thousand, and every readable payload against a plain reference."""

from __future__ import annotations

import gzip
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.adapter import Reading
from protocols.sparkplug.values import CODES
from protocols.sparkplug.wire import COMPRESSED, MAX_PAYLOAD_BYTES, MalformedError, Payload, PropertySet, parse
from tests.protocols.mqtt.fuzz import endure
from tests.protocols.sparkplug import reference
from tests.protocols.sparkplug.node import add
from tests.protocols.sparkplug.test_conformance import tag
from tests.protocols.sparkplug.test_host import NOW_MS, Bench

KINDS = (
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float",
    "Double",
    "Boolean",
    "DateTime",
)
VALUES: dict[str, Any] = {
    "Int8": st.integers(-128, 127),
    "Int16": st.integers(-(2**15), 2**15 - 1),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "UInt8": st.integers(0, 255),
    "UInt16": st.integers(0, 2**16 - 1),
    "UInt32": st.integers(0, 2**32 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "Float": st.floats(width=32),
    "Double": st.floats(),
    "Boolean": st.booleans(),
    "DateTime": st.integers(0, 2**63),
}
METRIC = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.none() | VALUES[kind], st.booleans(), st.sampled_from([0, NOW_MS - 5, 2**40])
    )
)


@given(st.lists(METRIC, min_size=1, max_size=12), st.booleans())
def test_every_value_is_the_one_that_the_reference_reads(
    metrics: list[tuple[str, Any, bool, int]], by_alias: bool
) -> None:
    bench = Bench(*(tag(number, f"g/n:m{number}") for number in range(len(metrics))))
    bench.born(*((f"m{number}", kind, None) for number, (kind, *_) in enumerate(metrics)))
    made = bench.payload()
    for number, (kind, value, historical, ts) in enumerate(metrics):
        more: dict[str, Any] = {"timestamp": ts} if ts else {}
        if historical:
            more["is_historical"] = True
        alias = number if by_alias else None
        add(made, "" if by_alias else f"m{number}", kind, value, alias=alias, **more)
    data = made.SerializeToString()
    found = bench.hear("NDATA", data)
    plain = reference.read(data)
    assert plain.seq == 1 and plain.timestamp == NOW_MS and found is not None and len(found) == len(metrics)
    for row, (metric, (kind, *_)) in enumerate(zip(plain.metrics, metrics, strict=True)):
        assert found.index[row] == row
        expected = metric.number(CODES[kind])
        if expected is None or not math.isfinite(expected):
            assert found.quality[row] < 64 and row in found.reasons and math.isnan(found.value[row])
        else:
            assert found.quality[row] == 192 and found.value[row] == expected
        assert found.ts is not None and found.ts[row] == (metric.timestamp or plain.timestamp) * 1000
    assert bench.counts["historical_total"] == sum(metric.historical for metric in plain.metrics)


# ---- malformed


def seeds() -> list[bytes]:
    """Payloads of all kinds, from which rubbish is made."""
    full = Payload(timestamp=NOW_MS, seq=1)
    for number, kind in enumerate((*KINDS, "String", "Bytes", "Int32Array", "BooleanArray", "StringArray")):
        value: Any = "词" if kind == "String" else b"\x05\0\0\0\xa0" if number >= len(KINDS) else 1
        metric = add(full, f"m{number}", kind, value, alias=number, timestamp=NOW_MS)
        properties = PropertySet(keys=[b"Quality", b"x"])
        properties.values.add(type=3, int_value=500)
        metric.properties = properties.SerializeToString()
    add(full, "bdSeq", "Int64", 3)
    data = Payload(timestamp=NOW_MS, seq=2)
    for number in range(5):
        add(data, "", "Double", float(number), alias=number, is_historical=bool(number % 2))
    packed = Payload(uuid=COMPRESSED, body=gzip.compress(full.SerializeToString()))
    return [full.SerializeToString(), data.SerializeToString(), packed.SerializeToString(), b""]


def fuzz(count: int) -> None:
    tags = [tag(number, f"g/n:m{number}", ("", "text", "bool", "number_text")[number % 4]) for number in range(17)]
    tags += [tag(17, "g/n:m14", element=0), tag(18, "g/n:m16", "text", element=1), tag(19, "g/n/d:m1")]
    bench, chance = Bench(*tags), random.Random(3)

    def hear(payload: bytes) -> Reading | None:
        bench.now += 0.01
        kind = chance.choice(("NBIRTH", "NDATA", "NDATA", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"))
        return bench.hear(kind, payload, "d" if kind[0] == "D" else "")

    rejected = endure(hear, seeds(), tags, count, seed=7)
    malformed = bench.counts["malformed_total"]
    assert malformed == bench.book.counts["malformed"] > count // 20
    assert bench.counts["undecodable_total"] == bench.book.counts["before birth"] > 0
    assert rejected > 0 and len(bench.book.all()) <= 100
    # And after all that the node is born anew as if nothing had been.
    found = bench.born(("m0", "Double", 7.5), bd=77)
    assert found is not None and found.value[0] == 7.5 and found.quality[0] == 192


def test_p16_ten_thousand_malformed_payloads() -> None:
    fuzz(10_000)


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_p16_a_million_malformed_payloads() -> None:
    fuzz(1_000_000)


def test_a_payload_over_a_megabyte_is_refused_unread() -> None:
    with pytest.raises(MalformedError, match="1,000,000 is the most"):
        parse(b"\0" * (MAX_PAYLOAD_BYTES + 1))
