"""First-order lags and coloured noise over many steps at once. Their state goes on from call to call, and
the result does not depend on how the steps are cut into calls."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


class Lag:
    """y' = (x − y)/τ for `count` channels of one time constant `tau` (s), exact for steps of constant x.
    Each starts at `start`."""

    def __init__(self, tau: float, count: int, start: float | NDArray[np.float64] = 0.0) -> None:
        self.tau = tau
        self._last = np.broadcast_to(np.asarray(start, np.float64), (count,)).copy()

    def run(self, dt: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """[steps, count] → the same shape."""
        keep = math.exp(-dt / self.tau)
        y, _ = lfilter([1.0 - keep], [1.0, -keep], x, axis=0, zi=(keep * self._last)[np.newaxis])
        self._last = np.array(y[-1])
        return y


class Wander:
    """A slow random walk around zero (Ornstein-Uhlenbeck) of `count` channels, standard deviation `sigma`,
    time constant `tau` (s)."""

    def __init__(self, sigma: float, tau: float, count: int, rng: np.random.Generator) -> None:
        self.sigma, self.tau, self.count = sigma, tau, count
        self._rng = rng
        self._last = np.zeros(count)

    def run(self, dt: float, steps: int) -> NDArray[np.float64]:
        """[steps, count]."""
        keep = math.exp(-dt / self.tau)
        drawn = self._rng.standard_normal((steps, self.count)) * (self.sigma * math.sqrt(1.0 - keep * keep))
        y, _ = lfilter([1.0], [1.0, -keep], drawn, axis=0, zi=(keep * self._last)[np.newaxis])
        self._last = np.array(y[-1])
        return y


class Total:
    """Counters that go on: the sum of a rate over time. `start`: what they read at first."""

    def __init__(self, count: int, start: float | NDArray[np.float64] = 0.0) -> None:
        self._last = np.broadcast_to(np.asarray(start, np.float64), (count,)).copy()

    def run(self, dt: float, rate_per_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """[steps, count] of a rate → the counters after each step, added one by one so that no cut shows."""
        grown = np.empty_like(rate_per_s)
        np.multiply(rate_per_s, dt, out=grown)
        grown[0] += self._last
        np.cumsum(grown, axis=0, out=grown)
        self._last = np.array(grown[-1])
        return grown
