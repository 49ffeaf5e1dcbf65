"""The follow-up (跟机): which support advances next behind the shearer, and which pan is pushed next."""

from __future__ import annotations

from simulators.design.longwall import LongwallDesign
from simulators.physics.longwall.cycle import Kind
from simulators.physics.longwall.shearer import Shearer

_WAITS = (Kind.STRAIGHTEN, Kind.TURN, Kind.END)


class Follow:
    """Two queues run along the face: of advances in the triangle and the full cut, of pushes in the run out of the
    end and the full cut. Each support advances once and each pan is pushed once a web."""

    def __init__(self, design: LongwallDesign) -> None:
        own = design.supports
        self.count, self._pitch = own.count, own.pitch_m
        self._lag, self._push_lag, self._bend, self._zone = own.lag, own.push_lag, own.bend, own.end_zone
        self._half = design.shearer.body_m / 2.0
        self.start_cell = round(design.shearer.snake_m / own.pitch_m)
        """Supports from an end to where its snake-in stops."""
        self._number = -1
        self.towards = 1
        """Of the pass that supports follow: 1 to the tail, -1 to the head."""
        self._advance, self._advance_end = 0, 0
        self._push, self._push_end, self._push_towards = 0, self.count, 1
        self.next_advance = -1
        """The support whose turn it is, or -1."""
        self.next_push = -1
        self.gap = 0
        """Supports that the follow-up is behind."""
        self.waiting = False
        self.straightens = False
        """The bend is pushed out altogether."""

    def in_end_zone(self, at: int) -> bool:
        """Whether it is worked by hand as a rule."""
        return at < self._zone or at >= self.count - self._zone

    @property
    def pending(self) -> bool:
        """Advances are still to come in this pass."""
        return self._advance != self._advance_end

    @property
    def pushing(self) -> bool:
        """Pushes are still to come."""
        return self._push != self._push_end

    def bend(self, at: int, position: float) -> float:
        """How far a pan is to be pushed while the shearer is at `position`: 0 … 1."""
        behind = (position / self._pitch - at - 0.5) * self._push_towards
        return min(max((behind - self._push_lag) / self._bend, 0.0), 1.0)

    def step(self, shearer: Shearer) -> None:
        """Look where the shearer is."""
        if shearer.number != self._number:
            self._number = shearer.number
            self._new_step(shearer)
        kind = shearer.kind
        self.gap = 0
        self.next_advance = -1
        if self._advance != self._advance_end:
            rear = int((shearer.position - self.towards * self._half) / self._pitch)
            behind = (rear - self._advance) * self.towards
            # Each support has a little lag of its own: 3 to 5 behind the rear drum.
            due = self._lag - 1 + self._advance * 7 % 3
            if behind >= due or self.waiting:
                self.next_advance = self._advance
            self.gap = max(behind - due, 0)
        self.next_push = -1
        if self._push != self._push_end:
            behind = (shearer.cell - self._push) * self._push_towards
            if self.straightens or (kind in (Kind.RUN_EMPTY, Kind.CUT) and behind >= self._push_lag):
                self.next_push = self._push

    def _new_step(self, shearer: Shearer) -> None:
        kind, away, border = shearer.kind, shearer.steps[shearer.number].away, self.start_cell
        self.waiting = kind in _WAITS
        self.straightens = kind is Kind.STRAIGHTEN
        if kind is Kind.TRIANGLE:
            self.towards = -away
            first, end = (border - 1, -1) if away > 0 else (self.count - border, self.count)
            self._advance, self._advance_end = first, end
        elif kind is Kind.CUT:
            self.towards = away
            first, end = (border, self.count) if away > 0 else (self.count - border - 1, -1)
            self._advance, self._advance_end = first, end
        elif kind is Kind.RUN_EMPTY:
            self._push_towards = away
            self._push, self._push_end = (0, self.count) if away > 0 else (self.count - 1, -1)

    def advance_taken(self) -> None:
        self._advance += self.towards
        self.next_advance = -1

    def push_taken(self) -> None:
        self._push += self._push_towards
        self.next_push = -1
