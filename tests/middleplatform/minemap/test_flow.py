"""Which belt feeds which, from the lines of the map."""

from __future__ import annotations

import numpy as np
import pytest

from middleplatform.minemap.flow import feeds
from models.site.model import Equipment, Feature, Name, Site

NAME = Name("带", "belt")


def _site(**lines: list[tuple[float, float]]) -> Site:
    features = tuple(
        Feature(name, "belt", NAME, "LineString", (np.array(line, float),), name, None, {})
        for name, line in lines.items()
    )
    known = {name: Equipment(name, "belt_conveyor", NAME, "a") for name in lines if name != "foreign"}
    return Site("1", NAME, 1, "low", "Asia/Shanghai", "1", {}, known, {}, (), features=features)


def test_a_belt_feeds_the_one_under_its_end() -> None:
    found = feeds(
        _site(
            main=[(1000, 0), (0, 0)],
            district=[(500, 800), (510, 400), (500, 10)],
            gate=[(900, 380), (530, 385)],
            far=[(500, 3000), (500, 2000)],
        )
    )
    assert found == {"district": "main", "gate": "district"}


@pytest.mark.parametrize(("away", "onto"), [(39.0, {"b": "a"}), (41.0, {})])
def test_what_ends_far_from_every_belt_feeds_none(away: float, onto: dict[str, str]) -> None:
    assert feeds(_site(a=[(1000, 0), (0, 0)], b=[(500, 500), (500, away)])) == onto


def test_a_belt_of_which_the_site_has_no_equipment_is_left_out() -> None:
    assert feeds(_site(foreign=[(1000, 0), (0, 0)], b=[(500, 500), (500, 1)])) == {}
    assert feeds(_site()) == {}
