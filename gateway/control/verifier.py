"""Whether an order is really a person's, found from what lies in this gateway's home alone: no platform, no network."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bus import authority
from bus.authority import AuthorityError
from gateway.control.trace import Check, Refused
from models.control.credential import Authority, Credential
from models.control.order import Act, Envelope, Order
from models.control.policy import policy

MOST_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class Signed:
    """An order whose signatures, credentials, address and time are right. `persons`: who signed, the first gave it."""

    order: Order
    persons: tuple[Credential, ...]

    @property
    def who(self) -> Credential:
        return self.persons[0]


class Verifier:
    """Checks signed orders against the authority in a home. Nothing is kept of what was refused.

    `check` is all that another part of the gateway needs: it answers with the order or raises Refused with the reason
    in both languages. Scope, role, mode and the rest are for whoever carries the order out; `permitted` asks for both
    in one for an act that is no command to a point (restore).
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stamp: tuple[int, ...] | None = None
        self._authority: Authority | None = None
        self._withdrawn: frozenset[str] = frozenset()
        self._trouble = ""
        self._seen: dict[str, int] = {}
        self._required = False

    @staticmethod
    def of(home: Path) -> Verifier:
        """The verifier of the gateway whose home this is (`home/control/authority.json` need not be there yet)."""
        return Verifier(home)

    @property
    def required(self) -> bool:
        """Whether commands must be signed: since an authority is there. It does not end by taking its file away."""
        if not self._required:
            self._required = authority.made(self._home)
        return self._required

    def check(
        self, found: Any, now: int, *, site: str, gateway: str, act: Act | None = None, once: bool = True
    ) -> Signed:
        """The order in `found`, the JSON of an Envelope. `now`: µs UTC; `act`: the one that is meant. `once`: the same
        order is not taken again. Raises Refused, and nothing else."""
        try:
            envelope = Envelope.of_json(found)
            persons = envelope.persons(self._believed())
            order = Order.of_json(envelope.order)
        except ValueError as error:
            raise Refused(Check.SIGNATURE, f"签名无效：{error}", f"the order is not authentic: {error}") from None
        for person in persons:
            self._valid(person, now)
        if act is not None and order.act is not act:
            raise Refused(Check.ORDER, f"命令种类不符：{order.act}", f"this is an order to {order.act}, not to {act}")
        if (order.site, order.gateway) != (site, gateway):
            raise Refused(
                Check.ORDER, "命令不属于本网关", f"the order is for {order.site}/{order.gateway}, not for here"
            )
        if now > order.deadline:
            raise Refused(Check.ORDER, "已过截止时间，未执行", "its deadline has passed: not carried out")
        ahead = policy().deadline_s
        if order.deadline > now + ahead * 1e6:
            raise Refused(
                Check.ORDER,
                f"截止时间超过 {ahead:g} 秒，请核对时钟",
                f"the deadline is over {ahead:g} s ahead: check the clocks",
            )
        if once and not order.dry:
            self._first_time(order, now)
        return Signed(order, persons)

    def permitted(
        self, found: Any, now: int, act: Act, *, site: str, gateway: str, equipment: str, areas: tuple[str, ...]
    ) -> Signed:
        """As `check`, and that the person's roles may do this act and the scope covers the machine, which stands in
        `areas` (see Site.areas_around). Raises Refused."""
        signed = self.check(found, now, site=site, gateway=gateway, act=act)
        if not signed.who.covers(equipment, areas):
            raise Refused(Check.SCOPE, f"{signed.who.name} 的权限范围不含 {equipment}",
                          f"{equipment} is outside the scope of {signed.who.name}")  # fmt: skip
        if not policy().acts(signed.who.roles, act):
            roles = ", ".join(signed.who.roles)
            raise Refused(Check.ROLE, f"角色 {roles} 无此权限：{act}", f"the roles {roles} may not {act}")
        return signed

    def state(self) -> dict[str, Any]:
        """For the heartbeat and the metrics."""
        with contextlib.suppress(ValueError):
            self._believed()
        trouble = self._trouble if self.required and self._trouble else None
        return {"signed_only": self.required, "withdrawn": len(self._withdrawn), "trouble": trouble}

    # ---- inside

    def _valid(self, person: Credential, now: int) -> None:
        if person.serial in self._withdrawn:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证已吊销", f"the credential of {person.name} is withdrawn"
            )
        if now < person.not_before:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证尚未生效", f"the credential of {person.name} is not yet good"
            )
        if now > person.not_after:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证已过期", f"the credential of {person.name} has expired"
            )

    def _first_time(self, order: Order, now: int) -> None:
        if order.id in self._seen:
            raise Refused(Check.ORDER, "该命令已收到过", "this order has come before: sign another one")
        if len(self._seen) >= MOST_SEEN:
            self._seen = {key: deadline for key, deadline in self._seen.items() if deadline >= now}
        if len(self._seen) >= MOST_SEEN:
            raise Refused(Check.ORDER, "网关正忙", f"{MOST_SEEN} orders came within their deadlines")
        self._seen[order.id] = order.deadline

    def _believed(self) -> Authority:
        """The authority, with the withdrawn list read anew when its files have changed. Raises ValueError."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._authority, self._withdrawn = authority.load(self._home), authority.withdrawn(self._home)
                self._trouble = ""
            except AuthorityError as error:
                # Without the list of withdrawn ones nobody can say who may still command: nobody may.
                self._authority, self._trouble = None, str(error)
        if self._authority is None:
            raise ValueError(self._trouble)
        return self._authority

    def _stamped(self) -> tuple[int, ...]:
        found = []
        for name in ("authority.json", "withdrawn.json"):
            try:
                stat = (authority.folder(self._home) / name).stat()
                found += [stat.st_mtime_ns, stat.st_ino]
            except OSError:
                found.append(0)
        return tuple(found)
