"""Ending a trip: what restoring a linkage would let go of and command, what stands in its way, and the doing.

Who may is not judged here: a person's order comes in by the door for signed orders (see control.restoring) and by no
other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.clock import WallClock
from gateway.leave import Permit
from gateway.linkage.acting import Acting
from gateway.linkage.judge import Judge, Of, Seen
from gateway.linkage.latches import Latch, Latches
from gateway.linkage.telling import Saying, as_told
from models.command import Outcome
from models.quality import label
from models.site.model import Linkage, Name, Site

UNREADABLE = Name("闭锁记录无法读取，尚无矿井配置", "the record of latches cannot be read, and there is no site yet")


@dataclass(frozen=True, slots=True)
class Restorable:
    """Of a tripped rule: what its latch `holds`, and what its restore would `command`; both path → value."""

    holds: Mapping[str, float] = field(default_factory=dict)
    command: Mapping[str, float] = field(default_factory=dict)


class Restoring:
    """Of one gateway. `use` gives it the site and the judge of now."""

    def __init__(
        self,
        acting: Acting,
        latches: Latches,
        saying: Saying,
        clock: WallClock,
        counts: MutableMapping[str, int],
    ) -> None:
        self._acting, self._latches, self._saying, self._clock = acting, latches, saying, clock
        self._counts = counts
        counts |= {"restores_total": 0, "refused_restores_total": 0}
        self._rules: Mapping[str, Linkage] | None = None
        self._numbers: Mapping[str, int] = {}
        self._judge = Judge((), {}, 0)

    def use(self, site: Site, judge: Judge) -> None:
        """`judge` judges every rule of the site that is tripped here, also one that would not trip any more."""
        self._rules = {one.id: one for one in site.linkages}
        self._judge, self._numbers = judge, {one.id: number for number, one in enumerate(judge.linkages)}

    def restorable(self, rule: str) -> Restorable:
        """What restoring this rule is about; nothing when it has not tripped here."""
        latch = self._latches.tripped.get(rule)
        if latch is None:
            return Restorable()
        one = (self._rules or {}).get(rule)
        return Restorable(latch.command, {} if one is None else one.restores())

    def refusal(self, rule: str) -> Name | None:
        """Why a rule may not be restored now: it has not tripped, or its conditions do not hold, by good and present
        samples. A latch outlives its rule's being switched off; only a rule that its site has no more has none."""
        if rule not in self._latches.tripped:
            return Name("该联动没有动作", "this rule has not tripped")
        if self._rules is None:
            return Name("网关尚无矿井配置，复电条件未知", "this gateway has no site yet: what must hold is not known")
        if rule not in self._rules:
            return None
        return self._not_so(self._numbers[rule], self._clock.now())

    def _not_so(self, number: int, now: int) -> Name | None:
        one = self._judge.linkages[number]
        if one.restore is not None and not self._judge.holds(number, Of.RESTORE, now):
            left = [seen for seen in self._judge.seen(number, Of.RESTORE, now) if not seen.met]
            return _shown("复电条件不满足", "what must hold to restore does not", left)
        if self._judge.holds(number, Of.WHEN, now):
            held = [seen for seen in self._judge.seen(number, Of.WHEN, now) if seen.met or seen.lost]
            return _shown("动作条件仍成立", "what it trips by still holds", held)
        if unknown := self._judge.unknown(number, now):
            return _shown("动作条件现在未知", "whether what it trips by holds is not known", unknown)
        return None

    def standing(self) -> dict[str, Any]:
        """What is tripped here, for whoever is about to restore it. `trouble`: why it is not known what is."""
        now, unreadable = self._clock.now(), self._latches.unreadable
        trouble = UNREADABLE.words() if unreadable else None
        return {"linkages": [self._shown(each, now) for each in self._latches.tripped.values()], "trouble": trouble}

    def _shown(self, latch: Latch, now: int) -> dict[str, Any]:
        number, why = self._numbers.get(latch.rule), self.refusal(latch.rule)
        holding = None
        if number is not None:
            holds = self._judge.holds(number, Of.WHEN, now)
            holding = None if not holds and self._judge.unknown(number, now) else holds
        return {
            **{name: getattr(latch, name) for name in ("rule", "version", "at", "done", "held", "doubt")},
            "holds": dict(latch.command),
            "command": dict(self.restorable(latch.rule).command),
            "holding": holding,
            "when": [] if number is None else [as_told(each) for each in self._judge.seen(number, Of.WHEN, now)],
            "restore": [] if number is None else [as_told(each) for each in self._judge.seen(number, Of.RESTORE, now)],
            "refusal": None if why is None else why.words(),
        }

    async def restore(self, rule: str, who: str, permit: Permit | None = None) -> dict[str, Any]:
        """Restore for `who`, who has proved to be allowed to. `permit`: asked before each write that follows.
        `outcome`: done or refused, with `reason` in both languages; failed or unknown when the lock is lifted and what
        follows was not done."""
        why = self.refusal(rule)
        if why is not None:
            return self._refused(rule, why, who)
        one, now = (self._rules or {}).get(rule), self._clock.now()
        self._counts["restores_total"] += 1
        if one is None:
            await self._acting.forget(rule, now, who)
            return _done(rule, "规则已不在配置中，闭锁已解除", "released: the site has no such rule any more")
        inputs = self._judge.seen(self._numbers[rule], Of.RESTORE, now)
        answers = await self._acting.restore(one, now, who, inputs, permit)
        return {**_came_of(rule, answers), "written": answers}

    def automatically(self, now: int) -> None:
        """Restore what its rule has restored without a person. What is in doubt is for a person."""
        for rule, number in self._numbers.items():
            latch, one = self._latches.tripped.get(rule), self._judge.linkages[number]
            if latch is None or latch.doubt or one.restore is None or not one.restore.automatic:
                continue
            if self.refusal(rule) is None:
                self._acting.restore(one, now, "automatic")

    def _refused(self, rule: str, reason: Name, who: str) -> dict[str, Any]:
        self._counts["refused_restores_total"] += 1
        now = self._clock.now()
        known = (self._rules or {}).get(rule, rule)
        self._saying.say("refused", known, now, reason, end=now, more={"who": who})
        return {"outcome": "refused", "rule": rule, "reason": reason.words()}


def _done(rule: str, zh: str, en: str) -> dict[str, Any]:
    return {"outcome": "done", "rule": rule, "reason": {"zh": zh, "en": en}}


def _came_of(rule: str, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of a restore whose writes were answered so."""
    open_ = {path: answer for path, answer in answers.items() if answer["outcome"] != Outcome.DONE}
    if not open_:
        return _done(rule, "已复位", "restored")
    unknown = any(answer["outcome"] == Outcome.UNKNOWN for answer in open_.values())
    shown = "; ".join(
        f"{path.partition('/')[2]}: {answer['outcome']}, {answer['reason']}" for path, answer in open_.items()
    )
    zh = f"闭锁已解除，但未完成随后的写入，请另行下令：{shown}"
    en = f"the lock is lifted, and what was to be written then was not done, order it by itself: {shown}"
    return {**_done(rule, zh, en), "outcome": str(Outcome.UNKNOWN if unknown else Outcome.FAILED)}


def _shown(zh: str, en: str, seen: Sequence[Seen]) -> Name:
    """`zh` and `en`, and what each comparison that decides looks at now."""
    shown = [(each.comparison.text, _value(each.value), _words(each.quality)) for each in seen]
    return Name(
        f"{zh}：{'；'.join(f'{text}，现为 {value.zh}（{quality.zh}）' for text, value, quality in shown)}",
        f"{en}: {'; '.join(f'{text}, and it is {value.en} ({quality.en})' for text, value, quality in shown)}",
    )


def _value(value: float) -> Name:
    return Name("未知", "not known") if math.isnan(value) else Name(f"{value:g}", f"{value:g}")


def _words(quality: int) -> Name:
    return Name(label(quality, "zh"), label(quality, "en"))
