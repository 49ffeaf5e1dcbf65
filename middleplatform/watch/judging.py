"""From messages to changes of alarms: what the engine finds, with the facts of its rules."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import structlog

from bus.connection import Message
from bus.subjects import source_of
from middleplatform.alarms.condition import Act, Change
from middleplatform.store.catalogue import Catalogue, known
from models.alarms import Engine, Finding, Rules
from models.samples import Batch, Samples, WireError, concat
from models.site.model import Site

log = structlog.get_logger("watch")

TOGETHER_US = 1_000_000
"""Messages that were stored within so short a time are judged at once."""
DEAF = "platform.deaf"
"""The one condition for all that is silent because the platform itself hears nothing."""
DEAF_VERSION = 1


class Judging:
    """One engine and the site that it judges. `malformed`: messages that could not be read; `foreign`: samples of
    points that their gateway does not read; `judged`: samples."""

    def __init__(self, site: Site, today: datetime.date) -> None:
        self.malformed = self.foreign = self.judged = 0
        self._names: set[str] = set()
        self._bind(site, today)

    def restore(self, memory: bytes | None) -> None:
        """Go on where an engine left off; a memory that cannot be read is told, and begun without."""
        if memory is None:
            return
        try:
            self.engine.restore(memory)
        except ValueError as error:
            log.error("报警引擎的记忆无法读取，从头判别 · the engine's memory cannot be read", error=str(error))

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
            if last or messages[place + 1].stored - begun > TOGETHER_US:
                changes += self._changes(self.engine.judge(concat(parts), message.stored))
                parts = []
        return changes

    def tick(self, now: int) -> list[Change]:
        """What time alone brings about by `now`, µs UTC."""
        due = self.engine.next_due()
        return [] if due is None or due > now else self._changes(self.engine.tick(now))

    def deaf(self, act: Act, ts: int) -> Change:
        """That the platform hears nothing, or hears again."""
        return Change(DEAF, self.site.code, act, ts, DEAF_VERSION, priority=1, statutory=True)

    def follow(self, site: Site, today: datetime.date) -> None:
        """Go on with another version of the site, or with the rules of another day; what both know stays as it is."""
        memory = self.engine.memory()
        self._bind(site, today)
        self.engine.restore(memory)

    def withdrawn(self, active: Iterable[tuple[str, str]], now: int) -> list[Change]:
        """Returns of what is raised in the book by rules of the engine's own that hold no longer for it."""
        gone = [name for name in active if name[0] in self._names and name not in self._alarms]
        note = "规则不再适用 · the rule holds no longer"
        return [Change(*name, Act.RETURN, now, 0, priority=4, note=note) for name in gone]

    def _bind(self, site: Site, today: datetime.date) -> None:
        self.site, self.today = site, today
        self.rules = Rules.of(site, today)
        self._names |= {fact.name for fact in self.rules.facts}
        self._alarms = frozenset(self.rules.alarms())
        self.engine = Engine(self.rules, site)
        self._catalogue = Catalogue(site)

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
            late=found.late,
            value=found.value,
            quality=found.quality,
            cause=found.cause,
            note="；".join(words) or None,
        )
