"""Electricity: the section `power`. A tree: the supply, feeders, transformers on feeders, feeders behind
transformers, consumers on feeders. Each consumer has a meter, `meter_<consumer>`.

    power:
      feeders:
        feeder_1_01: {}
        feeder_1_02: {}
        feeder_2_01: {source: transformer_1}
      transformers:
        transformer_1: {source: feeder_1_02, low_v: 1200, kva: 1250}
      consumers:
        belt_101: {feeder: feeder_1_01, kw: 1000, inverter: true}
        belt_103: {feeder: feeder_2_01, kw: 400}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Id, Share, Strict
from simulators.design.tariff import Scheme, published

Volts = Annotated[float, Field(ge=100, le=40000)]
SUPPLY = "supply"


class FeederDesign(Strict):
    """One panel and its cable. `source`: `supply` or a transformer or another feeder."""

    source: Id = SUPPLY
    loss: Annotated[float, Field(ge=0, le=0.1)] = 0.012
    """Share of its rated load lost in the cable (of 1140 V cables as usual; drop is a little more)."""
    mode: Annotated[int, Field(ge=0, le=4)] = 2


class TransformerDesign(Strict):
    """A dry flameproof transformer (KBSG). Losses as shares of its rating, class of GB/T 10228; short-circuit
    voltage 4.5 %."""

    source: Id
    low_v: Volts = 1200.0
    kva: Annotated[float, Field(ge=10, le=20000)] = 1250.0
    no_load_loss: Annotated[float, Field(ge=0, le=0.02)] = 0.002
    load_loss: Annotated[float, Field(ge=0, le=0.05)] = 0.009
    short_circuit_voltage: Annotated[float, Field(ge=0.01, le=0.15)] = 0.045


class ConsumerDesign(Strict):
    """`kw`: rated power. `inverter`: it takes little reactive power."""

    feeder: Id
    kw: Annotated[float, Field(gt=0, le=20000)] = 100.0
    inverter: bool = False
    cos_phi: Annotated[float, Field(ge=0.3, le=1)] = 0.87
    meter: Id | None = None


class PowerDesign(Strict):
    """`volts`: of the supply, line to line. `incoming`: the meter of all that the mine takes."""

    volts: Volts = 10000.0
    incoming: Id = "meter_incoming"
    feeders: dict[Id, FeederDesign] = Field(default_factory=dict, max_length=300)
    transformers: dict[Id, TransformerDesign] = Field(default_factory=dict, max_length=100)
    consumers: dict[Id, ConsumerDesign] = Field(default_factory=dict, max_length=500)
    tariff: tuple[Scheme, ...] = Field(default_factory=lambda: published("shanxi"), min_length=1)
    restore_min: Annotated[float, Field(ge=0, le=1440)] = 12.0
    """From the end of a trip's cause until somebody has reset and closed the breaker, min."""
    unbalance: Share = 0.01
    """How far the currents of the phases are apart, standard deviation."""

    @model_validator(mode="after")
    def _a_tree(self) -> PowerDesign:
        sources = self.sources()
        for name in sources:
            for above in self.above(name):
                if above == name:
                    raise ValueError(f"{name}: 自己给自己供电 · feeds itself")
                if above != SUPPLY and above not in sources:
                    raise ValueError(f"{name}: 没有电源 '{above}' · there is no source '{above}'")
        for name, consumer in self.consumers.items():
            if consumer.feeder not in self.feeders:
                raise ValueError(f"consumers.{name}: 没有馈线 '{consumer.feeder}' · there is no feeder of that name")
        return self

    def sources(self) -> dict[str, str]:
        """Of each feeder and transformer, what it hangs on."""
        both: dict[str, FeederDesign | TransformerDesign] = {**self.feeders, **self.transformers}
        return {name: node.source for name, node in both.items()}

    def above(self, name: str) -> Iterator[str]:
        """What lies between a feeder or transformer and the supply, upwards, with the supply; ends at a loop."""
        sources, seen = self.sources(), {""}
        while name in sources and name not in seen:
            seen.add(name)
            name = sources[name]
            yield name

    def meter_of(self, consumer: str) -> str:
        """The id of a consumer's meter."""
        return self.consumers[consumer].meter or f"meter_{consumer}"
