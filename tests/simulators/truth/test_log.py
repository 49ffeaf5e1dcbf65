"""The truth log: what is appended is read back, across restarts and cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulators.truth import SCHEMA, TruthLog, read_truth
from simulators.truth import log as truth_log


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint64)


def test_rows_come_back_sorted_and_only_when_flushed(tmp_path: Path) -> None:
    log = TruthLog(tmp_path)
    log.append("b", ids(9, 2), 200, np.array([1.5, 2.5]))
    log.append("a", ids(2**64 - 1), 100, np.array([7.0]))
    assert read_truth(tmp_path).num_rows == 0
    log.flush()
    assert read_truth(tmp_path).to_pylist() == [
        {"point": 2, "ts": 200, "value": 2.5},
        {"point": 9, "ts": 200, "value": 1.5},
        {"point": 2**64 - 1, "ts": 100, "value": 7.0},
    ]
    assert read_truth(tmp_path, "a").num_rows == 1
    assert read_truth(tmp_path).schema == SCHEMA
    log.close()
    assert read_truth(tmp_path).num_rows == 3


def test_a_second_run_keeps_the_first_ones_rows(tmp_path: Path) -> None:
    for run in range(3):
        log = TruthLog(tmp_path)
        log.append("belt-1", ids(1), run, np.array([float(run)]))
        log.close()
    assert read_truth(tmp_path, "belt-1")["ts"].to_pylist() == [0, 1, 2]


def test_a_file_cut_short_gives_what_was_whole(tmp_path: Path) -> None:
    log = TruthLog(tmp_path)
    for n in range(5):
        log.append("a", np.arange(100, dtype=np.uint64), n, np.random.default_rng(n).random(100))
        log.flush()
    path = tmp_path / "truth" / "a.arrows"
    path.write_bytes(path.read_bytes()[:-40])
    assert read_truth(tmp_path).num_rows == 400
    log.append("a", ids(1), 99, np.array([1.0]))
    log.close()


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_log, "SEGMENT_BYTES", 1000)
    monkeypatch.setattr(truth_log, "SEGMENTS_KEPT", 3)
    log = TruthLog(tmp_path)
    for n in range(12):
        log.append("a", np.arange(500, dtype=np.uint64), n, np.random.default_rng(n).random(500))
        log.flush()
    log.close()
    kept = sorted(set(read_truth(tmp_path)["ts"].to_pylist()))
    assert kept == [9, 10, 11]
    assert len(list((tmp_path / "truth").iterdir())) == 4


def test_no_truth_is_an_empty_table(tmp_path: Path) -> None:
    assert read_truth(tmp_path).num_rows == 0
