"""Since when points are expected, against a reference that goes from event to event."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.quality.expected import NEVER, Expected
from models.identity import MANUAL_FLOOR
from tests.middleplatform.store.build import batch_of, id_of, parts_of, sent, site_of

SITES = (
    {"edge1": ["a"], "edge2": ["c"]},
    {"edge1": ["a", "b"], "edge2": ["c"]},
    {"edge1": ["b"], "edge2": ["c", "a", "d"]},
)
KEYS = {id_of(key): key for key in "abcd"}
IDS = np.array(sorted(KEYS), np.uint64)


def catalogue(place: int) -> Catalogue:
    return Catalogue(site_of(SITES[place]))


happenings = st.one_of(
    st.tuples(st.just("site"), st.integers(0, 2)),
    st.tuples(st.just("heard"), st.sampled_from(["edge1", "edge2", "stranger"])),
    st.tuples(
        st.just("samples"), st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40), st.booleans()), max_size=5)
    ),
    st.tuples(st.just("restart"), st.none()),
)


class Plain:
    """What is expected since when, one dictionary."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self.site = SITES[0]

    def begin(self, now: int, there=()) -> None:
        """Points without any moment whose gateway is there are expected from now on."""
        for gateway, keys in self.site.items():
            if gateway in there or any(key in self.since for key in keys):
                for key in keys:
                    self.since.setdefault(key, now)

    def samples(self, rows, now: int) -> None:
        named = {key for keys in self.site.values() for key in keys}
        for key, ts, manual in rows:
            if key in named and not manual:
                self.since[key] = min(self.since.get(key, NEVER), ts)
        self.begin(now)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(happenings, max_size=8))
def test_since_when_equals_the_reference_whatever_happens(engine, happened):
    for table in ("expected", "samples"):
        engine.execute(f"TRUNCATE TABLE {table}")
    plain, place, clock = Plain(), 0, [20]
    expected = Expected(engine, catalogue(0), lambda: clock[0])
    for what, facts in happened:
        now = clock[0] = clock[0] + 1
        if what == "site":
            place, plain.site = facts, SITES[facts]
            expected.adopt(catalogue(place))
            plain.begin(now)
        elif what == "heard":
            expected.heard(facts)
            plain.begin(now, {facts})
        elif what == "samples":
            named = {key for keys in plain.site.values() for key in keys}
            rows = [row for row in facts if row[0] in named]
            point, ts = np.array([id_of(row[0]) for row in rows], np.uint64), np.array([r[1] for r in rows], np.int64)
            ver = np.array([MANUAL_FLOOR + 5 if row[2] else now for row in rows], np.uint64)
            expected.first(point, ts, ver)
            plain.samples(rows, now)
        else:
            expected.flush()
            expected = Expected(engine, catalogue(place), lambda: clock[0])
        named = {key for keys in plain.site.values() for key in keys}
        wanted = [plain.since.get(KEYS[i], NEVER) if KEYS[i] in named else NEVER for i in IDS.tolist()]
        assert expected.since(IDS).tolist() == wanted


def test_a_store_of_an_older_release_goes_by_what_its_gateways_told_first(engine, tmp_path):
    parts = parts_of(engine, tmp_path, site_of(SITES[1]))
    now = 1_795_420_800_000_000
    early, late = now - 50_000_000, now - 20_000_000
    parts.writer.write([("SAMPLES", sent(batch_of(7, [(id_of("a"), late, 1.0, 192), (id_of("a"), early, 1.0, 192)])))])
    by_hand = batch_of(MANUAL_FLOOR + 1, [(id_of("a"), early - 9, 1.0, 216)], gateway="manual")
    parts.writer.write([("SAMPLES", sent(by_hand))])
    engine.execute("TRUNCATE TABLE expected")
    expected = Expected(engine, parts.writer.catalogue, lambda: now)
    a, b, c = (expected.since(np.array([id_of(key)], np.uint64))[0] for key in "abc")
    assert (a, b, c) == (early, now, NEVER)  # b never answered, and its gateway is there; c's gateway is not


def test_what_was_set_aside_counts_from_its_first_sample_when_it_is_released(engine, tmp_path):
    engine.execute("TRUNCATE TABLE expected")
    parts = parts_of(engine, tmp_path, site_of(SITES[0]))
    ts = 1_795_420_800_000_000
    parts.writer.write([("SAMPLES", sent(batch_of(7, [(id_of("b"), ts, 1.0, 192)])))])
    assert parts.writer.expected.since(np.array([id_of("b")], np.uint64))[0] == NEVER
    assert parts.writer.adopt(catalogue(1)) == 1
    assert parts.writer.expected.since(np.array([id_of("b")], np.uint64))[0] == ts


@pytest.mark.parametrize("keys", [{}, {"edge1": []}])
def test_a_site_without_points_expects_nothing(engine, keys):
    engine.execute("TRUNCATE TABLE expected")
    expected = Expected(engine, Catalogue(site_of(keys)))
    expected.heard("edge1")
    expected.first(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint64))
    assert expected.since(IDS).tolist() == [NEVER] * 4
