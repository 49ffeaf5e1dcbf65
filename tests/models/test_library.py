"""The library's templates: whole, in the house's words, and honest about where their limits come from."""

import datetime
from collections import defaultdict

import pytest

from models import vocabulary
from models.exchange.dictionaries import sensor_types
from models.site.library import LIBRARY
from models.site.model import STATUTORY_SILENCE_S, Kind, Retention
from models.site.problems import Problems
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Template
from models.units import compile_unit, known_units

EQUIPMENT = [
    "belt_conveyor",
    "shearer",
    "hydraulic_support",
    "afc",
    "stage_loader",
    "crusher",
    "roadheader",
    "bolting_rig",
    "drainage_pump",
    "pump_room",
    "main_fan",
    "auxiliary_fan",
    "compressor",
    "substation_feeder",
    "transformer",
    "emulsion_pump_station",
    "spray_pump",
    "belt_scale",
    "electricity_meter",
    "ring_switch",
    "base_station",
    "personnel_station",
    "methane_sensor",
    "co_sensor",
    "temperature_sensor",
    "o2_sensor",
    "co2_sensor",
    "smoke_sensor",
    "wind_speed_sensor",
    "wind_pressure_sensor",
    "dust_sensor",
    "humidity_sensor",
    "water_level_sensor",
    "feed_sensor",
    "equipment_state_sensor",
    "air_door",
    "air_duct_sensor",
    "roof_separation",
    "borehole_stress",
    "support_pressure",
]
"""What the library must cover, and nothing that nobody asked for."""

TABLE = {0, 1, 2, 3, 4, 5, 8, 16, 32, 64, 128}
"""The states of a point in the bureau's files: the standard's bits, and the two further values met in the field."""


def _template(name: str) -> Template:
    problems = Problems()
    document = parse((LIBRARY / f"{name}.yaml").read_text(encoding="utf-8"), name, problems)
    assert document is not None, problems.found
    template = validate(Template, document.data, document, (), problems)
    assert template is not None, problems.found
    return template


TEMPLATES = {path.stem: _template(path.stem) for path in sorted(LIBRARY.glob("*.yaml"))}
POINTS = [(f"{name}/{key}", point) for name, template in TEMPLATES.items() for key, point in template.points.items()]


def _limits():
    """Every limit with where it stands: (template, limit set or "", point key, limit)."""
    for name, template in TEMPLATES.items():
        for key, point in template.points.items():
            yield from ((name, "", key, limit) for limit in point.limits)
        for set_name, chosen in template.limit_sets.items():
            yield from ((name, set_name, key, limit) for key, limits in chosen.points.items() for limit in limits)


def test_it_covers_the_equipment_that_it_is_for() -> None:
    assert sorted(TEMPLATES) == sorted(EQUIPMENT)
    assert len(POINTS) >= 400


def test_every_role_is_in_the_vocabulary_and_none_is_unused() -> None:
    used = {point.role for _, point in POINTS}
    assert used == set(vocabulary.roles()), used ^ set(vocabulary.roles())


@pytest.mark.parametrize("name", TEMPLATES)
def test_kind_and_unit_fit_the_role(name: str) -> None:
    for key, point in TEMPLATES[name].points.items():
        role = vocabulary.roles()[point.role]
        assert point.kind is role.kind, key
        if point.unit != role.unit:
            compile_unit(point.unit, role.unit)  # raises where they measure different things
        # Loading must not wait for the arithmetic of units: they stand in the list that needs none.
        assert point.unit in ("", *known_units()), key


@pytest.mark.parametrize("name", TEMPLATES)
def test_names_are_there_and_unique(name: str) -> None:
    points = TEMPLATES[name].points.values()
    for names in ([p.name.zh for p in points], [p.name.en.lower() for p in points]):
        assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_two_templates_have_one_name(language: str) -> None:
    names = [getattr(template.name, language) for template in TEMPLATES.values()]
    assert len(set(names)) == len(names)


def test_a_role_means_the_same_by_the_same_number_everywhere() -> None:
    states: dict[str, dict[str, dict[int, str]]] = defaultdict(dict)
    for where, point in POINTS:
        if point.kind is Kind.STATE and not point.role.startswith("control."):
            states[point.role][where] = {value: names.en for value, names in point.states.items()}
    for role, by_place in states.items():
        assert len({tuple(sorted(found.items())) for found in by_place.values()}) == 1, (role, by_place)


@pytest.mark.parametrize("name", TEMPLATES)
def test_states_are_complete(name: str) -> None:
    for key, point in TEMPLATES[name].points.items():
        if point.kind is not Kind.STATE or point.role == "control.mode":
            continue
        names = list(point.states.values())
        assert len({n.zh for n in names}) == len({n.en for n in names}) == len(names) >= 2, key
        assert all(any("一" <= sign <= "鿿" for sign in n.zh) or n.zh == n.en for n in names), key
        if point.role == "sensor.state":
            assert set(point.states) == TABLE, key
        elif len(names) == 2 and point.role != "station.generation":
            assert set(point.states) == {0, 1}, key


@pytest.mark.parametrize("name", [n for n, t in TEMPLATES.items() if t.category == "safety"])
def test_what_a_safety_sensor_measures_is_kept_as_statutory(name: str) -> None:
    points = TEMPLATES[name].points
    kept = [p for p in points.values() if p.retention is Retention.STATUTORY]
    assert kept and all(p.silence <= STATUTORY_SILENCE_S for p in kept)
    assert all(
        p.retention is Retention.STATUTORY for p in points.values() if p.limits and not p.role.startswith("device.")
    )
    if name != "personnel_station":
        assert "sensor.state" in {p.role for p in kept}, "the source's own state word goes with the value"


def test_gas_is_statutory_wherever_it_is_measured() -> None:
    for where, point in POINTS:
        if point.role in ("ch4", "co", "o2", "co2", "sensor.state", "feed.state"):
            assert point.retention is Retention.STATUTORY, where


def test_every_sensor_code_is_in_the_national_dictionary_and_fits_the_kind() -> None:
    types = sensor_types()
    used = {point.sensor_code for _, point in POINTS} - {""}
    assert used <= set(types), used - set(types)
    kinds = {"MN": Kind.ANALOG, "KG": Kind.STATE, "DT": Kind.STATE, "LJ": Kind.COUNTER}
    for where, point in POINTS:
        if point.sensor_code:
            assert point.kind is kinds[types[point.sensor_code].value_type], where


@pytest.mark.parametrize(
    ("where", "code"),
    {
        "methane_sensor/ch4": "0001", "wind_speed_sensor/velocity": "0002", "temperature_sensor/temperature": "0003",
        "co_sensor/co": "0004", "wind_pressure_sensor/pressure": "0005", "main_fan/negative_pressure": "0006",
        "water_level_sensor/level": "0007", "o2_sensor/o2": "0012", "co2_sensor/co2": "0013",
        "dust_sensor/dust": "0014",
        "humidity_sensor/humidity": "0018", "roof_separation/deep": "0020", "borehole_stress/stress": "0034",
        "auxiliary_fan/running": "1001", "air_door/door": "1002", "air_duct_sensor/duct": "1003",
        "equipment_state_sensor/running": "1004", "smoke_sensor/smoke": "1008", "main_fan/running": "1010",
        "feed_sensor/feed": "1011",
    }.items(),
)  # fmt: skip
def test_sensors_have_the_codes_of_the_dictionary(where: str, code: str) -> None:
    name, key = where.split("/")
    assert TEMPLATES[name].points[key].sensor_code == code


def test_every_limit_says_whose_it_is_and_since_when() -> None:
    for name, set_name, key, limit in _limits():
        where = (name, set_name, key)
        assert any("一" <= sign <= "鿿" for sign in limit.source) and any(c.isascii() for c in limit.source), where
        assert datetime.date(2015, 1, 1) <= limit.effective_from <= datetime.date.today(), where
        if "厂" in limit.source or "矿方" in limit.source:
            assert not limit.confirmed, f"{where}: what a maker or the mine sets is for the mine to confirm"
        if limit.restore is not None:
            upper = limit.kind.startswith("hi")
            assert limit.restore <= limit.value if upper else limit.restore >= limit.value, where


def test_methane_limits_are_those_of_the_place() -> None:
    """Alarm and cut-off by place: the table of the regulation (the Chinese codes T0 … H-T3)."""
    expected = {
        "T0": (1.0, 1.5), "T1": (1.0, 1.5), "T2": (1.0, 1.0), "T2m": (1.0, 1.0), "T3": (0.5, 0.5), "T4": (0.5, 0.5),
        "H-T1": (1.0, 1.5), "H-T2": (1.0, 1.0), "H-T3": (0.5, 0.5), "H-T3b": (0.5, 1.5), "shearer": (1.0, 1.5),
        "machine": (1.0, 1.5), "district_return": (1.0, 1.0), "main_return": (0.75, None), "wing_return": (0.75, None),
        "bunker": (1.5, 1.5), "vehicle": (0.5, 0.5), "drainage_station": (0.5, None),
    }  # fmt: skip
    for place, (alarm, cut) in expected.items():
        limits = {limit.kind: limit.value for limit in TEMPLATES["methane_sensor"].limit_sets[place].points["ch4"]}
        assert (limits["hi"], limits.get("hihi")) == (alarm, cut), place
    assert "T7" not in TEMPLATES["methane_sensor"].limit_sets, "taken out of the rules in 2019"


def test_a_slip_in_the_vocabulary_is_named_with_its_line(tmp_path, monkeypatch) -> None:
    text = vocabulary.FILE.read_text(encoding="utf-8").replace("en:", "eng:", 1)
    (tmp_path / "roles.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(vocabulary, "FILE", tmp_path / "roles.yaml")
    with pytest.raises(ValueError, match=r"models/roles.yaml:\d+: .* · ('en' is missing|unknown key 'eng')"):
        vocabulary.roles.__wrapped__()
