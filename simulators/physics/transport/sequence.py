"""The belts of a mine as one line: started against the coal flow, stopped with it, and held together by the interlock.

A belt waits in its state until what it feeds runs, and empties until nothing feeds it, so the order of a start
and of a stop follows from the belts' own states; here orders are given to the right belts, and the crew recovers
what a protection has stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.design.transport import BeltsDesign
from simulators.engine.part import Refused
from simulators.physics.transport.belt import Belt, Mode, State


class Line:
    """`outby_first`: the belts, each after the one that it feeds."""

    def __init__(self, design: BeltsDesign) -> None:
        self.belts: Mapping[str, Belt] = {name: Belt(name, one) for name, one in design.belts.items()}
        for name, one in design.belts.items():
            if one.onto is not None:
                self.belts[name].outby = self.belts[one.onto]
                self.belts[one.onto].inby.append(self.belts[name])
        self.outby_first = sorted(self.belts.values(), key=lambda belt: len(list(way_out(belt))))
        self._crew_after = design.crew_resets_after_s
        self._quiet = dict.fromkeys(self.belts, 0.0)

    @property
    def busy(self) -> bool:
        return any(belt.restless or belt.protections.latch for belt in self.outby_first)

    def step(self, dt: float) -> None:
        """Let all decide, the surface first, so that a stop reaches all inby in the same step."""
        for belt in self.outby_first:
            belt.decide(dt)
        self._recover(dt)

    def start_all(self, *, by_sequence: bool = True) -> None:
        """All belts that are in central control but for a crew that has taken over a running one, or, by hand, those in
        local mode; nothing that is inspected."""
        for belt in self.outby_first:
            central = belt.mode in (Mode.REMOTE, Mode.AUTO) and belt.key is not Mode.INSPECTION
            if central if by_sequence else belt.control is Mode.LOCAL:
                if belt.protections.latch:
                    belt.recall = True
                else:
                    self._want([belt], by_sequence)

    def stop_all(self) -> None:
        """With the coal flow."""
        for belt in self.outby_first:
            self._leave(belt)

    def start(self, belt: Belt) -> None:
        """A command from the centre. Raises Refused."""
        self._central(belt)
        line = [belt, *way_out(belt)] if belt.control is Mode.AUTO else [belt]
        for one in line:
            if one.control in (Mode.LOCAL, Mode.INSPECTION) and not one.confirmed:
                raise Refused(f"{one.name} 不在集中控制方式 · is not in central control and does not run")
            if one.protections.latch:
                raise Refused(f"{one.name} 保护停机，请先复位 · has tripped, reset it first")
            if not one.powered:
                raise Refused(f"{one.name} 没有电 · has no power")
        if not belt.clear and belt.control is Mode.REMOTE:
            raise Refused(f"{belt.name} 的下级皮带未运行 · the belt that it feeds does not run")
        self._want(line, belt.control is Mode.AUTO)

    def stop(self, belt: Belt) -> None:
        """A command from the centre. Raises Refused."""
        self._central(belt)
        if belt.control is Mode.AUTO:
            for one in way_in(belt):
                self._leave(one)
        self._leave(belt, gently=belt.control is Mode.AUTO)

    def reset(self, belt: Belt) -> None:
        """Take a trip back. Raises Refused while its cause stands."""
        standing = belt.protections.standing()
        if standing:
            raise Refused(f"{belt.name} 原因未消除 ({standing}) · the cause of the trip still stands")
        belt.reset()

    def _central(self, belt: Belt) -> None:
        if belt.control in (Mode.LOCAL, Mode.INSPECTION):
            raise Refused(
                f"{belt.name} 处于就地或检修方式 · is in local or inspection mode, the centre has no hold of it"
            )

    def _want(self, belts: Iterable[Belt], by_sequence: bool) -> None:
        for belt in belts:
            if not belt.wanted:
                belt.wanted, belt.by_sequence = True, by_sequence
            belt.recall = False

    def _leave(self, belt: Belt, *, gently: bool = True) -> None:
        # A single belt stops at once, and the interlock takes those with it that feed it.
        belt.wanted, belt.recall, belt.gentle = False, False, gently

    def _recover(self, dt: float) -> None:
        """The crew resets what has been quiet for long enough, and then what ran before takes up its work."""
        after = self._crew_after
        for belt in self.outby_first:
            if after is None:
                belt.recall = False
                continue
            hurt = belt.protections.latch or (belt.recall and belt.state is State.STOPPED)
            quiet = hurt and belt.drive.speed == 0.0 and belt.powered and not belt.protections.standing()
            self._quiet[belt.name] = self._quiet[belt.name] + dt if quiet else 0.0
            if self._quiet[belt.name] < after or not quiet:
                continue
            if belt.protections.latch:
                belt.reset()
            elif not any(one.protections.latch for one in way_out(belt)):
                self._want([belt], belt.by_sequence)


def way_out(belt: Belt) -> Iterable[Belt]:
    """The belts from the one that it feeds to the surface."""
    at = belt.outby
    while at is not None:
        yield at
        at = at.outby


def way_in(belt: Belt) -> Iterable[Belt]:
    """All belts whose coal comes over this one."""
    for one in belt.inby:
        yield one
        yield from way_in(one)
