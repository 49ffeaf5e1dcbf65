"""From engineering values to what a device holds, and back to what that means.

A device holds raw numbers of a type: raw = (value − offset) / factor, rounded and held within the
type. What it then really shows, decoded(raw) · factor + offset, is the truth. This is the
simulators' own arithmetic and layout: it shares no code with the adapters it is there to check.
"""

from simulators.encode.layout import RegisterLayout
from simulators.encode.number import TYPES, EncodeError, quantise
from simulators.encode.place import ORDERS, Place, byte_order, place
from simulators.encode.typed import STRING, Typed, type_of

__all__ = [
    "ORDERS",
    "STRING",
    "TYPES",
    "EncodeError",
    "Place",
    "RegisterLayout",
    "Typed",
    "byte_order",
    "place",
    "quantise",
    "type_of",
]
