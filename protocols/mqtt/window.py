"""Acknowledgements in the order of arrival, however the deliveries were finished.

MQTT 3.1.1 [MQTT-4.6.0-2] wants PUBACKs in the order in which the messages came. One that is finished
early waits here for those before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable


class AckWindow:
    """Holds a small record for each message that is not yet acknowledged."""

    def __init__(self, send: Callable[[int, int], object]) -> None:
        """`send(mid, qos)` puts one PUBACK on the wire."""
        self._send = send
        self._waiting: deque[list[int]] = deque()
        self._first = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def arrived(self, mid: int, qos: int) -> int:
        """Note a message; gives the number by which `finished` knows it."""
        self._waiting.append([mid, qos, 0])
        return self._first + len(self._waiting) - 1

    def finished(self, numbers: Iterable[int]) -> None:
        """These need not come again: acknowledge them as soon as all before them are finished too."""
        for number in numbers:
            if self._first <= number < self._first + len(self._waiting):
                self._waiting[number - self._first][2] = 1
        while self._waiting and self._waiting[0][2]:
            mid, qos, _ = self._waiting.popleft()
            self._first += 1
            self._send(mid, qos)

    def forget(self) -> None:
        """The link is gone: nothing more can be acknowledged, the broker sends it all again."""
        self._first += len(self._waiting)
        self._waiting.clear()
