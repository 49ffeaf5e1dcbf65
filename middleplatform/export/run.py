"""One export from its cursor to its end: a page of samples after the other, each small for the store."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from middleplatform.export.job import Cursor, Job, file_of, save
from middleplatform.export.writing import CAN_GO_ON, columns, open_file
from middleplatform.store.client import INCOMPLETE, StoreClient
from middleplatform.store.history import MAX_POINTS
from middleplatform.store.schema import DAY

T = TypeVar("T")
Ask = Callable[[Callable[[StoreClient], pa.Table]], pa.Table]

PAGE = 200_000
"""Samples that are asked for at once: they take the store a fraction of a second, and 20 MB here."""


def run(folder: Path, job: Job, ask: Ask, checked: Callable[[], None]) -> None:
    """Write the job's file. `ask` puts a question to the store and waits while it is away; `checked` is called
    after each page and raises to end the work. Samples are in the order of day (UTC), point id and time."""
    if job.order.form not in CAN_GO_ON:
        job.anew()
    file = open_file(job.order.form, file_of(folder, job), job.bytes)
    try:
        while job.cursor.day < len(job.days):
            samples, job.cursor = _page(job, ask)
            if samples.num_rows:
                job.bytes = file.add(columns(job.order, samples))
                job.rows += samples.num_rows
            job.incomplete |= INCOMPLETE in (samples.schema.metadata or {})
            save(folder, job)
            checked()
        job.bytes = file.finish()
    finally:
        file.close()


def _page(job: Job, ask: Ask) -> tuple[pa.Table, Cursor]:
    """The samples from the cursor on, at most PAGE, and where they end."""
    order, cursor = job.order, job.cursor
    day = job.days[cursor.day][0]
    begin, end = max(order.start, day * DAY), min(order.end, (day + 1) * DAY)
    first = bisect.bisect_left(order.ids, cursor.point)
    # A point that was cut is finished alone: the others of its page have not begun.
    ids = order.ids[first : first + (1 if cursor.ts else MAX_POINTS)]
    start = cursor.ts or begin
    samples = ask(lambda store: store.raw(ids, start, end, PAGE)) if start < end else None
    if samples is not None and samples.num_rows == PAGE:
        return samples, Cursor(cursor.day, samples.column("point")[-1].as_py(), samples.column("ts")[-1].as_py() + 1)
    done = first + len(ids) == len(order.ids)
    beyond = Cursor(cursor.day + 1) if done else Cursor(cursor.day, order.ids[first + len(ids)])
    return samples if samples is not None else pa.table({}), beyond
