"""All exports of a home: taken on, run one at a time in a thread, kept for a day."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import structlog

from middleplatform.export import job as jobs
from middleplatform.export.job import ExportRefused, Job, Order, Owner, State
from middleplatform.export.room import Room
from middleplatform.export.run import run
from middleplatform.store.client import INCOMPLETE, StoreClient, StoreError, StoreUnavailable
from middleplatform.store.history import MAX_POINTS

log = structlog.get_logger("export")

KEPT_S = 86_400
MOST_ACTIVE = 5
"""Exports of one owner that wait or run."""
MOST_OWN, MOST_KEPT = 40, 200
"""Exports of one owner, and of all owners, that are there at once: nobody takes up all there is for a day."""
_RETRY_S = (0.2, 1.0, 2.0, 5.0)
_SETTLES = 5
"""How often a page is asked for anew when the store says that samples may lack in it."""

Question = Callable[[StoreClient], pa.Table]


class _Ended(Exception):
    """The work must stop: the export was removed, or the process ends."""


class Exports:
    """`ask` puts a question to the store at once, from any thread. Thread-safe; the work begins with the first
    call, when what an earlier process left is taken up too."""

    def __init__(self, folder: Path, ask: Callable[[Question], pa.Table], room: Room | None = None) -> None:
        self._folder, self._ask = folder, ask
        self._room = room or Room(folder)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] | None = None
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="exports", daemon=True)

    def plan(self, order: Order) -> list[tuple[int, int]]:
        """The days that have samples of these points, and at most how many. Asks the store; raises StoreError."""
        rows: dict[int, int] = {}
        for at in range(0, len(order.ids), MAX_POINTS):
            ids = order.ids[at : at + MAX_POINTS]
            found = self._ask(lambda store, ids=ids: store.days(ids, order.start, order.end))  # type: ignore[misc]
            for day, count in zip(found.column("day").to_pylist(), found.column("rows").to_pylist(), strict=True):
                rows[day] = rows.get(day, 0) + count
        return sorted(rows.items())

    def submit(self, owner: Owner, order: Order) -> Job:
        """Take an export on. Raises ExportRefused when it would not fit or there are too many, StoreError."""
        days = self.plan(order)
        with self._lock:
            known = self._known()
            own = [job for job in known.values() if job.owner.is_same(owner)]
            mine = sum(job.active for job in own)
            if mine >= MOST_ACTIVE or len(own) >= MOST_OWN or len(known) >= MOST_KEPT:
                raise ExportRefused(
                    "too_many_exports",
                    f"您有 {len(own)} 个导出（最多 {MOST_OWN} 个），其中 {mine} 个尚未完成（最多 {MOST_ACTIVE} 个；"
                    f"全平台最多保留 {MOST_KEPT} 个）：请等待完成，或删除不再需要的导出",
                    f"{len(own)} exports are yours (at most {MOST_OWN}), {mine} of them not done (at most {MOST_ACTIVE}"
                    f"; {MOST_KEPT} are kept in all): wait for them, or delete those that are not needed any more",
                )
            job = Job(secrets.token_hex(12), owner, order, days, _now())
            self._room.check(job, [*known.values(), job])
            jobs.create(self._folder, job)
            known[job.id] = job
        self._news.set()
        return job

    def of(self, owner: Owner | None) -> list[Job]:
        """The exports of an owner, or all; the newest first."""
        with self._lock:
            found = [job for job in self._known().values() if owner is None or job.owner.is_same(owner)]
        return sorted(found, key=lambda job: (-job.created, job.id))

    def get(self, job_id: str, owner: Owner | None) -> Job | None:
        """An export of this owner, or of anybody."""
        return next((job for job in self.of(owner) if job.id == job_id), None)

    def file(self, job: Job) -> Path:
        return jobs.file_of(self._folder, job)

    def expires(self, job: Job) -> int | None:
        """When it will be removed, µs UTC."""
        return None if job.finished is None else job.finished + KEPT_S * 1_000_000

    def remove(self, job: Job) -> None:
        """Delete an export with its file; one that runs ends."""
        with self._lock:
            self._known().pop(job.id, None)
            shutil.rmtree(self._folder / job.id, ignore_errors=True)

    def resume(self) -> None:
        """Take up what an earlier process left."""
        with self._lock:
            self._known()

    def close(self) -> None:
        """Stop the work where it is; the next process goes on from there."""
        self._closing.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _known(self) -> dict[str, Job]:
        if self._jobs is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._jobs = {}
            for own in self._folder.iterdir():
                try:
                    found = jobs.load(own)
                except (OSError, ValueError, TypeError, KeyError):
                    shutil.rmtree(own, ignore_errors=True)  # killed while it was made
                    continue
                self._jobs[found.id] = found
            self._thread.start()
            self._news.set()
        return self._jobs

    def _work(self) -> None:
        while not self._closing.is_set():
            self._news.clear()
            self._expire()
            job = self._next()
            if job is None:
                self._news.wait(60)
            else:
                self._do(job)

    def _next(self) -> Job | None:
        with self._lock:
            waiting = [job for job in self._known().values() if job.active]
        return min(waiting, key=lambda job: (job.created, job.id), default=None)

    def _expire(self) -> None:
        for job in self.of(None):
            expires = self.expires(job)
            if expires is not None and expires < _now():
                self.remove(job)

    def _do(self, job: Job) -> None:
        job.state = "running"
        try:
            run(self._folder, job, self._patient(job), lambda: self._checked(job))
        except _Ended:
            return
        except ExportRefused as refused:
            self._end(job, "failed", (refused.zh, refused.en))
        except StoreError as error:
            self._end(job, "failed", (f"存储拒绝了查询：{error}", f"the store refused: {error}"))
        except Exception as error:
            if self._is_gone(job):
                return
            log.exception("an export failed", export=job.id)
            self._end(job, "failed", (f"导出失败：{error}", f"the export failed: {error}"))
        else:
            self._end(job, "done", None)

    def _end(self, job: Job, state: State, words: tuple[str, str] | None) -> None:
        if state == "failed":
            # What cannot be used does not take room.
            self.file(job).unlink(missing_ok=True)
            job.bytes = 0
        job.words = words and (words[0][:500], words[1][:500])
        job.finished = _now()
        job.state = state
        log.info("导出结束 · an export ended", export=job.id, state=state, rows=job.rows, why=words and words[1])
        with contextlib.suppress(OSError):  # removed meanwhile
            jobs.save(self._folder, job)

    def _checked(self, job: Job) -> None:
        if self._closing.is_set() or self._is_gone(job):
            raise _Ended
        with self._lock:
            others = list(self._known().values())
        self._room.check(job, others)

    def _is_gone(self, job: Job) -> bool:
        with self._lock:
            return job.id not in self._known()

    def _patient(self, job: Job) -> Callable[[Question], pa.Table]:
        """Asks until the store is there and has written what it had received."""

        def ask(question: Question) -> pa.Table:
            settles, tries = 0, 0
            while True:
                if self._closing.is_set() or self._is_gone(job):
                    raise _Ended
                try:
                    answer = self._ask(question)
                except StoreUnavailable:
                    self._closing.wait(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
                    tries += 1
                    continue
                if INCOMPLETE not in (answer.schema.metadata or {}) or settles >= _SETTLES:
                    return answer
                settles += 1
                self._closing.wait(0.5)

        return ask


def _now() -> int:
    return time.time_ns() // 1000
