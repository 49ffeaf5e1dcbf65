"""The row of hydraulic supports: how they follow the shearer, and the pressure in their legs.

Between two moves a leg's pressure is p_set + a·ln(1 + t/τ), more of it under weighting, less where it leaks, and never
above the yield valve; so a step only treats the few supports that move, and `observe` works out all pressures at once.
Domain facts §5.3. Lengths in m, pressures in MPa.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from simulators.design.longwall import LongwallDesign
from simulators.engine.part import Rows
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.control import AUTO, INSPECTION, Control
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
    Move,
    State,
    SupportAction,
    Web,
    logged,
)
from simulators.physics.longwall.seam import Seam
from simulators.physics.longwall.shearer import Shearer
from simulators.physics.order import Order

KEYS = (
    "left_leg_pressure",
    "right_leg_pressure",
    "balance_pressure",
    "heartbeat",
    "advance_stroke",
    "height",
    "pitch",
    "roll",
    "canopy_pitch",
    "shearer_here",
    "action",
    "action_source",
    "advance_state",
    "emergency_stop",
    "online",
    "mode",
    "fault_code",
)
"""Keys of the template in the order of their columns, each for all supports. Until `observe` has been there, the
balance pressure's columns hold the time since setting (s), and the heartbeat's the creep `a` (MPa)."""
_LOWERED_MPA = 3.0
_RAM_M_PER_S = 0.12
_LOW_MPA = 24.0
_WINDOW = (-3, 20)
"""Supports from the shearer, ahead and behind, that count as the follow window."""
_SHARE_OF, _SHARE_FROM = 40, 10
"""The share of automatic moves is of so many last ones, and is judged from so many on."""


def leg_force(legs: int, bore_mm: float, mpa: float) -> float:
    """F = n·π/4·D²·p, kN."""
    return legs * math.pi / 4.0 * bore_mm**2 * mpa / 1000.0


class Supports:
    """`demand_l_per_s`: emulsion that the moves take. `released`, `gap`: what the shearer waits for, see there."""

    def __init__(
        self,
        design: LongwallDesign,
        seam: Seam,
        chance: Chance,
        rng: np.random.Generator,
        log: deque[SupportAction | Web],
    ) -> None:
        own = design.supports
        self.design, self.web, self.seam, self._chance, self._rng = own, design.web_m, seam, chance, rng
        count = self.count = own.count
        self.control = Control(own.id)
        self.follow = Follow(design)
        self.values = np.zeros((len(KEYS), count))
        row = dict(zip(KEYS, self.values, strict=True))
        self._left, self._right, self._age, self._creep = self.values[:4]
        self._stroke, self._height, self._pitch, self._roll, self._canopy, self._here = self.values[4:10]
        self._action, self._source, self._state = self.values[10:13]
        self._mode = row["mode"]
        self.skip = np.zeros(count, bool)
        """Supports that the follow-up cannot move (跳架)."""
        self.demand_l_per_s = 0.0
        self.mode = 0
        self.log: deque[SupportAction | Web] = log
        self._moves: list[Move] = []
        self._busy: set[int] = set()
        self._skipped: dict[int, float] = {}
        self._recent: deque[bool] = deque()
        self._recent_auto = 0
        self._scan = 0
        self._cell = -1
        self._begin(row)

    def _begin(self, row: dict[str, np.ndarray]) -> None:
        rng, count, own = self._rng, self.count, self.design
        passed = self.follow.start_cell
        self.advanced = [self.web if n < passed else 0.0 for n in range(count)]
        self.seam.face[:passed] = [self.web] * passed
        self._left[:] = own.set_mpa * (1.0 + 0.03 * rng.standard_normal(count))
        self._right[:] = own.set_mpa * (1.0 + 0.03 * rng.standard_normal(count))
        self._age[:] = rng.uniform(600.0, 5400.0, count)
        self._creep[:] = own.creep_mpa * rng.uniform(0.75, 1.25, count)
        self._stroke[:] = [1000.0 * (self.web - there) for there in self.advanced]
        self._height[:] = self.seam.height + 0.05 * rng.standard_normal(count)
        self._pitch[:] = 1.2 * rng.standard_normal(count)
        self._roll[:] = 0.8 * rng.standard_normal(count)
        self._canopy[:] = 1.5 * rng.standard_normal(count)
        row["online"][:] = 1.0
        leaking = rng.random((2, count)) < own.leaking_share
        self.leak = np.where(leaking, rng.uniform(0.1, 1.0, (2, count)), 0.0)
        """[left and right, supports] MPa/h."""
        # The middle of the face bears more than its ends.
        self._profile = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 0.5
        self._profile *= own.weighting_gain * own.set_mpa / (own.creep_mpa * math.log1p(1800.0 / own.creep_s))

    def step(self, dt: float, number: int, shearer: Shearer, order: Order, pump_mpa: float) -> None:
        """Go on by `dt` s in step `number`, with `pump_mpa` in the pressure line."""
        self._age += dt
        self._note(shearer, order)
        if order.produce and pump_mpa > 15.0:
            self._start(dt, number, shearer, order, pump_mpa)
        self._press_up(number, order)
        self.demand_l_per_s = 0.0
        if self._moves:
            released = self.follow.releases(shearer)
            going = [move for move in self._moves if not self._go(move, dt, shearer, released)]
            if len(going) != len(self._moves):
                self._moves = going
                self._busy = {move.at for move in going}

    @property
    def released(self) -> bool:
        """All supports and pans are where the end of this step of the cycle wants them."""
        return not (self.follow.pending or self._skipped or any(move.action != PUSH for move in self._moves))

    @property
    def straight(self) -> bool:
        """The conveyor lies straight."""
        return self.released and not self._moves and not self.follow.pushing

    @property
    def moving(self) -> int:
        """Supports in action."""
        return len(self._moves)

    @property
    def follow_share(self) -> float:
        """Part of the last moves in the follow window, ends apart, that were automatic, since the mode was changed; 1
        while they are too few to judge."""
        return self._recent_auto / len(self._recent) if len(self._recent) >= _SHARE_FROM else 1.0

    def _note(self, shearer: Shearer, order: Order) -> None:
        self.control.follow(order)
        if self.control.mode != self.mode:
            self.mode = self.control.mode
            self._mode[:] = self.mode
            self._recent.clear()
            self._recent_auto = 0
        cell = shearer.cell
        if cell != self._cell:
            if self._cell >= 0:
                self._here[max(self._cell - 2, 0) : self._cell + 3] = 0.0
            self._here[max(cell - 2, 0) : cell + 3] = 1.0
            self._cell = cell
        self.follow.step(shearer)

    def _start(self, dt: float, number: int, shearer: Shearer, order: Order, pump_mpa: float) -> None:
        """Begin the moves that are due."""
        advancing = sum(move.action == ADVANCE for move in self._moves)
        at = self.follow.next_advance
        if at >= 0 and advancing < (3 if self.mode == AUTO else 2) and at not in self._busy:
            self.follow.advance_taken()
            source = self._choose_source(at)
            if source == FOLLOW and (self.skip[at] or self._chance.even() < self.design.jump_share):
                self._state[at] = State.ERROR
                self._skipped[at] = self._chance.even(60.0, 600.0)
            else:
                self._advance(number, at, source, shearer, pump_mpa)
        at = self.follow.next_push
        if at >= 0 and at not in self._busy and self.advanced[at] - self.seam.pans[at] > 0.5 * self.web:
            self.follow.push_taken()
            self._begin_move(number, Move(at, PUSH, (0.0, 0.0, 0.0)), self._choose_source(at), shearer)
            self._moves[-1].start = self.seam.pans[at]
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
        self._moves.append(move)
        self._busy.add(at)
        self._source[at] = source
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
        move.left, move.right = self._pressures(at)
        most = 0.9 * pump_mpa
        move.set_left = min(self.design.set_mpa * (1.0 + 0.03 * self._chance.normal()), most)
        move.set_right = min(self.design.set_mpa * (1.0 + 0.03 * self._chance.normal()), most)
        move.height = self.seam.height + 0.05 * self._chance.normal()
        move.start = float(self._height[at])
        self._state[at] = State.ONGOING
        self._begin_move(number, move, source, shearer)

    def _press_up(self, number: int, order: Order) -> None:
        """One support after the other is looked at; what has lost its pressure is pressed up again (补压)."""
        at = self._scan
        self._scan = at + 1 if at + 1 < self.count else 0
        if at in self._busy or not (order.produce or order.inspection):
            return
        left, right = self._pressures(at)
        if min(left, right) < _LOW_MPA - 2.0 and (self.mode == AUTO or self._chance.even() < 0.2):
            move = Move(at, TOP_UP, (0.0, 0.0, 3.0))
            move.left, move.right = left, right
            move.set_left = move.set_right = self.design.set_mpa
            move.start = move.height = float(self._height[at])
            self._moves.append(move)
            self._busy.add(at)
            source = FOLLOW if self.mode == AUTO else KEYPAD
            self._source[at] = source
            self.log.append(logged(number, at, TOP_UP, source))

    def _pressures(self, at: int) -> tuple[float, float]:
        """Of the legs of one support, weighting apart."""
        age = float(self._age[at])
        creep = float(self._creep[at]) * math.log1p(age / self.design.creep_s)
        left = float(self._left[at]) + creep - float(self.leak[0, at]) * age / 3600.0
        right = float(self._right[at]) + creep - float(self.leak[1, at]) * age / 3600.0
        return max(left, 0.0), max(right, 0.0)

    def _go(self, move: Move, dt: float, shearer: Shearer, released: bool) -> bool:
        """Whether the move is over."""
        move.clock += dt
        return self._push(move, dt, shearer, released) if move.action == PUSH else self._raise(move)

    def _raise(self, move: Move) -> bool:
        """Lower, advance, raise: what they have come to."""
        at, clock = move.at, move.clock
        lowered, advanced, raised = move.ends
        self._age[at] = self._creep[at] = 0.0
        if clock < lowered:
            shown, part = LOWER, clock / lowered
            fall = math.exp(-4.0 * part)
            self._left[at] = _LOWERED_MPA + (move.left - _LOWERED_MPA) * fall
            self._right[at] = _LOWERED_MPA + (move.right - _LOWERED_MPA) * fall
            self._height[at] = move.start - 0.1 * part
            self.demand_l_per_s += 0.5
        elif clock < advanced:
            shown, part = ADVANCE, (clock - lowered) / (advanced - lowered)
            self._left[at] = self._right[at] = _LOWERED_MPA
            self._stroke[at] = self._stroke_mm(at) * (1.0 - part)
            self._height[at] = move.start - 0.1
            self.demand_l_per_s += 2.5
        else:
            shown, part = (
                (TOP_UP if move.action == TOP_UP else RAISE),
                min((clock - advanced) / (raised - advanced), 1.0),
            )
            low_left, low_right = (move.left, move.right) if move.action == TOP_UP else (_LOWERED_MPA, _LOWERED_MPA)
            up = part * (2.0 - part)
            self._left[at] = low_left + (move.set_left - low_left) * up
            self._right[at] = low_right + (move.set_right - low_right) * up
            self._height[at] = move.start - (0.1 if move.action == ADVANCE else 0.0) * (1.0 - part)
            self.demand_l_per_s += 5.0 if move.action == ADVANCE else 1.0
        if shown != move.shown:
            if shown == RAISE:
                self.advanced[at] += self.web
                self._stroke[at] = self._stroke_mm(at)
            self._action[at] = move.shown = shown
        if clock < raised:
            return False
        self._creep[at] = self.design.creep_mpa * self._chance.even(0.75, 1.25)
        self._action[at] = self._source[at] = 0.0
        if move.action == ADVANCE:
            self._height[at] = 0.5 * (move.start + move.height)
            self._state[at] = State.FINISHED
            self._pitch[at] = 0.8 * self._pitch[at] + 0.7 * self._chance.normal()
            self._roll[at] = 0.8 * self._roll[at] + 0.5 * self._chance.normal()
            self._canopy[at] = 0.8 * self._canopy[at] + 0.9 * self._chance.normal()
        return True

    def _stroke_mm(self, at: int) -> float:
        return 1000.0 * (self.web + self.seam.pans[at] - self.advanced[at])

    def _push(self, move: Move, dt: float, shearer: Shearer, released: bool) -> bool:
        """The ram pushes the pan as far as the bend of the conveyor wants it there."""
        at = move.at
        pans = self.seam.pans
        most = move.start + self.web
        wanted = most if released else move.start + self.web * self.follow.bend(at, shearer.position)
        pan = pans[at]
        further = min(wanted, self.advanced[at]) - pan
        if further > 1e-9:
            pan = pans[at] = pan + min(further, _RAM_M_PER_S * dt)
            self._stroke[at] = 1000.0 * (self.web + pan - self.advanced[at])
            self.demand_l_per_s += 0.3
            shown = PUSH
        else:
            shown = 0
        over = pan >= most - 1e-9
        if over:
            shown = 0
            self._source[at] = 0.0
        if shown != move.shown:
            self._action[at] = move.shown = shown
        return over

    def observe(self, dt: float, rows: Rows, weighting: np.ndarray, heartbeat: np.ndarray) -> None:
        """`rows` [steps, keys · supports] as `KEYS`; `weighting`, `heartbeat` [steps]."""
        del dt
        n, own = self.count, self.design
        left, right, age, creep = rows[:, :n], rows[:, n : 2 * n], rows[:, 2 * n : 3 * n], rows[:, 3 * n : 4 * n]
        more = np.log1p(age / own.creep_s)
        more *= creep
        factor = np.multiply.outer(weighting, self._profile)
        factor += 1.0
        more *= factor
        noise = self._rng.standard_normal(more.shape)
        noise *= 0.03
        self._settle(left, self.leak[0], age, more, noise)
        self._settle(right, self.leak[1], age, more, noise)
        np.multiply(left, 0.3, out=age)
        age += 4.0
        creep[:] = heartbeat[:, np.newaxis]

    def _settle(self, leg: Rows, leak: np.ndarray, age: Rows, more: Rows, noise: Rows) -> None:
        """From the setting pressure in `leg` to the pressure now, in place; all [steps, supports]."""
        leg += more
        leg -= age * (leak / 3600.0)
        np.clip(leg, 0.0, self.design.yield_mpa, out=leg)
        leg += noise
        np.maximum(leg, 0.0, out=leg)
