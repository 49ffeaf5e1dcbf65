"""The door for signed orders: believes, checks, carries out, and says why or why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.control.checks import Checks
from gateway.control.gate import SHOWN, Gate, Places
from gateway.control.record import Record
from gateway.control.restoring import NOTHING_TRIPPED, Latched, Restores
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
NOT_KNOWN = "unreadable"
"""In place of a tag's id, where the record cannot be read."""
SELECTED, DONE, REFUSED, WOULD = "selected", "done", "refused", "would"
"""Outcomes beside those of a command (models.command.Outcome): `would` is a dry run's."""


class Control:
    """Answers signed orders. `latched`: who holds what linkages have tripped, and restores it."""

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
        self.latched: Latched | None = None
        self._here = {"site": code, "gateway": gateway}
        self._verifier = verifier
        self._devices = devices
        self._writer = writer
        self._gate = gate
        self._tags = tags
        self._clock = clock
        self._record = record
        self._policy = policy
        self._began = clock.now()
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
        if "linkages" in found:
            return NOTHING_TRIPPED if self.latched is None else self.latched.standing()
        return self.tags() if "tags" in found else None

    def tags(self) -> dict[str, Any]:
        """All tags that hang here, and one on every machine while it is not known which others do."""
        trouble = self._tags.trouble
        known = [
            {"id": tag.id, "equipment": tag.equipment, "who": tag.who, "reason": tag.reason, "at": tag.at}
            for tag in self._tags
        ]
        if trouble is None:
            return {"tags": known}
        unknown = {"id": NOT_KNOWN, "who": "?", "reason": f"{trouble.zh} · {trouble.en}", "at": self._began}
        return {"tags": [*known, *({**unknown, "equipment": machine} for machine in sorted(self._gate.machines()))]}

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
        for check in (Check.SIGNATURE, Check.CREDENTIAL):
            trace.passed(check, "通过", "passed")
        if signed.doubt is None or order.act is Act.TAG:
            trace.passed(Check.ORDER, "通过", "passed")
        try:
            if order.act in (Act.SELECT, Act.EXECUTE):
                outcome, reason, more = await self._command(signed, trace)
            elif order.act is Act.SETTLE:
                outcome, reason, more = await self._settle(signed, trace)
            else:
                if order.act is not Act.TAG and not order.dry:
                    # A tag, like what stops, waits for nothing.
                    await self._kept(signed)
                outcome, reason, more = await self._act(signed, trace)
        except Refused as why:
            trace.failed(why)
            outcome, reason, more = REFUSED, why.reason, {}
        except OSError as error:
            words = error.strerror or str(error)
            outcome, more = str(Outcome.FAILED), {}
            reason = Name(f"无法在本机磁盘记录：{words}", f"it cannot be noted on this gateway's disk: {words}")
        return self._told(signed, found, now, trace, outcome, reason, more)

    async def _kept(self, signed: Signed) -> None:
        """That it came is on disk. Raises OSError, at its deadline at the latest."""
        await self._verifier.kept(max(0.0, (signed.order.deadline - self._clock.now()) / 1e6))

    # ---- commands to points

    async def _command(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        order = signed.order
        place = self._devices.find(order.point)
        if place is None:
            raise Refused(Check.SCOPE, "网关没有该测点", f"this gateway has no point '{order.point}'")
        point = place[0].table.points[place[1]]
        value = 0 if order.value is None else order.value
        command = Command(order.id, order.point, value, _names(signed), order.deadline, order.unit or None)
        if signed.again:
            if not self._writer.knows(command):
                raise Refused(Check.ORDER, "该命令已收到过", "this order has come before: sign another one")
            # Its first answer went astray.
            return _of(await self._writer.carry_out(command))
        effect = self._gate.effect(point, order.value, order.unit)
        if signed.doubt is not None:
            if not effect.safe:
                raise signed.doubt
            trace.passed(Check.ORDER, "停止与断电不因此拒绝", "not refused for what stops")
        if order.act is Act.EXECUTE and not order.dry and not effect.safe:
            await self._kept(signed)
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
            # What stops needs none, and is not refused where there is no room for one more.
            nonce = "" if effect in self._policy.direct.effects else self._selects.make(order)
            more = {"nonce": nonce, "expires_s": self._selects.lasting_s, "effect": str(effect)}
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
        if order.act is Act.RESTORE:
            return await self._restore(signed, trace)
        checks.scope(who, machine)
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
        return self._hand(signed, trace)

    async def _restore(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        if self.latched is None:
            raise Refused(Check.ORDER, "本网关没有可复位的联动", "this gateway has no linkage to restore")
        restores = Restores(self._devices, self._gate, self._checks, self.latched)
        restores.held_against(signed, trace)
        return await restores.carry_out(signed, _names(signed))

    async def _hang(self, signed: Signed) -> tuple[str, Name, dict[str, Any]]:
        order, who = signed.order, signed.who.name
        if not self._gate.reads(order.equipment):
            en = f"this gateway reads no point of '{order.equipment}': tag it where it is commanded"
            raise Refused(Check.ORDER, f"本网关没有设备 {order.equipment}", en)
        hangs = self._tags.get(order.id)
        if hangs is not None and not (hangs.equipment == order.equipment and hangs.is_of(signed.who)):
            # Ids are shown to everybody: hung anew under one, a tag would take another person's away.
            raise Refused(Check.TAG, "该编号是另一块牌的", f"the id '{order.id}' is another tag's")
        if len(self._tags) >= MOST:
            raise Refused(Check.TAG, "挂牌过多", f"{MOST} tags hang already")
        if order.dry:
            return WOULD, Name("可以挂牌", "it may be tagged"), {}
        tag = Tag(order.id, order.equipment, who, order.reason, self._clock.now(), signed.who.person)
        await self._tags.hang(tag)
        self._record.tag(tag)
        log.warning("tag_hung", equipment=tag.equipment, who=who, reason=tag.reason)
        words = Name(f"{order.equipment} 已挂牌", f"{order.equipment} is tagged")
        # What was let through just before stands in the way of nobody's tag, and is told to who is about to go there.
        points, sent = await self._writer.sent(order.equipment, max(0.0, (order.deadline - self._clock.now()) / 1e6))
        if points:
            which = ", ".join(points[:SHOWN])
            zh, en = ("刚刚执行完毕", "has just ended") if sent else ("可能仍在发送", "may still be on its way")
            words = Name(
                f"{words.zh}；注意：挂牌前放行的命令{zh}：{which}，请先核实设备状态",
                f"{words.en}; mind: what was let through before it {en}: {which}: look at the machine first",
            )
        return DONE, words, {"tag": tag.id}

    async def _take_off(self, signed: Signed, tag: Tag) -> tuple[str, Name, dict[str, Any]]:
        if signed.order.dry:
            return WOULD, Name("可以摘牌", "the tag may be removed"), {}
        await self._tags.remove(tag)
        self._record.tag(tag, self._clock.now(), [person.name for person in signed.persons])
        log.warning("tag_removed", equipment=tag.equipment, who=_names(signed), of=tag.who)
        left = len(self._tags.on(tag.equipment))
        words = Name(f"已摘牌，还有 {left} 块", f"the tag is removed, {left} more hang on {tag.equipment}")
        return DONE, words, {"left": left}

    async def _settle(self, signed: Signed, trace: Trace) -> tuple[str, Name, dict[str, Any]]:
        self._checks.may_act(signed.who, Act.SETTLE)
        trace.passed(Check.ROLE, "角色允许", "the role may")
        self._checks.settled(signed)
        trace.passed(Check.SECOND, "双人签名，范围含全部设备", "two persons, whose scope is every machine here")
        if self._tags.trouble is None:
            raise Refused(Check.TAG, "挂牌记录可读，无需处置", "the record of tags can be read: nothing to settle")
        if signed.order.dry:
            return WOULD, Name("可以处置", "it may be settled"), {}
        await self._kept(signed)
        settled = await self._tags.settle()
        log.warning("tags_settled", records=settled, who=_names(signed), reason=signed.order.reason)
        left = len(self._tags)
        words = Name(f"已处置，现有 {left} 块挂牌", f"settled: {left} tags hang, and no others are known")
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
            key = f"{order.serial}-{order.id}-{order.act}-{order.deadline}"
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
