"""The engine's state as bytes, and back: columns of what is known by a key, so that a site may change in between."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

VERSION = b"alarms 1\n"
LARGEST = 1 << 30
"""Bytes that a memory may hold: the bound that keeps a reader's own finite."""

State = Mapping[str, tuple[NDArray[np.uint64], Mapping[str, NDArray[np.generic]]]]
"""By name: keys, and columns of as many rows."""


def save(state: State) -> bytes:
    """All of it, compressed."""
    held = io.BytesIO()
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, (keys, columns) in state.items():
        arrays[name] = keys
        arrays |= {f"{name}.{column}": values for column, values in columns.items()}
    np.savez(held, **arrays)  # type: ignore[arg-type]
    data = held.getvalue()
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return VERSION + len(data).to_bytes(8, "big") + packed


def load(memory: bytes, into: State) -> None:
    """Fill the columns from a memory, by key; what either side does not know stays as it is. Raises ValueError, and
    then nothing is filled."""
    head = len(VERSION) + 8
    size = int.from_bytes(memory[len(VERSION) : head], "big")
    if not memory.startswith(VERSION) or not 0 < size < LARGEST:
        raise ValueError("not a memory of the alarm engine: it must begin with 'alarms 1'")
    try:
        data = pa.decompress(memory[head:], decompressed_size=size, codec="zstd", asbytes=True)
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            filled = [part for name in into for part in _part(held, name, into)]
    except (OSError, KeyError, EOFError, pa.ArrowException, zipfile.BadZipFile) as error:
        raise ValueError(f"not a memory of the alarm engine: {error}") from error
    for column, rows, values in filled:
        column[rows] = values


def _part(
    held: Mapping[str, NDArray[np.generic]], name: str, into: State
) -> list[tuple[NDArray[np.generic], NDArray[np.intp], NDArray[np.generic]]]:
    keys, columns = into[name]
    had = held[name]
    order = np.argsort(had)
    at = np.minimum(np.searchsorted(had[order], keys), max(len(had) - 1, 0))
    rows = np.flatnonzero(had[order][at] == keys) if len(had) else np.empty(0, np.intp)
    source = order[at[rows]] if len(had) else rows
    found = []
    for column, values in columns.items():
        kept = held[f"{name}.{column}"]
        if kept.dtype != values.dtype or len(kept) != len(had):
            raise ValueError(
                f"not a memory of the alarm engine: '{name}.{column}' is not as long or of the kind it was"
            )
        found.append((values, rows, kept[source]))
    return found
