"""Transforms against Krüger's own series, computed here without the library; similarities against what was drawn."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest

from middleplatform.minemap.foreign import MapRefused
from middleplatform.minemap.transform import code_of, control_points, found, of_system, similarity

SITE = of_system("EPSG:4526")
"""CGCS2000, zone 38 of 3°, its number before the easting."""
PLACES = ((114.0, 35.8), (113.21, 36.42), (114.9, 34.0), (112.6, 39.95))
"""Longitude, latitude: on the meridian, and to both its sides."""


def krueger(longitude: float, latitude: float, meridian: float) -> tuple[float, float]:
    """Easting without its 500 km, and northing, m: Krüger's series to n⁴ on the ellipsoid of CGCS2000 (GB 22021-2008:
    a = 6378137 m, f = 1/298.257222101)."""
    a, f = 6_378_137.0, 1 / 298.257222101
    n = f / (2 - f)
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    series = (
        n / 2 - 2 / 3 * n**2 + 5 / 16 * n**3 + 41 / 180 * n**4,
        13 / 48 * n**2 - 3 / 5 * n**3 + 557 / 1440 * n**4,
        61 / 240 * n**3 - 103 / 140 * n**4,
        49561 / 161280 * n**4,
    )
    phi, lam = math.radians(latitude), math.radians(longitude - meridian)
    e = math.sqrt(f * (2 - f))
    t = math.sinh(math.atanh(math.sin(phi)) - e * math.atanh(e * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.atanh(math.sin(lam) / math.hypot(1, t))
    north = xi + sum(c * math.sin(2 * k * xi) * math.cosh(2 * k * eta) for k, c in enumerate(series, 1))
    east = eta + sum(c * math.cos(2 * k * xi) * math.sinh(2 * k * eta) for k, c in enumerate(series, 1))
    return radius * east, radius * north


def in_site(longitude: float, latitude: float) -> tuple[float, float]:
    east, north = krueger(longitude, latitude, 114.0)
    return 38_500_000 + east, north


def drawn(zone: int, *, numbered: bool) -> np.ndarray:
    meridian = 3 * zone if zone > 24 else 6 * zone - 3
    shift = 500_000 + (zone * 1e6 if numbered else 0)
    return np.array([(shift + east, north) for east, north in (krueger(*place, meridian) for place in PLACES)])


WANTED = np.array([in_site(*place) for place in PLACES])


@pytest.mark.parametrize("zone", [38, 37, 19])
@pytest.mark.parametrize("numbered", [True, False])
def test_zones_of_both_widths_with_their_number_and_without(zone, numbered):
    given = drawn(zone, numbered=numbered)
    transform = found(given, SITE, zone=None if numbered else zone)
    assert str(zone) in transform.words and str(code_of(zone, numbered=numbered)) in transform.words
    assert np.abs(transform.apply(given) - WANTED).max() < 0.001, "a millimetre"


def test_degrees_are_found_to_be_degrees_and_a_missing_zone_is_taken_from_the_site():
    assert np.abs(found(np.array(PLACES), SITE).apply(np.array(PLACES)) - WANTED).max() < 0.001
    given = drawn(38, numbered=False)
    transform = found(given, SITE)
    assert "38" in transform.notes[0], "what is assumed is said"
    assert np.abs(transform.apply(given) - WANTED).max() < 0.001
    assert found(given, SITE, "site").apply(given) is given


def test_the_series_here_is_that_of_published_geodesy():
    """The zone's number and false easting are EPSG's own, and a metre on the central meridian is a metre."""
    assert pyproj.CRS.from_epsg(code_of(38, numbered=True)).name == "CGCS2000 / 3-degree Gauss-Kruger zone 38"
    assert pyproj.CRS.from_epsg(code_of(38, numbered=False)).name == "CGCS2000 / 3-degree Gauss-Kruger CM 114E"
    assert pyproj.CRS.from_epsg(code_of(19, numbered=True)).name == "CGCS2000 / Gauss-Kruger zone 19"
    assert pyproj.CRS.from_epsg(code_of(19, numbered=False)).name == "CGCS2000 / Gauss-Kruger CM 111E"
    # The quarter of the meridian of this ellipsoid, as tables have it: 10,001,965.729 m.
    near = 1e-5  # degrees from the pole, where a degree is 111,694 m
    assert krueger(114.0, 90.0 - near, 114.0)[1] == pytest.approx(10_001_965.729 - near * 111_694, abs=0.002)


@pytest.mark.parametrize(
    ("xy", "zone", "words"),
    [
        ([(38_400_000, 3.9e6), (37_400_000, 3.9e6)], None, "more than one zone"),
        ([(38_400_000, 3.9e6)], 37, "zone 37 was given"),
        ([(60_400_000, 3.9e6)], None, "no zone 60"),
        ([(1_200.0, 800.0)], None, "control"),
        ([(3.9e6, 400_000.0)], None, "no zone 3"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(xy, zone, words):
    with pytest.raises(MapRefused, match=words):
        found(np.array(xy, float), SITE, zone=zone)


def test_a_grid_of_the_mines_own_is_tied_by_its_control_points(tmp_path):
    turn, shift = np.exp(1j * np.radians(12.5)), np.array([38_402_480.0, 3_963_900.0])

    def to_site(xy):
        plane = (xy[:, 0] + 1j * xy[:, 1]) * turn * 0.99992
        return np.column_stack([plane.real, plane.imag]) + shift

    local = np.array([(0.0, 0.0), (1_500.0, 200.0), (700.0, 1_900.0), (-300.0, 900.0)])
    lines = ["name,x,y,east,north"]
    for k, ((x, y), (east, north)) in enumerate(zip(local, to_site(local), strict=True)):
        lines.append(f"K{k},{x},{y},{east + 0.01 * (k == 1)},{north}")
    (tmp_path / "control.csv").write_text("\n".join(lines), encoding="utf-8")
    transform = similarity(*control_points(tmp_path / "control.csv"), 0.05)
    inside = np.array([(400.0, 650.0), (1_100.0, 1_000.0)])
    assert np.abs(transform.apply(inside) - to_site(inside)).max() < 0.01
    assert [name for name, _ in transform.residuals] == ["K0", "K1", "K2", "K3"]
    assert 0.001 < max(off for _, off in transform.residuals) < 0.01 and not transform.notes

    wrong = to_site(local) + np.array([[0, 0], [0, 0], [3.0, 0], [0, 0]])
    with pytest.raises(MapRefused, match="K2"):
        similarity(["K0", "K1", "K2", "K3"], local, wrong, 0.05)
    with pytest.raises(MapRefused, match="north before east"):
        similarity(list("abcd"), local[:, ::-1], to_site(local), 0.05)
    assert "nothing to check" in similarity(list("ab"), local[:2], to_site(local[:2]), 0.05).notes[0]
    with pytest.raises(MapRefused, match="one place"):
        similarity(list("ab"), local[[0, 0]], to_site(local[:2]), 0.05)
    for text, words in (
        ("x,y\n1,2\n3,4", "line 2"),
        ("x,y,east,north\n1,2,3,4", "here are 1"),
        ("x,y,east,north\n1,2,nan,4\n1,2,3,4", "line 2"),
    ):
        (tmp_path / "wrong.csv").write_text(text, encoding="utf-8")
        with pytest.raises(MapRefused, match=words):
            control_points(tmp_path / "wrong.csv")
