"""Who gives an order to restore, proved by the signature that stands in it: `{"restore": rule, "signed": envelope}`.

The envelope's order is of the act `restore`, names the rule as its `equipment`, and is signed by a person whose role
may restore and whose scope covers every machine that the rule commands here. See models.control.order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.control.trace import Refused
from gateway.control.verifier import Verifier
from gateway.linkage.restoring import NotProved, read
from models.control.order import Act
from models.site.model import Name

Machines = Callable[[str], Mapping[str, tuple[str, ...]]]
"""Takes a rule; gives the machines that it commands here, each with the areas that it stands in."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A linkage's verifier for the gateway `gateway` of the mine `code`. `now`: µs UTC."""

    verifier: Verifier
    code: str
    gateway: str
    now: Callable[[], int]
    machines: Machines

    def __call__(self, order: Mapping[str, Any]) -> str:
        """Who gave it. Raises NotProved; CommandError when it names no rule."""
        rule = read(order)
        machines = dict(self.machines(rule))
        first = next(iter(machines), "")
        try:
            signed = self.verifier.permitted(
                order.get("signed"), self.now(), Act.RESTORE,
                site=self.code, gateway=self.gateway, equipment=first, areas=machines.get(first, ()),
            )  # fmt: skip
        except Refused as error:
            raise NotProved(error.reason) from None
        if signed.order.equipment != rule:
            raise NotProved(Name("签名的命令不是复位该联动的", f"what was signed is not to restore '{rule}'"))
        if signed.order.dry:
            raise NotProved(Name("只是试运行，未复位", "it is only a dry run: nothing was restored"))
        if beyond := _beyond(machines, signed.who.covers):
            raise NotProved(Name(f"权限范围不含 {beyond}", f"{beyond} is outside the scope of {signed.who.name}"))
        return signed.who.name


def _beyond(machines: Mapping[str, tuple[str, ...]], covers: Callable[[str, tuple[str, ...]], bool]) -> str:
    return ", ".join(name for name, areas in machines.items() if not covers(name, areas))
