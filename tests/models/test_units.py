"""Units become a factor and an offset, and what cannot be converted is refused in plain words."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.units import IDENTITY, Affine, UnitError, check_unit, compile_unit, known_units

numbers = st.floats(-1e9, 1e9)
factors = st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6)


@pytest.mark.parametrize(
    ("source", "target", "raw", "value"),
    [
        ("%LEL", "%CH4", 20, 1.0),
        ("ppm", "%CH4", 12_500, 1.25),
        ("m/s", "m/min", 0.1, 6.0),
        ("kg/s", "t/h", 100, 360.0),
        ("bar", "MPa", 315, 31.5),
        ("kgf/cm2", "MPa", 100, 9.80665),
        ("kPa", "MPa", -65, -0.065),
        ("m³/h", "m3/min", 120, 2.0),
        ("L/min", "m3/h", 1000, 60.0),
        ("cm", "mm", 3, 30.0),
        ("N·m", "kN*m", 350, 0.35),
        ("℃", "degC", 21.5, 21.5),
        ("K", "degC", 300, 26.85),
        ("degF", "degC", 212, 100.0),
        ("degC", "degF", -40, -40.0),
        ("r/min", "rad/s", 60, 2 * np.pi),
        ("Wh", "kWh", 2500, 2.5),
        ("%", "1", 50, 0.5),
        ("mg/m3", "g/m3", 4, 0.004),
    ],
)
def test_known_conversions(source: str, target: str, raw: float, value: float) -> None:
    assert compile_unit(source, target).apply(raw) == pytest.approx(value, rel=1e-11)


def test_factors_carry_no_noise() -> None:
    assert compile_unit("%LEL", "%CH4") == Affine(0.05, 0.0)
    assert compile_unit("degC", "K") == Affine(1.0, 273.15)


@pytest.mark.parametrize(
    ("source", "target"),
    [("%", "%CH4"), ("rpm", "Hz"), ("kN", "MPa"), ("m", "m/min"), ("", "A"), ("degC", "MPa"), ("ppm", "mg/m3")],
)
def test_what_measures_different_things_is_refused(source: str, target: str) -> None:
    with pytest.raises(UnitError, match="they measure different things"):
        compile_unit(source, target)


@pytest.mark.parametrize(
    ("wrong", "hint"), [("Mpa", "'MPa'"), ("KN", "'kN'"), ("m/mim", "'m/min'"), ("%ch4", "'%CH4'")]
)
def test_a_slip_is_answered_with_the_nearest_unit(wrong: str, hint: str) -> None:
    with pytest.raises(UnitError, match=f"unknown unit '{wrong}'; did you mean {hint}"):
        check_unit(wrong)


@given(st.text(max_size=60))
def test_rubbish_raises_nothing_but_a_unit_error(text: str) -> None:
    try:
        check_unit(text)
        compile_unit(text, "m")
    except UnitError:
        pass


def test_every_suggested_unit_is_known_and_turns_back() -> None:
    for unit in known_units():
        assert compile_unit(unit, unit) is IDENTITY
        assert compile_unit(unit, unit.strip() + " ").apply(3.25) == pytest.approx(3.25)


@given(numbers, factors, numbers, factors, numbers)
def test_then_is_one_after_the_other(x: float, f: float, o: float, g: float, p: float) -> None:
    first, second = Affine(f, o), Affine(g, p)
    scale = abs(x * f * g) + abs(o * g) + abs(p) + 1e-9
    assert first.then(second).apply(x) == pytest.approx(second.apply(first.apply(x)), abs=1e-12 * scale)


@given(numbers, factors, numbers)
def test_inverse_leads_back(x: float, f: float, o: float) -> None:
    assume(abs(f) > 1e-3)
    affine = Affine(f, o)
    assert affine.inverse().apply(affine.apply(x)) == pytest.approx(x, abs=1e-9 * (abs(x) + abs(o / f) + 1))


@given(st.sampled_from([("degC", "degF"), ("K", "degC"), ("bar", "kPa"), ("%LEL", "ppm"), ("t/h", "kg/s")]), numbers)
def test_there_and_back(pair: tuple[str, str], x: float) -> None:
    there, back = compile_unit(*pair), compile_unit(pair[1], pair[0])
    assert back.apply(there.apply(x)) == pytest.approx(x, rel=1e-9, abs=1e-6)


def test_arrays_go_as_numbers_do() -> None:
    raw = np.array([0.0, 50.0, np.nan])
    np.testing.assert_allclose(compile_unit("degC", "K").apply(raw), [273.15, 323.15, np.nan])


def test_pint_is_imported_only_when_units_differ() -> None:
    code = (
        "import sys; from models.units import compile_unit; compile_unit('MPa', 'MPa'); sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
