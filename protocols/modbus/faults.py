"""What a device can answer instead of data, in plain words and as a quality."""

from __future__ import annotations

from models.quality import Quality
from models.site.model import Name
from protocols.adapter import AdapterError, LinkLost

_EXCEPTIONS: dict[int, tuple[Name, Quality]] = {
    1: (
        Name("设备不支持此功能", "the device does not know this kind of request (illegal function)"),
        Quality.BAD_CONFIGURATION,
    ),
    2: (Name("设备没有此地址", "the device has no such address (illegal data address)"), Quality.BAD_CONFIGURATION),
    3: (
        Name("设备不接受此长度或值", "the device refuses this length or value (illegal data value)"),
        Quality.BAD_CONFIGURATION,
    ),
    4: (
        Name("设备处理请求时故障", "the device failed while it served the request (server device failure)"),
        Quality.BAD_DEVICE_FAILURE,
    ),
    5: (
        Name("设备需要更长时间，尚未应答", "the device needs longer and has not answered yet (acknowledge)"),
        Quality.BAD_COMMUNICATION,
    ),
    6: (Name("设备忙", "the device is busy (server device busy)"), Quality.BAD_COMMUNICATION),
    8: (
        Name("设备存储器校验错误", "the device found its memory damaged (memory parity error)"),
        Quality.BAD_DEVICE_FAILURE,
    ),
    10: (
        Name("网关没有到该站的通路", "the gateway has no path to the unit (gateway path unavailable)"),
        Quality.BAD_COMMUNICATION,
    ),
    11: (
        Name("网关后的站没有应答", "the unit behind the gateway does not answer (gateway target failed to respond)"),
        Quality.BAD_COMMUNICATION,
    ),
}
_REFUSES = Name("设备拒绝", "the device refuses")
UNIT_IS_AWAY = frozenset({10, 11})
"""Exceptions with which a gateway says that the unit behind it is not there."""
NARROW_DOWN = frozenset({2, 3})
"""Exceptions that one part of a block can cause for the whole of it."""


class Refused(AdapterError):
    """The device answered with an exception code."""

    def __init__(self, code: int) -> None:
        words, self.quality = _EXCEPTIONS.get(code, (_REFUSES, Quality.BAD_DEVICE_FAILURE))
        self.code = code
        super().__init__(f"{words.zh}，异常码 {code} · {words.en}, exception {code}")


class NoAnswer(AdapterError):
    """Nothing that can be used came back: nothing within the time-out, or not a reply to the request.
    The connection was given up with it, so that nothing late can be taken for a later reply."""


class Closed(LinkLost):
    """The connection ended while a request was outstanding."""
