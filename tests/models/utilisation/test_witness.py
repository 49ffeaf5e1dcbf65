"""Why it is not counted, in words, with the values that decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from models.site.model import Point, Site
from models.utilisation.answer import told
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.rules import Clause, standard
from models.utilisation.signal import Signal
from models.utilisation.units import Unit, units
from models.utilisation.why import intervals
from models.utilisation.witness import Missing, Moves, Value, witnesses
from sevenones.backfill.mine import site_of
from tests.models.utilisation.played import MINES, START

VERSION = standard().versions[-1]
S = 1_000_000
Said = Sequence[tuple[float, float] | tuple[float, float, int]]
"""(second of the day, value, quality: 192 where it is not told)."""


@pytest.fixture(scope="module")
def site() -> Site:
    return site_of(MINES / "low", {})


class Told:
    """A unit of which these roles said this; other points said nothing. `of` equipment: role/equipment."""

    def __init__(self, site: Site, category: str, said: Mapping[str, Said]) -> None:
        self.site = site
        self.unit: Unit = next(unit for unit in units(site, VERSION) if unit.category == category)
        self.category = VERSION.categories[category]

        def read(point: Point) -> Signal:
            rows = said.get(f"{point.role}/{point.equipment.rpartition('/')[2]}", said.get(point.role, ()))
            ts = np.array([START + round(row[0] * S) for row in rows], np.int64)
            quality = np.array([row[2] if len(row) > 2 else 192 for row in rows], np.uint8)
            return Signal.of(ts, np.array([row[1] for row in rows], np.float64), quality, point.silence_s)

        self.facts = UnitFacts(self.unit, self.category, read, site.basis.rated)

    def why(self, second: float) -> tuple[str, str, str]:
        """As what it counts, the key of the clause that decided, and what decided in words."""
        at = START + round(second * S)
        found = next(
            each
            for each in intervals(judge(self.category, self.facts), START, START + 86_400 * S)
            if each.start <= at < each.end
        )
        assert found.clause is not None
        words = [told(each, self.site, at) for each in witnesses(found.clause.when, self.facts, self.unit, at)]
        return found.counted, found.clause.key, "; ".join(f"{each.zh} | {each.en}" for each in words)

    def clause(self, key: str) -> Clause:
        return next(clause for clause in self.category.clauses() if clause.key == key)


def every(step: float, until: float, value: float, start: float = 0.0) -> list[tuple[float, float]]:
    return [(float(second), value) for second in np.arange(start, until, step)]


MOVES = {"belt.speed": every(10, 4000, 3.0), "run.state": [(0, 0), *every(10, 4000, 1, 10)]}


def test_a_belt_that_was_worked_at_the_machine(site: Site) -> None:
    belt = Told(site, "belt", MOVES | {"control.mode": [*every(10, 120, 2), *every(10, 900, 1, 123)]})
    counted, key, words = belt.why(300)
    assert (counted, key) == ("by_hand", "mode")
    assert "控制方式 = 就地（1）（自 00:02:03 起）" in words
    assert "= local (1) since 00:02:03" in words


def test_one_that_was_begun_at_the_machine_names_the_mode_of_that_moment(site: Site) -> None:
    belt = Told(site, "belt", MOVES | {"control.mode": [*every(5, 15, 1), *every(10, 900, 3, 15)]})
    counted, key, words = belt.why(300)
    assert (counted, key) == ("by_hand", "start")
    assert "00:00:10 时" in words
    assert "at 00:00:10" in words
    assert "= local (1) since 00:00:00 at least" in words


def test_silence_and_bad_values_say_since_when(site: Site) -> None:
    belt = Told(site, "belt", MOVES | {"control.mode": every(10, 100, 2)})
    hold = 2 * next(p for p in site.points if p.role == "control.mode").silence_s
    counted, key, words = belt.why(90 + hold + 45)
    assert (counted, key) == ("open", "mode")
    assert f"已 {hold + 45:.0f} 秒没有数据（上次 00:01:30，有效 {hold:g} 秒）" in words
    bad = Told(site, "belt", MOVES | {"control.mode": [*every(10, 100, 2), (100, 2.0, 24), (110, 2.0, 24)]})
    assert bad.why(115)[2].startswith(f"{site.equipment[bad.unit.id].name.zh} 控制方式 数据质量不好（自 00:01:40 起）")
    assert "has not been good since 00:01:40" in bad.why(115)[2]
    nothing = Told(site, "belt", MOVES)
    assert "一直没有数据" in nothing.why(115)[2]


def test_of_production_only_what_failed_is_told_with_its_level(site: Site) -> None:
    cuts = {"cutting.current": every(10, 900, 100), "shearer.speed": every(10, 900, 0.2)}
    counted, key, words = Told(site, "face", cuts | {"afc.state": every(10, 900, 2)}).why(300)
    assert (counted, key) == ("not_producing", "cutting")
    assert "= 0.2 m/min，未超过 0.5 m/min" in words
    assert "截割" not in words


FACE = {
    "cutting.current": every(10, 900, 100),
    "shearer.speed": every(10, 900, 4),
    "afc.state": every(10, 900, 2),
    "control.mode/afc_1": every(10, 900, 2),
}


def test_an_intervention_is_named_after_it_is_over(site: Site) -> None:
    by_hand = [*every(10, 300, 2), *every(10, 330, 1, 300), *every(10, 900, 2, 330)]
    counted, key, words = Told(site, "face", FACE | {"control.mode/shearer_1": by_hand}).why(370)
    assert (counted, key) == ("by_hand", "override")
    assert "00:05:29 时" in words
    assert "= local (1) since 00:05:00" in words


def test_supports_are_counted_as_the_clause_counts_them(site: Site) -> None:
    supports = sorted(name for name, each in site.equipment.items() if each.template == "hydraulic_support")
    moved = supports[30:60]
    said: dict[str, Said] = {f"support.action_source/{name}": every(10, 900, 0) for name in supports}
    for number, name in enumerate(moved):
        at, by = 100 + number * 10, 3 if number % 2 else 1
        rows = [*every(10, at, 0), (at + 0.5, by), (at + 8.0, 0), *every(10, 900, 0, at + 10)]
        said[f"support.action_source/{name}"] = rows
        said[f"support.action/{name}"] = every(10, 900, 17)
    place = [*every(10, 100, 31), *[(100 + n * 10, 31.0 + n) for n in range(30)], *every(10, 900, 61, 400)]
    face = Told(
        site,
        "face",
        FACE
        | said
        | {"control.mode/shearer_1": every(10, 900, 3)}
        | {"shearer.support": place, "shearer.direction": every(10, 900, 1)},
    )
    counted, key, words = face.why(450)
    assert (counted, key) == ("by_hand", "follow")
    found = witnesses(face.clause("follow").when, face.facts, face.unit, START + 450 * S)
    assert [(w.count, w.automatic) for w in found if isinstance(w, Moves)] == [(30, 15)]
    assert "30 次移架中自动跟机 15 次（50%），应不少于 85%" in words


def test_what_the_site_has_no_point_of_is_named(site: Site) -> None:
    chamber = Told(site, "chamber", {})
    lacking = Clause.model_validate(
        {"key": "x", "when": {"role": "belt.speed", "above": 1}, "otherwise": {"zh": "否", "en": "no"}}
    )
    (found,) = witnesses(lacking.when, chamber.facts, chamber.unit, START)
    assert found == Missing("belt.speed", "")
    assert "本矿没有“带速”测点" in told(found, site, START).zh


def test_a_value_that_holds_tells_its_time(site: Site) -> None:
    belt = Told(site, "belt", MOVES | {"control.mode": every(10, 900, 2)})
    (value,) = witnesses(belt.clause("mode").when, belt.facts, belt.unit, START + 305 * S)
    assert isinstance(value, Value)
    assert (value.value, value.told_at, value.holds, value.from_start) == (2.0, START + 300 * S, True, True)
