"""A statement that passed the gate, written anew onto the views of one caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse

from middleplatform.sql.gate import DIALECT, admit
from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.times import bound_time
from middleplatform.sql.views import VIEWS
from models.identity import IdentityError, parse_path, point_id

WITH = "with_"
"""Before the names of a caller's own WITH queries, so that none can meet a real table."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`text` for the engine; `views` that it reads; `queries`: the names that it gives to its own; `points` that it
    names by path."""

    text: str
    views: frozenset[str]
    queries: frozenset[str]
    points: tuple[str, ...]


def rewrite(text: str, mine: str, scopes: Mapping[str, int]) -> Statement:
    """What the engine is to run for a caller's text. `mine`: the mine's code; `scopes`: the numbers of the caller's
    scopes for `points`, `equipment` and `events`. Raises SqlRefused."""
    query = admit(text)
    points = _name_points(query, mine)
    bound_time(query)
    views, queries = set(), set()
    for cte in query.find_all(exp.CTE):
        if not cte.args.get("scalar"):
            cte.args["alias"].set("this", exp.to_identifier(WITH + cte.alias))
            queries.add(cte.alias)
    holder = exp.Paren(this=query)  # so that a table that is the whole of a node can be replaced too
    for table in list(query.find_all(exp.Table)):
        alias = table.alias or table.name
        if table.name in VIEWS:
            views.add(table.name)
            view = sqlglot.parse_one(VIEWS[table.name].text.format(**scopes), dialect=DIALECT)
            new: exp.Expr = exp.Subquery(this=view, alias=exp.TableAlias(this=exp.to_identifier(alias)))
        else:
            new = exp.Table(
                this=exp.to_identifier(WITH + table.name), alias=exp.TableAlias(this=exp.to_identifier(alias))
            )
        if joins := table.args.get("joins"):
            new.set("joins", joins)
        parent = table.parent
        if isinstance(parent, exp.Final):  # `samples FINAL`: the view is so already
            parent.replace(new)
        else:
            table.replace(new)
    written = _Writer(dialect=DIALECT, identify=True, normalize_functions=False, comments=False).generate(holder.this)
    return Statement(written, frozenset(views), frozenset(queries), points)


def _name_points(query: exp.Query, mine: str) -> tuple[str, ...]:
    """Replace each `point_id('…')` by its number; the paths named."""
    found = []
    for call in list(query.find_all(exp.Anonymous)):
        if str(call.this).lower() != "point_id":
            continue
        arguments = call.expressions
        if len(arguments) != 1 or not (isinstance(arguments[0], exp.Literal) and arguments[0].is_string):
            raise SqlRefused("point_id", "point_id 须有一个字符串参数", "point_id takes one path in quotes", "point_id")
        path = str(arguments[0].this)
        path = f"{mine}/{path}" if path.count("/") == 1 else path
        try:
            parse_path(path)
        except IdentityError as error:
            raise SqlRefused("point_id", f"“{path[:140]}”不是测点路径", str(error)[:300], "point_id") from None
        found.append(path)
        call.replace(exp.Literal.number(str(point_id(path))))
    return tuple(found)


class _Writer(ClickHouse.Generator):
    """Writes text in quotes so that the engine reads exactly the same signs."""

    def literal_sql(self, expression: exp.Literal) -> str:
        if not expression.is_string:
            return str(expression.this)
        return "'" + str(expression.this).replace("\\", "\\\\").replace("'", "\\'") + "'"
