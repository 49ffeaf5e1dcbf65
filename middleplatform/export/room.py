"""How much disk the exports may take."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from middleplatform.export.job import ExportRefused, Job, file_of
from middleplatform.export.writing import BYTES_A_ROW

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Room:
    """`most` bytes for all exports together; `reserve` bytes of the disk stay free in any case."""

    folder: Path
    most: int = 20 * GIB
    reserve: int = 2 * GIB

    def left(self, jobs: Iterable[Job], but: Job | None = None) -> int:
        """Bytes that one more export may take, or `but`, which is one of the jobs, in all. Others count with
        what they are expected to become."""
        others = [job for job in jobs if job is not but]
        promised = sum(expected_bytes(job) for job in others)
        growing = sum(max(0, expected_bytes(job) - _size(self.folder, job)) for job in others if job.active)
        free = shutil.disk_usage(self.folder).free - self.reserve - growing
        return min(self.most - promised, free + (_size(self.folder, but) if but else 0))

    def check(self, job: Job, jobs: Iterable[Job]) -> None:
        """Raises ExportRefused when what the job is expected to become does not fit."""
        needed, left = expected_bytes(job), max(0, self.left(jobs, job))
        if needed > left:
            raise ExportRefused(
                "no_room",
                f"导出约需 {_size_words(needed)}，导出空间仅余 {_size_words(left)}：请缩短时段、减少测点、改用 "
                "Parquet，或删除不再需要的导出",
                f"the export would take about {_size_words(needed)}, {_size_words(left)} are left for exports: take a "
                "shorter range, fewer points or Parquet, or delete exports that are not needed any more",
            )


def expected_bytes(job: Job) -> int:
    """What the file will be, by its first chunks once there are some."""
    if job.state in {"done", "failed"}:
        return job.bytes
    each = job.bytes / job.rows if job.rows else BYTES_A_ROW[job.order.form]
    return round(job.rows_expected * each)


def _size(folder: Path, job: Job) -> int:
    try:
        return file_of(folder, job).stat().st_size
    except OSError:
        return 0


def _size_words(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / (1 << 20):.1f} MiB"
