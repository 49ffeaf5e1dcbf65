"""Units: compiled once, while a site loads, to a factor and an offset.

pint does the arithmetic of dimensions, on a registry of our own: the units that mines write, with
gas as its own dimension (so that a filling level in % never becomes %CH4) and angle too (so that
r/min never becomes Hz). Nothing here runs for a sample.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    T = TypeVar("T", float, NDArray[np.float64])

MAX_LENGTH = 32
"""Characters that a unit may have."""

_DEFINITIONS = """
giga- = 1e9 = G-
mega- = 1e6 = M-
kilo- = 1e3 = k-
deci- = 1e-1 = d-
centi- = 1e-2 = c-
milli- = 1e-3 = m-
micro- = 1e-6 = u- = µ- = μ-
meter = [length] = m
gram = [mass] = g
second = [time] = s = sec
ampere = [current] = A
kelvin = [temperature]; offset: 0 = K
radian = [angle] = rad
volume_fraction = [gas]
item = [count] = 次 = 个 = 人 = 台
pH = [acidity]
decibel = [sound_level] = dB
bit = [information]
degree_Celsius = kelvin; offset: 273.15 = degC
degree_Fahrenheit = 5 / 9 * kelvin; offset: 233.15 + 200 / 9 = degF
percent = 0.01
permille = 0.001
vol_percent = 0.01 * volume_fraction
ch4_percent = 0.01 * volume_fraction
lel_percent = 0.0005 * volume_fraction
ppm = 1e-6 * volume_fraction
ppb = 1e-9 * volume_fraction
minute = 60 * second = min
hour = 3600 * second = h
day = 86400 * second = d
hertz = 1 / second = Hz
turn = 6.283185307179586 * radian = r = rev
degree = 0.017453292519943295 * radian = deg
rpm = turn / minute
inch = 0.0254 * meter = in
foot = 0.3048 * meter = ft
liter = 0.001 * meter ** 3 = L
tonne = 1000000 * gram = t
newton = kilogram * meter / second ** 2 = N
standard_gravity = 9.80665 * meter / second ** 2 = g_n
pascal = newton / meter ** 2 = Pa
bar = 100000 * pascal
atmosphere = 101325 * pascal = atm
psi = 6894.757293168361 * pascal
kgf = 9.80665 * newton
mmH2O = 9.80665 * pascal
mmHg = 133.322387415 * pascal
joule = newton * meter = J
watt = joule / second = W
watt_hour = watt * hour = Wh
horsepower = 745.6998715822702 * watt = hp
volt = watt / ampere = V
ohm = volt / ampere = Ω
volt_ampere = watt = VA
reactive = watt = var
reactive_hour = watt * hour = varh
lumen = [luminosity] = lm
lux = lumen / meter ** 2 = lx
byte = 8 * bit = B
"""

_ALIASES = {
    "": "dimensionless",
    "1": "dimensionless",
    "%": "percent",
    "‰": "permille",
    "%RH": "percent",
    "%CH4": "ch4_percent",
    "%LEL": "lel_percent",
    "%CO2": "vol_percent",
    "%O2": "vol_percent",
    "%CO": "vol_percent",
    "%vol": "vol_percent",
    "%VOL": "vol_percent",
    "°C": "degC",
    "℃": "degC",
    "°F": "degF",
    "°": "degree",
    "mmWC": "mmH2O",
    "kgf/cm2": "kgf/cm**2",
    "吨": "t",
    "米": "m",
}
_USUAL = """
ppm m cm mm km m/s m/min mm/s km/h kg t g kg/m t/h kg/s N kN kN/m N*m kN*m Pa kPa MPa bar kgf/cm2
A mA kA V kV mV W kW MW Wh kWh MWh kVA var kvar kvarh Hz kHz r/min rpm rad deg degC degF K
s ms min h d L L/min L/s m3 m3/h m3/min m3/s mg/m3 g/m3 Mbit/s lx dB ohm Ω kΩ MΩ mmH2O mmHg psi hp
"""
_POWERS = re.compile(r"(?<![A-Za-z])((?:[kdcm]?m)|s|in|ft)([23])(?![A-Za-z0-9])")
_ALLOWED = re.compile(r"[A-Za-zµμΩ°%_次个人台0-9*/() .^-]*")


class UnitError(ValueError):
    """A unit that nobody here knows, or two that measure different things."""


@dataclass(frozen=True, slots=True)
class Affine:
    """y = x * factor + offset."""

    factor: float = 1.0
    offset: float = 0.0

    def apply(self, x: T) -> T:
        """y for a number or an array of any shape."""
        return x * self.factor + self.offset

    def then(self, after: Affine) -> Affine:
        """This one first, `after` on its result."""
        return Affine(self.factor * after.factor, self.offset * after.factor + after.offset)

    def inverse(self) -> Affine:
        """The way back. Raises ZeroDivisionError when the factor is 0."""
        return Affine(1.0 / self.factor, -self.offset / self.factor)


IDENTITY = Affine()


@cache
def _registry() -> Any:
    """Our registry; importing pint costs half a second, so it waits for the first unit that differs."""
    import pint

    registry: Any = pint.UnitRegistry(None, autoconvert_offset_to_baseunit=False)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry


def _normalise(unit: str) -> str:
    text = unit.strip()
    if text in _ALIASES:
        return _ALIASES[text]
    text = text.replace("²", "2").replace("³", "3").replace("·", "*").replace("⋅", "*").replace("℃", "degC")
    text = text.replace("°C", "degC").replace("^", "**")
    return _POWERS.sub(r"\1**\2", text)


@cache
def _parse(unit: str) -> Any:
    text = _normalise(unit)
    if len(unit) > MAX_LENGTH:
        shown = unit[:MAX_LENGTH]
        raise UnitError(
            f"单位 '{shown}…' 超过 {MAX_LENGTH} 个字符 · the unit '{shown}…' is longer than {MAX_LENGTH} characters"
        )
    if not _ALLOWED.fullmatch(text):
        raise UnitError(_unknown(unit))
    try:
        return _registry().parse_units(text)
    except Exception as error:  # pint's parser raises whatever its tokenizer met
        raise UnitError(_unknown(unit)) from error


def _unknown(unit: str) -> str:
    known = known_units()
    same = [name for name in known if name.lower() == unit.strip().lower()]
    near = same or difflib.get_close_matches(unit.strip(), known, n=1, cutoff=0.6)
    zh = f"未知的单位 '{unit}'" + (f"；是否指 '{near[0]}'？" if near else "")
    return f"{zh} · unknown unit '{unit}'" + (f"; did you mean '{near[0]}'?" if near else "")


@cache
def known_units() -> tuple[str, ...]:
    """Units as mines write them, for suggestions; combinations of these are known too."""
    return (*(name for name in _ALIASES if name), *_USUAL.split())


def check_unit(unit: str) -> None:
    """Raises UnitError, with the nearest known one, when a unit is unknown."""
    if unit not in ("", *known_units()):
        _parse(unit)


def parsed_unit(unit: str) -> Any:
    """The unit as pint has it, for arithmetic of dimensions. Raises UnitError for an unknown one."""
    return _parse(unit)


@cache
def compile_unit(source: str, target: str) -> Affine:
    """How a number in `source` becomes one in `target`. Raises UnitError in plain words."""
    if source == target:
        check_unit(source)
        return IDENTITY
    registry = _registry()
    one, other = _parse(source), _parse(target)
    if one == other:
        return IDENTITY
    if one.dimensionality != other.dimensionality:
        raise UnitError(
            f"'{source or '无单位'}' 不能换算为 '{target or '无单位'}'：两者量的不是同一种量 · "
            f"'{source or 'no unit'}' cannot become '{target or 'no unit'}': they measure different things"
        )
    try:
        zero = float(registry.convert(0.0, one, other))
        # The far point keeps the offset's rounding out of the factor.
        far = float(registry.convert(1e6, one, other))
    except Exception as error:
        raise UnitError(
            f"'{source}' 不能换算为 '{target}'：{error} · '{source}' cannot become '{target}': {error}"
        ) from error
    if abs(zero) < 1e-9:
        return Affine(_clean(float(registry.convert(1.0, one, other))) if zero == 0 else _clean(far / 1e6), 0.0)
    return Affine(_clean((far - zero) / 1e6, 12), _clean(zero, 12))


def _clean(number: float, digits: int = 15) -> float:
    """Without the last digits' noise of the chain of multiplications: 0.05, not 0.05000000000000001."""
    return float(f"{number:.{digits}g}")
