"""Events come back as they went; the same key is the same event."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import MAX_ATTRIBUTES, Event, EventBatch, event_id
from models.samples import WireError

texts = st.text(max_size=10)
times = st.integers(-(2**62), 2**62)
json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts
events = st.builds(
    Event,
    id=texts,
    equipment=texts,
    kind=texts,
    start=times,
    end=st.none() | times,
    quality=st.integers(0, 255),
    source=texts,
    attributes=st.dictionaries(texts, json_values | st.lists(json_values, max_size=3), max_size=4),
)


@given(st.lists(events, max_size=8), texts, st.integers(1, 2**62), times)
def test_events_come_back_as_they_went(sent: list[Event], gateway: str, number: int, received: int) -> None:
    back = EventBatch.decode(EventBatch(gateway, number, received, sent).encode())
    assert (back.gateway, back.number, back.received, list(back.events)) == (gateway, number, received, sent)


@given(st.binary(max_size=300))
def test_rubbish_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        EventBatch.decode(data)


@given(events, st.data())
def test_a_damaged_batch_is_read_or_refused_and_nothing_else(event: Event, data: st.DataObject) -> None:
    encoded = bytearray(EventBatch("g", 1, 1, [event]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        EventBatch.decode(bytes(encoded))
    except WireError:
        return


@pytest.mark.parametrize(
    "attributes",
    [r'{"a": "\ud800"}', r'{"\udfff": 1}', "[1]", "null", '"x"', "", "{", '{"a": ' + "[" * 7_000 + "]" * 7_000 + "}"],
)
def test_attributes_that_cannot_be_written_again_are_a_wire_error(attributes: str) -> None:
    """One such message would end the store each time that the bus gives it out."""
    honest = EventBatch("g", 1, 1, [Event("i", "e", "k", 1, None, 192, "s")]).encode()
    with pa.ipc.open_stream(honest) as reader:
        table = reader.read_all()
    place = table.schema.get_field_index("attributes")
    forged = table.set_column(place, table.schema.field(place), pa.array([attributes]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(forged)
    with pytest.raises(WireError):
        EventBatch.decode(sink.getvalue().to_pybytes())


def test_too_large_attributes_are_refused() -> None:
    event = Event("i", "e", "k", 1, None, 192, "s", {"x": "矿" * MAX_ATTRIBUTES})
    with pytest.raises(ValueError, match="attributes take over"):
        EventBatch("g", 1, 1, [event]).encode()


def test_an_id_is_of_equipment_kind_and_key_and_stays_what_it_is() -> None:
    one = event_id("140525000001/belt_101", "trip", "2026-01-01#7")
    assert one == event_id("140525000001/belt_101", "trip", "2026-01-01#7")
    others = {
        event_id("140525000001/belt_10", "1trip", "2026-01-01#7"),
        event_id("140525000001/belt_101", "trip", "2026-01-01#8"),
        event_id("140525000001/belt_101", "trips", "2026-01-01#7"),
    }
    assert len(one) == 32 and one not in others and len(others) == 3
