"""A day's energy out of what a mine told: sums against plain arithmetic, and what bad input makes of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from middleplatform.kpi.energy_day import energy_day, make, reaches
from models.basis import Price
from models.energy.day import EnergyDay, Use
from models.energy.figure import consumption, emission, five_to_four, methane, rest, stations
from models.energy.intensity import electricity_per_tonne, methane_per_tonne, per_tonne, per_tonne_km
from models.energy.systems import systems
from models.report.energy import energy as report
from models.thing import Key
from tests.middleplatform.kpi.worked import BASIS, DAY, HOUR, Heard, S, Told, day_of_work, every, path_of, site

START, END = day_of_work()
MARGIN = 600 * S


def told(**without: list[tuple[int, int]]) -> Told:
    """Rates an hour: 1,000 kWh in, 300 by the belt, 400 by both fans, 500 t; 4G 0.06, 5G 0.2 kWh; 0.2 % of 100 m³/s."""
    rates = {
        "meter_in/energy": 1000.0, "meter_belt/energy": 300.0, "meter_fans/energy": 400.0, "scale_1/total": 500.0,
        "belt_1/total": 500.0, "base_1/use": 0.06, "base_2/use": 0.2,
    }  # fmt: skip
    fixed = {
        "base_1/generation": 4, "base_2/generation": 5, "ch4_1/ch4": 0.2, "ch4_1/state": 0, "fan_1/air": 100,
        "fan_2/air": 0,
    }  # fmt: skip

    def rows(name: str, value: Any) -> list[tuple[int, float]]:
        return every(START - MARGIN, END + MARGIN, value, without=without.get(name.split("/", maxsplit=1)[0], []))

    return {
        **{name: rows(name, lambda h, rate=rate: 7000 + rate * h) for name, rate in rates.items()},
        **{name: rows(name, lambda h, value=value: value) for name, value in fixed.items()},
    }


def made(said: Told, **site_of: Any) -> EnergyDay:
    return energy_day(site(**site_of), Heard(said), DAY)  # type: ignore[arg-type]


WHOLE = made(told())


def incoming(day: EnergyDay) -> Any:
    return day.of(Use.INCOMING)


def test_a_day_comes_back_as_it_was_kept() -> None:
    document = make(site(), Heard(told()), "", DAY)  # type: ignore[arg-type]
    assert EnergyDay.read(document) == WHOLE
    assert EnergyDay.read(document).document() == document


def test_what_was_used_by_hour_system_and_period() -> None:
    mine = consumption([WHOLE], incoming)
    assert mine.amount.value == pytest.approx(24_000)
    assert mine.amount.coverage == mine.amount.known == 1.0
    assert {hour: each.value for hour, each in mine.hours.items()} == pytest.approx(dict.fromkeys(range(24), 1000.0))
    # In March: 8 hours of peak, 9 of valley under the scheme of 2022.
    assert {period: round(each.value) for period, each in mine.periods.items()} == {
        "flat": 6_000, "peak": 9_000, "valley": 9_000,
    }  # fmt: skip
    assert mine.cost.relative == pytest.approx(6_000 + 9_000 * 1.6 + 9_000 * 0.45)
    assert mine.cost.least == pytest.approx(24_000 * 0.45)
    assert mine.cost.money == pytest.approx(mine.cost.relative * 0.5)
    of = {meter.point: meter.system for meter in WHOLE.meters}
    assert of[path_of("meter_belt/energy")] == "main_coal_flow"
    assert of[path_of("meter_fans/energy")] == "ventilation"
    assert of[path_of("base_1/use")] == "network"


def test_what_no_meter_counted_is_told_and_what_was_silent_named() -> None:
    assert rest([WHOLE]).kwh == pytest.approx(24 * (1000 - 700 - 0.26))
    assert rest([WHOLE]).unheard == ()
    silent = made(told(meter_fans=[(START - HOUR, END + HOUR)]))
    assert rest([silent]).kwh == pytest.approx(24 * (1000 - 300 - 0.26))
    assert rest([silent]).unheard == (path_of("meter_fans/energy"),)
    fans = consumption([silent], lambda day: [m for m in day.meters if m.system == "ventilation"])
    assert fans.amount.facts()["value"] is None, "nothing was heard: not zero, unknown"
    assert rest([made(told(), basis=replace(BASIS, incoming=()))]).kwh is None


def test_a_gap_keeps_its_amount_and_tells_that_it_was_spread() -> None:
    day = made(told(meter_in=[(START + 5 * HOUR, START + 7 * HOUR)]))
    found = consumption([day], incoming)
    assert found.amount.value == pytest.approx(24_000)
    assert found.amount.spread == pytest.approx(2_000, rel=0.01)
    assert found.amount.known == 1.0
    assert found.amount.coverage == pytest.approx(22 / 24, abs=0.001)


def test_a_gap_over_midnight_is_known_on_both_sides_of_it_and_a_longer_one_is_not() -> None:
    day = made(
        told() | {"meter_in/energy": every(START - 5 * HOUR, END, lambda h: h, without=[(START - HOUR, START + HOUR)])}
    )
    assert consumption([day], incoming).hours[0].value == pytest.approx(1.0)
    assert consumption([day], incoming).hours[0].known == 1.0
    day = made(told() | {"meter_in/energy": every(START + HOUR, END, lambda h: h)})
    assert consumption([day], incoming).hours[0].facts()["value"] is None


def test_resets_and_dips_are_told_of_the_day_in_which_they_were() -> None:
    rows = [(at, kwh - 6000 * (at >= START + 9 * HOUR)) for at, kwh in told()["meter_in/energy"]]
    rows.append((START + 12 * HOUR + 20 * S, 0.0))
    rows = [(at, kwh - 900 * (at >= END + 60 * S)) for at, kwh in rows]
    day = made(told() | {"meter_in/energy": rows})
    found = incoming(day)[0].counted
    assert (found.resets, found.dips) == (1, 1)
    # What was counted in the minute before is lost, and what it showed then was not counted since.
    assert sum(found.value) == pytest.approx(24_000 - 1000 / 60)
    assert found.leaps == 1
    assert sum(found.known_us) == END - START - 60 * S
    rows = [(at, kwh - (kwh if at >= START + 9 * HOUR else 0)) for at, kwh in told()["meter_in/energy"]]
    began = incoming(made(told() | {"meter_in/energy": rows}))[0].counted
    assert (began.resets, began.leaps) == (1, 0), "it may begin again at nothing"


def _wrong(how: str, after: int) -> Any:
    noon = START + 12 * HOUR

    def shown(at: int, value: float) -> float:
        within = noon <= at < noon + after
        match how:
            case "nothing":
                return 0.0 if within else value
            case "tenfold":
                return value * 10 if within else value
        return value + 250_000 if at >= noon else value

    return shown


@pytest.mark.parametrize("point", ["meter_in/energy", "scale_1/total"])
@pytest.mark.parametrize("minutes", [1, 6, 300])
@pytest.mark.parametrize("how", ["nothing", "tenfold", "exchanged"])
def test_no_wrong_reading_of_a_counter_becomes_an_amount_that_is_known(how: str, minutes: int, point: str) -> None:
    shown = _wrong(how, minutes * 60 * S)
    day = made(told() | {point: [(at, shown(at, value)) for at, value in told()[point]]})
    used, output = incoming(day)[0].counted, day.output[0][1]
    assert sum(used.value) == pytest.approx(24_000, rel=0.001)
    assert sum(output.value) == pytest.approx(12_000, rel=0.001)
    assert per_tonne([day], incoming).value == pytest.approx(2.0, rel=0.001)
    wrong = used if point == "meter_in/energy" else output
    assert wrong.resets == 0
    assert (wrong.dips, wrong.leaps) == ((0, 1) if how == "exchanged" else (minutes, 0))
    assert EnergyDay.read(day.document()) == day
    table = report([day], 1)
    assert ("1 个不可能的跳变" if how == "exchanged" else f"{minutes} 个剔除的读数") in table.note.zh


def test_methane_is_counted_only_while_all_of_it_is_known() -> None:
    assert methane([WHOLE]).value == pytest.approx(0.002 * 100 * 86_400)
    assert methane([WHOLE]).known == 1.0
    half = methane([made(told(fan_2=[(START + 12 * HOUR, END + HOUR)]))])
    assert half.value == pytest.approx(0.2 * 43_230, rel=0.001), "a fan that nobody hears may blow"
    assert half.known == pytest.approx(0.5, abs=0.001)
    gas = told()
    gas["ch4_1/state"] = [(at, 4 if at < START + HOUR else 0) for at, _ in gas["ch4_1/state"]]
    gas["ch4_1/ch4"] = [(at, 2.0 if at < START + HOUR else 0.2) for at, _ in gas["ch4_1/ch4"]]
    assert methane([made(gas)]).value == pytest.approx(0.2 * 82_800), "calibration gas is none of the mine's"


def test_carbon_by_the_factor_of_the_year_and_methane_by_its_weight() -> None:
    found = emission([WHOLE])
    assert found.electricity == pytest.approx(24_000 * 0.6361)
    assert found.methane == pytest.approx(17_280 * 0.668 * 28)
    older = replace(WHOLE, day=date(2022, 3, 2))
    assert emission([older, WHOLE]).electricity == pytest.approx(24_000 * (0.6774 + 0.6361))
    assert emission([replace(WHOLE, grid="")]).electricity is None
    assert emission([replace(WHOLE, day=date(2019, 1, 1)), WHOLE]).electricity is None


def test_intensity_by_tonne_and_by_tonne_and_kilometre() -> None:
    assert per_tonne([WHOLE], incoming).value == pytest.approx(2.0)
    assert per_tonne_km([WHOLE])["belt_1"].value == pytest.approx(300 / (500 * 2.0))
    assert "belt_2" not in per_tonne_km([WHOLE]), "it has neither a meter nor a scale"
    assert electricity_per_tonne([WHOLE]).value == pytest.approx(2 * 0.6361)
    assert methane_per_tonne([WHOLE]).value == pytest.approx(720 * 0.668 * 28 / 500)


def test_without_a_tonne_there_is_no_intensity_and_a_silent_scale_does_not_make_it_worse() -> None:
    still = told() | {"scale_1/total": every(START - MARGIN, END + MARGIN, lambda h: 7000.0)}
    assert per_tonne([made(still)], incoming).value is None
    assert per_tonne([made(told(scale_1=[(START - HOUR, END + HOUR)]))], incoming).value is None
    half = per_tonne([made(told(scale_1=[(START + 12 * HOUR, END + HOUR)]))], incoming)
    assert half.value == pytest.approx(2.0)
    assert half.coverage == pytest.approx(0.5, abs=0.05)


def test_what_stations_of_either_generation_take() -> None:
    found = stations([WHOLE])
    assert found[4].per_day == pytest.approx(1.44)
    assert found[5].per_day == pytest.approx(4.8)
    assert five_to_four(found) == pytest.approx(4.8 / 1.44)
    assert five_to_four({5: found[5]}) is None
    assert stations([made(told(base_2=[(START - HOUR, END + HOUR)]))])[0].per_day is None


def test_what_a_site_does_not_say_stays_unknown() -> None:
    unpriced = made(told(), basis=replace(BASIS, prices=(Price(0.5, date(2026, 6, 1), "later"),)))
    assert consumption([unpriced], incoming).cost.money is None
    assert consumption([unpriced], incoming).cost.relative == pytest.approx(24_450)
    assert consumption([unpriced, WHOLE], incoming).cost.money is None, "a month with a day of unknown price"
    bare = made(told(), basis=replace(BASIS, tariff="", grid="", return_air={}, output=()))
    assert consumption([bare], incoming).cost.relative is None
    assert consumption([bare], incoming).periods == {}
    assert methane([bare]).known is None
    assert emission([bare]).methane is None
    assert emission([]).electricity is None


@pytest.mark.parametrize(
    ("zone", "day", "hours"), [("Europe/Warsaw", date(2026, 3, 29), 23), ("Europe/Warsaw", date(2026, 10, 25), 25)]
)
def test_a_day_on_which_clocks_are_set_has_all_of_its_hours(zone: str, day: date, hours: int) -> None:
    found = energy_day(site(zone=zone), Heard({}), day)  # type: ignore[arg-type]
    assert len(found.hours) == hours
    assert sum(found.widths) == hours * HOUR


def test_told_in_another_order_twice_and_in_part_bad_the_document_is_the_same() -> None:
    said = told()
    mixed: Told = {}
    for n, (name, rows) in enumerate(said.items()):
        again = [*rows, *rows[::5], *((at + 7 * S, 1e9, 0) for at, _ in rows[::40])]
        random.Random(n).shuffle(again)
        mixed[name] = again  # type: ignore[assignment]
    counters = {name: rows for name, rows in mixed.items() if KIND_OF[name.split("/")[1]]}
    assert made(said | counters) == WHOLE
    assert made(said | counters).document() == WHOLE.document()


KIND_OF: dict[Key, bool] = {
    "energy": True, "total": True, "use": True, "generation": False, "ch4": False, "state": False, "air": False,
}  # fmt: skip
"""Whether it counts: a bad value of anything else ends the one before it, as nobody knows what held."""


def test_it_is_made_of_what_it_says_that_it_is_made_of() -> None:
    known = {point.id: point.path.split("/", 1)[1] for point in site().points}
    assert {known[number] for number in reaches(site(), DAY)} == {*told()}


def test_a_caller_sees_only_what_is_in_his_sight() -> None:
    mine = site()
    seen = WHOLE.seen({path_of("scale_1/total")}, {"belt_1", "fan_1"})
    assert [meter.equipment for meter in seen.meters] == [("belt_1",)], "one of the two fans is out of sight"
    assert [path for path, _ in seen.output] == [path_of("scale_1/total")]
    assert seen.returns == ()
    assert WHOLE.seen({point.path for point in mine.points}, mine.equipment) == WHOLE


def test_every_template_of_the_library_has_a_system() -> None:
    from pathlib import Path

    import yaml

    import models.library

    named = {template for each in systems().values() for template in each.templates}
    of = {category for each in systems().values() for category in each.categories}
    for file in Path(models.library.__path__[0]).glob("*.yaml"):
        template = yaml.safe_load(file.read_text("utf-8"))
        assert template["id"] in named or template["category"] in of, file.name
    for name in named:
        assert (Path(models.library.__path__[0]) / f"{name}.yaml").exists(), name


def test_what_nobody_knows_is_not_zero():
    """A day of which no meter told anything, and a month of it and another one."""
    unheard = made({})
    used, left, gone = consumption([unheard], incoming), rest([unheard]), emission([unheard])
    assert used.amount.known == used.cost.known == left.known == gone.electricity_known == gone.methane_known == 0
    assert used.cost.relative is used.cost.least is used.cost.money is used.cost.least_money is None
    assert left.kwh is gone.electricity is gone.methane is None
    both = [WHOLE, unheard]
    used, left, gone = consumption(both, incoming), rest(both), emission(both)
    assert used.cost.known == left.known == gone.electricity_known == pytest.approx(0.5)
    assert used.cost.money == consumption([WHOLE], incoming).cost.money
    assert gone.electricity == emission([WHOLE]).electricity
