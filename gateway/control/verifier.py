"""Whether an order is really a person's, found from what lies in this gateway's home alone: no platform, no network."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.control.belief import Belief
from gateway.control.seen import Seen
from gateway.control.trace import Check, Refused
from models.control.credential import Credential
from models.control.order import Act, Envelope, Order
from models.control.policy import policy

MOST_WAITING = 256
"""Of orders, for the disk."""
SKEW_US = 60_000_000
"""What is for later than the deadlines that are taken and this, of somebody whose clock is wrong, is refused and not
remembered, lest such orders fill what there is room for."""


@dataclass(frozen=True, slots=True)
class Signed:
    """An order whose signatures, credentials, address and time are right. `persons`: who signed, the first gave it.
    `again`: it is an execute that has come before. `doubt`: why nobody can say whether it has; such an order is for
    nothing but what does no harm when it is done twice."""

    order: Order
    persons: tuple[Credential, ...]
    again: bool = False
    doubt: Refused | None = None

    @property
    def who(self) -> Credential:
        return self.persons[0]


class Verifier:
    """Checks signed orders against the authority in a home. What was signed for here is known from then on, carried out
    or refused.

    `check` is all that another part of the gateway needs: it answers with the order or raises Refused with the reason
    in both languages. Scope, role, mode and the rest are for whoever carries the order out; `permitted` asks for both
    in one for an act that is no command to a point (restore).
    """

    def __init__(self, belief: Belief, seen: Seen) -> None:
        self._belief = belief
        self._seen = seen
        self._waiting = 0

    @staticmethod
    def of(home: Path, own: Path | None = None) -> Verifier:
        """The verifier of the gateway whose home this is (`home/control/authority.json` need not be there yet). `own`:
        the gateway's own folder for what must outlive its process; None: nothing does."""
        believed, seen = (None, None) if own is None else (own / "believed.json", own / "orders.seen")
        return Verifier(Belief(home, believed), Seen(seen))

    @property
    def required(self) -> bool:
        """Whether commands must be signed."""
        return self._belief.required

    async def kept(self, within_s: float) -> None:
        """On return what came is on disk, and not taken a second time by a process after this one. Raises OSError, also
        when the disk does not answer in time or too many wait for it: what stops, which does not, finds room."""
        if self._waiting >= MOST_WAITING:
            raise OSError(f"{self._waiting} orders wait for it")
        self._waiting += 1
        try:
            async with asyncio.timeout(within_s):
                await self._seen.kept()
        except TimeoutError:
            raise OSError("it does not answer") from None
        finally:
            self._waiting -= 1

    def check(self, found: Any, now: int, *, site: str, gateway: str, act: Act | None = None) -> Signed:
        """The order in `found`, the JSON of an Envelope. `now`: µs UTC; `act`: the one that is meant. An order that has
        come before is refused, but for an execute, of which the writer may remember the answer: `again`. One of which
        that cannot be said is refused, but for a select and an execute, which may stop a machine, and a tag: `doubt`.
        Raises Refused, and nothing else."""
        try:
            envelope = Envelope.of_json(found)
            persons = envelope.persons(self._belief.current())
            order = Order.of_json(envelope.order)
        except ValueError as error:
            raise Refused(Check.SIGNATURE, f"签名无效：{error}", f"the order is not authentic: {error}") from None
        for person in persons:
            self._not_withdrawn(person)
        if act is not None and order.act is not act:
            raise Refused(Check.ORDER, f"命令种类不符：{order.act}", f"this is an order to {order.act}, not to {act}")
        if (order.site, order.gateway) != (site, gateway):
            raise Refused(
                Check.ORDER, "命令不属于本网关", f"the order is for {order.site}/{order.gateway}, not for here"
            )
        for person in persons:
            # First: nobody fills with it what there is room for.
            self._not_expired(person, now)
        ahead = policy().deadline_s
        # Before what depends on the clock: what is refused by it now is not taken when it has been set.
        again, doubt = False, None
        if not order.dry and order.deadline <= now + ahead * 1e6 + SKEW_US:
            try:
                again = self._seen.again(order, now)
            except Refused as why:
                if order.act not in (Act.SELECT, Act.EXECUTE, Act.TAG):
                    raise
                doubt = why
        if again and order.act is not Act.EXECUTE:
            raise Refused(Check.ORDER, "该命令已收到过", "this order has come before: sign another one")
        for person in persons:
            self._good_now(person, now)
        if now > order.deadline:
            raise Refused(Check.ORDER, "已过截止时间，未执行", "its deadline has passed: not carried out")
        if order.deadline > now + ahead * 1e6:
            raise Refused(
                Check.ORDER,
                f"截止时间超过 {ahead:g} 秒，请核对时钟",
                f"the deadline is over {ahead:g} s ahead: check the clocks",
            )
        return Signed(order, persons, again, doubt)

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
            roles, what = policy().named_roles(signed.who.roles), policy().named_act(act)
            raise Refused(Check.ROLE, f"{roles.zh}无此权限：{what.zh}", f"{roles.en} may not {what.en}")
        return signed

    def state(self) -> dict[str, Any]:
        """For the heartbeat and the metrics."""
        with contextlib.suppress(ValueError):
            self._belief.current()
        trouble = self._belief.trouble if self.required and self._belief.trouble else None
        return {"signed_only": self.required, "withdrawn": len(self._belief.withdrawn), "trouble": trouble}

    # ---- inside

    def _not_withdrawn(self, person: Credential) -> None:
        if person.serial in self._belief.withdrawn:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证已吊销", f"the credential of {person.name} is withdrawn"
            )

    def _good_now(self, person: Credential, now: int) -> None:
        if now < person.not_before:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证尚未生效", f"the credential of {person.name} is not yet good"
            )
        self._not_expired(person, now)

    def _not_expired(self, person: Credential, now: int) -> None:
        if now > person.not_after:
            raise Refused(
                Check.CREDENTIAL, f"{person.name} 的凭证已过期", f"the credential of {person.name} has expired"
            )
