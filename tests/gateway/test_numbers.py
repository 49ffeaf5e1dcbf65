"""Batch numbers over crashes, new installations and damaged files."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gateway import numbers
from gateway.numbers import BatchNumbers, GatewayRunning
from models.identity import MANUAL_FLOOR


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


def until_done(made):
    made._beside.join(10)
    assert not made._beside.is_alive()


def test_a_disk_without_room_takes_the_time_of_the_file_and_no_number_comes_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "RESERVED_AT_ONCE", 10)
    monkeypatch.setattr(numbers, "WAIT_S", 10.0)
    made = BatchNumbers(tmp_path)
    ahead = made.at_once() + 3_600_000_000
    made.close()
    (tmp_path / "numbers").write_text(f"{ahead}\n")  # and the clock was set back by an hour since
    (tmp_path / "numbers.partial").mkdir()
    given = []
    for _ in range(3):  # each start is killed
        made = BatchNumbers(tmp_path)
        given += [made.at_once() for _ in range(25)]
        assert made.counts["refused_total"] >= 1 and made.counts["unreserved_total"] == 0
        made.close()
    assert given[0] > ahead and given == sorted(set(given)) and given[-1] < MANUAL_FLOOR


def test_numbers_go_on_unreserved_on_a_disk_that_takes_nothing_and_are_reserved_when_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "AGAIN_S", 0.0)
    (tmp_path / "numbers.partial").mkdir()
    made = BatchNumbers(tmp_path)
    given = [made.at_once() for _ in range(3)]
    until_done(made)
    assert made.counts["unreserved_total"] == 3
    made.close()
    made = BatchNumbers(tmp_path)  # killed, started anew
    assert made.at_once() > given[-1]
    until_done(made)
    (tmp_path / "numbers.partial").rmdir()
    last = made.at_once()
    until_done(made)
    assert int((tmp_path / "numbers").read_text()) > last
    made.at_once()
    assert made.counts["unreserved_total"] <= 2
    made.close()


def test_a_disk_that_hangs_holds_up_a_number_once_and_keeps_the_folder_until_it_answers(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "numbers.partial")  # opening it waits for a reader
    made = BatchNumbers(tmp_path)
    began = time.monotonic()
    given = [made.at_once() for _ in range(1000)]
    assert time.monotonic() - began < 100 * numbers.WAIT_S and given == sorted(set(given))
    made.close()
    with pytest.raises(GatewayRunning):
        BatchNumbers(tmp_path)
    reader = os.open(tmp_path / "numbers.partial", os.O_RDONLY | os.O_NONBLOCK)
    until_done(made)
    os.close(reader)
    BatchNumbers(tmp_path).close()


@pytest.mark.parametrize("text", [str(MANUAL_FLOOR), "9" * 40])
def test_a_number_beyond_all_that_is_given_is_not_believed(tmp_path, text):
    (tmp_path / "numbers").write_text(text)
    assert BatchNumbers(tmp_path, lambda: 500).next() == 501
