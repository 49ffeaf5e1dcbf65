"""When a machine ran and when it stood, out of its states; and when it was meant to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.kpi.calendar import REST, Stretch
from models.production.data import Machine
from models.spans import NOTHING, Spans
from models.utilisation.signal import Signal
from models.utilisation.verdict import UNKNOWN, Verdict, any_of


def runs(machine: Machine, states: Sequence[Signal]) -> Verdict:
    """`yes` while any of its motors runs, `no` while all are known to stand; unknown of a machine without a state."""
    said = [
        Verdict(
            state.where(np.isin(state.value, machine.running)).yes,
            state.where(np.isin(state.value, machine.stopped)).yes,
        )
        for state in states
    ]
    return any_of(said) if said else UNKNOWN


def planned(stretches: Sequence[Stretch], maintenance: Sequence[int]) -> Spans:
    """When production is planned: the day's shifts but those in which the machine is maintained, by their numbers in
    the site's order from 1; the whole day where the site has no shifts."""
    if all(each.key == REST for each in stretches):
        return Spans.whole(stretches[0].start, stretches[-1].end)
    kept = [each for each in stretches if each.key != REST and int(each.key) not in maintenance]
    return Spans.of((each.start, each.end) for each in kept) if kept else NOTHING
