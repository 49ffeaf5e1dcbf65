"""The gate: what a caller wrote is read, and every part of it must be on the list, or the whole is refused.

What is sent to the engine is never the caller's text but what is written anew from the tree that passed here. Each
node's kind, each function, type, name and table is checked; what this program does not know is refused, so that a
new thing in a new engine is shut until somebody opens it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError

from middleplatform.sql.allowed import allowed
from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.views import VIEWS

LONGEST = 10_000
"""Characters of a statement."""
DEEPEST = 30
"""Brackets within brackets."""
MOST_NODES = 4_000
DIALECT = "clickhouse"
"""To write in."""


class _Reader(ClickHouse):
    """ClickHouse's language, its functions on JSON left as the caller wrote them: paths would be written anew."""

    class Parser(ClickHouse.Parser):
        FUNCTIONS = {name: make for name, make in ClickHouse.Parser.FUNCTIONS.items() if "JSON" not in name}  # noqa: RUF012


_NAME = re.compile(r"[^\W\d]\w{0,63}")
_OPENING = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_CALL = re.compile(r'\s*"?([A-Za-z_]\w*)"?\s*\(')

# Clauses and signs: kinds of nodes that carry no function of their own.
_FORM_NAMES = """
Select Union Except Intersect Subquery With CTE TableAlias From Join Table Where PreWhere Group Having Qualify Order
Ordered Limit Offset Distinct Column Identifier Alias Star Literal Null Boolean Paren Tuple Array Struct Bracket Dot And
Or Xor Not Neg Add Sub Mul Div Mod DPipe EQ NEQ GT GTE LT LTE Between In Is Like ILike Case If Cast TryCast DataType
DataTypeParam Interval Var Window WindowSpec Lambda Final Cube Rollup Filter Extract Exists
"""
_FORMS = frozenset(getattr(exp, name) for name in _FORM_NAMES.split())
_SET = {"this", "expression", "distinct", "order", "limit", "offset", "with_"}
# What such a node may have: `settings`, `format`, `into`, `sample`, locks, hints, recursion are nowhere here.
_PARTS: dict[type[exp.Expr], set[str]] = {
    exp.Select: {
        "with_",
        "expressions",
        "distinct",
        "from_",
        "joins",
        "where",
        "prewhere",
        "group",
        "having",
        "qualify",
    }
    | {"order", "limit", "offset"},
    exp.Union: _SET,
    exp.Except: _SET,
    exp.Intersect: _SET,
    exp.Subquery: {"this", "alias", "with_", "order", "limit", "offset", "joins"},
    exp.Join: {"this", "side", "kind", "method", "on", "using", "global_"},
    exp.Ordered: {"this", "desc", "nulls_first"},
    exp.With: {"expressions"},
    exp.Group: {"expressions", "all", "cube", "rollup"},
    exp.Star: {"except_"},
    exp.Table: {"this", "alias", "joins", "db", "catalog", "final"},
}


def admit(text: str) -> exp.Query:
    """The tree of a statement that may be run. Raises SqlRefused."""
    query = _parsed(text)
    names = _cte_names(query)
    for count, node in enumerate(query.walk()):
        if count > MOST_NODES:
            raise SqlRefused("too_long", "语句过于复杂", f"the statement has over {MOST_NODES} parts: make it simpler")
        _check(node, names)
    return query


def _parsed(text: str) -> exp.Query:
    if len(text) > LONGEST:
        raise SqlRefused(
            "too_long", f"语句超过 {LONGEST} 个字符", f"the statement has over {LONGEST} characters: make it shorter"
        )
    if not all(sign.isprintable() or sign in "\n\r\t" for sign in text):
        raise SqlRefused("syntax", "语句含不可见字符", "the statement holds signs that cannot be printed")
    if _depth(text) > DEEPEST:
        raise SqlRefused("too_deep", f"括号嵌套超过 {DEEPEST} 层", f"brackets are nested over {DEEPEST} deep")
    opening = _OPENING.match(text)
    if opening is not None and opening[1].upper() not in {"SELECT", "WITH", "FROM"}:
        kind = opening[1][:20].upper()
        raise SqlRefused(
            "not_a_query",
            f"只能查询（SELECT），不能 {kind}",
            f"only SELECT is run here, not {kind}: the store is read-only",
            kind,
        )
    try:
        found = [each for each in sqlglot.parse(text, dialect=_Reader) if each is not None]
    except RecursionError:
        raise SqlRefused("too_deep", "语句嵌套过深", "the statement is nested too deep") from None
    except SqlglotError as error:
        raise SqlRefused(
            "syntax", f"语法有误：{_place(error)}", f"the statement cannot be read: {_place(error)}"
        ) from None
    except Exception:  # the parser fails in other ways on some rubbish
        raise SqlRefused("syntax", "语法有误", "the statement cannot be read") from None
    if not found:
        raise SqlRefused("empty", "语句为空", "there is no statement")
    if len(found) > 1:
        raise SqlRefused("several", "一次只能运行一条语句", "one statement at a time: there is something after ';'")
    if not isinstance(found[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise SqlRefused("not_a_query", "只能查询（SELECT）", "only SELECT is run here: the store is read-only")
    return found[0]


def _depth(text: str) -> int:
    """How deep brackets go at most, those in quotes counted too."""
    deep = deepest = 0
    for sign in text:
        deep += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, deep)
    return deepest


def _place(error: SqlglotError) -> str:
    """Line, column and the words there, without the marks for a terminal."""
    known = getattr(error, "errors", None)
    if known:
        first = known[0]
        near = str(first.get("highlight") or "")[:60]
        return f"line {first.get('line')}, column {first.get('col')}, near '{near}'"
    return re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0][:80]


def _cte_names(query: exp.Query) -> frozenset[str]:
    found = set()
    for cte in query.find_all(exp.CTE):
        if cte.args.get("scalar"):
            continue
        name = cte.alias
        if name in VIEWS:
            raise SqlRefused(
                "name", f"WITH 中的名称“{name}”与表同名", f"WITH names '{name}', which is a table already", name
            )
        found.add(name)
    return frozenset(found)


def _check(node: exp.Expr, names: frozenset[str]) -> None:
    kind = type(node)
    if isinstance(node, exp.Table):
        _check_table(node, names)
    elif kind in _CHECKS:
        _CHECKS[kind](node)
    if kind in _PARTS:
        extra = sorted({part for part, value in node.args.items() if value} - _PARTS[kind])
        if extra:
            raise _clause(extra[0].strip("_").replace("_", " ").upper())
    if kind in _FORMS:
        return
    if not isinstance(node, exp.Func):
        raise _clause(kind.__name__)
    _check_function(node)


def _clause(part: str) -> SqlRefused:
    return SqlRefused("clause", f"此处不支持 {part}", f"{part} is not taken here", part)


def _check_table(table: exp.Table, names: frozenset[str]) -> None:
    inner = table.this
    if not isinstance(inner, exp.Identifier):
        name = _function_name(inner) if isinstance(inner, exp.Func) else type(inner).__name__
        raise SqlRefused(
            "table_function",
            f"不能使用表函数 {name}：只有表 {_tables()}",
            f"the table function {name} is not taken: there are the tables {_tables()}",
            name,
        )
    if table.args.get("db") or table.args.get("catalog"):
        where = table.text("db")
        raise SqlRefused(
            "database",
            f"不能访问数据库“{where}”",
            f"other databases ('{where}') are not open: there are {_tables()}",
            where,
        )
    alias = table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        raise _clause("names of columns after a table's name")
    if inner.name not in VIEWS and inner.name not in names:
        raise SqlRefused(
            "unknown_table",
            f"没有表“{inner.name}”，有 {_tables()}",
            f"there is no table '{inner.name}', there are {_tables()}",
            inner.name,
        )


def _tables() -> str:
    return ", ".join(VIEWS)


def _check_name(name: exp.Identifier) -> None:
    if not isinstance(name.this, str) or not _NAME.fullmatch(name.this):
        raise SqlRefused(
            "name",
            "名称只能含字母、汉字、数字和下划线，至多 64 个字符",
            "a name is made of letters, digits and _, begins with no digit and has at most 64 of them",
        )


def _check_join(node: exp.Join) -> None:
    if (node.args.get("kind") or "").upper() == "ARRAY":
        raise _clause("ARRAY JOIN")


def _check_in(node: exp.In) -> None:
    """After IN the engine takes a bare name for a table, with or without brackets: values or a query it must be."""
    if node.args.get("unnest") or node.args.get("field"):
        raise SqlRefused("in", "IN 之后须为括号中的值或子查询", "after IN: values in brackets, or a query in brackets")
    for value in node.args.get("expressions") or ():
        if any(isinstance(part, exp.Column | exp.Table | exp.Dot) for part in value.walk()):
            raise SqlRefused(
                "in", "IN 的列表中只能有常数", "a list after IN holds constants: no names of columns or tables"
            )


def _check_type(node: exp.DataType) -> None:
    kind = node.this.name if isinstance(node.this, exp.DType) else str(node.this)
    if kind not in allowed().types:
        raise SqlRefused("type", f"不支持类型 {kind}", f"the type {kind[:40]} is not taken", kind[:40])


def _check_literal(node: exp.Literal) -> None:
    if not node.is_string and not re.fullmatch(r"[0-9.]+(?:[eE][+-]?[0-9]+)?", str(node.this)):
        raise SqlRefused("syntax", "数字写法有误", f"'{str(node.this)[:40]}' is not a number")


def _function_name(node: exp.Expr) -> str:
    """The name as it is written anew, in the caller's case where it is kept."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return str(node.this)
    found = _CALL.match(node.sql(dialect=DIALECT, normalize_functions=False))
    return found[1] if found else type(node).__name__


def _check_function(node: exp.Expr) -> None:
    name = _function_name(node)
    known = allowed()
    if name.lower() not in known.functions and name.lower() not in known.ours:
        raise SqlRefused(
            "function",
            f"不能使用函数 {name[:40]}",
            f"the function {name[:40]} is not on the list of those that may be used",
            name[:40],
        )


_CHECKS: dict[type[exp.Expr], Callable[[Any], None]] = {
    exp.Identifier: _check_name,
    exp.Join: _check_join,
    exp.In: _check_in,
    exp.DataType: _check_type,
    exp.Literal: _check_literal,
}
