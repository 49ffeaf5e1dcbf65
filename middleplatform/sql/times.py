"""Conditions on `time`, said of `ts` as well: the store finds its days and rows by `ts`, and from a condition on
`time` alone it would read everything."""

from __future__ import annotations

from sqlglot import exp

_COMPARED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ)
# The end may be finer than a microsecond, which `ts` is not: what is added takes it in.
_ADDED = {exp.GT: exp.GTE, exp.GTE: exp.GTE, exp.LT: exp.LTE, exp.LTE: exp.LTE, exp.EQ: exp.EQ}
_TURNED = {exp.GTE: exp.LTE, exp.LTE: exp.GTE, exp.EQ: exp.EQ}


def bound_time(query: exp.Query) -> None:
    """To each `time >= …` that must hold of the table `samples`, add `ts >= …`; what is asked stays the same."""
    if any(each.alias in {"time", "ts"} for each in query.find_all(exp.Alias, exp.CTE)):
        return  # the names may mean something else
    for select in query.find_all(exp.Select):
        sources = _samples_in(select)
        where = select.args.get("where")
        if where is None or not sources:
            continue
        for part in list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this]):
            for column, kind, other in _conditions(part):
                if _of_samples(column, select, sources) and not other.find(exp.Column, exp.Query, exp.Lambda):
                    ts = exp.column("ts", table=column.table or None)
                    moment = exp.func("toUnixTimestamp64Micro", _moment(other), dialect="clickhouse")
                    where.set("this", exp.and_(where.this, kind(this=ts, expression=moment), copy=False))


def _samples_in(select: exp.Select) -> set[str]:
    """The names under which the samples stand in this select's own FROM."""
    tables = [part.this for part in (select.args.get("from_"), *(select.args.get("joins") or ())) if part is not None]
    plain = [each.this if isinstance(each, exp.Final) else each for each in tables]
    return {each.alias or each.name for each in plain if isinstance(each, exp.Table) and each.name == "samples"}


def _of_samples(column: exp.Column, select: exp.Select, sources: set[str]) -> bool:
    if column.name != "time":
        return False
    return column.table in sources if column.table else not select.args.get("joins")


def _conditions(part: exp.Expr) -> list[tuple[exp.Column, type[exp.Binary], exp.Expr]]:
    if isinstance(part, exp.Paren):
        return _conditions(part.this)
    if isinstance(part, exp.Between) and isinstance(part.this, exp.Column):
        return [(part.this, exp.GTE, part.args["low"]), (part.this, exp.LTE, part.args["high"])]
    if type(part) in _COMPARED:
        if isinstance(part.this, exp.Column):
            return [(part.this, _ADDED[type(part)], part.expression)]
        if isinstance(part.expression, exp.Column):
            return [(part.expression, _TURNED[_ADDED[type(part)]], part.this)]
    return []


def _moment(value: exp.Expr) -> exp.Expr:
    """A time as `time` would be compared with: text is read as UTC."""
    precision, zone = exp.Literal.number("6"), exp.Literal.string("UTC")
    return exp.func("toDateTime64", value.copy(), precision, zone, dialect="clickhouse")
