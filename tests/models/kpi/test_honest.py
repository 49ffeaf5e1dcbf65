"""The checks on a simulated mine: nothing of six honest hours, and each cheat that is put into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from models.counters import Counter
from models.kpi.checks import standard as checks
from models.kpi.findings import Asked, Finding, asked, in_order
from models.site.model import Point, Site
from models.utilisation.rules import standard
from models.utilisation.signal import SILENCES, Signal
from tests.models.utilisation.played import Column, Played, play

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]


def looking(site: Site) -> tuple[Asked, ...]:
    return asked(site, standard().versions[-1], checks().versions[-1])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The first six hours of a day, a production shift most of it."""

    def looked_at(site: Site) -> Iterator[Point]:
        return (point for each in looking(site) for many in each.points.values() for point in many)

    return play("middle", 6, tmp_path_factory.mktemp("mine"), step_s=5, more=looked_at)


def found(of: Played, instead: Mapping[int, Column] | None = None) -> tuple[Finding, ...]:
    said = of.columns | dict(instead or {})
    return in_order(
        finding
        for each in looking(of.site)
        for finding in each.find(
            lambda point: Signal.of(*said[point.id], point.silence_s),
            lambda point: Counter.of(*said[point.id], round(SILENCES * point.silence_s * 1e6)),
            of.start,
            of.end,
        )
    )


def point_of(of: Played, place: str) -> int:
    return next(point.id for point in of.site.points if f"{point.equipment}/{point.key}" == place)


def test_honest_work_gives_no_findings(played: Played) -> None:
    assert {each.check.kind for each in looking(played.site)} == {
        *("contradiction", "zero_load", "own_counter", "mode_changes", "frozen")
    }
    assert found(played) == ()


def test_a_mode_bit_that_is_wired_to_remote_is_told_by_the_machines_own_counter(played: Played) -> None:
    number = point_of(played, "roadheader_1/mode")
    ts, value, quality = played.columns[number]
    assert (value != 2).any()
    (finding,) = [each for each in found(played, {number: (ts, np.full_like(value, 2), quality)})
                  if each.check == "own_counter"]  # fmt: skip
    assert finding.equipment == "roadheader_1"
    assert finding.numbers["held_h"] > finding.numbers["counted_h"] + 0.1


def test_a_current_that_is_held_while_the_machine_works_is_told(played: Played) -> None:
    number = point_of(played, "shearer_1/left_cut_current")
    ts, value, quality = played.columns[number]
    held = np.where(ts > played.start + 3_600_000_000, value[np.searchsorted(ts, played.start + 3_600_000_000)], value)
    assert {(each.check, each.equipment) for each in found(played, {number: (ts, held, quality)})} == {
        ("frozen", "shearer_1")
    }
