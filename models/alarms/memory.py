"""The engine's state as bytes, and back: columns of what is known by a key, so that a site may change in between."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

VERSION = b"alarms 1\n"
LARGEST = 1 << 30
"""Bytes that a memory may hold: the bound that keeps a reader's own finite."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Columns of as many rows as there are keys. `worth`: the rows that a new engine would not have by itself; None for
    all."""

    keys: NDArray[np.uint64]
    columns: Mapping[str, NDArray[np.generic]]
    worth: NDArray[np.bool_] | None = None


State = Mapping[str, Known]
Filled = list[tuple[NDArray[np.generic], NDArray[np.intp], NDArray[np.generic]]]
"""A column of the state, rows of it, and what these were."""


def save(state: State) -> bytes:
    """All of it, compressed."""
    held = io.BytesIO()
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, known in state.items():
        rows = slice(None) if known.worth is None else known.worth
        arrays[name] = known.keys[rows]
        arrays |= {f"{name}.{column}": values[rows] for column, values in known.columns.items()}
    np.savez(held, **arrays)  # type: ignore[arg-type]
    data = held.getvalue()
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return VERSION + len(data).to_bytes(8, "big") + packed


def load(memory: bytes, state: State) -> Filled:
    """What a memory says of the columns, by key; what either side does not know is left out. Raises ValueError."""
    head = len(VERSION) + 8
    size = int.from_bytes(memory[len(VERSION) : head], "big")
    if not memory.startswith(VERSION) or not 0 < size < LARGEST:
        raise ValueError("not a memory of the alarm engine: it must begin with 'alarms 1'")
    try:
        data = pa.decompress(memory[head:], decompressed_size=size, codec="zstd", asbytes=True)
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return [part for name, known in state.items() if name in held for part in _part(held, name, known)]
    except (OSError, KeyError, EOFError, pa.ArrowException, zipfile.BadZipFile) as error:
        raise ValueError(f"not a memory of the alarm engine: {error}") from error


def _part(held: Mapping[str, NDArray[np.generic]], name: str, known: Known) -> Filled:
    had = held[name]
    order = np.argsort(had)
    at = np.minimum(np.searchsorted(had[order], known.keys), max(len(had) - 1, 0))
    rows = np.flatnonzero(had[order][at] == known.keys) if len(had) else np.empty(0, np.intp)
    source = order[at[rows]]
    found = []
    for column, values in known.columns.items():
        kept = held[f"{name}.{column}"]
        if kept.dtype != values.dtype or len(kept) != len(had):
            raise ValueError(f"not a memory of the alarm engine: '{name}.{column}' is not what it was")
        found.append((values, rows, kept[source]))
    return found
