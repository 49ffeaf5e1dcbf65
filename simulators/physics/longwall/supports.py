"""The row of hydraulic supports: how they follow the shearer, push the conveyor and are set again.

A step only treats the few supports that move; what the others' legs do is a law of time, see `shields`. Domain facts
§5.3. Lengths in m, pressures in MPa.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from simulators.design.longwall import LongwallDesign
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.control import Control
from simulators.physics.longwall.follow import Follow
from simulators.physics.longwall.moves import (
    ADVANCE,
    FOLLOW,
    HOST,
    KEYPAD,
    LOWER,
    PUSH,
    RAISE,
    TOP_UP,
    Event,
    Move,
    State,
    logged,
)
from simulators.physics.longwall.seam import Seam
from simulators.physics.longwall.shearer import Shearer
from simulators.physics.longwall.shields import Shields
from simulators.physics.order import AUTO, INSPECTION, Order

_LOWERED_MPA = 3.0
_RAM_M_PER_S = 0.12
_LOW_MPA = 24.0
_WINDOW = (-3, 20)
"""Supports from the shearer, ahead and behind, that count as the follow window."""
_SHARE_OF, _SHARE_FROM = 40, 10
"""The share of automatic moves is of so many last ones, and is judged from so many on."""


class Supports:
    """`demand_l_per_s`: emulsion that the moves take. `released`, `gap`: what the shearer waits for, see there."""

    def __init__(
        self,
        design: LongwallDesign,
        seam: Seam,
        chance: Chance,
        rng: np.random.Generator,
        log: deque[Event],
    ) -> None:
        own = design.supports
        self.design, self.web, self.seam, self._chance = own, design.web_m, seam, chance
        self.count = own.count
        self.control = Control(own.id)
        self.follow = Follow(design)
        passed = self.follow.start_cell
        self.advanced = [self.web if n < passed else 0.0 for n in range(own.count)]
        """How far each support has come, m."""
        seam.face[:passed] = [self.web] * passed
        self.shields = Shields(design, self.advanced, rng)
        self.skip = np.zeros(own.count, bool)
        """Supports that the follow-up cannot move (跳架)."""
        self.demand_l_per_s = 0.0
        self.mode = 0
        self.log: deque[Event] = log
        self._moves: list[Move] = []
        self._rams: list[Move] = []
        self._ram_s = self._ram_l_per_s = 0.0
        self._rams_at = (math.nan, False)
        """Where the shearer was, and whether the bend was released, when all rams had come to rest."""
        self._busy: set[int] = set()
        self._skipped: dict[int, float] = {}
        self._recent: deque[bool] = deque()
        self._recent_auto = 0
        self._scan = 0
        self._cell = -1

    def step(self, dt: float, number: int, shearer: Shearer, order: Order, pump_mpa: float) -> None:
        """Go on by `dt` s in step `number`, with `pump_mpa` in the pressure line."""
        self.shields.age += dt
        self._note(shearer, order)
        if order.produce and pump_mpa > 15.0:
            self._start(dt, number, shearer, order, pump_mpa)
        self._press_up(number, order)
        self.demand_l_per_s = 0.0
        if self._moves:
            self._moves = [move for move in self._moves if not self._raise(move, dt)]
        self._ram_s += dt
        if number & 3 == 0:
            self._ram_l_per_s = 0.0
            if self._rams:
                self._push_all(self._ram_s, shearer.position, self.follow.straightens)
            self._ram_s = 0.0
        self.demand_l_per_s += self._ram_l_per_s

    @property
    def released(self) -> bool:
        """All supports and pans are where the end of this step of the cycle wants them."""
        return not (self.follow.pending or self._skipped or self._moves)

    @property
    def straight(self) -> bool:
        """The conveyor lies straight."""
        return self.released and not self._rams and not self.follow.pushing

    @property
    def moving(self) -> int:
        """Supports in action."""
        return len(self._moves) + (len(self._rams) if self._ram_l_per_s else 0)

    @property
    def follow_share(self) -> float:
        """Part of the last moves in the follow window, ends apart, that were automatic, since the mode was changed; 1
        while they are too few to judge."""
        return self._recent_auto / len(self._recent) if len(self._recent) >= _SHARE_FROM else 1.0

    def _note(self, shearer: Shearer, order: Order) -> None:
        self.control.follow(order)
        if self.control.mode != self.mode:
            self.mode = self.control.mode
            self.shields.mode[:] = self.mode
            self._recent.clear()
            self._recent_auto = 0
        cell = shearer.cell
        if cell != self._cell:
            if self._cell >= 0:
                self.shields.here[max(self._cell - 2, 0) : self._cell + 3] = 0.0
            self.shields.here[max(cell - 2, 0) : cell + 3] = 1.0
            self._cell = cell
        self.follow.step(shearer)

    def _start(self, dt: float, number: int, shearer: Shearer, order: Order, pump_mpa: float) -> None:
        """Begin the moves that are due."""
        at = self.follow.next_advance
        if at >= 0 and len(self._moves) < (3 if self.mode == AUTO else 2) and at not in self._busy:
            self.follow.advance_taken()
            source = self._choose_source(at)
            if source == FOLLOW and (self.skip[at] or self._chance.even() < self.design.jump_share):
                self.shields.state[at] = State.ERROR
                self._skipped[at] = self._chance.even(60.0, 600.0)
            else:
                self._advance(number, at, source, shearer, pump_mpa)
        at = self.follow.next_push
        if at >= 0 and at not in self._busy and self.advanced[at] - self.seam.pans[at] > 0.5 * self.web:
            self.follow.push_taken()
            self._begin_move(number, Move(at, PUSH, (0.0, 0.0, 0.0)), self._choose_source(at), shearer)
            self._rams[-1].start = self.seam.pans[at]
            self._rams_at = (math.nan, False)
        if self._skipped:
            hurry = 10.0 if self.follow.waiting else 1.0
            for at, left in list(self._skipped.items()):
                self._skipped[at] = left - hurry * dt
                if left <= 0.0 and at not in self._busy:
                    del self._skipped[at]
                    self._advance(number, at, KEYPAD, shearer, pump_mpa)

    def _choose_source(self, at: int) -> int:
        chance, auto = self._chance.even(), self.mode not in (1, INSPECTION)
        if self.follow.in_end_zone(at):
            return KEYPAD if chance < (0.4 if auto else 0.9) else HOST
        by_hand = 0.02 if auto else self.design.hand_share
        if chance >= by_hand:
            return FOLLOW
        return KEYPAD if chance < 0.8 * by_hand else HOST

    def _begin_move(self, number: int, move: Move, source: int, shearer: Shearer) -> None:
        at = move.at
        (self._rams if move.action == PUSH else self._moves).append(move)
        self._busy.add(at)
        self.shields.source[at] = source
        self.log.append(logged(number, at, move.action, source))
        behind = (shearer.cell - at) * self.follow.towards
        if move.action != TOP_UP and _WINDOW[0] <= behind <= _WINDOW[1] and not self.follow.in_end_zone(at):
            self._recent.append(source == FOLLOW)
            self._recent_auto += source == FOLLOW
            if len(self._recent) > _SHARE_OF:
                self._recent_auto -= self._recent.popleft()

    def _advance(self, number: int, at: int, source: int, shearer: Shearer, pump_mpa: float) -> None:
        slow = self._chance.even(0.85, 1.4) * min(max(30.0 / pump_mpa, 1.0), 2.0)
        move = Move(at, ADVANCE, (2.0 * slow, 7.0 * slow, 10.0 * slow))
        move.left, move.right = self.shields.pressures(at)
        most = 0.9 * pump_mpa
        move.set_left = min(self.design.set_mpa * (1.0 + 0.03 * self._chance.normal()), most)
        move.set_right = min(self.design.set_mpa * (1.0 + 0.03 * self._chance.normal()), most)
        move.height = self.seam.height + 0.05 * self._chance.normal()
        move.start = float(self.shields.height[at])
        self.shields.state[at] = State.ONGOING
        self._begin_move(number, move, source, shearer)

    def _press_up(self, number: int, order: Order) -> None:
        """One support after the other is looked at; what has lost its pressure is pressed up again (补压)."""
        if number & 1:
            return
        at = self._scan
        self._scan = at + 1 if at + 1 < self.count else 0
        if at in self._busy or not (order.produce or order.inspection):
            return
        left, right = self.shields.pressures(at)
        if min(left, right) < _LOW_MPA - 2.0 and (self.mode == AUTO or self._chance.even() < 0.2):
            move = Move(at, TOP_UP, (0.0, 0.0, 3.0))
            move.left, move.right = left, right
            move.set_left = move.set_right = self.design.set_mpa
            move.start = move.height = float(self.shields.height[at])
            self._moves.append(move)
            self._busy.add(at)
            source = FOLLOW if self.mode == AUTO else KEYPAD
            self.shields.source[at] = source
            self.log.append(logged(number, at, TOP_UP, source))

    def _raise(self, move: Move, dt: float) -> bool:
        """Lower, advance, raise: what they have come to. Whether they are over."""
        move.clock += dt
        at, clock = move.at, move.clock
        lowered, advanced, raised = move.ends
        self.shields.age[at] = self.shields.creep[at] = 0.0
        if clock < lowered:
            shown, part = LOWER, clock / lowered
            fall = math.exp(-4.0 * part)
            self.shields.left[at] = _LOWERED_MPA + (move.left - _LOWERED_MPA) * fall
            self.shields.right[at] = _LOWERED_MPA + (move.right - _LOWERED_MPA) * fall
            self.shields.height[at] = move.start - 0.1 * part
            self.demand_l_per_s += 0.5
        elif clock < advanced:
            shown, part = ADVANCE, (clock - lowered) / (advanced - lowered)
            self.shields.left[at] = self.shields.right[at] = _LOWERED_MPA
            self.shields.stroke[at] = self._stroke_mm(at) * (1.0 - part)
            self.shields.height[at] = move.start - 0.1
            self.demand_l_per_s += 2.5
        else:
            shown, part = (
                (TOP_UP if move.action == TOP_UP else RAISE),
                min((clock - advanced) / (raised - advanced), 1.0),
            )
            low_left, low_right = (move.left, move.right) if move.action == TOP_UP else (_LOWERED_MPA, _LOWERED_MPA)
            up = part * (2.0 - part)
            self.shields.left[at] = low_left + (move.set_left - low_left) * up
            self.shields.right[at] = low_right + (move.set_right - low_right) * up
            self.shields.height[at] = move.start - (0.1 if move.action == ADVANCE else 0.0) * (1.0 - part)
            self.demand_l_per_s += 4.0 if move.action == ADVANCE else 1.0
        if shown != move.shown:
            if shown == RAISE:
                self.advanced[at] += self.web
                self.shields.stroke[at] = self._stroke_mm(at)
            self.shields.action[at] = move.shown = shown
        if clock < raised:
            return False
        self.shields.creep[at] = self.design.creep_mpa * self._chance.even(0.75, 1.25)
        self.shields.action[at] = self.shields.source[at] = 0.0
        self._busy.discard(at)
        if move.action == ADVANCE:
            self.shields.height[at] = 0.5 * (move.start + move.height)
            self.shields.state[at] = State.FINISHED
            self.shields.pitch[at] = 0.8 * self.shields.pitch[at] + 0.7 * self._chance.normal()
            self.shields.roll[at] = 0.8 * self.shields.roll[at] + 0.5 * self._chance.normal()
            self.shields.canopy[at] = 0.8 * self.shields.canopy[at] + 0.9 * self._chance.normal()
        return True

    def _stroke_mm(self, at: int) -> float:
        return 1000.0 * (self.web + self.seam.pans[at] - self.advanced[at])

    def _push_all(self, dt: float, position: float, straighten: bool) -> None:
        """The rams push their pans as far as the bend of the conveyor wants them there, in `dt` s."""
        if self._rams_at == (position, straighten):
            return
        pans, advanced, web, bend = self.seam.pans, self.advanced, self.web, self.follow.bend
        most = _RAM_M_PER_S * dt
        rest = True
        for move in self._rams:
            at = move.at
            wanted = move.start + (web if straighten else web * bend(at, position))
            pan, shown = pans[at], 0
            if wanted > pan + 1e-9:
                pan = pans[at] = wanted if wanted < pan + most else pan + most
                self.shields.stroke[at] = 1000.0 * (web + pan - advanced[at])
                self._ram_l_per_s += 0.3
                shown, rest = PUSH, False
                if pan >= move.start + web - 1e-9:
                    move.clock = math.inf
                    shown = 0
                    self._busy.discard(at)
                    self.shields.source[at] = 0.0
            if shown != move.shown:
                self.shields.action[at] = move.shown = shown
        if rest:
            self._rams_at = (position, straighten)
        else:
            self._rams = [move for move in self._rams if move.clock == 0.0]
