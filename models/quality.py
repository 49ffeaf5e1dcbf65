"""The quality of a value: the OPC byte (QQSSSSLL) and nothing else.

Source: OPC Data Access 2.05a, section 6.8. The two high bits say bad (00), uncertain (01) or
good (11); 10 is reserved there and treated as bad here; the next four bits say why; the two low
bits are limit flags. Arrays are uint8.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Quality(IntEnum):
    """The codes that this house writes. What a source wrote is kept, so others can be met in data."""

    BAD = 0
    BAD_CONFIGURATION = 4
    BAD_NOT_CONNECTED = 8
    BAD_DEVICE_FAILURE = 12
    BAD_SENSOR_FAILURE = 16
    BAD_LAST_KNOWN = 20
    BAD_COMMUNICATION = 24
    BAD_OUT_OF_SERVICE = 28
    BAD_WAITING = 32
    UNCERTAIN = 64
    UNCERTAIN_LAST_USABLE = 68
    UNCERTAIN_SENSOR = 80
    UNCERTAIN_RANGE = 84
    UNCERTAIN_SUBNORMAL = 88
    GOOD = 192
    GOOD_LOCAL_OVERRIDE = 216


GOOD = int(Quality.GOOD)
UNCERTAIN = int(Quality.UNCERTAIN)

_LABELS: dict[int, tuple[str, str]] = {
    Quality.BAD: ("坏", "bad"),
    Quality.BAD_CONFIGURATION: ("坏：配置错误", "bad: configuration error"),
    Quality.BAD_NOT_CONNECTED: ("坏：未连接", "bad: not connected"),
    Quality.BAD_DEVICE_FAILURE: ("坏：设备故障", "bad: device failure"),
    Quality.BAD_SENSOR_FAILURE: ("坏：传感器故障", "bad: sensor failure"),
    Quality.BAD_LAST_KNOWN: ("坏：数据陈旧", "bad: last known value, stale"),
    Quality.BAD_COMMUNICATION: ("坏：通信故障", "bad: communication failure"),
    Quality.BAD_OUT_OF_SERVICE: ("坏：停用", "bad: out of service"),
    Quality.BAD_WAITING: ("坏：等待首个数据", "bad: waiting for the first value"),
    Quality.UNCERTAIN: ("不确定", "uncertain"),
    Quality.UNCERTAIN_LAST_USABLE: ("不确定：最后可用值", "uncertain: last usable value"),
    Quality.UNCERTAIN_SENSOR: ("不确定：传感器不准", "uncertain: sensor not accurate"),
    Quality.UNCERTAIN_RANGE: ("不确定：超出量程", "uncertain: outside the engineering range"),
    Quality.UNCERTAIN_SUBNORMAL: ("不确定：来源不足", "uncertain: too few good sources"),
    Quality.GOOD: ("好", "good"),
    Quality.GOOD_LOCAL_OVERRIDE: ("好：就地强制", "good: local override"),
}


def _ranks() -> NDArray[np.uint8]:
    code = np.arange(256, dtype=np.uint8)
    rank = code & np.uint8(0xFC)
    reserved = (code >= 128) & (code < 192)
    rank[reserved] -= np.uint8(128)
    rank[(code & 0xFC) == GOOD] = 255
    return rank


RANK: NDArray[np.uint8] = _ranks()
"""Rank of each of the 256 codes, higher is better. Bad (and the reserved codes) < uncertain < good;
within a class by the sub-code without its limit bits, so that 0, "bad, nothing said", is the worst
of all; plain good ranks above good with a remark."""


def is_good(quality: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows are good: only these enter an aggregate."""
    return quality >= GOOD


def worst(quality: NDArray[np.uint8]) -> int:
    """The worst code of a non-empty array, by RANK; the first of several of equal rank."""
    if not len(quality):
        raise ValueError("no quality to rank: the array is empty")
    return int(quality[np.argmin(RANK[quality])])


def label(quality: int, language: str = "zh") -> str:
    """Plain words for a code; an unknown sub-code is named by its class."""
    code = quality & 0xFC
    if 128 <= code < 192:
        code = int(Quality.BAD)
    words = _LABELS.get(code) or _LABELS[code & 0xC0]
    return words[0] if language == "zh" else words[1]
