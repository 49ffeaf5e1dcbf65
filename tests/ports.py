"""Ports of the loopback address for the servers of tests.

They lie below the range from which the system takes ports for outgoing connections, so that none of these can take a
port between its choice and its use, and each of several test processes side by side has ports of its own.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections.abc import Iterator

_FIRST, _LAST = 12_000, 32_000
_BLOCK = 20
"""Neighbouring ports that a whole demo takes, at most."""


def _slots() -> Iterator[int]:
    """The first ports of this process's blocks, again and again."""
    count = max(1, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    blocks = range(_FIRST + mine * _BLOCK, _LAST - _BLOCK, count * _BLOCK)
    begin = random.randrange(len(blocks))
    while True:
        for place in range(len(blocks)):
            yield blocks[(begin + place) % len(blocks)]


_blocks = _slots()


def free_block(size: int = _BLOCK) -> int:
    """The first of `size` neighbouring free ports."""
    if size > _BLOCK:
        raise ValueError(f"a block has {_BLOCK} ports, not {size}")
    for _ in range(1000):
        first = next(_blocks)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + size):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


def _singles() -> Iterator[int]:
    while True:
        first = free_block()
        yield from range(first, first + _BLOCK)


_ports = _singles()


def free_port() -> int:
    """A port that is free, and that no other test of this run was given lately."""
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as door:
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
