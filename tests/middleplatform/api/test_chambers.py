"""Chambers over the API: what they are like now, and when somebody was last there, out of a real store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import httpx
import pyarrow as pa
import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.live import LiveTable
from middleplatform.api.times import now_us
from middleplatform.patrols.alarms import RULE, raise_overdue
from middleplatform.patrols.checkins import MOST_EVENTS, last_checkins
from middleplatform.patrols.overdue import duties
from models.events import Event
from models.patrol import Chamber, Plan
from models.site.model import Name
from tests.middleplatform.api.build import batch, samples, site
from tests.middleplatform.api.stage import Link, until
from tests.servers import CODE

MIN = 60_000_000


def chamber(name, equipment, presence, every_s):
    plan = Plan(every_s, Name("机电队", "electrical team"), date(2026, 1, 1))
    return Chamber(name, Name(name, name), (f"{CODE}/{equipment}",), (), presence, "", "摄像-01", (plan,))


@pytest.fixture
async def ask(platform, tmp_path):
    chambers = {
        "gallery": chamber("gallery", "belt1", f"{CODE}/belt1/speed", 3600.0),
        "room": chamber("room", "pump1", "", 3600.0),
    }
    whole = replace(site(), chambers=chambers)
    live = LiveTable(whole)
    live.update(samples(("belt1/speed", now_us(), 0.0, 192)))
    app = build(Catalogue(whole), live, Link(), platform.home, str(f"sqlite:///{tmp_path / 'platform.db'}"))
    scopes = {"all": None, "east": Scope.of({"areas": ["east"]})}
    keys = {
        name: tokens.create_token(app.state.database, name, "operator", **({} if scope is None else {"scope": scope}))
        for name, scope in scopes.items()
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

        async def asked(who, path="chambers"):
            answer = await client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {keys[who]}"})
            assert answer.status_code == 200, answer.text
            return answer.json()

        asked.state, asked.site = app.state, whole
        yield asked


async def test_events_and_readers_tell_of_the_last_patrol(platform, ask):
    now = now_us()
    card, round_ = now - 30 * MIN, now - 90 * MIN
    platform.send(batch(platform.next_number(), ("belt1/speed", card, 1.0, 192), ("belt1/speed", card + 1, 0.0, 192)))
    many = [(f"old-{n}", now - 115 * MIN + n * MIN // 60) for n in range(MOST_EVENTS + 100)]
    platform.send_events(*(Event(name, f"{CODE}/pump1", "patrol", ts, ts, 192, "edge1", {}) for name, ts in many))
    platform.send_events(Event("patrol-1", f"{CODE}/pump1", "patrol", round_ - MIN, round_, 192, "edge1", {"who": "7"}))

    def there():
        rows = platform.get("history", point="belt1/speed", start=str(card), end=str(card + 2)).json()["series"]
        told = platform.get("events", start=str(round_ - 2 * MIN), kind="patrol").json()["events"]
        return told and len(rows[0]["samples"]["ts"]) == 2

    until(there)
    found = await ask("all")
    gallery, room = found["chambers"]
    assert not found["incomplete"] and gallery["patrol"]["last"] >= card and not gallery["patrol"]["overdue"]
    assert gallery["attended"] is False and room["attended"] is None, "it has no reader"
    assert room["patrol"]["last"] == round_ and room["patrol"]["overdue"]
    assert room["patrol"]["late_s"] == pytest.approx(15 * 60, abs=60)
    assert [each["point"] for each in gallery["values"]] == [f"{CODE}/belt1/speed"]
    assert [each["id"] for each in (await ask("east"))["chambers"]] == ["gallery"]

    state = ask.state
    looking = asyncio.create_task(raise_overdue(state.door.ask, state.database, ask.site, look_s=0.2))
    try:
        async with asyncio.timeout(60):
            while not (alarms := (await ask("all", "alarms"))["alarms"]):
                await asyncio.sleep(0.1)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert [(each["rule"], each["subject"], each["priority"]) for each in alarms] == [(RULE, f"{CODE}/pump1", 3)]
    assert alarms[0]["rule_name"]["en"] == "The patrol of an unattended chamber is overdue"
    # It is told of the chamber, and of no machine that stands in it.
    assert alarms[0]["name"] == {"zh": "room", "en": "room"} and alarms[0]["equipment"] is None
    assert alarms[0]["area"]["id"] == "sump"
    assert (await ask("all", "alarms?q=room"))["alarms"] and not (await ask("all", "alarms/groups"))["equipment"]
    assert (await ask("all", "alarms/groups"))["total"] == 1 and (await ask("east", "alarms"))["alarms"] == []


async def test_a_platform_that_has_kept_nothing_yet_tells_of_no_overdue_patrol(platform, ask):
    now = now_us()
    young = last_checkins(_Young(), ask.site, now)
    assert young.last == {} and young.kept == now
    assert not any(duty.overdue for duty in duties(ask.site, young.last, now, young.kept))
    begun = last_checkins(_Young(now - 20 * MIN), ask.site, now)
    assert now - 21 * MIN <= begun.kept <= now - 20 * MIN
    assert not any(duty.overdue for duty in duties(ask.site, begun.last, now, begun.kept))
    old = last_checkins(_Young(now - 600 * MIN), ask.site, now)
    assert all(duty.overdue for duty in duties(ask.site, old.last, now, old.kept)), "what is late is told"


class _Young:
    """A store that keeps one value of the belt from `since` on."""

    def __init__(self, since=None):
        self.since = since

    def events(self, *_):
        return pa.table({"start": [], "end": []})

    def instant(self, points, at):
        return pa.table({"point": [1] if self.since is not None and self.since <= at else []})

    def tally(self, points, start, end, width):
        since = (
            [] if self.since is None or self.since <= start else [start + ((self.since - start) // width + 1) * width]
        )
        return pa.table(
            {
                "point": pa.array(points[: len(since)], pa.uint64()),
                "ts": pa.array(since, pa.int64()),
                "max": [0.0] * len(since),
            }
        )
