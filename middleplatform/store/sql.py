"""Statements that callers wrote: checked, written onto what the caller sees, checked again by the engine's own
reading, and run where all that can be is switched off."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from middleplatform.sql.reading import check_reading
from middleplatform.sql.refusals import SqlRefused
from middleplatform.sql.rewrite import rewrite
from middleplatform.store.answers import said
from middleplatform.store.asked import points, text
from middleplatform.store.engine import (
    ANALYST_ROWS,
    ANALYST_TIMEOUT_S,
    Engine,
    EngineError,
    QueryStopped,
    QueryTimeout,
    QueryTooLarge,
)
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.scopes import Scopes

REFUSED = b"refused"
"""In the metadata of an answer's schema: the statement was not run, or failed by its own fault; JSON of why."""
MOST_POINTS = 200_000
MOST_EQUIPMENT = 50_000

_SECONDS = re.compile(r"(?:Nullable\()?DateTime(?:\('[^']*'\))?\)?")
_TOO_MANY = SqlRefused(
    "too_many_rows",
    f"结果超过 {ANALYST_ROWS} 行：请汇总、加 LIMIT，或改用导出",
    f"the answer has over {ANALYST_ROWS} rows or 64 MB: aggregate, add LIMIT, or take an export",
)
_INSIDE = re.compile(
    r"(?::? ?(?:In scope|While (?:executing|processing)|while (?:executing|processing)|Stack trace)).*", re.DOTALL
)


class Statements:
    """`handlers` are what the door serves: `sql` runs one, `sql_stop` stops one that runs."""

    def __init__(self, engine: Engine, mine: str, settle: Callable[[], bool]) -> None:
        self._engine = engine
        self._mine = mine
        self._settle = settle
        self._scopes = Scopes(engine)
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self.handlers: dict[str, Handler] = {"sql": self._run, "sql_stop": self._stop}

    def _run(self, asked: Mapping[str, Any]) -> pa.Table:
        written, name = text(asked, "text") or "", text(asked, "id") or ""
        seen = points(asked, MOST_POINTS), _paths(asked, "equipment"), _paths(asked, "events")
        mark = secrets.token_hex(16)
        whole = self._settle()
        try:
            with self._scopes.of(*seen) as scopes:
                statement = rewrite(written, self._mine, scopes)
                reading = self._engine.confined(f"EXPLAIN AST {statement.text}")
                check_reading(reading.column(0).to_pylist(), statement)
                types = self._engine.confined(f"DESCRIBE TABLE ({statement.text})").column("type").to_pylist()
                with self._lock:
                    self._running[name or mark] = mark
                try:
                    answer = self._engine.confined(f"{statement.text} /* {mark} */")
                finally:
                    with self._lock:
                        self._running.pop(name or mark, None)
            if answer.num_rows > ANALYST_ROWS:  # the engine lets the first block pass, however long
                return _refusal(_TOO_MANY)
            return said(_timed(answer, types), whole)
        except SqlRefused as refused:
            return _refusal(refused)
        except EngineError as error:
            return _refusal(_by_engine(error))

    def _stop(self, asked: Mapping[str, Any]) -> pa.Table:
        with self._lock:
            mark = self._running.get(text(asked, "id") or "")
        return pa.table({"stopped": [bool(mark) and self._engine.stop(mark or "") > 0]})


def _timed(answer: pa.Table, types: Sequence[str]) -> pa.Table:
    """The answer with the engine's times of whole seconds as times: it gives them out as bare numbers."""
    for index, (field, kind) in enumerate(zip(answer.schema, types, strict=False)):
        if _SECONDS.fullmatch(kind) and field.type == pa.uint32():
            moment = answer.column(index).cast(pa.int64()).cast(pa.timestamp("s", tz="UTC"))
            answer = answer.set_column(index, pa.field(field.name, moment.type), moment)
    return answer


def _paths(asked: Mapping[str, Any], name: str) -> list[str]:
    named = asked.get(name)
    if not isinstance(named, list) or len(named) > MOST_EQUIPMENT or not all(isinstance(each, str) for each in named):
        raise StoreError(f"'{name}' must be a list of at most {MOST_EQUIPMENT} paths of equipment")
    return named


def _refusal(refused: SqlRefused) -> pa.Table:
    facts = {"code": refused.code, "zh": refused.zh, "en": refused.en, "hint": refused.hint}
    return pa.table({}).replace_schema_metadata({REFUSED: json.dumps(facts).encode()})


def _by_engine(error: EngineError) -> SqlRefused:
    """What the engine said of a statement, in words for the one who wrote it. It can tell of no row that the
    caller does not see: those are left out before the caller's own conditions are looked at."""
    if isinstance(error, QueryStopped):
        return SqlRefused("stopped", "查询已被终止", "the query was stopped")
    if isinstance(error, QueryTimeout):
        busy = "other statements" in str(error)
        return SqlRefused(
            "busy" if busy else "too_slow",
            "其他查询正在运行，请稍后重试" if busy else f"查询超过 {ANALYST_TIMEOUT_S} 秒：请限定 time 与 point",
            str(error) if busy else f"the query took over {ANALYST_TIMEOUT_S} s: say which time and which points",
        )
    if isinstance(error, QueryTooLarge):
        return SqlRefused(
            "too_large", "查询所需内存超限：请缩短时段或减少测点", "the query needs more memory than it may have: "
            "take a shorter range or fewer points",
        )  # fmt: skip
    words = str(error)
    if "TOO_MANY_ROWS_OR_BYTES" in words:
        return _TOO_MANY
    plain = _INSIDE.sub("", re.sub(r"^(?:Code: \d+\. )?(?:DB::Exception: )?", "", words)).strip()
    return SqlRefused("failed", f"语句无法执行：{plain[:300]}", f"the statement cannot be run: {plain[:300]}")
