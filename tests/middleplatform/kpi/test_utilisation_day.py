"""A day's utilisation out of a real store: the same whatever the order and batches its data came in, with the site as
it was, and again from its evidence to the last digit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.kpi import utilisation_day
from middleplatform.kpi.ahead import Ahead
from middleplatform.kpi.evidence import mine_days, unpack
from middleplatform.kpi.sites import Part
from middleplatform.kpi.utilisation_day import ahead, evidence, evidences, make, whole
from models.kpi.calendar import bounds, stretches
from models.kpi.day import Excluded, digest
from models.site.model import Name
from models.utilisation.figure import Figure
from models.utilisation.rules import standard
from models.utilisation.units import units
from tests.middleplatform.kpi.stored import MINUTE, Stored, small_site, worked

DAY = date(2026, 3, 2)
HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def site():
    return small_site()


@pytest.fixture(scope="module")
def rows(site):
    """Of the day, the hours around it, and some of the days before that a belt's run may have begun in."""
    start, end = bounds(site, DAY)
    return worked(site, start - 15 * HOUR, end + 2 * HOUR)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    store = Stored(tmp_path_factory.mktemp("store"))
    yield store
    store.close()


@pytest.fixture
def full(stored, site, rows):
    stored.empty()
    stored.add(rows)
    start, _ = bounds(site, DAY)
    stored.patrol(site, "pump_room_1", start + 3 * HOUR, start + 4 * HOUR)
    return stored


def test_a_day_has_all_units_and_its_shifts_make_up_the_day(full, site):
    day = make(site, full.reader, None, DAY)
    version = standard().at(DAY)
    assert [(unit.category, unit.id) for unit in day.units] == [(u.category, u.id) for u in units(site, version)]
    start, end = bounds(site, DAY)
    assert (day.start, day.end, day.rules, day.site) == (start, end, version.version, site.version)
    for unit in day.units:
        assert set(unit.shifts) == {each.key for each in stretches(site, DAY)}
        figure = unit.figure
        assert figure.calendar == end - start
        assert sum(figure.reasons.values()) == figure.by_hand + figure.open
        assert 0 < figure.intelligent < figure.producing, f"{unit.id}: nothing can be learnt from it"
        assert figure.blind + figure.open, "there are bad values"
    (chamber,) = (unit for unit in day.units if unit.category == "chamber")
    assert chamber.output is None
    for unit in day.units:
        if unit is not chamber:
            by_itself, otherwise, _ = unit.output
            assert by_itself > 0 < otherwise


def test_days_made_together_are_each_made_alone(stored, site):
    """Three days; the middle one again by itself, with an exclusion over midnight."""
    stored.empty()
    wanted = [DAY + timedelta(days=n) for n in range(3)]
    start, end = bounds(site, wanted[0])[0], bounds(site, wanted[-1])[1]
    stored.add(worked(site, start - 15 * HOUR, end + 2 * HOUR))
    stored.patrol(site, "pump_room_1", bounds(site, DAY)[1] - HOUR, bounds(site, DAY)[1] + HOUR)
    alone = [evidence(whole(site, day), stored.reader, None, day) for day in wanted]
    assert evidences(site, Ahead(stored.client, start, end), None, wanted) == alone, (
        "what is not read ahead is asked for"
    )
    asked = ahead(site, stored.client, wanted)
    together = evidences(site, asked, None, wanted)
    assert together == alone
    assert [evidence(whole(site, day), asked, None, day) for day in wanted] == alone
    at = bounds(site, DAY)[1]
    out = (Excluded(7, "geology", "belt", "belt_101", at - 9 * HOUR, at + 9 * HOUR),)
    together, alone = ([replace(each, excluded=out) for each in some] for some in (together, alone))
    assert mine_days(together) == [each.mine_day() for each in alone]
    figures = [next(u.figure for u in day.units if u.id == "belt_101") for day in mine_days(together)]
    assert [figure.excluded for figure in figures] == [9 * HOUR, 9 * HOUR, 0]


def test_output_is_what_the_counter_counted_in_those_spans(full, site, rows):
    """Against a sum over the counter's own steps, for one belt."""
    found = next(u for u in evidence(whole(site, DAY), full.reader, None, DAY).units if u.id == "belt_101")
    (point,) = (p for p in site.points if p.equipment == "belt_101" and p.role == "belt.mass_total")
    own = rows.at((rows.point == point.id) & (rows.quality == 192))
    total = 0.0
    for begin, end in (found.judged.produced.yes & found.judged.by_itself.yes).pairs():
        total += np.diff(np.interp([begin, end], own.ts, own.value))[0]
    assert found.output[0] == pytest.approx(total, rel=1e-9) and found.output[2] == "t"


def test_the_evidence_gives_the_same_day_to_the_last_digit(full, site):
    made = evidence(whole(site, DAY), full.reader, None, DAY)
    packed = made.pack()
    again = unpack(packed)
    for own, other in zip(made.units, again.units, strict=True):
        assert [c.key for c, _ in own.judged.intelligent] == [c.key for c, _ in other.judged.intelligent]
        assert own.judged == other.judged
    assert again == made
    assert again.mine_day().document() == make(site, full.reader, None, DAY).document()
    start, _ = bounds(site, DAY)
    out = (Excluded(7, "geology", "belt", "belt_101", start + HOUR, start + 9 * HOUR),)
    less = unpack(replace(made, excluded=out).pack()).mine_day()
    belt, other = (next(u.figure for u in less.units if u.id == name) for name in ("belt_101", "belt_102"))
    assert (belt.excluded, other.excluded) == (8 * HOUR, 0) and less.excluded == out
    with pytest.raises(LookupError, match="no version"):
        unpack(replace(made, rules="1999").pack())


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32 - 1), batches=st.integers(1, 9))
def test_the_same_data_in_another_order_or_late_gives_the_same_day(full, site, rows, seed, batches):
    expected = _digest(site, full)
    chance = np.random.default_rng(seed)
    start, end = bounds(site, DAY)
    full.empty()
    order = chance.permutation(len(rows))
    # An outage: an hour's samples come after all the others, and while they lack the day is another.
    outage = start + int(chance.integers(0, end - start - HOUR))
    late = (rows.ts[order] >= outage) & (rows.ts[order] < outage + HOUR)
    for part in np.array_split(order[~late], batches):
        full.add(rows.at(part))
    full.patrol(site, "pump_room_1", start + 3 * HOUR, start + 4 * HOUR)
    assert _digest(site, full) != expected
    full.add(rows.at(order[late]))
    full.add(rows.at(chance.choice(order, 500)))  # and some are told twice
    assert _digest(site, full) == expected


def _digest(site, store) -> str:
    return digest(make(site, store.reader, None, DAY).document())


def test_what_is_far_from_a_day_is_not_part_of_it(full, site):
    expected = _digest(site, full)
    start, end = bounds(site, DAY)
    full.add(worked(site, end + 5 * HOUR, end + 9 * HOUR, seed=3))
    full.add(worked(site, start - 200 * HOUR, start - 190 * HOUR, seed=3))
    assert _digest(site, full) == expected


def test_a_patrol_lets_somebody_in(full, site):
    with_it = next(u.figure for u in make(site, full.reader, None, DAY).units if u.category == "chamber")
    full.engine.execute("TRUNCATE TABLE events")
    without = next(u.figure for u in make(site, full.reader, None, DAY).units if u.category == "chamber")
    assert with_it.intelligent >= without.intelligent
    assert with_it.calendar == without.calendar


def test_a_site_that_changes_within_the_day_is_judged_as_it_was(full, site):
    """A belt is renamed and another machine taken out at ten; nothing counts twice and nothing is lost."""
    start, end = bounds(site, DAY)
    at = start + 10 * HOUR
    renamed = "belt_new"
    other = replace(
        site,
        version="v2",
        equipment={
            **{k: e for k, e in site.equipment.items() if k not in ("belt_101", "bolter_1")},
            renamed: replace(site.equipment["belt_101"], id=renamed, name=Name("新带", "new belt")),
        },
        points=tuple(
            replace(p, equipment=renamed) if p.equipment == "belt_101" else p
            for p in site.points
            if p.equipment != "bolter_1"
        ),
    )
    parts = (Part(site, start, at), Part(other, at, end))
    made = evidence(parts, full.reader, None, DAY)
    day = made.mine_day()
    assert day.site == "v2" and unpack(made.pack()).mine_day() == day
    plain = {u.id: u for u in make(site, full.reader, None, DAY).units}
    found = {u.id: u for u in day.units}
    assert found["bolter_1"].figure.calendar == 10 * HOUR, "it counts for as long as the site had it"
    assert found["belt_101"].figure.calendar + found[renamed].figure.calendar == end - start
    # Its points kept their ids, so that both names together say what one did.
    both = found["belt_101"].figure + found[renamed].figure
    assert both == plain["belt_101"].figure
    for same in ("belt_102", "roadheader_1", "pump_room"):
        assert found[same].shifts == plain[same].shifts


def test_a_change_of_the_site_that_figures_do_not_see_changes_its_version_alone(full, site):
    start, end = bounds(site, DAY)
    other = replace(site, version="v2", gas_class="other")
    parts = tuple(
        Part(site if n % 2 else other, start + n * HOUR, start + (n + 1) * HOUR if n < 23 else end) for n in range(24)
    )
    made = evidence(parts, full.reader, None, DAY)
    assert len(made.units) == len(units(site, standard().at(DAY)))
    assert replace(made.mine_day(), site="") == replace(make(site, full.reader, None, DAY), site="")


def test_a_day_that_is_not_over_ends_where_it_has_come_to(full, site):
    start, _ = bounds(site, DAY)
    until = start + 9 * HOUR + 1
    day = evidence(whole(site, DAY), full.reader, None, DAY, until).mine_day()
    assert day.end == until
    assert all(unit.figure.calendar == until - start and set(unit.shifts) == {"1", "2"} for unit in day.units)
    whole_day = {u.id: u.shifts["1"] for u in make(site, full.reader, None, DAY).units}
    assert {u.id: u.shifts["1"] for u in day.units} == whole_day


def test_a_day_before_all_rules_and_one_without_data(full, site):
    with pytest.raises(utilisation_day.NoRules, match="2001-01-01"):
        make(site, full.reader, None, date(2001, 1, 1))
    blank = make(site, full.reader, None, DAY + timedelta(days=200))
    for unit in blank.units:
        assert unit.figure.rate is None and unit.figure.coverage in (None, 0.0)
        assert unit.figure.producing == 0 or unit.category == "chamber"
        assert unit.output in (None, (0.0, 0.0, unit.output and unit.output[2]))
        assert isinstance(unit.figure, Figure)
