"""The truth log: every value that a simulated device showed, with the instant it took it.

One Arrow IPC stream for each equipment in `<home>/truth/`. A run never appends to the file of an
earlier one: that is moved aside as `<equipment>.<n>.arrows`, so a kill in mid-write costs at most
the last unflushed second.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA = pa.schema(
    [
        pa.field("point", pa.uint64(), nullable=False),
        pa.field("ts", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
SEGMENT_BYTES = 64 << 20
SEGMENTS_KEPT = 8
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")
_OLDER = re.compile(r"(?P<equipment>.+)\.(?P<number>\d+)")


class _Stream:
    """The file of one equipment, and the rows that are not in it yet."""

    def __init__(self, folder: Path, equipment: str) -> None:
        self.folder = folder
        self.equipment = equipment
        self.path = folder / f"{equipment}.arrows"
        self.pending: list[tuple[NDArray[np.uint64], int, NDArray[np.float64]]] = []
        self._open()

    def _open(self) -> None:
        if self.path.exists():
            numbers = [number for number, _ in _older(self.folder, self.equipment)]
            self.path.rename(self.folder / f"{self.equipment}.{max(numbers, default=0) + 1}.arrows")
        for _, path in _older(self.folder, self.equipment)[:-SEGMENTS_KEPT]:
            path.unlink()
        self._sink = self.path.open("wb")
        self._writer = pa.ipc.new_stream(self._sink, SCHEMA, options=_OPTIONS)
        self._sink.flush()

    def flush(self) -> None:
        if not self.pending:
            return
        batch = pa.record_batch(
            [
                np.concatenate([points for points, _, _ in self.pending]),
                np.repeat(
                    np.array([ts for _, ts, _ in self.pending], np.int64),
                    [len(points) for points, _, _ in self.pending],
                ),
                np.concatenate([values for _, _, values in self.pending]),
            ],
            schema=SCHEMA,
        )
        self.pending.clear()
        self._writer.write_batch(batch)
        self._sink.flush()
        if self._sink.tell() > SEGMENT_BYTES:
            self.close()
            self._open()

    def close(self) -> None:
        self.flush()
        self._writer.close()
        self._sink.close()


class TruthLog:
    """Writer of the truth in `<home>/truth/`. Not for use from several threads."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "truth"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._streams: dict[str, _Stream] = {}

    def append(self, equipment: str, points: NDArray[np.uint64], ts: int, values: NDArray[np.float64]) -> None:
        """The points of an equipment (ids) took these values at `ts`, µs UTC. Only in memory until `flush`;
        the arrays are kept, not copied."""
        if not len(points):
            return
        stream = self._streams.get(equipment)
        if stream is None:
            stream = self._streams[equipment] = _Stream(self.folder, equipment)
        stream.pending.append((points, ts, values))

    def flush(self) -> None:
        """Write what was appended; afterwards `read_truth` sees it."""
        for stream in self._streams.values():
            stream.flush()

    def close(self) -> None:
        """Flush and end all streams; the log can be appended to no more."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()


def read_truth(home: Path, equipment: str | None = None) -> pa.Table:
    """All truth in `home` (of one equipment, or of all), by point and ts. A file that is being written
    or was cut short gives the whole batches that are in it."""
    folder = home / "truth"
    batches: list[pa.RecordBatch] = []
    for path in sorted(folder.glob("*.arrows")):
        older = _OLDER.fullmatch(path.stem)
        if equipment in (None, older["equipment"] if older else path.stem):
            batches += _batches(path)
    return pa.Table.from_batches(batches, SCHEMA).sort_by([("point", "ascending"), ("ts", "ascending")])


def _older(folder: Path, equipment: str) -> list[tuple[int, Path]]:
    """The earlier files of an equipment with their numbers, oldest first."""
    found = []
    for path in folder.glob(f"{equipment}.*.arrows"):
        match = _OLDER.fullmatch(path.stem)
        if match and match["equipment"] == equipment:
            found.append((int(match["number"]), path))
    return sorted(found)


def _batches(path: Path) -> list[pa.RecordBatch]:
    read: list[pa.RecordBatch] = []
    try:
        with pa.ipc.open_stream(path.read_bytes()) as reader:
            for batch in reader:
                read.append(batch)
    except (pa.ArrowException, OSError, EOFError):
        pass  # the tail of a file that is being written, or was when its writer died
    return read
