"""A query read into a tree. What is not taken is refused by its name, never guessed at.

The language is described at https://prometheus.io/docs/prometheus/latest/querying/basics/ (read 2026-11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

LONGEST = 4_000
"""Characters of a query."""
DEEPEST = 30

OVER_TIME = ("avg", "min", "max", "sum", "count", "last", "quantile")
FUNCTIONS = ("rate", "increase", *(f"{name}_over_time" for name in OVER_TIME))
AGGREGATES = ("sum", "avg", "min", "max", "count")
ARITHMETIC = ("+", "-", "*", "/", "%", "^")

_UNITS = {"ms": 1_000, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 604_800 * 10**6,
          "y": 365 * 86_400 * 10**6}  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<skip>(?:\s|\#[^\n]*)+)
    |(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![A-Za-z0-9_]))
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_]))
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^(){}\[\],=<>@:])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


class PromError(Exception):
    """The query or a parameter is not taken; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """`op`: =, !=, =~, !~."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """`window` in µs: of a range vector; None for an instant vector."""

    matchers: tuple[Matcher, ...]
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """`parameter`: the quantile."""

    function: str
    over: Selector
    parameter: float = 0.0


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: str
    by: tuple[str, ...]
    of: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """At most one of the sides is a vector."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Constant:
    """`vector(…)`: a number as a vector of one series without labels."""

    of: Node


Node = Number | Selector | Call | Aggregate | Binary | Constant


def parse(text: str) -> Node:
    """The tree of a query. Raises PromError."""
    if len(text) > LONGEST:
        raise PromError(f"the query has over {LONGEST} characters")
    reading = _Reading(text)
    found = reading.expression(0)
    if reading.kind != "end":
        reading.refuse()
    if isinstance(found, Selector) and found.window is not None:
        raise PromError("a range vector has to be within a function, such as rate(…[5m])")
    return found


def is_scalar(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Binary) and is_scalar(node.left) and is_scalar(node.right))


def duration(text: str) -> int:
    """µs of `5m`, `1h30m` and the like. Raises PromError."""
    if not re.fullmatch(r"(?:[0-9]{1,9}(?:ms|[smhdwy]))+", text):
        raise PromError(f"'{text[:40]}' is not a duration, such as 5m or 1h30m")
    found = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text))
    if not 0 < found <= 3_660 * 86_400 * 10**6:
        raise PromError(f"the duration '{text[:40]}' must be above 0 and at most 3660 days")
    return found


class _Reading:
    """A place in the text: `kind` and `word` of the token there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = 0
        self._deep = 0
        self.at = 0
        self.kind, self.word = "", ""
        self.advance()

    def advance(self) -> str:
        """Go to the next token; the word of the one that was here."""
        before = self.word
        while True:
            self.at = self._next
            if self.at >= len(self._text):
                self.kind, self.word = "end", ""
                return before
            found = _TOKEN.match(self._text, self.at)
            if found is None:
                raise PromError(f"character {self.at + 1}: '{self._text[self.at]}' cannot be read")
            self._next = found.end()
            if found.lastgroup != "skip":
                self.kind, self.word = str(found.lastgroup), found[0]
                return before

    def refuse(self, why: str = "is not taken here") -> NoReturn:
        what = f"'{self.word[:40]}'" if self.kind != "end" else "the end"
        raise PromError(f"character {self.at + 1}: {what} {why}")

    def take(self, word: str) -> None:
        if self.word != word or self.kind not in {"sign", "name"}:
            self.refuse(f"where '{word}' should be")
        self.advance()

    def expression(self, level: int) -> Node:
        """Level 0 has + and -, 1 has * / %; what binds closer is read by `_power`."""
        self._deep += 1
        if self._deep > DEEPEST:
            raise PromError(f"the query is nested over {DEEPEST} deep")
        left = self._signed() if level == 2 else self.expression(level + 1)
        while level < 2 and self.kind == "sign" and self.word in (("+", "-"), ("*", "/", "%"))[level]:
            op = self.advance()
            left = _binary(op, left, self.expression(level + 1))
        if self.word in {"==", "!=", "<", ">", "<=", ">="} and self.kind == "sign":
            self.refuse("compares: comparisons are not supported")
        if self.kind == "name" and self.word in {"and", "or", "unless", "atan2", "offset", "bool", "on", "ignoring"}:
            self.refuse("is not supported")
        if self.word in {"@", "["} and self.kind == "sign":
            self.refuse("is not supported here: there are no subqueries and no '@'")
        self._deep -= 1
        return left

    def _signed(self) -> Node:
        """A power, with signs before it, which bind less: -2^2 is -4."""
        negative = False
        while self.kind == "sign" and self.word in {"+", "-"}:
            negative ^= self.advance() == "-"
        found = self._power()
        return _binary("*", Number(-1.0), found) if negative else found

    def _power(self) -> Node:
        base = self._atom()
        if self.kind == "sign" and self.word == "^":
            self.advance()
            self._deep += 1
            if self._deep > DEEPEST:
                raise PromError(f"the query is nested over {DEEPEST} deep")
            base = _binary("^", base, self._signed())
            self._deep -= 1
        return base

    def _atom(self) -> Node:
        if self.kind == "number":
            return Number(float(self.advance()))
        if self.kind == "sign" and self.word == "(":
            self.advance()
            found = self.expression(0)
            self.take(")")
            return found
        if self.kind == "sign" and self.word == "{":
            return self._window(Selector(self._matchers()))
        if self.kind != "name":
            self.refuse("where a metric, a number or a function should be")
        return self._named()

    def _named(self) -> Node:
        """A metric, a function, an aggregation, or a number that has a name."""
        at, name = self.at, self.advance()
        if name.lower() in {"inf", "nan"}:
            return Number(float(name))
        if name in AGGREGATES and self.word in {"by", "(", "without"}:
            return self._aggregate(name)
        if self.kind == "sign" and self.word == "(":
            if name == "vector":
                return self._constant()
            if name not in FUNCTIONS:
                known = ", ".join((*FUNCTIONS, "vector", *AGGREGATES))
                raise PromError(f"character {at + 1}: the function '{name[:60]}' is not supported; there are {known}")
            return self._call(name)
        named = Matcher("__name__", "=", name)
        return self._window(Selector((named, *(self._matchers() if self.word == "{" else ()))))

    def _constant(self) -> Constant:
        self.take("(")
        of = self.expression(0)
        if not is_scalar(of):
            raise PromError("vector takes a number, such as vector(1)")
        self.take(")")
        return Constant(of)

    def _call(self, name: str) -> Call:
        self.take("(")
        parameter = 0.0
        if name == "quantile_over_time":
            parameter = _constant(self.expression(0), self)
            self.take(",")
        over = self.expression(0)
        if not isinstance(over, Selector) or over.window is None:
            raise PromError(f"{name} takes a range vector, such as belt_speed[5m], and nothing else")
        self.take(")")
        return Call(name, over, parameter)

    def _aggregate(self, name: str) -> Aggregate:
        by = self._by() if self.kind == "name" else None
        self.take("(")
        of = self.expression(0)
        if is_scalar(of) or (isinstance(of, Selector) and of.window is not None):
            raise PromError(f"{name} takes an instant vector")
        self.take(")")
        if by is None and self.kind == "name" and self.word in {"by", "without"}:
            by = self._by()
        return Aggregate(name, by or (), of)

    def _by(self) -> tuple[str, ...]:
        if self.word == "without":
            self.refuse("is not supported: say by (…)")
        self.take("by")
        self.take("(")
        found = []
        while self.word != ")":
            if self.kind != "name":
                self.refuse("where a label should be")
            found.append(self.advance())
            if self.word != ")":
                self.take(",")
        self.take(")")
        return tuple(dict.fromkeys(found))

    def _matchers(self) -> tuple[Matcher, ...]:
        self.take("{")
        found = []
        while self.word != "}" or self.kind != "sign":
            if self.kind != "name":
                self.refuse("where a label should be")
            label = self.advance()
            if self.kind != "sign" or self.word not in {"=", "!=", "=~", "!~"}:
                self.refuse("where =, !=, =~ or !~ should be")
            op = self.advance()
            if self.kind != "text":
                self.refuse("where a text in quotes should be")
            found.append(Matcher(label, op, _unquoted(self.advance())))
            if self.word != "}" or self.kind != "sign":
                self.take(",")
        self.take("}")
        return tuple(found)

    def _window(self, selector: Selector) -> Selector:
        if all(matcher.value == "" and matcher.op in {"=", "=~"} for matcher in selector.matchers):
            raise PromError("a selector needs a metric's name or a label that is not empty")
        if self.kind != "sign" or self.word != "[":
            return selector
        self.advance()
        if self.kind != "duration":
            self.refuse("where a duration such as 5m should be")
        window = duration(self.advance())
        if self.word.startswith(":"):
            self.refuse("is not supported: there are no subqueries")
        self.take("]")
        return Selector(selector.matchers, window)


def _binary(op: str, left: Node, right: Node) -> Binary:
    for side in (left, right):
        if isinstance(side, Selector) and side.window is not None:
            raise PromError(f"'{op}' takes no range vector")
    if not is_scalar(left) and not is_scalar(right):
        raise PromError(f"'{op}' between two vectors is not supported: one side has to be a number")
    return Binary(op, left, right)


def _constant(node: Node, reading: _Reading) -> float:
    negative = isinstance(node, Binary) and node.op == "*" and node.left == Number(-1.0)
    inner = node.right if negative and isinstance(node, Binary) else node
    if not isinstance(inner, Number):
        reading.refuse("comes after what should be a number")
    return -inner.value if negative else inner.value


def _unquoted(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text[1:-1], flags=re.DOTALL)
