"""sequences/*.yaml: the sequences of a mine as data, and what is wrong with them.

    sequences:
      start_belts:
        name: {zh: 主运输逆煤流启动, en: Start of the belt line against the coal}
        direction: start
        warning: 10 s
        needs: [{point: belt_101/mode, one_of: [2, 3]}]
        steps:
          belt_101:
            name: {zh: 启动主斜井皮带, en: Start the main incline belt}
            command: {belt_101/command: start}
            until: {all: [{point: belt_101/speed, of: belt_101/speed_set, at_least: 0.95, lasting: 5 s}]}
            keep: [{point: belt_101/running, equals: 1}]
            within: 120 s
        abort:
          belt_101: {name: …, command: {belt_101/command: stop}, until: …, within: 60 s}
        source: …

A step `{sequence: other}` stands for all steps of another sequence, whose needs and way back become its own too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.sequence import Condition, Direction, Emptying, Sequence, Step
from models.site.files import Folder
from models.site.model import Kind, Point
from models.site.problems import Problems, hinted
from models.site.schema import entries, validate
from models.site.sequence_entries import ConditionEntry, Included, SequenceEntry, StepEntry, UntilEntry
from models.site.there import unknown
from models.site.yamlfile import Document, parse
from models.site.yamlfile import Path as Place

FOLDER = "sequences"
MOST = 200
"""Sequences of a site."""
WARNING_S = (5.0, 15.0)
"""A pre-start warning (usual practice; MT/T 654 and the makers' manuals have 5 to 15 s)."""
CONFIRMED_S = 5.0
"""A belt counts as started when it has had its speed for 5 to 10 s (usual practice)."""
RESERVED = frozenset({"runs", "rotations"})
"""Names that the routes of the API need."""

_STARTS = frozenset({"start", "run", "on"})


@dataclass(frozen=True, slots=True)
class _Parts:
    """A sequence's entry with its steps."""

    entry: SequenceEntry
    steps: Mapping[str, StepEntry | Included]
    abort: Mapping[str, StepEntry]


def sequences(folder: Folder, problems: Problems, code: str, points: Mapping[str, Point]) -> dict[str, Sequence]:
    """The sequences of a site, whose `points` are named equipment/key; every mistake is added to the problems."""
    return _Reading(folder, problems, code, points).run()


class _Reading:
    def __init__(self, folder: Folder, problems: Problems, code: str, points: Mapping[str, Point]) -> None:
        self.folder, self.problems, self.code, self.points = folder, problems, code, points
        self.entries: dict[str, _Parts] = {}
        self.at: dict[str, Document] = {}

    def run(self) -> dict[str, Sequence]:
        for path in self.folder.list(FOLDER, (".yaml",)):
            text = self.folder.read_text(path)
            document = None if text is None else parse(text, self.folder.name(path), self.problems)
            if document is not None:
                for name, data in entries(document, "sequences", self.problems).items():
                    self._take(name, data, document)
        if len(self.at) > MOST:
            count = len(self.at)
            message = f"有 {count} 个顺序控制，最多接收 {MOST} 个 · has {count} sequences, at most {MOST} are taken"
            self.problems.add(FOLDER, "", message)
            return {}
        found: dict[str, Sequence] = {}
        for name, parts in self.entries.items():
            before = self.problems.count
            self._check(name, parts)
            whole = self._whole(name, ())
            if whole is not None and self.problems.count == before:
                self._check_whole(name, whole)
                found[name] = whole
        return found

    def _say(self, name: str, message: str, *below: str | int) -> None:
        document = self.at[name]
        self.problems.add(document.file, document.line(("sequences", name, *below)), message)

    def _take(self, name: str, data: Any, document: Document) -> None:
        place: Place = ("sequences", name)
        if name in self.at:
            first = self.at[name].file
            message = (
                f"顺序控制 '{name}' 出现两次；前一次在 {first} · the sequence '{name}' is here twice; first in {first}"
            )
            self.problems.add(document.file, document.line(place), message)
            return
        self.at[name] = document
        if name in RESERVED:
            self._say(
                name,
                f"顺序控制不能叫 '{name}'：请另起名称 · a sequence cannot be called '{name}': give it another name",
            )
        entry = validate(SequenceEntry, data, document, place, self.problems)
        if entry is None:
            return
        steps: dict[str, StepEntry | Included] = {}
        abort: dict[str, StepEntry] = {}
        for key, given in entry.steps.items():
            at = (*place, "steps", key)
            step: StepEntry | Included | None
            if given.keys() == {"sequence"}:
                step = validate(Included, given, document, at, self.problems)
            else:
                step = validate(StepEntry, given, document, at, self.problems)
            if step is not None:
                steps[key] = step
        for key, given in entry.abort.items():
            back = validate(StepEntry, given, document, (*place, "abort", key), self.problems)
            if back is not None:
                abort[key] = back
        self.entries[name] = _Parts(entry, steps, abort)

    # ---- what one sequence says

    def _check(self, name: str, parts: _Parts) -> None:
        entry = parts.entry
        own_path = bool(entry.abort)
        includes = any(isinstance(step, Included) for step in parts.steps.values())
        if not own_path and not includes:
            self._say(
                name,
                "没有中止路径：请在 abort: 下写明如何停止它启动的所有设备 · "
                "has no abort path: say under abort: how everything that it starts is stopped again",
            )
        if entry.direction is Direction.START and not WARNING_S[0] <= entry.warning <= WARNING_S[1]:
            low, high = WARNING_S
            self._say(
                name,
                f"启动前须预警 {low:g} 到 {high:g} s：请给出 warning: · "
                f"a start is warned of for {low:g} to {high:g} s: give warning:",
                "warning",
            )
        self._commands(name, entry.warn, "warn")
        for n, need in enumerate(entry.needs):
            self._condition(name, need, "needs", n)
        starting = {key: step for key, step in parts.steps.items() if isinstance(step, StepEntry) and step.command}
        for key, step in parts.steps.items():
            if isinstance(step, StepEntry):
                self._step(name, step, "steps", key)
        for key, back in parts.abort.items():
            self._step(name, back, "abort", key)
            for reference, value in back.command.items():
                if self._is_start(reference, value):
                    machine = reference.split("/")[0]
                    message = f"中止路径启动了 {machine} · the abort path starts {machine}"
                    self._say(name, message, "abort", key, "command")
        if entry.direction is Direction.START:
            self._starts(name, starting)

    def _starts(self, name: str, starting: Mapping[str, StepEntry]) -> None:
        for key, step in list(starting.items())[:-1]:
            if not step.keep:
                what = (
                    "后续步骤启动期间，本步骤已启动的须保持不变：请给出 keep: · "
                    "what this step has started must stay so while the next ones start: give keep:"
                )
                self._say(name, what, "steps", key)
        for key, step in starting.items():
            until = step.until
            if until is not None and all(each.lasting < CONFIRMED_S for each in (*until.all, *until.any)):
                document = self.at[name]
                line = document.line(("sequences", name, "steps", key, "until"))
                usual = (
                    f"'{key}' 的确认没有持续 {CONFIRMED_S:g} s 的条件，而启动通常如此 · "
                    f"'{key}' is confirmed by nothing that lasts {CONFIRMED_S:g} s, as is usual for a start"
                )
                self.problems.note(document.file, line, usual)

    def _step(self, name: str, step: StepEntry, *place: str) -> None:
        self._commands(name, step.command, *place, "command")
        until = step.until
        if until is not None:
            for part, conditions in (("all", until.all), ("any", until.any)):
                for n, condition in enumerate(conditions):
                    self._condition(name, condition, *place, "until", part, n)
                    if condition.lasting >= step.within:
                        message = (
                            "持续时间不短于步骤时限：永远无法确认 · "
                            "lasts as long as the step's time limit: it can never be confirmed"
                        )
                        self._say(name, message, *place, "until", part, n)
        for n, condition in enumerate(step.keep):
            self._condition(name, condition, *place, "keep", n)
        if step.empties is not None:
            point = self._point(name, step.empties.speed, *place, "empties", "speed")
            if point is not None and point.unit != "m/s":
                speed, unit = step.empties.speed, point.unit
                message = (
                    f"{speed} 的单位为 '{unit}'，须为 m/s 的速度 · {speed} is in '{unit}', a speed in m/s is needed"
                )
                self._say(name, message, *place, "empties")

    def _point(self, name: str, reference: str, *place: str | int) -> Point | None:
        message = unknown("bound point", reference, self.points)
        if message:
            self._say(name, message, *place)
        return self.points.get(reference)

    def _condition(self, name: str, condition: ConditionEntry, *place: str | int) -> None:
        point = self._point(name, condition.point, *place)
        whole = None if condition.of is None else self._point(name, condition.of, *place)
        if point is None:
            return
        if point.kind is Kind.TEXT:
            message = f"{condition.point} 是文本：不能比较 · {condition.point} is a text: it cannot be compared"
            self._say(name, message, *place)
        values = (*condition.one_of, *(() if condition.equals is None else (condition.equals,)))
        for value in values:
            if point.states and value not in point.states:
                self._say(name, _no_state(condition.point, f"{value:g}", point), *place)
        if whole is not None and whole.unit != point.unit:
            message = (
                f"{condition.of} 的单位为 '{whole.unit}'，{condition.point} 为 '{point.unit}' · "
                f"{condition.of} is in '{whole.unit}', {condition.point} in '{point.unit}'"
            )
            self._say(name, message, *place)

    def _commands(self, name: str, commands: Mapping[str, float | str], *place: str) -> None:
        for reference, value in commands.items():
            point = self._point(name, reference, *place)
            if point is None:
                continue
            if not point.writable:
                message = (
                    f"{reference} 不可写：其模板没有 writable: true · "
                    f"{reference} is not writable: its template does not say writable: true"
                )
                self._say(name, message, *place)
            elif (number := _number(point, value)) is None:
                self._say(name, _no_state(reference, f"'{value}'", point), *place)
            elif point.states and number not in point.states:
                self._say(name, _no_state(reference, f"{number:g}", point), *place)
            elif number < point.low or number > point.high:
                reach = f"{point.low:g} … {point.high:g} {point.unit}".rstrip()
                self._say(name, f"{number:g} 超出 {reach} · {number:g} is outside {reach}", *place)

    def _is_start(self, reference: str, value: float | str) -> bool:
        point = self.points.get(reference)
        number = None if point is None else _number(point, value)
        state = None if point is None or number is None else point.states.get(int(number))
        return state is not None and state.en in _STARTS

    # ---- with what it includes

    def _whole(self, name: str, above: tuple[str, ...]) -> Sequence | None:
        """The sequence with the steps of those that it includes in their places; None when it goes round in a circle
        or includes what is not there."""
        parts = self.entries[name]
        entry = parts.entry
        steps: list[Step] = []
        included: list[Sequence] = []
        for key, step in parts.steps.items():
            if isinstance(step, StepEntry):
                steps.append(self._made(key, step))
                continue
            other = step.sequence
            if other == name or other in above:
                way = " → ".join((*above, name, other))
                self._say(name, f"成环：{way} · goes round in a circle: {way}", "steps", key)
                return None
            if other not in self.entries:
                if other not in self.at:
                    message = hinted(f"没有顺序控制 '{other}'", f"there is no sequence '{other}'", other, self.at)
                    self._say(name, message, "steps", key, "sequence")
                return None
            part = self._whole(other, (*above, name))
            if part is None:
                return None
            included.append(part)
            steps += [replace(each, id=f"{other}/{each.id}") for each in part.steps]
        abort = [self._made(key, step) for key, step in parts.abort.items()]
        for part in reversed(included):
            abort += [replace(each, id=f"{part.id}/{each.id}") for each in part.abort]
        return Sequence(
            id=name,
            name=entry.name.resolved(),
            direction=entry.direction,
            steps=tuple(steps),
            abort=tuple(abort),
            needs=(*(need for part in included for need in part.needs), *map(self._resolved, entry.needs)),
            warning_s=max([entry.warning, *(part.warning_s for part in included)]),
            warn=(*(each for part in included for each in part.warn), *self._given(entry.warn)),
            source=entry.source,
        )

    def _check_whole(self, name: str, whole: Sequence) -> None:
        """What only shows when all its steps are together."""
        if not whole.abort:
            self._say(
                name,
                "没有中止路径：它自身和它包含的顺序控制都没有 · "
                "has no abort path: neither its own nor that of a sequence that it includes",
            )
        stopped = {path for step in whole.abort for path, _ in step.commands}
        for step in whole.steps:
            for path, value in step.commands:
                reference = path.partition("/")[2]
                if self._is_start(reference, value) and path not in stopped:
                    machine = reference.split("/")[0]
                    message = (
                        f"其中止路径没有停止 '{step.id}' 启动的 {machine} · "
                        f"its abort path does not stop {machine}, which '{step.id}' starts"
                    )
                    self._say(name, message)

    def _made(self, key: str, entry: StepEntry) -> Step:
        until = entry.until or UntilEntry.model_construct(all=(), any=())
        empties = entry.empties
        return Step(
            id=key,
            name=entry.name.resolved(),
            commands=self._given(entry.command),
            until=tuple(map(self._resolved, until.all or until.any)),
            any_of=bool(until.any),
            empties=None if empties is None else Emptying(self._path(empties.speed), empties.length_m, empties.margin),
            wait_s=entry.wait or 0.0,
            keep=tuple(map(self._resolved, entry.keep)),
            within_s=entry.within,
            on_failure=entry.on_failure,
        )

    def _path(self, reference: str) -> str:
        return f"{self.code}/{reference}"

    def _given(self, commands: Mapping[str, float | str]) -> tuple[tuple[str, float], ...]:
        found = []
        for reference, value in commands.items():
            point = self.points.get(reference)
            number = None if point is None else _number(point, value)
            if number is not None:
                found.append((self._path(reference), number))
        return tuple(found)

    def _resolved(self, entry: ConditionEntry) -> Condition:
        one_of = entry.one_of if entry.equals is None else (entry.equals,)
        of = "" if entry.of is None else self._path(entry.of)
        return Condition(self._path(entry.point), entry.at_least, entry.at_most, one_of, of, entry.lasting)


def _number(point: Point, value: float | str) -> float | None:
    """A command's value as a number: itself, or the code of the state of that name."""
    if not isinstance(value, str):
        return float(value)
    return next((float(code) for code, name in point.states.items() if value in (name.zh, name.en)), None)


def _no_state(name: str, value: str, point: Point) -> str:
    zh = "、".join(f"{code} {state.zh}" for code, state in point.states.items())
    en = ", ".join(f"{code} {state.en}" for code, state in point.states.items())
    return f"{name} 没有状态 {value}：现有 {zh} · {name} has no state {value}: there is {en}"
