"""The city and the reports over the API: made, listed, fetched, verified; nothing of it for who sees a part."""

from __future__ import annotations

import httpx
import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from tests.middleplatform.api.stage import bare, threaded
from tests.middleplatform.kpi.made import ONE, THREE, TWO, keep_mine, march


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The API alone, over a book of three mines."""
    home = tmp_path_factory.mktemp("reports")
    with threaded(lambda loop: bare(home, loop)) as made:
        keep_mine(made.home, ONE, march(31), 0.6)
        keep_mine(made.home, TWO, march(31), 0.2, 3000)
        keep_mine(made.home, THREE, march(3), 0.9, 600)
        yield made


@pytest.fixture(scope="module")
def ask(stage):
    """As the bureau, whose role may see figures and make reports."""
    token = tokens.create_token(stage.home, "bureau", "bureau")
    with httpx.Client(
        base_url=f"{stage.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        yield client


def test_the_city(ask):
    found = ask.get("kpi/city", params={"month": "2026-03", "months": 2}).json()
    assert [(each["mine"], each["place"], each["standing"]) for each in found["mines"]] == [
        (ONE, 1, "met"),
        (TWO, 2, "missed"),
        (THREE, None, "not_assessable"),
    ]
    assert found["mines"][2]["days_kept"] == 3 and "28 days are missing" in found["mines"][2]["why"]["en"]
    assert (found["belts"]["mines"], found["belts"]["covered"], found["belts"]["confirmed"]) == (2, 0, False)
    assert [(each["month"], each["days"], each["days_kept"]) for each in found["trend"]] == [("2026-03", 93, 65)]
    assert found["group"]["least"] < found["group"]["rate"] < found["group"]["most"]
    early = ask.get("kpi/city", params={"month": "2099-01"})
    assert (early.status_code, early.json()["error"]["code"]) == (400, "no_day_yet")
    assert ask.get("kpi/city", params={"month": "2026-13"}).status_code == 400


def test_a_report_is_made_fetched_and_verified(ask):
    order = {"kind": "bureau", "first": "2026-03-01", "last": "2026-03-31"}
    made = ask.post("reports", json=order)
    assert made.status_code == 201, made.text
    report = made.json()
    assert report["mines"] == [ONE, TWO, THREE]
    assert ask.post("reports", json=order).json() == report, "the same days, the same report"
    assert [each["code"] for each in ask.get("reports").json()["reports"]] == [report["code"]]
    assert ask.get("reports", params={"kind": "daily"}).json()["reports"] == []
    fetched = ask.get(f"reports/{report['code']}/file", params={"file": "xlsx", "language": "en"})
    assert fetched.headers["content-disposition"] == 'attachment; filename="bureau-2026-03-01_2026-03-31-en.xlsx"'
    verdict = ask.post("reports/verify", content=fetched.content).json()
    assert verdict["good"] and verdict["report"]["code"] == report["code"] and verdict["newer"] == []
    assert ask.get(f"reports/{report['code'].lower()}/verify").json()["good"]
    page = ask.get(f"reports/{report['code']}/file")
    assert page.headers["content-type"] == "application/pdf" and page.content.startswith(b"%PDF-")


def test_what_cannot_be_is_told(ask):
    for order, status in (
        ({"kind": "daily", "first": "2026-04-01", "mines": [ONE]}, 409),
        ({"kind": "daily", "first": "2026-03-01", "mines": ["140599999999"]}, 409),
        ({"kind": "weekly", "first": "2026-03-01"}, 400),
        ({"kind": "daily", "first": "2026-03-01", "extra": 1}, 400),
    ):
        assert ask.post("reports", json=order).status_code == status, order
    assert ask.get("reports/AAAA-AAAA-AAAA-AAAA-AAAA/verify").json()["error"]["code"] == "unknown_report"
    assert ask.post("reports/verify", content=b"rubbish").json()["error"]["code"] == "no_report"
    assert ask.post("reports/verify", content=b"x" * (33 << 20)).status_code == 413


def test_for_who_sees_a_part_there_is_neither_city_nor_report(stage, ask):
    code = ask.post("reports", json={"kind": "daily", "first": "2026-03-01", "mines": [ONE]}).json()["code"]
    token = tokens.create_token(stage.home, "east", "bureau", scope=Scope.of({"areas": ["east"]}))
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{stage.url}/api/v1/", headers=headers, timeout=60) as east:
        assert east.get("reports").json() == {"reports": [], "next": None}
        for answer in (
            east.get("kpi/city", params={"month": "2026-03"}),
            east.get(f"reports/{code}/verify"),
            east.get(f"reports/{code}/file"),
            east.post("reports", json={"kind": "daily", "first": "2026-03-01", "mines": [ONE]}),
            east.post("reports/verify", content=b"PK"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"][:8]) == (404, "unknown_")
