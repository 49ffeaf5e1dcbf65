"""What is open in a mine at a moment, for the one who takes it over: alarms, tickets, runs of sequences, rotations."""

from __future__ import annotations

from typing import Any

from middleplatform.alarms.book import alarms_of
from middleplatform.control import book as runs
from middleplatform.control import turning
from middleplatform.database import Place
from middleplatform.tickets import book as tickets

MOST = 500
"""Of each kind; how many there are is told in any case."""


def open_things(where: Place, mine: str, at: int) -> dict[str, list[dict[str, Any]]]:
    """Kind → each with `subjects` (paths that it is about) and what a reader needs. `at`: µs UTC."""
    alarms = alarms_of(where, mine, at=at)
    waiting = tickets.listed(where, mine, state=tickets.State.WAITING, limit=MOST)
    valid = tickets.in_force(where, mine, at)
    going = runs.listed(where, mine, going=True, limit=MOST)
    return {
        "alarms": [
            {
                "id": each.id, "rule": each.rule, "subjects": [each.subject], "priority": each.priority,
                "state": str(each.state), "since": each.since, "suppressed": [str(kind) for kind in each.suppressed],
            }
            for each in alarms[:MOST]
        ],
        "tickets": [
            {
                "id": each.id, "kind": str(each.kind), "state": str(each.state), "reason": each.reason, "who": each.who,
                "subjects": list(each.extent), "end": each.end,
            }
            for each in [*waiting, *valid][:MOST]
        ],
        "runs": [
            {
                "id": each.id, "sequence": each.sequence.id, "phase": str(each.phase), "who": each.who,
                "subjects": sorted(each.sequence.writes()),
            }
            for each in going
        ],
        "rotations": [
            {"id": name, "who": who, "subjects": []} for name, who in turning.running(where, mine).items()
        ],
    }  # fmt: skip
