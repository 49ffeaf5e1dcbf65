"""OPC UA's status codes, 32 bits, to the quality byte and to words."""

from __future__ import annotations

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from models.quality import Quality

OVERFLOW = 0x480
"""InfoType DataValue with the overflow bit: the server's queue was too short, changes are lost."""

_CODES = {
    "GoodLocalOverride": Quality.GOOD_LOCAL_OVERRIDE,
    "UncertainLastUsableValue": Quality.UNCERTAIN_LAST_USABLE,
    "UncertainNoCommunicationLastUsableValue": Quality.UNCERTAIN_LAST_USABLE,
    "UncertainSensorNotAccurate": Quality.UNCERTAIN_SENSOR,
    "UncertainEngineeringUnitsExceeded": Quality.UNCERTAIN_RANGE,
    "UncertainSubNormal": Quality.UNCERTAIN_SUBNORMAL,
    "BadConfigurationError": Quality.BAD_CONFIGURATION,
    "BadNodeIdUnknown": Quality.BAD_CONFIGURATION,
    "BadNodeIdInvalid": Quality.BAD_CONFIGURATION,
    "BadAttributeIdInvalid": Quality.BAD_CONFIGURATION,
    "BadNotReadable": Quality.BAD_CONFIGURATION,
    "BadUserAccessDenied": Quality.BAD_CONFIGURATION,
    "BadNotSupported": Quality.BAD_CONFIGURATION,
    "BadNotConnected": Quality.BAD_NOT_CONNECTED,
    "BadDeviceFailure": Quality.BAD_DEVICE_FAILURE,
    "BadSensorFailure": Quality.BAD_SENSOR_FAILURE,
    "BadNoCommunication": Quality.BAD_COMMUNICATION,
    "BadCommunicationError": Quality.BAD_COMMUNICATION,
    "BadServerNotConnected": Quality.BAD_COMMUNICATION,
    "BadTimeout": Quality.BAD_COMMUNICATION,
    "BadOutOfService": Quality.BAD_OUT_OF_SERVICE,
    "BadWaitingForInitialData": Quality.BAD_WAITING,
}
_BY_CODE: dict[int, int] = {int(getattr(ua.StatusCodes, name)): int(quality) for name, quality in _CODES.items()}


def quality_of(status: int) -> int:
    """The quality byte of one status code; the limit bits go along where the code has them."""
    found = _BY_CODE.get(status & 0xFFFF0000)
    if found is None:
        severity = status >> 30
        found = int(Quality.GOOD if severity == 0 else Quality.UNCERTAIN if severity == 1 else Quality.BAD)
    limits = (status >> 8) & 0b11 if status & 0x0C00 == 0x0400 else 0
    return found | limits


def qualities(statuses: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The same for many: each code that occurs is looked up once."""
    codes, rows = np.unique(statuses, return_inverse=True)
    table = np.fromiter((quality_of(int(code)) for code in codes), np.uint8, len(codes))
    return table[rows]


def name(status: int) -> str:
    """A status code's name."""
    return str(ua.StatusCode(ua.UInt32(status & 0xFFFF0000)).name)


def words(status: int) -> str:
    """A status code's name and what it means, for an engineer."""
    code = ua.StatusCode(ua.UInt32(status & 0xFFFF0000))
    return f"{code.name}: {code.doc}".rstrip(". :") if code.doc else str(code.name)
