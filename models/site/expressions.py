"""Expressions of derived points: read, bounded, and written again for the library that evaluates them.

    current_1 + current_2            points of the same equipment by their keys
    [pump-2/flow] * 3.6              any other, or a key that is no plain word, in brackets
    where(speed > 0.2, load, 0)      a comparison chooses; and, or, not combine comparisons

Arithmetic, comparisons and the functions named below, nothing else: no attributes, no texts, no
calls of anything that is not in the list. What is accepted is written anew from its tree, all
inputs named x0, x1, …, so that what is evaluated is never what somebody typed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from models.site.problems import hinted

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_INPUTS = 32
MAX_POWER = 8
MAX_NUMBER = 1e100
MAX_OUTCOMES = 256
FUNCTIONS = {
    **dict.fromkeys(("abs", "sqrt", "exp", "log", "log10", "sin", "cos", "tan", "arctan", "floor", "ceil"), (1, 1)),
    "arctan2": (2, 2),
    "min": (2, 8),
    "max": (2, 8),
    "where": (3, 3),
}
"""The functions, and how many arguments each takes at least and at most."""

_REFERENCE = re.compile(r"\[\s*((?:[a-z0-9_-]{1,40}/)?[a-z0-9_-]{1,40})\s*\]")
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.And: "&", ast.Or: "|",
}  # fmt: skip


_ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "neg": operator.neg, "abs": abs, "min": min, "max": max, "floor": math.floor, "ceil": math.ceil,
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "log10": math.log10, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "arctan": math.atan, "arctan2": math.atan2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One step: `kind` is number, input, an operator, `neg`, `not`, or a function's name."""

    kind: str
    parts: tuple[Node, ...] = ()
    number: float = 0.0
    """Of a number its value, of an input its place among the inputs."""

    @property
    def boolean(self) -> bool:
        return self.kind in ("<", "<=", ">", ">=", "==", "!=", "&", "|", "not")


@dataclass(frozen=True, slots=True)
class Expression:
    """`inputs`: as written, `key` or `equipment/key`, each once, in the order of x0, x1, …"""

    tree: Node
    inputs: tuple[str, ...]

    def code(self) -> str:
        """The expression over x0, x1, …, every step in parentheses."""
        return _code(self.tree)


def outcomes(node: Node) -> frozenset[float] | None:
    """All numbers that it can give whatever its inputs are; None where they follow from an input, or are very many."""
    if node.kind == "number":
        return frozenset({node.number})
    if node.kind == "*" and any(part.kind == "number" and part.number == 0 for part in node.parts):
        return frozenset({0.0})
    parts = node.parts[1:] if node.kind == "where" else node.parts
    found = [said for part in parts if (said := outcomes(part)) is not None]
    if len(found) < len(parts):
        return None
    if node.kind == "where":
        return found[0] | found[1]
    if node.kind not in ("+", "-", "*", "neg") or math.prod(map(len, found)) > MAX_OUTCOMES:
        return None
    return frozenset(float(_ARITHMETIC[node.kind](*each)) for each in product(*found))


def parse(text: str) -> Expression:
    """The expression in `text`. Raises ValueError in plain words."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"表达式超过 {MAX_LENGTH} 个字符 · the expression has more than {MAX_LENGTH} characters")
    if re.search(r"\b_|[\x00-\x1f]", text):
        raise ValueError(
            "表达式中没有以 _ 开头的名称，也没有控制字符 · "
            "an expression has no names that begin with _ and no control characters"
        )
    references: list[str] = []

    def name_it(match: re.Match[str]) -> str:
        references.append(match[1])
        return f"_{len(references) - 1}"

    plain = _REFERENCE.sub(name_it, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own remarks, such as "0is" being odd
            body = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(
            f"'{text}' 不是 current_1 + current_2 这样的表达式 · "
            f"'{text}' is not an expression such as current_1 + current_2"
        ) from None
    reader = _Reader(references)
    tree = reader.read(body, 0)
    if not reader.inputs:
        raise ValueError(f"'{text}' 没有提到测点 · '{text}' names no point")
    return Expression(tree, tuple(reader.inputs))


class _Reader:
    def __init__(self, references: list[str]) -> None:
        self.references = references
        self.inputs: dict[str, int] = {}

    def read(self, node: ast.AST, depth: int) -> Node:
        return _folded(self._read(node, depth))

    def _read(self, node: ast.AST, depth: int) -> Node:  # noqa: PLR0911, PLR0912  (one case a kind of node)
        if depth > MAX_DEPTH:
            raise ValueError(f"表达式嵌套超过 {MAX_DEPTH} 层 · the expression is nested more than {MAX_DEPTH} deep")

        def number(part: ast.AST) -> Node:
            found = self.read(part, depth + 1)
            if found.boolean:
                raise ValueError(
                    "比较式不是数值：写 where(speed > 0.2, 1, 0) · "
                    "a comparison is no number: write where(speed > 0.2, 1, 0)"
                )
            return found

        def truth(part: ast.AST) -> Node:
            found = self.read(part, depth + 1)
            if not found.boolean:
                raise ValueError(
                    "and、or、not 和 where(…) 须有比较式，如 state == 1 · "
                    "and, or, not and where(…) need a comparison, such as state == 1"
                )
            return found

        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                if not -MAX_NUMBER <= value <= MAX_NUMBER:
                    raise ValueError("表达式中的数过大 · a number in the expression is too large")
                return Node("number", number=float(value))
            case ast.Name(id=name):
                return self._input(self.references[int(name[1:])] if name.startswith("_") else name)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                power = number(right)
                exact = power.parts[0] if power.kind == "neg" else power
                if exact.kind != "number" or abs(exact.number) > MAX_POWER:
                    raise ValueError(f"指数须为不超过 {MAX_POWER} 的数 · a power is a plain number up to {MAX_POWER}")
                return Node("**", (number(left), power))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return Node(_OPERATORS[type(op)], (number(left), number(right)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Node("neg", (number(operand),))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return number(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Node("not", (truth(operand),))
            case ast.BoolOp(op=op, values=values):
                return _chain(_OPERATORS[type(op)], [truth(value) for value in values])
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _OPERATORS for op in ops):
                sides = [number(side) for side in (left, *others)]
                if any(side.parts for side in sides[1:-1]):
                    raise ValueError(
                        "两个比较符之间须为测点或数，如 0 < speed < 4 · "
                        "between two comparisons stands a point or a number, as in 0 < speed < 4"
                    )
                return _chain(
                    "&",
                    [
                        Node(_OPERATORS[type(op)], (one, other))
                        for op, one, other in zip(ops, sides, sides[1:], strict=False)
                    ],
                )
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, number, truth)
        shown = _shown(node)
        raise ValueError(f"表达式中不能有 '{shown}' · an expression may not hold '{shown}'")

    def _input(self, name: str) -> Node:
        place = self.inputs.setdefault(name, len(self.inputs))
        if place >= MAX_INPUTS:
            raise ValueError(
                f"表达式提到的测点超过 {MAX_INPUTS} 个 · the expression names more than {MAX_INPUTS} points"
            )
        return Node("input", number=place)

    @staticmethod
    def _call(
        name: str, arguments: list[ast.expr], number: Callable[[ast.AST], Node], truth: Callable[[ast.AST], Node]
    ) -> Node:
        if name not in FUNCTIONS:
            raise ValueError(hinted(f"没有函数 '{name}'", f"there is no function '{name}'", name, FUNCTIONS))
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            zh = f"{name}(…) 须有 {wanted.replace(' to ', ' 到 ')} 个参数，而不是 {len(arguments)} 个"
            raise ValueError(f"{zh} · {name}(…) takes {wanted} numbers, not {len(arguments)}")
        if name == "where":
            return Node("where", (truth(arguments[0]), number(arguments[1]), number(arguments[2])))
        return Node(name, tuple(number(argument) for argument in arguments))


def _folded(node: Node) -> Node:
    """What holds no point is one number, so that the library meets no step that is always the same."""
    if not node.parts or any(part.kind != "number" for part in node.parts):
        return node
    if node.boolean:
        raise ValueError(
            "只有数的比较式结果恒定：请去掉 · a comparison of numbers alone is always the same: leave it out"
        )
    try:
        number = float(_ARITHMETIC[node.kind](*(part.number for part in node.parts)))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        number = math.inf
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise ValueError("表达式中不含测点的部分得不出数值 · a part of the expression without points gives no number")
    return Node("number", number=number)


def _chain(kind: str, parts: list[Node]) -> Node:
    first, *rest = parts
    for part in rest:
        first = Node(kind, (first, part))
    return first


def _shown(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:60]
    except (ValueError, RecursionError):
        return type(node).__name__


_CALLED = {"min": "minimum", "max": "maximum"}


def _code(node: Node) -> str:  # noqa: PLR0911
    parts = [_code(part) for part in node.parts]
    match node.kind:
        case "number":
            return repr(node.number)
        case "input":
            return f"x{int(node.number)}"
        case "neg":
            return f"(-{parts[0]})"
        case "not":
            return f"(~{parts[0]})"
        case "min" | "max" as name:
            code = parts[0]
            for part in parts[1:]:
                code = f"{_CALLED[name]}({code},{part})"
            return code
        case name if name in FUNCTIONS:
            return f"{name}({','.join(parts)})"
        case sign:
            return f"({parts[0]}{sign}{parts[1]})"
