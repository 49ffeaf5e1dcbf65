"""What a device can answer instead of data, in plain words and as a quality."""

from __future__ import annotations

from models.quality import Quality
from protocols.adapter import AdapterError, LinkLost

_EXCEPTIONS: dict[int, tuple[str, Quality]] = {
    1: ("the device does not know this kind of request (illegal function)", Quality.BAD_CONFIGURATION),
    2: ("the device has no such address (illegal data address)", Quality.BAD_CONFIGURATION),
    3: ("the device refuses this length or value (illegal data value)", Quality.BAD_CONFIGURATION),
    4: ("the device failed while it served the request (server device failure)", Quality.BAD_DEVICE_FAILURE),
    5: ("the device needs longer and has not answered yet (acknowledge)", Quality.BAD_COMMUNICATION),
    6: ("the device is busy (server device busy)", Quality.BAD_COMMUNICATION),
    8: ("the device found its memory damaged (memory parity error)", Quality.BAD_DEVICE_FAILURE),
    10: ("the gateway has no path to the unit (gateway path unavailable)", Quality.BAD_COMMUNICATION),
    11: ("the unit behind the gateway does not answer (gateway target failed to respond)", Quality.BAD_COMMUNICATION),
}
UNIT_IS_AWAY = frozenset({10, 11})
"""Exceptions with which a gateway says that the unit behind it is not there."""
NARROW_DOWN = frozenset({2, 3})
"""Exceptions that one part of a block can cause for the whole of it."""


class Refused(AdapterError):
    """The device answered with an exception code."""

    def __init__(self, code: int) -> None:
        words, self.quality = _EXCEPTIONS.get(code, ("the device refuses", Quality.BAD_DEVICE_FAILURE))
        self.code = code
        super().__init__(f"{words}, exception {code}")


class NoAnswer(AdapterError):
    """Nothing that can be used came back: nothing within the time-out, or not a reply to the request.
    The connection was given up with it, so that nothing late can be taken for a later reply."""


class Closed(LinkLost):
    """The connection ended while a request was outstanding."""
