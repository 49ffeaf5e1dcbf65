"""`sevenones kpi energy`, `production`, `stoppages` against a platform on a real port."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from middleplatform.access.scope import Scope
from middleplatform.access.tokens import create_token
from middleplatform.kpi.book import ENERGY, PRODUCTION, Versions, keep
from middleplatform.kpi.production_day import make as production
from sevenones.commands.kpi import app
from tests.middleplatform.api.stage import bare, threaded
from tests.middleplatform.kpi.test_energy_day import WHOLE
from tests.middleplatform.kpi.test_production_day import MINE, SLIP, TOLD, journal
from tests.middleplatform.kpi.worked import DAY, Heard
from tests.servers import CODE

VERSIONS = Versions("", "v1", "1")


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    home = tmp_path_factory.mktemp("standing")
    with threaded(lambda loop: bare(home, loop)) as stage:
        journal(home, *SLIP)
        keep(home, CODE, ENERGY, DAY, WHOLE.document(), VERSIONS)
        keep(home, CODE, PRODUCTION, DAY, production(MINE, Heard(TOLD), home, DAY), VERSIONS)
        yield stage


@pytest.fixture
def told(stage):
    def run(*words: str) -> str:
        found = CliRunner().invoke(app, [*words, "--url", stage.url, "--token", stage.reader])
        assert found.exit_code == 0, found.output
        return found.output

    return run


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("system", r"通风 Ventilation  9,600\.0 kWh  0\.800 kWh/t"),
        ("equipment", r"fan_1, fan_2  9,600\.0 kWh"),
        ("hour", r"23:00  1,000\.0 kWh"),
        ("period", r"高峰 peak  9,000\.0 kWh"),
    ],
)
def test_energy_is_told_by_what_one_asks(told, by, words):
    said = told("energy", "2026-03-02", "--by", by)
    assert re.search(words, said), said
    assert "24,000.0 kWh  (进线 incoming)" in said
    assert "12,225.00" in said
    assert "per tonne  2.000 kWh/t" in said


def test_who_sees_a_part_is_told_so(stage):
    token = create_token(stage.home, "east", "operator", scope=Scope.of({"areas": ["east"]}))
    for words in (("energy", "2026-03-02"), ("production", "2026-03-02")):
        found = CliRunner().invoke(app, [*words, "--url", stage.url, "--token", token])
        assert "a part of the mine" in found.output and "24,000" not in found.output, found.output


def test_production_and_why_machines_stood(told):
    said = told("production", "2026-03-02")
    assert "raised  19,200.0 t" in said
    assert "availability 81.2%" in said
    assert "failures 1  MTBF 20.00 h" in said
    said = told("stoppages", "2026-03-02")
    assert re.search(r"2\.00 h +90\.9% +1 次 stops  belt_1  人员操作 people  protection\.pull_cord", said), said


def test_what_is_not_kept_is_told_as_unknown(told):
    said = told("energy", "2026-02-01", "2026-02-03")
    assert "0/3 天 days" in said
    assert "used  未知 not known" in said


def test_a_refusal_ends_the_command_in_its_words(stage):
    found = CliRunner().invoke(app, ["energy", "2026-03-02", "2026-03-01", "--url", stage.url, "--token", stage.reader])
    assert found.exit_code != 0
    assert "last 早于 first" in str(found.exception) + found.output
