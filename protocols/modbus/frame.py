"""Checks what came over the connection before pymodbus decodes it.

pymodbus 3.16 itself takes a reply with transaction 0 for any request, does not compare the function
code and the number of bytes with the request, and waits in silence on bytes that are no Modbus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LONGEST = 254
"""The most that a frame's length field may say: unit, function and 252 bytes."""


class Asked(NamedTuple):
    """The outstanding request: `body` is how many bytes its reply has after the function code, and
    `counted` says that the first of these counts the others."""

    transaction: int
    unit: int
    function: int
    body: int
    counted: bool


@dataclass(slots=True)
class Verdict:
    """`fault`: why the connection cannot be trusted any more, or "". `strays`: whole frames that belong
    to no outstanding request. `partial`: an unfinished frame is at the end. `answered`: ours is there."""

    fault: str = ""
    strays: int = 0
    partial: bool = False
    answered: bool = False


def inspect(data: bytes, asked: Asked | None) -> Verdict:
    """Look at all bytes received and not yet used; they begin at a frame's beginning."""
    verdict = Verdict()
    at, end = 0, len(data)
    while at < end:
        if end - at < 6:
            verdict.partial = True
            break
        transaction = int.from_bytes(data[at : at + 2], "big")
        protocol = int.from_bytes(data[at + 2 : at + 4], "big")
        length = int.from_bytes(data[at + 4 : at + 6], "big")
        if protocol or not 3 <= length <= LONGEST:
            verdict.fault = "what came is not Modbus TCP: check that the port is the Modbus server's"
            break
        if end - at < 6 + length:
            verdict.partial = True
            break
        frame = data[at + 6 : at + 6 + length]
        at += 6 + length
        if asked is None or verdict.answered:
            verdict.strays += 1
        elif transaction == asked.transaction:
            verdict.fault = _mismatch(frame, asked)
            if verdict.fault:
                break
            verdict.answered = True
        elif transaction == 0:
            # pymodbus would take it for ours.
            verdict.fault = "the device sent a reply without a transaction number"
            break
        else:
            verdict.strays += 1
    return verdict


def _mismatch(frame: bytes, asked: Asked) -> str:
    unit, function, body = frame[0], frame[1], frame[2:]
    if unit != asked.unit:
        return f"unit {asked.unit} was asked and unit {unit} answered"
    if function == asked.function | 0x80:
        return "" if len(body) == 1 else f"an exception reply has 1 byte, this one has {len(body)}"
    if function != asked.function:
        return f"function {asked.function} was asked and function {function} answered"
    if len(body) != asked.body or (asked.counted and body[0] != asked.body - 1):
        said = f", and says it has {body[0]} bytes of data" if asked.counted else ""
        return f"the reply has {len(body)} bytes where {asked.body} were due{said}"
    return ""
