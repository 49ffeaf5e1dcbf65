"""Batch numbers over crashes, new installations and damaged files."""

import os
import signal
import subprocess
import sys

import pytest

from gateway import numbers
from gateway.numbers import BatchNumbers, GatewayRunning


def test_numbers_rise_over_a_clean_end_a_clock_set_back_and_a_lost_folder(tmp_path):
    first = BatchNumbers(tmp_path / "a", lambda: 1_000_000)
    given = [first.next() for _ in range(3)]
    first.close()
    again = BatchNumbers(tmp_path / "a", lambda: 5)  # the clock was set back
    assert again.next() > given[-1]
    again.close()
    assert given == [1_000_001, 1_000_002, 1_000_003]
    new = BatchNumbers(tmp_path / "b", lambda: 2_000_000)
    assert new.next() > given[-1]


def test_a_number_is_spoken_for_on_disk_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "RESERVED_AT_ONCE", 10)
    made = BatchNumbers(tmp_path, lambda: 100)
    for _ in range(35):
        assert made.next() <= int((tmp_path / "numbers").read_text())


def test_a_damaged_file_is_not_trusted_and_not_fatal(tmp_path):
    (tmp_path / "numbers").write_text("\x00\x00rubbish")
    assert BatchNumbers(tmp_path, lambda: 500).next() == 501


def test_two_gateways_cannot_share_a_folder(tmp_path):
    first = BatchNumbers(tmp_path)
    with pytest.raises(GatewayRunning, match="already running"):
        BatchNumbers(tmp_path)
    first.close()
    BatchNumbers(tmp_path).close()


def test_no_number_comes_twice_over_kill_9(tmp_path):
    script = (
        "import sys; from pathlib import Path; from gateway import numbers; numbers.RESERVED_AT_ONCE = 7\n"
        "made = numbers.BatchNumbers(Path(sys.argv[1]), lambda: 1000)\n"
        "while True: print(made.next(), flush=True)\n"
    )
    last = 0
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        given = [int(child.stdout.readline()) for _ in range(20)]
        os.kill(child.pid, signal.SIGKILL)
        rest = [int(line) for line in child.stdout.read().split()]  # what it printed before it died
        child.wait()
        child.stdout.close()
        given += rest
        assert given[0] > last and given == sorted(set(given))
        last = given[-1]
