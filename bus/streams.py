"""The streams: what they keep, how long, how much; made or changed by the process that sets up."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bus import anchors, sites, subjects
from bus.connection import Bus
from bus.errors import BusUnavailable
from bus.subjects import ANCHORS, EVENTS, SAFETY, SAMPLES, STREAMS
from models.identity import MANUAL

DUPLICATE_WINDOW_S = 120
_HOUR_NS = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Limits:
    """How much each stream keeps (bytes) and for how long (hours). Full streams refuse new messages.

    The defaults fit any disk; `of_disk` takes the share of this machine's that the design gives it.
    """

    samples_bytes: int = 2 << 30
    safety_bytes: int = 512 << 20
    events_bytes: int = 256 << 20
    samples_hours: float = 72
    safety_hours: float = 30 * 24
    events_hours: float = 30 * 24

    @staticmethod
    def of_disk(path: Path, share: float = 0.2) -> Limits:
        """Bulk: `share` of the disk that holds `path`, at least 256 MB, at most 256 GB and half of what is
        free; safety a quarter of that, apart from it; events an eighth."""
        usage = shutil.disk_usage(path)
        bulk = min(int(usage.total * share), 256 << 30, max(usage.free // 2, 256 << 20))
        bulk = max(bulk, 256 << 20)
        return Limits(bulk, bulk // 4, bulk // 8)

    def of(self, stream: str) -> tuple[int, int]:
        """(bytes, age in ns) of one stream."""
        size, hours = {
            SAMPLES: (self.samples_bytes, self.samples_hours),
            SAFETY: (self.safety_bytes, self.safety_hours),
            EVENTS: (self.events_bytes, self.events_hours),
        }[stream]
        return size, int(hours * _HOUR_NS)


async def ensure(
    bus: Bus,
    code: str,
    limits: Limits | None = None,
    *,
    gateways: Iterable[str] | None = None,
    edges: Mapping[str, Iterable[str]] | None = None,
    with_sites: bool = True,
) -> None:
    """Make the streams on the server that `bus` (as admin) is connected to, or change them to this.

    `gateways` publish to this server itself (None: all, or none where there are edges). `edges` maps
    each server that joined it as a leaf to the gateways behind it: what these published there, and
    nothing else, is sourced into the streams here. `with_sites`: this server keeps the site's versions and
    the audit's anchors and takes what people enter, as the mine's does and an edge's does not. Raises
    BusUnavailable, PublishRefused with the server's words.
    """
    limits = limits or Limits()
    behind = {edge: tuple(names) for edge, names in (edges or {}).items()}
    if gateways is None:
        gateways = () if behind else ("*",)
    names = tuple(gateways)
    if with_sites and "*" not in names:
        names = (*names, MANUAL)
    configs = [_config(stream, code, limits, names, behind) for stream in STREAMS]
    if with_sites:
        configs += [sites.stream_config(code), anchors.stream_config(code)]
    for wanted in configs:
        stream = wanted["name"]
        try:
            found = (await bus.control(f"STREAM.INFO.{stream}", None))["config"]
        except BusUnavailable as error:
            if "not found" not in str(error):
                raise
            await bus.control(f"STREAM.CREATE.{stream}", wanted)
            continue
        if stream != ANCHORS and any(found.get(key) != value for key, value in wanted.items()):
            await bus.control(f"STREAM.UPDATE.{stream}", wanted)


def _config(
    stream: str, code: str, limits: Limits, gateways: tuple[str, ...], edges: dict[str, tuple[str, ...]]
) -> dict[str, Any]:
    size, age = limits.of(stream)
    config: dict[str, Any] = {
        "name": stream,
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_bytes": size,
        "max_age": age,
        "duplicate_window": min(DUPLICATE_WINDOW_S * 10**9, age),
        "num_replicas": 1,
    }
    if gateways:
        config["subjects"] = [subjects.of_stream(stream, code, name) for name in gateways]
    if edges:
        config["sources"] = [
            {
                "name": stream,
                # Without this an edge could bring in samples in another gateway's name.
                "subject_transforms": [
                    {"src": subjects.of_stream(stream, code, name), "dest": subjects.of_stream(stream, code, name)}
                    for name in names
                ],
                "external": {
                    "api": f"$JS.{subjects.domain_of(edge, code)}.API",
                    # A prefix of its own, so that an edge may send into its own sourcing alone.
                    "deliver": subjects.delivery_of(edge, code),
                },
            }
            for edge, names in edges.items()
        ]
    return config
