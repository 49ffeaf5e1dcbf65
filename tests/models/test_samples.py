"""A batch comes back as it went; bytes that are no batch raise WireError and nothing else."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.samples import MAX_ROWS, SCHEMA, Batch, Samples, WireError, concat


@st.composite
def some_samples(draw: st.DrawFn) -> Samples:
    n = draw(st.integers(0, 50))
    text = None
    if draw(st.booleans()):
        text = pa.array(draw(st.lists(st.none() | st.text(max_size=8), min_size=n, max_size=n)), pa.string())
    return Samples(
        draw(hnp.arrays(np.uint64, n)),
        draw(hnp.arrays(np.int64, n)),
        draw(hnp.arrays(np.float64, n)),
        draw(hnp.arrays(np.uint8, n)),
        text,
    )


def equal(a: Samples, b: Samples) -> bool:
    texts = (None if a.text is None else a.text.to_pylist()) == (None if b.text is None else b.text.to_pylist())
    return texts and all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name == "value")
        for name in ("point", "ts", "value", "quality")
    )


@given(some_samples(), st.text(max_size=20), st.integers(1, 2**62), st.integers(-(2**62), 2**62))
def test_a_batch_comes_back_as_it_went(samples: Samples, gateway: str, number: int, received: int) -> None:
    back = Batch.decode(Batch(gateway, number, received, samples).encode())
    assert (back.gateway, back.number, back.received) == (gateway, number, received)
    assert equal(back.samples, samples)
    assert (back.samples.value.dtype, back.samples.point.dtype) == (np.float64, np.uint64)


@given(st.binary(max_size=300))
def test_rubbish_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        Batch.decode(data)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(some_samples(), st.data())
def test_a_damaged_batch_is_read_or_refused_and_nothing_else(samples: Samples, data: st.DataObject) -> None:
    encoded = bytearray(Batch("edge1", 7, 1, samples).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = Batch.decode(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))
    except WireError:
        return
    assert len(read.samples) <= MAX_ROWS


@pytest.mark.parametrize(
    ("schema", "facts", "words"),
    [
        (SCHEMA, {b"sevenones": b"2"}, "wire version"),
        (SCHEMA, {b"sevenones": b"1"}, "not a batch"),
        (SCHEMA, {b"sevenones": b"1", b"gateway": b"g", b"number": b"0", b"received": b"1"}, "above 0"),
        (SCHEMA, {b"sevenones": b"1", b"gateway": b"\xff", b"number": b"1", b"received": b"1"}, "not a batch"),
        (
            SCHEMA.set(2, pa.field("value", pa.float32())),
            {b"sevenones": b"1", b"gateway": b"g", b"number": b"1", b"received": b"1"},
            "column 'value' must be double",
        ),
        (
            pa.schema([("x", pa.int8())]),
            {b"sevenones": b"1", b"gateway": b"g", b"number": b"1", b"received": b"1"},
            "expected the columns",
        ),
    ],
)
def test_what_is_wrong_is_said(schema: pa.Schema, facts: dict[bytes, bytes], words: str) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema.with_metadata(facts)) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array([1], field.type) for field in schema], schema=schema))
    with pytest.raises(WireError, match=words):
        Batch.decode(sink.getvalue().to_pybytes())


def test_offsets_that_lead_out_of_their_buffer_are_refused() -> None:
    offsets = np.array([0, 5, 2**30, 7], np.int32)
    text = pa.StringArray.from_buffers(3, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"hello!!"))
    n = np.arange(3)
    samples = Samples(n.astype(np.uint64), n, n.astype(np.float64), n.astype(np.uint8), text)
    with pytest.raises(WireError, match="not a batch"):
        Batch.decode(Batch("g", 1, 1, samples).encode())


def test_text_that_is_not_utf8_is_refused() -> None:
    offsets = np.array([0, 2], np.int32)
    text = pa.StringArray.from_buffers(1, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"\xff\xfe"))
    one = np.ones(1)
    samples = Samples(one.astype(np.uint64), one.astype(np.int64), one, one.astype(np.uint8), text)
    with pytest.raises(WireError, match="UTF8"):
        Batch.decode(Batch("g", 1, 1, samples).encode())


def test_too_many_rows_are_refused() -> None:
    n = np.zeros(MAX_ROWS + 1)
    samples = Samples(n.astype(np.uint64), n.astype(np.int64), n, n.astype(np.uint8))
    with pytest.raises(WireError, match="more than"):
        Batch.decode(Batch("g", 1, 1, samples).encode())


def test_a_null_in_a_column_is_refused() -> None:
    columns = [pa.array([1], pa.uint64()), pa.array([1], pa.int64()), pa.array([None], pa.float64())]
    record = pa.RecordBatch.from_arrays([*columns, pa.array([192], pa.uint8())], names=SCHEMA.names)
    with pytest.raises(WireError, match="1 nulls"):
        Samples.from_arrow(record)


@given(st.lists(some_samples(), max_size=5))
def test_concat_is_one_after_the_other(parts: list[Samples]) -> None:
    whole = concat(parts)
    assert len(whole) == sum(map(len, parts))
    start = 0
    for part in parts:
        piece = whole.take(np.arange(start, start + len(part)))
        assert equal(Samples(piece.point, piece.ts, piece.value, piece.quality), Samples(*_columns(part)))
        if part.text is not None and piece.text is not None:
            assert piece.text.to_pylist() == part.text.to_pylist()
        start += len(part)


def _columns(samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return samples.point, samples.ts, samples.value, samples.quality


@given(some_samples())
def test_a_mask_and_an_index_take_the_same_rows(samples: Samples) -> None:
    mask = samples.quality >= 128
    assert equal(samples.take(mask), samples.take(np.flatnonzero(mask)))
