"""How often what is sampled, sent and kept: by point, by connection, by group."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocols.adapter import Tag
from protocols.opcua import OpcUa
from protocols.opcua.watch import Rate, rate_of
from tests.protocols.opcua.machine import Machine, item
from tests.protocols.opcua.test_sign_in import started
from tests.protocols.opcua.test_subscribe import running


@pytest.mark.parametrize(
    ("tag", "settings", "rate"),
    [
        ({}, {}, Rate(250, 500, 20)),
        ({"period_s": 0.1}, {}, Rate(100, 500, 20)),
        ({"period_s": 0.01}, {}, Rate(10, 500, 101)),
        ({"period_s": 2.0}, {}, Rate(2000, 2000, 20)),
        ({"period_s": 60.0}, {}, Rate(60_000, 10_000 / 3, 20)),
        ({"period_s": 0.1}, {"sampling_ms": 50, "queue_size": 40}, Rate(50, 500, 40)),
        ({"period_s": 0.1, "options": {"sampling_ms": 20, "queue_size": 7}}, {"sampling_ms": 50}, Rate(20, 500, 7)),
        ({"options": {"sampling_ms": 0}}, {}, Rate(0, 500, 20)),
    ],
)
def test_a_rate_is_the_points_or_the_connections_or_the_groups(
    tag: dict[str, Any], settings: dict[str, Any], rate: Rate
) -> None:
    made = OpcUa.Settings.model_validate({"url": "opc.tcp://h:4840", **settings})
    assert rate_of(Tag(0, "p", "i=2258", **tag), made) == rate


@pytest.mark.parametrize(
    "options",
    [{"sampling_ms": -1}, {"sampling_ms": "fast"}, {"queue_size": 0}, {"queue_size": 1.5}, {"queue_size": True}],
)
def test_a_wrong_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="number from"):
        OpcUa.check(Tag(0, "p", "i=2258", options=options))


async def test_p21_many_values_are_split_over_subscriptions_by_rate_with_the_queue_that_was_asked_for() -> None:
    async with started(Machine(items=60)) as machine:
        tags = [item(number, number) for number in range(40)]
        tags += [Tag(t.index, t.path, t.address, period_s=1.0) for t in (item(n, n) for n in range(40, 60))]
        async with running(machine, tags, max_items_per_subscription=25, sampling_ms=None, queue_size=30) as run:
            await run.until(lambda: {i for r in run.readings for i in r.index.tolist()} == set(range(60)))
            assert run.adapter._feeds is not None
            watch = run.adapter._feeds._watch
            assert [feed.tags for feed in watch.feeds] == [25, 15, 20]
            assert [feed.publishing_s for feed in watch.feeds] == [0.25, 0.25, 2 / 3]


async def test_p8_one_bad_node_never_stops_the_others_and_is_asked_for_ever_more_rarely(machine: Machine) -> None:
    tags = [Tag(0, "p", "nsu=urn:test:machine;s=Speed"), Tag(1, "p", "nsu=urn:test:machine;s=Late")]
    async with running(machine, tags, retry_s=0.1) as run:
        await run.until(lambda: run.rows(0) and run.rows(1))
        assert run.adapter._feeds is not None
        refused = run.adapter._feeds._watch.refused
        await run.until(lambda: refused[1].wait >= 0.8)
        await machine.set(Speed=3)
        await run.until(lambda: run.rows(0)[-1] == (3.0, 192))
        assert len(run.rows(1)) == 1
        await machine.order(add="Late")
        for number in range(1000):  # values that never cease to come are no reason to forget the other
            await machine.set(Speed=number)
            await asyncio.sleep(0.02)
            if run.rows(1)[-1] == (1.5, 192):
                break
        assert run.rows(1)[-1] == (1.5, 192) and not refused
