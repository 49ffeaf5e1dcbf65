"""From messages to changes of alarms: what the engine finds, with the facts of its rules."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import structlog

from bus.connection import Message
from bus.subjects import source_of
from middleplatform.alarms.condition import Act, Change
from middleplatform.store.catalogue import Catalogue, known
from middleplatform.watch.clock import quiet_us
from models.alarms import Engine, Finding, Rules
from models.alarms.engine import BACK_US
from models.samples import Batch, Samples, WireError, concat
from models.site.model import Site

log = structlog.get_logger("watch")

TOGETHER_US = 1_000_000
"""Messages that were stored within so short a time are judged at once."""
DEAF = "platform.deaf"
"""The one condition for all that is silent because the platform itself hears nothing."""
CLOCK = "platform.clock"
"""The clock of the bus was set back."""
PLATFORM = "platform."
"""So begins what the platform finds by no rule of the engine, here or in another process, which returns it itself."""
OURS_VERSION = 1


class Judging:
    """One engine and the site that it judges. `malformed`: messages that could not be read; `broken`: those at which
    judging failed, which is a defect of ours; `foreign`: samples of points that their gateway does not read; `judged`:
    samples."""

    def __init__(self, site: Site, today: datetime.date) -> None:
        self.malformed = self.broken = self.foreign = self.judged = 0
        self._bind(site, today)

    def restore(self, memory: bytes | None, active: Iterable[tuple[str, str]], now: int) -> list[Change]:
        """Go on where an engine left off; a memory that cannot be read is told, and begun without. What the book has as
        `active` and the engine does not is judged anew, or returned where no rule knows it: nothing stays by itself."""
        if memory is not None:
            try:
                self.engine.restore(memory)
            except ValueError as error:
                log.error("报警引擎的记忆无法读取，从头判别 · the engine's memory cannot be read", error=str(error))
        names = list(active)
        self.engine.adopt(self._alarms.intersection(names).difference(self.engine.active()))
        return self.withdrawn(names, now) + self._changes(self.engine.review())

    def judge(self, messages: Sequence[Message]) -> list[Change]:
        """What messages, in order, bring about. Their times are those at which the bus took them, so that the same
        messages find the same whenever they are judged."""
        changes: list[Change] = []
        parts: list[Samples] = []
        begun = 0
        for place, message in enumerate(messages):
            begun = begun if parts else message.stored
            parts.append(self._read(message))
            last = place + 1 == len(messages)
            apart = 0 if last else messages[place + 1].stored - begun
            if last or apart > TOGETHER_US or apart < -BACK_US:
                changes += self._judge(parts, message.stored)
                parts = []
        return changes

    def tick(self, now: int) -> list[Change]:
        """What time alone brings about by `now`, µs UTC."""
        due = self.engine.next_due()
        if due is None or due > now:
            return []
        try:
            return self._changes(self.engine.tick(now))
        except Exception:
            self.failed()
            return []

    def deaf(self, act: Act, ts: int) -> Change:
        """That the platform hears nothing, or hears again."""
        return Change(DEAF, self.site.code, act, ts, OURS_VERSION, priority=1, statutory=True)

    def follow(self, site: Site, today: datetime.date) -> list[Change]:
        """Go on with another version of the site, or with the rules of another day; what both know stays as it is, and
        what stands is judged by the new rules at once."""
        memory, back = self.engine.memory(), self.engine.back
        self._bind(site, today)
        self.engine.restore(memory)
        self.engine.back = back
        return self._changes(self.engine.review())

    def withdrawn(self, active: Iterable[tuple[str, str]], now: int) -> list[Change]:
        """Returns of what is raised in the book by rules that hold no longer for it."""
        gone = [name for name in active if not name[0].startswith(PLATFORM) and name not in self._alarms]
        note = "规则不再适用 · the rule holds no longer"
        return [Change(*name, Act.RETURN, now, 0, priority=4, note=note) for name in gone]

    def _bind(self, site: Site, today: datetime.date) -> None:
        rules = Rules.of(site, today)
        engine, catalogue = Engine(rules, site, quiet_us(site)), Catalogue(site)
        self.site, self.today, self.rules, self.engine, self._catalogue = site, today, rules, engine, catalogue
        self._alarms = frozenset(rules.alarms())

    def _judge(self, parts: Sequence[Samples], now: int) -> list[Change]:
        """Judged together; where that fails, each by itself, so that one takes no other with it."""
        back = self.engine.back
        try:
            found = self.engine.judge(concat(parts), now)
        except Exception:
            self.engine.doubt()
            if len(parts) == 1:
                self.failed()
                return []
            return [change for part in parts for change in self._judge([part], now)]
        clock = self._set_back(now) if self.engine.back > back else []
        return clock + self._changes(found)

    def failed(self) -> None:
        """Something raised what nobody foresaw: it is passed over, loudly."""
        self.broken += 1
        log.exception("判别出错，已跳过，请报告 · judging failed and was passed over: please report it")

    def _set_back(self, now: int) -> list[Change]:
        log.error("总线时钟回拨 · the clock of the bus was set back", to=now)
        note = "总线时钟回拨，请检查对时 · the clock of the bus was set back: look at its time source"
        facts = {"rule_version": OURS_VERSION, "priority": 2, "note": note}
        return [Change(CLOCK, self.site.code, act, now, **facts) for act in (Act.RAISE, Act.RETURN)]

    def _read(self, message: Message) -> Samples:
        try:
            batch = Batch.decode(message.data)
            if batch.gateway != source_of(message.subject):
                raise WireError(f"a batch of gateway '{batch.gateway}' came on the subject '{message.subject}'")
        except WireError as error:
            self.malformed += 1
            log.warning("a message cannot be read and is not judged", error=str(error)[:200])
            return Samples.empty()
        ours = known(batch.samples.point, self._catalogue.of(batch.gateway))
        self.foreign += int(len(ours) - ours.sum())
        self.judged += int(ours.sum())
        return batch.samples if ours.all() else batch.samples.take(ours)

    def _changes(self, found: Sequence[Finding]) -> list[Change]:
        return [self._change(each) for each in found]

    def _change(self, found: Finding) -> Change:
        rule = self.rules.rule(found.rule, found.subject)
        words = [
            word for word, so in (("抖动 · chattering", found.chattering), ("首出 · first out", found.first_out)) if so
        ]
        act = found.act
        if not rule.annunciate:
            words.append("开始 · began" if act is Act.RAISE else "结束 · ended")
            act = Act.RECORD
        return Change(
            found.rule,
            found.subject,
            act,
            found.ts,
            rule.version,
            rule.priority,
            rule.kind,
            rule.statutory,
            latched=rule.latching and act is Act.RETURN,
            late=found.late,
            value=found.value,
            quality=found.quality,
            cause=found.cause,
            takes=found.takes,
            began=found.began,
            note="；".join(words) or None,
        )
