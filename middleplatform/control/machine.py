"""A run of a sequence as a state machine: no clock, no bus, no database.

It is ticked with the time and a look at the points, and says what it did (lines of the journal) and what it would
command. Whoever drives it writes lines and progress to disk first and gives the command then, so that after a kill
the journal holds every command that may have been given. What it does not know it does not start upon.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from middleplatform.control.confirming import Watch
from middleplatform.control.left_running import BACK
from middleplatform.control.progress import NOTHING, Deed, Give, Line, Phase, Progress
from models.command import Outcome
from models.sequence import Condition, Direction, Look, OnFailure, Sequence, Step, short
from models.site.model import Name

AGAIN_US = 1_000_000
"""A stop of the abort path that did not get through is given again after this, as often as its time allows: a stop
harms nobody, and the gateway lets no write through before it has read back one of unknown outcome."""
UNWATCHED_S = 30.0
"""A run that nobody has driven for longer than this holds when it is taken over."""


@dataclass(slots=True)
class Told:
    """What came of a tick or an act: lines for the journal, and at most one command."""

    lines: list[Line] = field(default_factory=list)
    give: Give | None = None


class Machine:
    """One run. Times µs UTC."""

    def __init__(self, sequence: Sequence, progress: Progress | None = None) -> None:
        self.sequence = sequence
        self.progress = progress or Progress()
        self._watch = Watch()
        self._again = 0
        self._refusal = NOTHING
        """Why the last command of this step of the abort path did not get through."""
        self._stop = 0
        """The number of the last command of the abort path: it does not wait for what was asked before it began."""

    # ---- what people and the driver do

    def begin(self, now: int, look: Look) -> Told:
        """Look at what it needs, and begin or refuse."""
        told = Told()
        wrong = [_now(need, look) for need in self.sequence.needs if need.met(look) is False]
        unknown = [need.text() for need in self.sequence.needs if need.met(look) is None]
        if wrong or unknown:
            zh = [*(f"不满足：{text.zh}" for text in wrong), *(f"未知：{text}" for text in unknown)]
            en = [*(f"not so: {text.en}" for text in wrong), *(f"not known: {text}" for text in unknown)]
            zh.append("未启动任何设备，处理后重新启动" + ("；未知的请查看设备与网关通信" if unknown else ""))
            en.append("nothing was commanded: see to it and start again")
            if unknown:
                en.append("of what is not known look whether its device and gateway answer")
            self._end(told, Phase.REFUSED, Deed.REFUSE, Name("；".join(zh), "; ".join(en)))
            return told
        told.lines.append(Line(Deed.BEGIN))
        self._warn_or_run(told, now)
        return told

    def take_over(self, now: int, unwatched_s: float) -> Told:
        """Another process has driven it until now."""
        told = Told()
        was = self.progress
        if was.phase.ended or was.phase is Phase.ASKED:
            return told
        told.lines.append(
            Line(Deed.TAKE_OVER, Name(f"{unwatched_s:.1f} 秒后接管", f"taken over after {unwatched_s:.1f} s"))
        )
        lost, self.progress = was.asked, was.but(asked={}, since=was.since + round(unwatched_s * 1e6))
        for number, (point, step) in lost.items():
            words = Name("执行中进程中断，结果未知", "the process was killed meanwhile: its outcome is unknown")
            told.lines.append(Line(Deed.ANSWER, words, step, number, point, outcome=str(Outcome.UNKNOWN)))
        if was.phase is Phase.ABORTING:
            return told
        stuck = was.stuck or any(step == self._step_id() for _, step in lost.values())
        self.progress = self.progress.but(stuck=stuck)
        if was.phase.waits:
            return told
        if lost:
            where = ", ".join(short(point) for point, _ in lost.values())
            self._hold(told, Name(f"命令结果未知：{where}", f"the outcome of a command is unknown: {where}"))
        elif unwatched_s > UNWATCHED_S:
            words = Name(f"{unwatched_s:.0f} 秒无人看管", f"nobody watched for {unwatched_s:.0f} s")
            self._hold(told, words)
        elif was.phase is Phase.WARNING:
            self._warn_or_run(told, now)
        return told

    def abort(self, now: int, who: str = "", why: Name | None = None) -> Told:
        """Take the way back, at any time."""
        told = Told()
        if not self.progress.phase.ended and self.progress.phase is not Phase.ABORTING:
            self._abort(told, now, why or Name("人工中止", "aborted by a person"), who)
        return told

    def pause(self, who: str) -> Told:
        """Give no further command until somebody resumes it."""
        told = Told()
        if self.progress.phase in (Phase.WARNING, Phase.RUNNING):
            words = Name("人工暂停", "paused by a person")
            self.progress = self.progress.but(phase=Phase.PAUSED, reason=words)
            told.lines.append(Line(Deed.PAUSE, words, self._step_id(), who=who))
        return told

    def resume(self, now: int, who: str, *, repeat: bool = False) -> Told:
        """Go on after a hold or pause. With `repeat` the command that got stuck, or else all of the step's, are given
        again; without it what got stuck counts as given, because the person has seen to it. A start is warned of anew
        before anything else is started. While a command is not answered nothing goes on: its answer says whether it is
        to be given again."""
        told = Told()
        was = self.progress
        if not was.phase.waits:
            return told
        if was.asked:
            words = Name("有命令尚未答复，稍后再继续", "a command is not answered yet: resume again once it is")
            told.lines.append(Line(Deed.REFUSE, words, self._step_id(), who=who))
            return told
        words = Name("重发命令", "the command again") if repeat else Name("继续", "goes on")
        told.lines.append(Line(Deed.RESUME, words, self._step_id(), who=who))
        command = (was.command if was.stuck else 0) if repeat else was.command + was.stuck
        self.progress = was.but(command=command, already=False, stuck=False, reason=NOTHING, who=who)
        self._watch.next_step()
        self._warn_or_run(told, now)
        return told

    def answered(self, number: int, outcome: Outcome, reason: Name, now: int) -> Told:
        """A command's answer is there, or will not come (unknown)."""
        told = Told()
        asked = dict(self.progress.asked)
        point, step_id = asked.pop(number, ("", ""))
        if not point:
            return told
        self.progress = self.progress.but(asked=asked)
        told.lines.append(Line(Deed.ANSWER, reason, step_id, number, point, outcome=str(outcome)))
        phase = self.progress.phase
        if step_id != self._step_id() or phase.ended or number != self.progress.given:
            return told
        warns = phase is Phase.WARNING
        if outcome is Outcome.DONE and warns:
            self.progress = self.progress.but(warned=self.progress.warned + 1)
        elif outcome is Outcome.DONE:
            self.progress = self.progress.but(command=self.progress.command + 1)
        elif phase is Phase.ABORTING:
            self._again, self._refusal = now + AGAIN_US, reason
        elif phase.waits:
            self.progress = self.progress.but(stuck=True)
        elif outcome is Outcome.UNKNOWN:
            words = Name(f"命令结果未知：{short(point)}", f"the outcome of a command is unknown: {short(point)}")
            self._hold(told, words, stuck=not warns)
        else:
            zh, en = ("被拒绝", "was refused") if outcome is Outcome.REFUSED else ("失败", "failed")
            words = Name(f"命令{zh}：{short(point)}：{reason.zh}", f"the command {en}: {short(point)}: {reason.en}")
            step = self._step()
            then = OnFailure.ABORT if warns or step is None else step.on_failure
            self._fail(told, now, words, then, stuck=not warns)
        return told

    # ---- time passes

    def tick(self, now: int, look: Look) -> Told:
        """Look, and go as far as may be gone now."""
        told = Told()
        phase = self.progress.phase
        if phase.ended or phase is Phase.ASKED:
            return told
        if phase is Phase.ABORTING:
            self._go_back(told, now, look)
            return told
        kept, needed = self._kept(), self._needed()
        lost = self._watch.lost(kept, now, look)
        missing = self._watch.lost(needed, now, look)
        unsure = self._watch.unsure((*kept, *needed), now, look)
        step = self._step()
        if lost is not None:
            self._abort(told, now, lost)
        elif phase.waits:
            pass
        elif missing is not None and step is not None:
            self._fail(told, now, missing, step.on_failure)
        elif unsure is not None:
            self._hold(told, unsure)
        elif phase is Phase.WARNING:
            self._warn(told, now)
        else:
            self._go_on(told, now, look, (*kept, *needed))
        return told

    def _warn(self, told: Told, now: int) -> None:
        if self.progress.asked:
            return
        if self.progress.warned < len(self.sequence.warn):
            self._command(told, self.sequence.warn[self.progress.warned])
        elif now - self.progress.since >= self.sequence.warning_s * 1e6:
            self._run(told, now)

    def _go_on(self, told: Told, now: int, look: Look, kept: tuple[Condition, ...]) -> None:
        step = self._step()
        if step is None:
            self._end(told, Phase.DONE, Deed.END, Name("完成", "done"))
            return
        progress = self.progress
        late = now - progress.since > step.within_s * 1e6
        if progress.command < len(step.commands) and not progress.already:
            if progress.asked:
                return
            if progress.command == 0 and self.sequence.direction is Direction.START and self._watch.already(step, look):
                self.progress = progress.but(already=True)
                told.lines.append(
                    Line(Deed.STEP, Name("已是如此，不发命令", "is so already: nothing is commanded"), step.id)
                )
            elif late:
                self._too_late(told, now, step)
            elif self._watch.sure(kept, look):
                self._command(told, step.commands[progress.command])
        elif self._watch.confirmed(step, progress.since, now, look):
            told.lines.append(Line(Deed.CONFIRM, step=step.id))
            self._enter(told, now, progress.step + 1)
        elif late:
            self._too_late(told, now, step)

    def _too_late(self, told: Told, now: int, step: Step) -> None:
        self._fail(told, now, _not_within(step), step.on_failure)

    def _go_back(self, told: Told, now: int, look: Look) -> None:
        progress, path = self.progress, self._way_back()
        if progress.step >= len(path):
            words = progress.reason
            if progress.missed:
                which = ", ".join(progress.missed)
                words = Name(f"{words.zh}；未确认：{which}", f"{words.en}; not confirmed: {which}")
            self._end(told, Phase.ABORTED, Deed.END, words)
            return
        step = path[progress.step]
        through = progress.command >= len(step.commands)
        late = now - progress.since > step.within_s * 1e6
        # What does not take the stop and stands all the same counts once its time is over, not before: it may be
        # about to start.
        if self._watch.confirmed(step, progress.since, now, look) and (through or late):
            told.lines.append(Line(Deed.CONFIRM, step=self._step_id()))
            self._enter(told, now, progress.step + 1)
        elif late:
            told.lines.append(Line(Deed.FAIL, self._why_not_stopped(step, look), self._step_id()))
            self.progress = progress.but(missed=(*progress.missed, step.id))
            self._enter(told, now, progress.step + 1)
        elif not through and self._stop not in progress.asked and now >= self._again:
            self._command(told, step.commands[progress.command])
            self._stop = self.progress.given

    def _why_not_stopped(self, step: Step, look: Look) -> Name:
        """With what a person needs who goes there: what the gateway said, and in which mode the machine is."""
        words, refusal = _not_within(step), self._refusal
        zh, en = [words.zh], [words.en]
        if refusal.en:
            zh.append(f"停止命令未执行：{refusal.zh}")
            en.append(f"the stop was not carried out: {refusal.en}")
        machines = {_machine(path) for path, _ in step.commands}
        for need in self.sequence.needs:
            if _machine(need.point) in machines and need.met(look) is False:
                text = _now(need, look)
                zh.append(f"不满足：{text.zh}")
                en.append(f"not so: {text.en}")
        return Name("；".join(zh), "; ".join(en))

    # ---- how it moves

    def _step(self) -> Step | None:
        at, phase = self.progress.step, self.progress.phase
        steps = self._way_back() if phase is Phase.ABORTING else self.sequence.steps
        return steps[at] if at < len(steps) else None

    def _step_id(self) -> str:
        step, phase = self._step(), self.progress.phase
        if phase is Phase.WARNING or step is None:
            return ""
        return f"{BACK}{step.id}" if phase is Phase.ABORTING else step.id

    def _kept(self) -> tuple[Condition, ...]:
        return tuple(keep for step in self.sequence.steps[: self.progress.step] for keep in step.keep)

    def _needed(self) -> tuple[Condition, ...]:
        """What the run needs, looked at until its last command; what is about a machine, until that one is commanded:
        a pump that has to stand before it is started runs from then on."""
        progress = self.progress
        rest = self.sequence.steps[progress.step :]
        left = rest[0].commands[progress.command :] if rest and not progress.already else ()
        if not left and not any(step.commands for step in rest[1:]):
            return ()
        commanded = {_machine(path) for path in progress.touched}
        return tuple(need for need in self.sequence.needs if _machine(need.point) not in commanded)

    def _way_back(self) -> tuple[Step, ...]:
        """A start takes back what it has commanded, and nothing that ran before it; a stop takes its whole path."""
        if self.sequence.direction is Direction.STOP:
            return self.sequence.abort
        touched = self.progress.touched
        return tuple(
            step
            for step in self.sequence.abort
            if not step.commands or any(path in touched for path, _ in step.commands)
        )

    def _command(self, told: Told, command: tuple[str, float]) -> None:
        point, value = command
        progress = self.progress
        number, step = progress.given + 1, self._step_id()
        asked = {**progress.asked, number: (point, step)}
        self.progress = progress.but(given=number, asked=asked, touched=progress.touched | {point})
        told.lines.append(Line(Deed.COMMAND, step=step, number=number, point=point, value=value))
        told.give = Give(number, point, value)

    def _warn_or_run(self, told: Told, now: int) -> None:
        step = self._step()
        starts = step is not None and any(each.commands for each in self.sequence.steps[self.progress.step :])
        if starts and (self.sequence.warning_s or self.sequence.warn):
            words = Name(f"启动预警 {self.sequence.warning_s:g} 秒", f"warning for {self.sequence.warning_s:g} s")
            self.progress = self.progress.but(phase=Phase.WARNING, since=now, warned=0)
            told.lines.append(Line(Deed.WARN, words))
        else:
            self._run(told, now)

    def _run(self, told: Told, now: int) -> None:
        self.progress = self.progress.but(phase=Phase.RUNNING, since=now)
        if self._step() is not None:
            told.lines.append(Line(Deed.STEP, step=self._step_id()))

    def _enter(self, told: Told, now: int, step: int) -> None:
        self.progress = self.progress.but(step=step, command=0, already=False, since=now)
        self._watch.next_step()
        self._again, self._refusal = 0, NOTHING
        if self._step() is not None:
            told.lines.append(Line(Deed.STEP, step=self._step_id()))

    def _fail(self, told: Told, now: int, words: Name, then: OnFailure, *, stuck: bool = False) -> None:
        told.lines.append(Line(Deed.FAIL, words, self._step_id()))
        if then is OnFailure.HOLD:
            self._hold(told, words, stuck=stuck)
        else:
            self._abort(told, now, words)

    def _hold(self, told: Told, words: Name, *, stuck: bool | None = None) -> None:
        told.lines.append(Line(Deed.HOLD, words, self._step_id()))
        stuck = self.progress.stuck if stuck is None else stuck
        self.progress = self.progress.but(phase=Phase.HELD, reason=words, stuck=stuck)

    def _abort(self, told: Told, now: int, words: Name, who: str = "") -> None:
        told.lines.append(Line(Deed.ABORT, words, self._step_id(), who=who))
        self.progress = self.progress.but(phase=Phase.ABORTING, reason=words, who=who or self.progress.who)
        self._enter(told, now, 0)

    def _end(self, told: Told, phase: Phase, what: Deed, words: Name) -> None:
        told.lines.append(Line(what, words))
        self.progress = self.progress.but(phase=phase, reason=words)


def _machine(path: str) -> str:
    return path.rpartition("/")[0]


def _now(need: Condition, look: Look) -> Name:
    """What is needed, and what there is."""
    value = look(need.point)
    known = "?" if value is None else f"{value:g}"
    return Name(f"{need.text()}（现为 {known}）", f"{need.text()} (is {known} now)")


def _not_within(step: Step) -> Name:
    return Name(f"{step.within_s:g} 秒内未确认", f"not confirmed within {step.within_s:g} s")
