"""Every command × mode × interlock and tag × role, as `matrix.csv` says, asked of one gateway over real sockets.

The file is written by hand: each cell is asked as a person would, selected and executed, and what was written to the
device, or was not, is looked at.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gateway.control.tags import Tag
from gateway.leave import Leave
from models.command import Command
from models.control.order import Act
from models.control.policy import MODES, policy
from models.thing import ControlMode
from tests.gateway.control.benches import BELT, FEEDER, SPEED, Bench
from tests.gateway.sites import CODE

FILE = Path(__file__).with_name("matrix.csv")
LINES = list(csv.DictReader(line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")))
ROWS = [
    {**line, "mode": mode, "state": state}
    for line in LINES
    for mode in line["mode"].split("|")
    for state in line["state"].split("|")
]
ROWS.sort(key=lambda row: (row["command"].split()[0], row["mode"], row["state"]))  # what a row needs is often there
LINKAGE = "linkage"
ROLES = [name for name in LINES[0] if name not in ("command", "mode", "state", LINKAGE)]
TAGGED = ("tagged", "own", "tagged+open", "own+open")
STATES = {"belt_101": {"plain", "open", *TAGGED}, "feeder_1": {"plain", "open", *TAGGED}}
NO_INTERLOCK = {"plain", "tagged", "own"}
ASKED = {
    "belt_101 start": (BELT, 1, 1),
    "belt_101 stop": (BELT, 2, 2),
    "belt_101 reset": (BELT, 3, 3),
    "belt_101 speed": (SPEED, 2.5, 25),
    "belt_101 standstill": (SPEED, 0, 0),
    "belt_101 mode": ("belt_101/mode_command", 3, 3),
    "feeder_1 close": (FEEDER, 1, 1),
    "feeder_1 trip": (FEEDER, 2, 2),
    "belt_102 start": ("belt_102/command", 1, 1),
    "belt_102 stop": ("belt_102/command", 2, 2),
    "plain set": ("plain/set", 4.0, 40),
}
"""The point, the value, and what its register then holds."""
UNTOUCHED = 7


def test_the_matrix_speaks_once_of_every_role_command_mode_and_state():
    assert set(ROLES) == set(policy().roles)
    keys = [(row["command"], row["mode"], row["state"]) for row in ROWS]
    assert len(set(keys)) == len(keys)
    expected = set()
    for command in ASKED:
        machine = command.split()[0]
        modes = {*MODES} - {"none"} if machine in STATES else {"none"}
        states = STATES.get(machine, NO_INTERLOCK) | ({"alone"} if command == "feeder_1 close" else set())
        expected |= {(command, mode, state) for mode in modes for state in states}
    assert set(keys) == expected


class Cells:
    """Asks the cells of one row after the other; what a row needs is made before and undone after."""

    def __init__(self, bench):
        self.bench = bench
        self.tagger = bench.person("挂牌人", "maintainer")
        self.people = {role: bench.person(f"{role}-1", role) for role in ROLES}
        self.second = bench.person("监护人", "electrician")

    async def row(self, row):
        bench, (machine, _) = self.bench, row["command"].split()
        point, value, register = ASKED[row["command"]]
        if row["mode"] != "none":
            await bench.is_seen(f"{machine}/mode", int(ControlMode[row["mode"].upper()]))
        is_open = row["state"].endswith("open")
        await bench.is_seen("belt_102/running", 0 if is_open else 1)
        await bench.is_seen("ch4_101/ch4", 9 if is_open else 3)
        found = {}
        hung = await self.tag(self.tagger, machine) if row["state"].startswith("tagged") else None
        for role, person in self.people.items():
            own = await self.tag(person, machine, direct=True) if row["state"].startswith("own") else None
            bench.set(point, UNTOUCHED)
            second = self.second if row["command"] == "feeder_1 close" and row["state"] != "alone" else None
            answer = await bench.command(person, point, value, second=second)
            said = answer["outcome"]
            if said == "refused":
                said = next(each["check"] for each in answer["trace"] if not each["passed"])
            found[role] = self.held(said, point, register)
            bench.control._seats.free(machine)
            await self.off(own)
        own = await self.tag(self.tagger, machine) if row["state"].startswith("own") else None
        bench.set(point, UNTOUCHED)
        bench.count += 1
        command = Command(f"l{bench.count}", f"{CODE}/{point}", value, "linkage gas", bench.clock.now() + 5_000_000)
        answer = await bench.writer.carry_out(command, Leave(urgent=True))
        said = "tag" if "tagged by" in answer.reason.en else str(answer.outcome)
        found[LINKAGE] = self.held(said, point, register)
        await self.off(own)
        await self.off(hung)
        return found

    def held(self, said, point, register):
        held = self.bench.register(point)
        return said if held == (register if said == "done" else UNTOUCHED) else f"{said}, and the register holds {held}"

    async def tag(self, person, machine, *, direct=False):
        if direct:
            # Of roles that may not tag, too: the row asks what a tag of one's own does.
            tag = Tag(f"own-{person.statement.name}", machine, person.statement.name, "试", 1)
            await self.bench.tags.hang(tag)
            return tag
        answer = await self.bench.send(person, Act.TAG, equipment=machine, reason="检修")
        return self.bench.tags.get(answer["tag"])

    async def off(self, tag):
        if tag is not None:
            await self.bench.tags.remove(tag)


@pytest.mark.timeout(300)
async def test_every_cell_is_answered_as_the_matrix_says(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)  # nobody cuts the power here
    async with Bench(tmp_path) as bench:
        cells = Cells(bench)
        wrong = []
        for row in ROWS:
            found = await cells.row(row)
            wrong += [
                f"{row['command']},{row['mode']},{row['state']},{role}: {found[role]}, not {row[role]}"
                for role in (*ROLES, LINKAGE)
                if found[role] != row[role]
            ]
    assert not wrong, "\n".join(wrong)
