"""Polls due and answered out of heartbeats, whoever is away or restarts meanwhile."""

import json

import pytest

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.quality.assessment import Asked
from middleplatform.store.quality.polls import MOST_BYTES, Polls
from middleplatform.store.rollup_tables import HOUR, MINUTE
from tests.middleplatform.store.build import id_of, site_of
from tests.middleplatform.store.test_rollups import BASE

A, B, C = id_of("a"), id_of("b"), id_of("c")
SITE = site_of({"edge1": ["a", "b"], "edge2": ["c"]})


def beat(ts: int, due: object, answered: object, started: int = BASE, connection="on-edge1", group="fast") -> bytes:
    groups = {group: {"due": due, "answered": answered, "overruns": 0, "skipped": 0}}
    return json.dumps({"ts": ts, "started": started, "connections": {connection: {"groups": groups}}}).encode()


@pytest.fixture
def polls(engine):
    engine.execute("TRUNCATE TABLE polls")
    return lambda: Polls(engine, Catalogue(SITE))


def sums(polls, groups=(0, 0, 1), hours=4):
    asked = Asked([A, B, C], list(groups), BASE, BASE + hours * HOUR, HOUR, BASE + hours * HOUR)
    found = {name: column.reshape(-1, hours).tolist() for name, column in polls.sums(asked).items()}
    return found["due"], found["answered"]


def test_each_hour_has_what_the_sums_rose_by(polls):
    heard = polls()
    for minute, due, answered in ((1, 60, 60), (59, 3_540, 3_500), (61, 3_660, 3_600), (200, 12_000, 3_600)):
        ts = BASE + minute * MINUTE
        heard.heard("edge1", beat(ts, due, answered), ts)
        assert heard.refused == 0
    due, answered = sums(heard)
    assert due == [[3_540, 120, 0, 8_340], [0, 0, 0, 0]] and answered == [[3_500, 100, 0, 0], [0, 0, 0, 0]]
    assert sums(heard, [0, 1, 2])[0][:2] == [due[0], due[0]]  # one poll group reads both points
    assert sums(heard, [0, 0, 0])[0] == [due[0]]


def test_a_restart_of_the_gateway_or_of_the_store_loses_and_doubles_nothing(polls):
    heard = polls()
    heard.heard("edge1", beat(BASE + MINUTE, 10, 9), BASE + MINUTE)
    heard.flush()
    heard.heard("edge1", beat(BASE + 2 * MINUTE, 20, 19), BASE + 2 * MINUTE)  # not flushed: the store is killed
    heard = polls()
    heard.heard("edge1", beat(BASE + 3 * MINUTE, 30, 29), BASE + 3 * MINUTE)
    started = BASE + 4 * MINUTE
    heard.heard("edge1", beat(BASE + 5 * MINUTE, 5, 5, started), BASE + 5 * MINUTE)
    assert sums(heard) == ([[35, 0, 0, 0], [0] * 4], [[34, 0, 0, 0], [0] * 4])
    late = BASE + HOUR + MINUTE
    heard.heard("edge1", beat(late, 2, 1, started), late)  # the connection was taken out and brought back
    assert sums(heard) == ([[35, 2, 0, 0], [0] * 4], [[34, 1, 0, 0], [0] * 4])


def test_a_gateway_that_ran_for_days_unheard_does_not_put_them_into_one_hour(polls):
    heard = polls()
    for minute in (1, 61):
        ts = BASE + minute * MINUTE
        heard.heard("edge1", beat(ts, 1_000_000 + minute, 1_000_000, BASE - 50 * HOUR), ts)
    assert sums(heard)[0] == [[0, 60, 0, 0], [0] * 4]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
        beat(BASE, -1, 0),
        beat(BASE, 1.5, 0),
        beat(BASE, True, 0),
        beat(BASE, 2**60, 0),
        beat(BASE - 30 * HOUR, 1, 1),
    ],
)
def test_rubbish_is_refused_and_counted(polls, data):
    heard = polls()
    heard.heard("edge1", data, BASE)
    assert heard.refused == 1 and sums(heard)[0] == [[0] * 4, [0] * 4]


def test_a_gateway_speaks_for_its_own_connections_and_groups_only(polls):
    heard = polls()
    heard.heard("edge2", beat(BASE, 5, 5), BASE)
    heard.heard("edge1", beat(BASE, 5, 5, connection="nobody"), BASE)
    heard.heard("edge1", beat(BASE, 5, 5, group="other"), BASE)
    assert heard.refused == 0 and sums(heard)[0] == [[0] * 4, [0] * 4]
