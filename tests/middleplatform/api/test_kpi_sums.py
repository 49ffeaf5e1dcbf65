"""Energy, production and stoppages over days, as the API tells them of what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.live import LiveTable
from middleplatform.kpi.book import ENERGY, PRODUCTION, UTILISATION, Versions, keep
from middleplatform.kpi.production_day import make as production
from models.kpi.day import MineDay, UnitDay
from models.site.model import Name
from models.utilisation.figure import Figure
from tests.middleplatform.api.stage import Link
from tests.middleplatform.kpi.test_energy_day import WHOLE
from tests.middleplatform.kpi.test_production_day import MINE, SLIP, TOLD, journal
from tests.middleplatform.kpi.worked import CODE, DAY, Heard, site

NEXT = DAY + timedelta(days=1)
VERSIONS = Versions("", "v1", "1")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Two days of energy, one of them provisional, and one of production."""
    home = tmp_path_factory.mktemp("kept")
    journal(home, *SLIP)
    keep(home, CODE, ENERGY, DAY, WHOLE.document(), VERSIONS)
    keep(home, CODE, ENERGY, NEXT, replace(WHOLE, day=NEXT).document(), VERSIONS, provisional=True)
    unit = UnitDay("belt", "belt_1", Name("一", "one"), ("belt_1",), {"1": Figure(intelligent=30, by_hand=10)})
    keep(home, CODE, UTILISATION, DAY, MineDay(CODE, DAY, 0, 1, "r", "v1", (unit,)).document(), VERSIONS)
    keep(home, CODE, PRODUCTION, DAY, production(MINE, Heard(TOLD), home, DAY), VERSIONS)
    return home


@pytest.fixture(scope="module")
def api(kept):
    """The API over them, and tokens of one who sees all and of one who sees the incline."""
    made = replace(site(), areas=MINE.areas, shifts=MINE.shifts)
    scopes = {"all": {}, "incline": {"scope": Scope.of({"areas": ["incline"]})}}
    keys = {name: tokens.create_token(kept, name, "bureau", **scope) for name, scope in scopes.items()}
    return build(Catalogue(made), LiveTable(made), Link(), kept), keys


@pytest.fixture
async def ask(api):
    app, keys = api
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

        async def asked(path, who="all", first=DAY, last=NEXT, status=200):
            answer = await client.get(
                f"/api/v1/kpi/{path}?first={first}&last={last}", headers={"Authorization": f"Bearer {keys[who]}"}
            )
            assert answer.status_code == status, answer.text
            return answer.json()

        yield asked


async def test_energy_over_days(ask):
    found = await ask("energy", last=NEXT + timedelta(days=1))
    assert (found["asked"], found["days"], found["missing"]) == (3, 2, ["2026-03-04"])
    assert (found["provisional"], found["revisions"]["2026-03-02"]) == (["2026-03-03"], 1)
    assert found["incoming"]
    assert found["used"]["kwh"]["value"] == pytest.approx(48_000)
    assert sum(each["value"] for each in found["used"]["hours"].values()) == pytest.approx(48_000)
    assert found["used"]["cost"]["money"] == pytest.approx(48_900 * 0.5)
    systems = {each["id"]: each["kwh"]["value"] for each in found["systems"]}
    assert systems == pytest.approx({"main_coal_flow": 14_400, "ventilation": 19_200, "network": 48 * 0.26})
    belt = next(each for each in found["equipment"] if each["equipment"] == ["belt_1"])
    assert belt["periods"]["peak"]["value"] == pytest.approx(2 * 9 * 300)
    assert found["intensity"]["kwh_per_t"]["value"] == pytest.approx(2.0)
    assert found["stations"]["5"]["per_day"] == pytest.approx(4.8)
    assert found["emission"]["electricity"] == pytest.approx(48_000 * 0.6361)


async def test_what_the_systems_and_the_rest_cost_is_what_all_cost(ask):
    found = await ask("energy")
    paid = [each["cost"]["money"] for each in found["systems"]]
    assert found["rest"]["kwh"] > 0 and found["rest"]["money"] > 0
    assert sum(paid) + found["rest"]["money"] == pytest.approx(found["used"]["cost"]["money"])
    assert (await ask("energy", "incline"))["rest"]["money"] is None


async def test_what_is_known_is_a_part_of_all_days_asked_for_not_of_those_kept(ask):
    kept, more = [await ask("energy", last=NEXT + timedelta(days=n)) for n in (0, 2)]
    for path in (("used", "kwh"), ("systems", 0, "kwh"), ("used", "hours", "3"), ("used", "periods", "peak")):
        of, over = kept, more
        for name in path:
            of, over = of[name], over[name]
        assert over["value"] == of["value"] and over["known"] == pytest.approx(of["known"] / 2), path
        assert over["coverage"] == pytest.approx(of["coverage"] / 2), path
    assert more["emission"]["electricity_known"] == pytest.approx(kept["emission"]["electricity_known"] / 2)
    assert more["intensity"]["kwh_per_t"]["coverage"] == pytest.approx(kept["intensity"]["kwh_per_t"]["coverage"] / 2)
    assert more["intensity"]["kwh_per_t"]["hours"] == pytest.approx(48)
    assert more["made_at"] == kept["made_at"] > 0
    kept, more = [await ask("production", last=NEXT + timedelta(days=n)) for n in (0, 2)]
    assert more["tonnes"]["known"] == pytest.approx(kept["tonnes"]["known"] / 2)
    assert (await ask("energy", first=DAY - timedelta(days=1), last=DAY - timedelta(days=1)))["made_at"] is None


async def test_what_is_not_kept_is_unknown_and_not_zero(ask):
    found = await ask("energy", first=DAY - timedelta(days=3), last=DAY - timedelta(days=1))
    assert (found["days"], len(found["missing"])) == (0, 3)
    assert found["used"]["kwh"]["value"] is None
    assert found["emission"]["electricity"] is None
    assert found["rest"]["kwh"] is None
    assert (await ask("production", first=NEXT))["tonnes"]["value"] is None


async def test_each_rate_of_a_machine_says_of_what_part_of_all_days_it_is(ask):
    one, three = [await ask("production", last=DAY + timedelta(days=n)) for n in (0, 2)]
    belt, over = (next(each for each in found["machines"] if each["id"] == "belt_1") for found in (one, three))
    assert (belt["days"], over["days"]) == (1, 1)
    for name in ("coverage", "power_on_known", "intelligence_known"):
        assert 0 < belt[name] <= 1 and over[name] == pytest.approx(belt[name] / 3), name
    assert (belt["intelligence_known"], one["coverage_needed"]) == (1, 0.9)
    assert over["power_on"] == belt["power_on"], "of what is known it is the same"


async def test_production_and_stoppages_over_days(ask):
    found = await ask("production")
    assert found["tonnes"]["value"] == pytest.approx(19_200)
    belt = next(each for each in found["machines"] if each["id"] == "belt_1")
    assert belt["availability"] == pytest.approx(13 / 16)
    assert belt["reliability"]["mtbf_h"] == pytest.approx(20)
    assert belt["times"]["planned"] == pytest.approx(16)
    assert belt["intelligence"] == pytest.approx(0.75)
    assert belt["overall"] == pytest.approx(13 / 16 * 12.8 / 13 * 0.75)
    assert {each["overall"] for each in found["machines"] if each["id"] != "belt_1"} == {None}
    causes = (await ask("stoppages"))["causes"]
    assert [(each["equipment"], each["cause"], each["stops"]) for each in causes] == [
        ("shearer_1", "none", 1),
        ("belt_1", "protection.pull_cord", 1),
        ("belt_1", "protection.slip", 1),
    ]
    assert causes[1]["group_name"]["zh"] == "人员操作"
    assert causes[-1]["upto"] == pytest.approx(1)


async def test_a_caller_hears_only_of_equipment_in_his_sight(ask):
    found = await ask("energy", "incline")
    assert found["partial"] and not (await ask("energy"))["partial"]
    assert not found["incoming"]
    assert {name for each in found["equipment"] for name in each["equipment"]} == {"belt_1", "base_1", "base_2"}
    assert found["rest"]["kwh"] is None
    assert found["methane_m3"]["value"] is None
    assert found["intensity"]["kwh_per_t"]["value"] is None, "the scale is on the surface"
    assert [each["id"] for each in (await ask("production", "incline"))["machines"]] == ["belt_1"]
    assert {each["equipment"] for each in (await ask("stoppages", "incline"))["causes"]} == {"belt_1"}


@pytest.mark.parametrize("path", ["energy", "production", "stoppages"])
async def test_a_range_that_is_none_or_too_long_is_refused(ask, path):
    assert (await ask(path, last=DAY - timedelta(days=1), status=400))["error"]["code"] == "empty_range"
    assert (await ask(path, last=DAY + timedelta(days=366), status=400))["error"]["code"] == "too_many_days"
    assert (await ask(path, last="soon", status=400))["error"]["where"] == "last"
