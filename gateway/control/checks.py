"""The checks of an order beyond its signatures: each says nothing, or raises Refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.control.gate import Gate
from gateway.control.seats import FREE, Seats
from gateway.control.selects import Selects
from gateway.control.tags import Tag
from gateway.control.trace import Check, Refused
from gateway.control.verifier import Signed
from models.control.credential import Credential
from models.control.effects import Effect
from models.control.order import Act, others
from models.control.policy import MODES, Policy
from models.site.model import Point

OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Checks:
    """What orders are held against."""

    gate: Gate
    seats: Seats
    selects: Selects
    policy: Policy

    def scope(self, person: Credential, equipment: str) -> None:
        """That the person may command this machine at all."""
        if not person.covers(equipment, self.gate.areas(equipment)):
            raise Refused(
                Check.SCOPE,
                f"{person.name} 的权限范围不含 {equipment}",
                f"{equipment} is outside the scope of {person.name}",
            )

    def may_act(self, person: Credential, act: str) -> None:
        """That the person's roles hold this act."""
        if not self.policy.acts(person.roles, act):
            roles, what = self.policy.named_roles(person.roles), self.policy.named_act(act)
            raise Refused(Check.ROLE, f"{roles.zh}无此权限：{what.zh}", f"{person.name}, {roles.en}, may not {what.en}")

    def may_do(self, person: Credential, effect: Effect) -> None:
        """That the person's roles may do this in some mode."""
        if not self.policy.does(person.roles, effect):
            roles, what = self.policy.named_roles(person.roles), self.policy.named(effect)
            raise Refused(Check.ROLE, f"{roles.zh}无权{what.zh}", f"{person.name}, {roles.en}, may not {what.en}")

    def mode(self, signed: Signed, equipment: str, effect: Effect) -> None:
        """That they may in the machine's mode, and that it is the mode that the person saw: what stops is meant in
        any."""
        now = self.gate.mode(equipment)
        named = MODES[now]
        if signed.order.mode and signed.order.mode != now and not effect.safe:
            raise Refused(
                Check.MODE,
                f"控制方式已变为“{named.zh}”，与命令所见不同",
                f"the control mode is {named.en}, not {signed.order.mode} as the order says",
            )
        if now not in self.policy.does(signed.who.roles, effect):
            what = self.policy.named(effect)
            raise Refused(
                Check.MODE,
                f"设备处于“{named.zh}”方式，不接受{what.zh}",
                f"the machine is under '{named.en}' control: not to be commanded to {what.en} by this role",
            )

    def controller(self, signed: Signed, equipment: str, effect: Effect) -> None:
        """That nobody else commands the machine."""
        holder = self.seats.holder(equipment)
        if not effect.safe and holder not in (FREE, signed.who.name):
            raise Refused(
                Check.CONTROLLER,
                f"控制权在 {holder}，请先移交",
                f"{holder} has the control of {equipment}: have it handed over first",
            )

    def second(self, signed: Signed, equipment: str, effect: Effect) -> None:
        """That what two persons must do is signed by a second one, who may do it as well."""
        if effect not in self.policy.two_persons.effects or signed.order.act is Act.SELECT:
            return
        for person in self._beside(signed):
            self.scope(person, equipment)
            self.may_do(person, effect)

    def override(self, signed: Signed, equipment: str) -> None:
        """That two persons set somebody's lock or right aside: the first may, the second has a say at the machine."""
        self.may_act(signed.who, OVERRIDE)
        for person in self._beside(signed):
            self.scope(person, equipment)
            self.may_act(person, Act.UNTAG)

    def settled(self, signed: Signed) -> None:
        """That two persons set a record of tags aside, each with a say at every machine here."""
        beside = self._beside(signed)
        for machine in sorted(self.gate.machines()):
            for person in (signed.who, *beside):
                self.scope(person, machine)
        for person in beside:
            self.may_act(person, Act.UNTAG)

    def selected(self, signed: Signed, effect: Effect) -> None:
        """That an execute follows its select. A nonce is used up by this, unless the order is dry."""
        order = signed.order
        if order.act is not Act.EXECUTE or effect in self.policy.direct.effects:
            # What stops needs none, and is not refused for one that is too old.
            return
        if order.nonce or not self.policy.is_direct(signed.who.roles, effect):
            self.selects.use(order, up=not order.dry)

    def removable(self, signed: Signed, tag: Tag | None) -> Tag:
        """The tag that an untag means, if it may be taken off by who signed."""
        if tag is None or tag.equipment != signed.order.equipment:
            raise Refused(Check.TAG, "没有该挂牌", f"there is no such tag on {signed.order.equipment}")
        if not tag.is_of(signed.who):
            try:
                self.override(signed, tag.equipment)
            except Refused as why:
                raise Refused(
                    why.check,
                    f"{tag.who} 的挂牌只能由本人，或经双人操作摘除：{why.reason.zh}",
                    f"the tag is {tag.who}'s, who alone removes it, or two persons: {why.reason.en}",
                ) from None
        return tag

    def ready(self, signed: Signed, point: Point, effect: Effect) -> None:
        """Once more in the moment of the write, which may have waited: what may have changed meanwhile."""
        self.mode(signed, point.equipment, effect)
        self.gate.untagged(point.equipment, effect)
        self.gate.unlocked(point, effect)
        self.controller(signed, point.equipment, effect)

    def _beside(self, signed: Signed) -> tuple[Credential, ...]:
        found = others(signed.persons)
        if not found:
            raise Refused(
                Check.SECOND,
                "需双人操作：请另一人签名",
                "two persons are needed: have another person sign too",
            )
        return found
