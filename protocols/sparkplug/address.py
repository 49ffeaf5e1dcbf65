"""What a Sparkplug address is: `<group>/<node>:<metric>` or `<group>/<node>/<device>:<metric>`, split at the
first `:`.

Mine1/Belt:Properties/Hardware          a metric of the node itself
Mine1/Belt/Drive1:Motor/Current         a metric of the node's device Drive1
"""

from __future__ import annotations

from typing import NamedTuple

MAX_ADDRESS_BYTES = 2048


class Address(NamedTuple):
    """`device` is "" for a metric of the node itself."""

    group: str
    node: str
    device: str
    metric: str


def parse_address(address: str) -> Address:
    """Take an address apart. Raises ValueError in plain words."""
    if len(address.encode()) > MAX_ADDRESS_BYTES or "\0" in address:
        raise ValueError(
            f"地址超过 {MAX_ADDRESS_BYTES} 字节，或其中有 NUL · "
            f"the address is longer than {MAX_ADDRESS_BYTES} bytes or has a NUL in it"
        )
    place, colon, metric = address.partition(":")
    if not colon or not metric:
        raise ValueError(
            f"地址 '{address}' 没有写明度量，请写作 <group>/<node>:<metric> 或 <group>/<node>/<device>:<metric> · "
            f"the address '{address}' names no metric: write <group>/<node>:<metric> "
            "or <group>/<node>/<device>:<metric>"
        )
    parts = place.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(
            f"'{place}' 既不是 <group>/<node> 也不是 <group>/<node>/<device>：地址为 <group>/<node>:<metric> "
            "或 <group>/<node>/<device>:<metric> · "
            f"'{place}' is neither <group>/<node> nor <group>/<node>/<device>: an address is "
            "<group>/<node>:<metric> or <group>/<node>/<device>:<metric>"
        )
    if "+" in place or "#" in place:
        raise ValueError(
            f"'{place}' 中有 + 或 #，Sparkplug 名称中不能有 · "
            f"'{place}' has + or # in it, which no Sparkplug name can have"
        )
    return Address(parts[0], parts[1], parts[2] if len(parts) == 3 else "", metric)
