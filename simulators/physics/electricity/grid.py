"""Load flow in the tree of feeders and transformers, for many moments at once.

Losses are reckoned at nominal voltage, so that each node takes exactly what its branches take and what
is lost in it: P_in = ΣP + k·S² + P0, Q_in = ΣQ + kq·S² + Q0, ΔU/U = k·P + kq·Q (k: R/U², kq: X/U²).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.design.power import SUPPLY, PowerDesign

Array = NDArray[np.float64]

CABLE_X = 0.4
"""Reactance of a cable over its resistance."""
MAGNETISING = 0.01
"""Reactive power of an unloaded transformer over its rating."""
DEAD, LIVE_AT, LOW_AT = 0.05, 0.65, 0.75
"""Of nominal voltage: below it there is none; contactors drop; panels say that it is too low."""
IDLE_Q = 0.45
"""Reactive power of an unloaded motor over that at rated load; it grows with the square of the load."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Of each node: what it takes (kW, kvar) and the voltages before and behind it, of nominal. [nodes, steps]"""

    p: Array
    q: Array
    u_in: Array
    u_out: Array
    incoming_p: Array
    """What the mine takes, [steps], kW"""
    incoming_q: Array
    lost: Array
    """In all cables and transformers, [steps], kW"""


class Grid:
    """`nodes`: feeders, then transformers."""

    def __init__(self, design: PowerDesign) -> None:
        sources = design.sources()
        self.nodes = tuple(sources)
        self.feeders = len(design.feeders)
        at = {name: n for n, name in enumerate(self.nodes)}
        self.parent = [at.get(source, -1) for source in sources.values()]
        chains = [[at[above] for above in design.above(name) if above != SUPPLY] for name in self.nodes]
        depth = [len(chain) for chain in chains]
        downwards = sorted(range(len(self.nodes)), key=lambda n: depth[n])
        self.consumer_node = [at[consumer.feeder] for consumer in design.consumers.values()]
        rated = np.zeros(len(self.nodes))
        for node, consumer in zip(self.consumer_node, design.consumers.values(), strict=True):
            rated[[node, *chains[node]]] += consumer.kw
        self.k, self.kq, self.p0, self.q0, self.kva = (np.zeros(len(self.nodes)) for _ in range(5))
        self.volts_in, self.volts_out = (np.full(len(self.nodes), design.volts) for _ in range(2))
        for n in downwards:
            name, above = self.nodes[n], self.parent[n]
            self.volts_in[n] = self.volts_out[above] if above >= 0 else design.volts
            if name in design.feeders:
                full = max(rated[n], 1.0)
                self.k[n] = design.feeders[name].loss * full / (full / 0.87) ** 2
                self.kq[n] = CABLE_X * self.k[n]
                self.volts_out[n], self.kva[n] = self.volts_in[n], full / 0.87
            else:
                made = design.transformers[name]
                self.volts_out[n], self.kva[n] = made.low_v, made.kva
                self.k[n], self.kq[n] = made.load_loss / made.kva, made.short_circuit_voltage / made.kva
                self.p0[n], self.q0[n] = made.no_load_loss * made.kva, MAGNETISING * made.kva
        made_for = design.consumers.values()
        tangent = [0.1 if one.inverter else np.sqrt(1.0 / one.cos_phi**2 - 1.0) for one in made_for]
        kw = np.array([one.kw for one in made_for])
        kvar = kw * np.array(tangent)
        motor = np.array([not one.inverter for one in made_for], bool)
        self._magnetising = IDLE_Q * kvar * motor
        self._by_load = np.where(motor, 0.0, kvar / kw)
        self._by_square = np.where(motor, (1.0 - IDLE_Q) * kvar / (kw * kw), 0.0)
        self.consumer_volts = self.volts_out[self.consumer_node]
        self._levels = [
            Level([n for n in downwards if depth[n] == level], self) for level in range(max(depth, default=-1) + 1)
        ]

    def reactive(self, kw: Array) -> Array:
        """kvar of the consumers for their kW, [steps, consumers]: an inverter's follows its load, a motor's hardly."""
        kvar = self._by_square * kw
        kvar += self._by_load
        kvar *= kw
        kvar += self._magnetising * (kw > 0.0)
        return kvar

    def energised(self, closed: Array, supply: Array) -> Array:
        """Whether there is voltage behind each node. `closed` [feeders, steps], `supply` [steps], 0 or 1."""
        live = np.ones((len(self.nodes), closed.shape[1]))
        live[: self.feeders] = closed
        for level in self._levels:
            live[level.nodes] *= live[level.parents] if level.parents is not None else supply
        return live

    def flow(self, kw: Array, kvar: Array, live: Array, supply: Array) -> Flow:
        """`kw`, `kvar` [consumers, steps], `live` [nodes, steps], `supply` [steps]: voltage of nominal."""
        shape = live.shape
        p, q, drop = np.zeros(shape), np.zeros(shape), np.empty(shape)
        incoming_p, incoming_q, lost = np.zeros((3, shape[1]))
        for c, node in enumerate(self.consumer_node):
            p[node] += kw[c]
            q[node] += kvar[c]
        for level in reversed(self._levels):
            nodes = level.nodes
            here_p, here_q, on = p[nodes], q[nodes], live[nodes]
            square = here_p * here_p
            square += here_q * here_q
            drop[nodes] = level.k * here_p + level.kq * here_q
            loss = level.k * square + level.p0 * on
            here_p += loss
            here_q += level.kq * square + level.q0 * on
            p[nodes], q[nodes] = here_p, here_q
            for row, above in enumerate(level.above):
                lost += loss[row]
                into_p, into_q = (p[above], q[above]) if above >= 0 else (incoming_p, incoming_q)
                into_p += here_p[row]
                into_q += here_q[row]
        u_in, u_out = np.empty(shape), np.empty(shape)
        for level in self._levels:
            before = u_out[level.parents] if level.parents is not None else supply
            u_in[level.nodes] = before
            u_out[level.nodes] = (before - drop[level.nodes]) * live[level.nodes]
        return Flow(p, q, u_in, u_out, incoming_p, incoming_q, lost)


class Level:
    """The nodes that are equally far from the supply, with what their columns need. `parents`: None at the top."""

    def __init__(self, nodes: list[int], grid: Grid) -> None:
        self.nodes = np.array(nodes, np.intp)
        self.above = [grid.parent[n] for n in nodes]
        self.parents = np.array(self.above, np.intp) if self.above[0] >= 0 else None
        self.k, self.kq, self.p0, self.q0 = (
            values[self.nodes][:, np.newaxis] for values in (grid.k, grid.kq, grid.p0, grid.q0)
        )
