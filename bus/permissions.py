"""Which process may do what on the bus: the least that its task needs.

An empty list of allowed subjects would mean "everything" to the server, so whoever may publish
nothing is denied everything by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bus import subjects
from bus.subjects import ANCHORS, SITES, STREAMS
from models.identity import MANUAL

STORE_DURABLES = ("store",)
MIRROR_DURABLES = ("mirror",)
MINE = "mine"
"""The name of the mine's own server, whose domain an edge's gateways ask for the site."""
WATCH_DURABLES = ("watch", "watch-alarms", "watch-kpi")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects that a user may publish and subscribe; `answers` lets it reply to what it was asked."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False

    def as_config(self) -> dict[str, Any]:
        """The form of the server's configuration."""
        config: dict[str, Any] = {
            "publish": {"allow": list(self.publish)} if self.publish else {"deny": [">"]},
            "subscribe": {"allow": list(self.subscribe)} if self.subscribe else {"deny": [">"]},
        }
        if self.answers:
            config["allow_responses"] = {"max": 1, "expires": "30s"}
        return config


def gateway(code: str, name: str) -> Permissions:
    """Its own samples, events, live values and heartbeat; its own commands and questions; the fill of the
    streams; the site's versions, here or, behind an edge's server, at the mine's."""
    return Permissions(
        publish=(
            *(subjects.of_stream(stream, code, name) for stream in STREAMS),
            subjects.live(code, name),
            subjects.state(code, f"gateway-{name}"),
            *(f"$JS.API.STREAM.INFO.{stream}" for stream in STREAMS),
            *_reads_sites("$JS.API"),
            *_reads_sites(f"$JS.{subjects.domain_of(MINE, code)}.API"),
        ),
        subscribe=(
            subjects.command(code, name),
            subjects.question(code, name),
            f"{subjects.inbox_of(f'gateway-{name}')}.>",
        ),
        answers=True,
    )


def consumer(code: str, process: str, durables: Iterable[str]) -> Permissions:
    """A process that reads the streams by durable consumers of its own, and nothing else."""
    publish = [subjects.state(code, process)]
    for stream in STREAMS:
        publish.append(f"$JS.API.STREAM.INFO.{stream}")
        for durable in durables:
            publish += [
                f"$JS.API.CONSUMER.CREATE.{stream}.{durable}",
                f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
                f"$JS.ACK.{stream}.{durable}.>",
                f"$JS.ACK.*.*.{stream}.{durable}.>",
            ]
    return Permissions(publish=tuple(publish), subscribe=(f"{subjects.inbox_of(process)}.>",))


def store(code: str) -> Permissions:
    """Reads the streams, and heartbeats, which tell how many polls were due and answered."""
    reads = consumer(code, "store", STORE_DURABLES)
    return Permissions(reads.publish, (*reads.subscribe, subjects.state(code, "*")))


def api(code: str) -> Permissions:
    """Live values and heartbeats; commands to gateways; what people entered, also as live values; reads the site's
    versions; adds to the anchors."""
    return Permissions(
        publish=(
            subjects.command(code, "*"),
            subjects.state(code, "api"),
            subjects.anchor(code),
            *(subjects.of_stream(stream, code, MANUAL) for stream in STREAMS),
            subjects.live(code, MANUAL),
            *_reads_sites("$JS.API"),
        ),
        subscribe=(subjects.live(code, "*"), subjects.state(code, "*"), f"{subjects.inbox_of('api')}.>"),
    )


def _reads_sites(api: str) -> tuple[str, ...]:
    return (f"{api}.STREAM.INFO.{SITES}", f"{api}.STREAM.MSG.GET.{SITES}")


def engineer(code: str) -> Permissions:
    """Live values and heartbeats; questions to gateways; publishes the site's versions and reads them."""
    return Permissions(
        publish=(subjects.question(code, "*"), subjects.site(code), *_reads_sites("$JS.API")),
        subscribe=(subjects.live(code, "*"), subjects.state(code, "*"), f"{subjects.inbox_of('engineer')}.>"),
    )


def operator(code: str) -> Permissions:
    """Live values and heartbeats; commands to gateways."""
    return Permissions(
        publish=(subjects.command(code, "*"),),
        subscribe=(subjects.live(code, "*"), subjects.state(code, "*"), f"{subjects.inbox_of('operator')}.>"),
    )


def cli(code: str) -> Permissions:
    """Live values and heartbeats; may publish nothing."""
    return Permissions(publish=(), subscribe=(subjects.live(code, "*"), subjects.state(code, "*")))


def simulator(code: str) -> Permissions:
    """Answers requests for faults, and nothing else."""
    return Permissions(publish=(), subscribe=(subjects.fault(code),), answers=True)


def auditor() -> Permissions:
    """Reads the anchors, and nothing else."""
    return Permissions(
        publish=(f"$JS.API.STREAM.INFO.{ANCHORS}", f"$JS.API.STREAM.MSG.GET.{ANCHORS}"),
        subscribe=(f"{subjects.inbox_of('auditor')}.>",),
    )


def trainer(code: str) -> Permissions:
    """Asks the simulators for faults, and nothing else."""
    return Permissions(publish=(subjects.fault(code),), subscribe=(f"{subjects.inbox_of('trainer')}.>",))


def admin() -> Permissions:
    """Makes and changes our streams and looks at them and their consumers; neither reads nor deletes."""
    publish = ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST"]
    for stream in (*STREAMS, SITES):
        publish += [f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "INFO")]
        publish += [f"$JS.API.CONSUMER.LIST.{stream}", f"$JS.API.CONSUMER.INFO.{stream}.*"]
    # Not UPDATE: that could shrink it, and so delete from it.
    publish += [f"$JS.API.STREAM.{verb}.{ANCHORS}" for verb in ("CREATE", "INFO")]
    return Permissions(publish=tuple(publish), subscribe=(f"{subjects.inbox_of('admin')}.>",))


def leaf(code: str, edge: str, gateways: Iterable[str]) -> Permissions:
    """What an edge's server may send to the mine's ("publish") and is sent by it ("subscribe").

    Up: live values and heartbeats of the edge's own gateways, answers to commands, and what the
    mine's streams source. Down: commands and questions to these gateways, the site's versions that they
    ask for, and the sourcing itself.
    """
    domain = subjects.domain_of(edge, code)
    names = tuple(gateways)
    sourcing = []
    for stream in STREAMS:
        sourcing += [
            f"$JS.{domain}.API.CONSUMER.CREATE.{stream}",
            f"$JS.{domain}.API.CONSUMER.CREATE.{stream}.>",
            f"$JS.{domain}.API.CONSUMER.DELETE.{stream}.*",
            f"$JS.ACK.{stream}.>",
            f"$JS.ACK.*.*.{stream}.>",
            f"$JS.FC.{stream}.>",
        ]
    return Permissions(
        publish=(
            *(subjects.live(code, name) for name in names),
            *(subjects.state(code, f"gateway-{name}") for name in names),
            f"{subjects.inbox_of('api')}.>",
            f"{subjects.inbox_of('operator')}.>",
            f"{subjects.inbox_of('engineer')}.>",
            *_reads_sites(f"$JS.{subjects.domain_of(MINE, code)}.API"),
            f"{subjects.delivery_of(edge, code)}.>",
            "$JSC.>",
            "_R_.>",
            "_GR_.>",
        ),
        subscribe=(
            *(subjects.command(code, name) for name in names),
            *(subjects.question(code, name) for name in names),
            *(f"{subjects.inbox_of(f'gateway-{name}')}.>" for name in names),
            *sourcing,
            "_GR_.>",
        ),
    )


SPARKPLUG = "spBv1//0"
"""What NATS makes of the topic level `spBv1.0`: a dot inside a level becomes `//`."""
MQTT_DELIVERY = ("$MQTT.sub.>", "$MQTT.deliver.pubrel.>")
"""What the server's MQTT side needs for a client that subscribes with QoS 1 or 2."""


def mqtt_gateway() -> Permissions:
    """Reads the devices' topics `mine/#` and, as a Sparkplug host, `spBv1.0/#`; publishes only what such a host
    does: commands to nodes and devices, and that it is there."""
    return Permissions(
        publish=(f"{SPARKPLUG}.STATE.*", f"{SPARKPLUG}.*.NCMD.*", f"{SPARKPLUG}.*.DCMD.*.*"),
        subscribe=("mine.>", "mine", f"{SPARKPLUG}.>", SPARKPLUG, *MQTT_DELIVERY),
    )


def mqtt_device() -> Permissions:
    """Publishes under `mine/` and, as a Sparkplug node, births, data and deaths; reads only the commands to nodes and
    devices, and whether a host is there."""
    said = ("NBIRTH.*", "NDATA.*", "NDEATH.*", "DBIRTH.*.*", "DDATA.*.*", "DDEATH.*.*")
    return Permissions(
        publish=("mine.>", *(f"{SPARKPLUG}.*.{what}" for what in said)),
        subscribe=(
            f"{SPARKPLUG}.STATE.*",
            f"{SPARKPLUG}.*.NCMD.*",
            f"{SPARKPLUG}.*.DCMD.*.*",
            *MQTT_DELIVERY,
        ),
    )
