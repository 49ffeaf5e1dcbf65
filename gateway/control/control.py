"""The door for signed orders: believes, checks, carries out, and says why or why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.control.checks import Checks
from gateway.control.gate import Gate, Places
from gateway.control.record import Record
from gateway.control.seats import FREE, Seats
from gateway.control.selects import Selects
from gateway.control.tags import MOST, Tag, Tags
from gateway.control.trace import Check, Refused, Trace
from gateway.control.verifier import Signed, Verifier
from gateway.inverse import Unwritable
from gateway.leave import Leave
from gateway.writer import Writer
from models.command import Answer, Command, Outcome, text
from models.control.effects import Effect
from models.control.order import Act
from models.control.policy import MODES, Policy
from models.site.model import Name, Point

log = structlog.get_logger(__name__)

UNSIGNED = Name(
    "本网关只接受签名命令：sevenones control run",
    "this gateway takes signed commands alone: use 'sevenones control run'",
)
SELECTED, DONE, REFUSED, WOULD = "selected", "done", "refused", "would"
"""Outcomes beside those of a command (models.command.Outcome): `would` is a dry run's."""


class Control:
    """Answers signed orders. Restoring is not done here: whoever holds the latches gives its hand to `restores`."""

    def __init__(
        self,
        code: str,
        gateway: str,
        verifier: Verifier,
        devices: Places,
        writer: Writer,
        gate: Gate,
        tags: Tags,
        clock: WallClock,
        record: Record,
        policy: Policy,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.restores: Callable[[str, str], Awaitable[dict[str, Any]]] | None = None
        """Takes a linkage and who may restore it, both checked; gives `outcome`, `reason` {zh, en}, and more."""
        self._here = {"site": code, "gateway": gateway}
        self._verifier = verifier
        self._devices = devices
        self._writer = writer
        self._gate = gate
        self._tags = tags
        self._clock = clock
        self._record = record
        self._policy = policy
        self._seats = Seats(clock.monotonic, policy.seat_s)
        self._selects = Selects(clock.monotonic, policy.select_s)
        self._checks = Checks(gate, self._seats, self._selects, policy)

    def refuses_unsigned(self) -> bool:
        """Whether a command without a signature is refused."""
        self.counts["unsigned_total"] += 1
        return self._verifier.required

    def state(self) -> dict[str, Any]:
        """For the heartbeat: whether commands must be signed, the tags that hang, who commands what."""
        return {
            **self._verifier.state(),
            "tags": self.tags()["tags"][:50],
            "tags_count": len(self._tags),
            "tags_trouble": None if self._tags.trouble is None else self._tags.trouble.en,
            "controllers": dict(list(self._seats.held().items())[:50]),
        }

    async def asked(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a request that is for this door, None for another's. Raises CommandError."""
        if "order" in found:
            return await self.answer(found)
        if "machine" in found:
            return self.machine(text(found, "machine", 40))
        return self.tags() if "tags" in found else None

    def tags(self) -> dict[str, Any]:
        """All tags that hang here."""
        return {
            "tags": [
                {"id": tag.id, "equipment": tag.equipment, "who": tag.who, "reason": tag.reason, "at": tag.at}
                for tag in self._tags
            ]
        }

    def machine(self, equipment: str) -> dict[str, Any]:
        """What holds of a machine that this gateway reads."""
        if not self._gate.reads(equipment):
            return {"error": f"this gateway reads no point of '{equipment}'"}
        return {"equipment": equipment, **self._gate.machine(equipment), **self._right(equipment)}

    def shown(self, point: Point) -> dict[str, Any]:
        """What a person who is about to command this point should see."""
        return {**self._gate.shown(point), **self._right(point.equipment)}

    def _right(self, equipment: str) -> dict[str, Any]:
        return {"signed_only": self._verifier.required, "controller": self._seats.holder(equipment) or None}

    async def answer(self, found: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request that holds an order: outcome, reason, trace, and what the act gives."""
        trace, now = Trace(), self._clock.now()
        try:
            signed = self._verifier.check(found, now, **self._here)
        except Refused as why:
            for check in (Check.SIGNATURE, Check.CREDENTIAL):
                if check is why.check:
                    break
                trace.passed(check, "通过", "passed")
            trace.failed(why)
            return self._told(None, found, now, trace, REFUSED, why.reason, {})
        order = signed.order
        for check in (Check.SIGNATURE, Check.CREDENTIAL, Check.ORDER):
            trace.passed(check, "通过", "passed")
        try:
            if order.act in (Act.SELECT, Act.EXECUTE):
                outcome, reason, more = await self._command(signed, trace)
            else:
                outcome, reason, more = await self._act(signed, trace)
        except Refused as why:
            trace.failed(why)
            outcome, reason, more = REFUSED, why.reason, {}
        except OSError as error:
            words = error.strerror or str(error)
            outcome, more = str(Outcome.FAILED), {}
            reason = Name(f"无法在本机磁盘记录：{words}", f"it cannot be noted on this gateway's disk: {words}")
        return self._told(signed, found, now, trace, outcome, reason, more)

    # ---- commands to points

    async def _command(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        order = signed.order
        place = self._devices.find(order.point)
        if place is None:
            raise Refused(Check.SCOPE, "网关没有该测点", f"this gateway has no point '{order.point}'")
        point = place[0].table.points[place[1]]
        command = Command(order.id, order.point, order.value or 0, _names(signed), order.deadline, order.unit or None)
        if order.act is Act.EXECUTE and not order.dry and self._writer.knows(command):
            # The same order again: its first answer, which went astray.
            return _of(await self._writer.carry_out(command))
        effect = self._gate.effect(point, order.value, order.unit)
        self._held_against(signed, point, effect, command, trace)
        failure = trace.first_failure
        if failure is not None:
            return REFUSED, failure.words, {}
        what = self._policy.named(effect)
        if order.dry:
            return WOULD, Name(f"将会{what.zh}", f"it would {what.en}"), {}
        if not effect.safe:
            self._seats.take(point.equipment, signed.who.name)
        if order.act is Act.SELECT:
            more = {"nonce": self._selects.make(order), "expires_s": self._selects.lasting_s, "effect": str(effect)}
            return SELECTED, Name(f"已选择，可{what.zh}", f"selected: it may {what.en}"), more
        answer = await self._writer.carry_out(command, Leave(permit=lambda: self._checks.ready(signed, point, effect)))
        return _of(answer)

    def _held_against(self, signed: Signed, point: Point, effect: Effect, command: Command, trace: Trace) -> None:
        """Every check, also after one has failed: the trace says all that stands in the way."""
        checks, who, machine = self._checks, signed.who, point.equipment
        mode = MODES[self._gate.mode(machine)]
        enough = Name("人数符合", "enough persons have signed")
        if signed.order.act is Act.SELECT and effect in self._policy.two_persons.effects:
            enough = Name("执行时需第二人签名", "a second person must sign the execute")
        steps: list[tuple[Check, str, str, Callable[[], object]]] = [
            (Check.SCOPE, "在权限范围内", "in scope", lambda: checks.scope(who, machine)),
            (Check.ROLE, "角色允许", "the role may", lambda: checks.may_do(who, effect)),
            (Check.MODE, mode.zh, mode.en, lambda: checks.mode(signed, machine, effect)),
            (Check.TAG, "无挂牌阻止", "no tag is in the way", lambda: self._gate.untagged(machine, effect)),
            (Check.INTERLOCK, "联锁满足", "interlocks hold", lambda: self._gate.unlocked(point, effect)),
            (
                Check.CONTROLLER,
                "控制权可用",
                "nobody else commands it",
                lambda: checks.controller(signed, machine, effect),
            ),
            (Check.SECOND, enough.zh, enough.en, lambda: checks.second(signed, machine, effect)),
            (Check.SELECTED, "选择有效", "the selection is good", lambda: checks.selected(signed, effect)),
            (Check.WRITER, "可写入", "the point takes the value", lambda: self._writer.consider(command)),
        ]
        for check, zh, en, holds in steps:
            try:
                holds()
            except Refused as why:
                trace.failed(Refused(check, why.reason.zh, why.reason.en))
            except Unwritable as why:
                trace.failed(Refused(Check.WRITER, why.reason.zh, why.reason.en))
            else:
                trace.passed(check, zh, en)

    # ---- acts about machines

    async def _act(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        order, who, checks = signed.order, signed.who, self._checks
        machine = order.machine()
        # A restore names its linkage: whoever gives it commands all that the linkage cut.
        for each in (self._gate.linked(machine) or (machine,)) if order.act is Act.RESTORE else (machine,):
            checks.scope(who, each)
        trace.passed(Check.SCOPE, "在权限范围内", "in scope")
        checks.may_act(who, order.act)
        trace.passed(Check.ROLE, "角色允许", "the role may")
        match order.act:
            case Act.TAG:
                return await self._hang(signed)
            case Act.UNTAG:
                tag = checks.removable(signed, self._tags.get(order.nonce))
                trace.passed(Check.TAG, "可以摘除", "it may be removed")
                return await self._take_off(signed, tag)
            case Act.TAKE:
                holder = self._seats.holder(machine)
                if holder not in (FREE, who.name):
                    checks.override(signed, machine)
                trace.passed(Check.CONTROLLER, "可以接管", "it may be taken")
                if not order.dry:
                    self._seats.take(machine, who.name)
                return _done(order.dry, f"{who.name} 已接管 {machine}", f"{who.name} has the control of {machine}")
            case Act.HAND:
                return self._hand(signed, trace)
        if self.restores is None:
            raise Refused(Check.ORDER, "本网关没有可复位的联动", "this gateway has no linkage to restore")
        if order.dry:
            return WOULD, Name("可以请求复位", "it may be asked to restore"), {}
        told = await self.restores(machine, _names(signed))
        reason = Name(told["reason"]["zh"], told["reason"]["en"])
        more = {key: value for key, value in told.items() if key not in ("outcome", "reason")}
        return str(told["outcome"]), reason, more

    async def _hang(self, signed: Signed) -> tuple[str, Name, dict[str, Any]]:
        order, who = signed.order, signed.who.name
        if not self._gate.reads(order.equipment):
            en = f"this gateway reads no point of '{order.equipment}': tag it where it is commanded"
            raise Refused(Check.ORDER, f"本网关没有设备 {order.equipment}", en)
        hangs = self._tags.get(order.id)
        if hangs is not None and (hangs.equipment, hangs.who) != (order.equipment, who):
            # Ids are shown to everybody: hung anew under one, a tag would take another person's away.
            raise Refused(Check.TAG, "该编号是另一块牌的", f"the id '{order.id}' is another tag's")
        if len(self._tags) >= MOST:
            raise Refused(Check.TAG, "挂牌过多", f"{MOST} tags hang already")
        if order.dry:
            return WOULD, Name("可以挂牌", "it may be tagged"), {}
        tag = Tag(order.id, order.equipment, who, order.reason, self._clock.now())
        await self._tags.hang(tag)
        self._record.tag(tag)
        log.warning("tag_hung", equipment=tag.equipment, who=who, reason=tag.reason)
        return DONE, Name(f"{order.equipment} 已挂牌", f"{order.equipment} is tagged"), {"tag": tag.id}

    async def _take_off(self, signed: Signed, tag: Tag) -> tuple[str, Name, dict[str, Any]]:
        if signed.order.dry:
            return WOULD, Name("可以摘牌", "the tag may be removed"), {}
        await self._tags.remove(tag)
        self._record.tag(tag, self._clock.now(), [person.name for person in signed.persons])
        log.warning("tag_removed", equipment=tag.equipment, who=_names(signed), of=tag.who)
        left = len(self._tags.on(tag.equipment))
        words = Name(f"已摘牌，还有 {left} 块", f"the tag is removed, {left} more hang on {tag.equipment}")
        return DONE, words, {"left": left}

    def _hand(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        order, who, machine = signed.order, signed.who.name, signed.order.equipment
        holder = self._seats.holder(machine)
        if holder != who:
            raise Refused(
                Check.CONTROLLER,
                f"控制权不在 {who}（现在：{holder or '无人'}）",
                f"{who} does not have the control of {machine} ({holder or 'nobody'} has)",
            )
        trace.passed(Check.CONTROLLER, "控制权在本人", "it is theirs")
        if not order.dry:
            if order.to:
                self._seats.take(machine, order.to)
            else:
                self._seats.free(machine)
        to = order.to or "—"
        return _done(order.dry, f"{machine} 的控制权已移交：{to}", f"the control of {machine} is handed over: {to}")

    # ---- telling

    def _told(
        self,
        signed: Signed | None,
        found: dict[str, Any],
        now: int,
        trace: Trace,
        outcome: str,
        reason: Name,
        more: dict[str, Any],
    ) -> dict[str, Any]:
        act = "unbelieved" if signed is None else str(signed.order.act)
        self.counts[f"{act}_{outcome}_total"] += 1
        order = None if signed is None else signed.order
        machine, key = "", f"unbelieved-{now}"
        told: dict[str, Any] = {"trace": [f"{each.check}:{'ok' if each.passed else 'no'}" for each in trace.findings]}
        if signed is not None and order is not None:
            # Once per order: what of it was repeated is the same event.
            key = f"{order.id}-{order.act}"
            machine = order.machine() if self._gate.reads(order.machine()) else ""
            told |= {"order": order.as_json(), "who": _names(signed)}
        self._record.order(machine, key, now, outcome, reason, told)
        log.info("order", act=act, outcome=outcome, reason=reason.en, who=told.get("who", "?"))
        return {
            "id": _claimed(found, "id"),
            "act": act,
            "outcome": outcome,
            "reason": {"zh": reason.zh, "en": reason.en},
            "at": self._clock.now(),
            "trace": trace.as_json(),
            # An answer to an execute is one to a command, too: see models.command.
            "point": _claimed(found, "point"),
            "value": None,
            "unit": "",
            **more,
        }


def _claimed(found: dict[str, Any], name: str) -> str:
    """What a request says of itself, believed or not: for nobody but who sent it."""
    order = found.get("order")
    value = order.get(name) if isinstance(order, dict) else None
    return value[:160] if isinstance(value, str) else ""


def _names(signed: Signed) -> str:
    return " + ".join(person.name for person in signed.persons)


def _done(dry: bool, zh: str, en: str) -> tuple[str, Name, dict[str, Any]]:
    return (WOULD if dry else DONE), Name(zh, en), {}


def _of(answer: Answer) -> tuple[str, Name, dict[str, Any]]:
    more = {"point": answer.point, "value": answer.value, "unit": answer.unit}
    return str(answer.outcome), answer.reason, more
