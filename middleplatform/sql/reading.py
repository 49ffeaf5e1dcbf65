"""The second wall: how the engine itself reads a statement, before it runs it.

The gate judges by another parser than the engine's. So the engine is asked for its own reading (`EXPLAIN AST`), and
every table and function in that must be one of ours too: where the two parsers differ, the statement is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from middleplatform.sql.allowed import allowed
from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.rewrite import Statement
from middleplatform.sql.views import VIEWS

_LINE = re.compile(r"( *)(\w+)(?: (.*?))??(?: \(alias .*?\))?(?: \(children \d+\))?", re.DOTALL)
_MEMBERSHIP = {"in", "notin", "globalin", "globalnotin", "nullin", "notnullin", "globalnullin", "globalnotnullin"}
# Nodes by which a statement would read or write elsewhere, set something or take a parameter.
_SHUT = {
    "Set",
    "InsertQuery",
    "QueryParameter",
    "CreateQuery",
    "SetQuery",
    "ColumnsRegexpMatcher",
    "ColumnsApplyTransformer",
}


def check_reading(lines: Iterable[str], statement: Statement) -> None:
    """`lines` of the engine's reading of a statement. Raises SqlRefused."""
    real = {f"default.{table}" for view in statement.views for table in VIEWS[view].reads}
    tables = real | statement.queries
    known = allowed()
    functions = known.functions | known.operators
    parsed = [_LINE.fullmatch(line) for line in lines]
    nodes = [(len(found[1]), found[2], found[3] or "") for found in parsed if found is not None]
    for at, (_, kind, name) in enumerate(nodes):
        if kind in _SHUT:
            raise _refused(kind)
        if kind == "TableIdentifier" and name not in tables:
            raise _refused(f"table {name}")
        if kind == "Function":
            if name.lower() not in functions:
                raise _refused(f"function {name}")
            if name.lower() in _MEMBERSHIP and _second_argument(nodes, at) == "Identifier":
                raise _refused("IN with a name")


def _second_argument(nodes: Sequence[tuple[int, str, str]], at: int) -> str:
    """The kind of a function's second argument."""
    deep = nodes[at][0] + 2
    arguments = []
    for level, kind, _ in nodes[at + 1 :]:
        if level <= nodes[at][0]:
            break
        if level == deep:
            arguments.append(kind)
    return arguments[1] if len(arguments) > 1 else ""


def _refused(what: str) -> SqlRefused:
    return SqlRefused(
        "engine_reads_otherwise",
        f"存储引擎对该语句的理解含有不允许的成分（{what}），未运行",
        f"the engine reads something in this statement that is not allowed ({what}): it was not run",
        what,
    )
