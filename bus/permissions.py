"""Who may do what on the bus, as the server is told it: made from the policy (`models/access/policy.yaml`).

An empty list of allowed subjects would mean "everything" to the server, so whoever may publish
nothing is denied everything by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bus import subjects
from bus.subjects import STREAMS
from models import access

MINE = "mine"
"""The name of the mine's own server, whose domain an edge's gateways ask for the site."""
GATEWAY = "gateway"
LEAF = "leaf"
REQUESTS = frozenset({"command", "question"})
"""The kinds of subject on which somebody waits for an answer."""
MQTT_DELIVERY = ("$MQTT.sub.>", "$MQTT.deliver.pubrel.>")
"""What the server's MQTT side needs for a client that subscribes with QoS 1 or 2."""


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


@dataclass(frozen=True, slots=True)
class Task:
    """What the policy says of a process; its head tells what the fields mean."""

    publish: tuple[str, ...] = ()
    hear: tuple[str, ...] = ()
    asks: bool = False
    answers: bool = False
    fill: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    read_mine: tuple[str, ...] = ()
    consume: tuple[str, ...] = ()
    define: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()

    def permissions(self, code: str, process: str, name: str) -> Permissions:
        """Those of `process` at the mine `code`; `name` is the gateway's, for a gateway."""
        inbox = (f"{subjects.inbox_of(process)}.>",) if self.asks else ()
        return Permissions(
            publish=(*_of_mine(code, self.publish, name), *self._streams(code)),
            subscribe=(*_of_mine(code, self.hear, name), *inbox),
            answers=self.answers,
        )

    def _streams(self, code: str) -> Iterable[str]:
        for stream in self.fill:
            yield f"$JS.API.STREAM.INFO.{stream}"
        yield from _reads("$JS.API", self.read)
        yield from _reads(f"$JS.{subjects.domain_of(MINE, code)}.API", self.read_mine)
        if self.consume:
            yield from _consumes(self.consume)
        if self.define:
            yield from ("$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST")
        for stream in self.define:
            yield from (f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "INFO"))
            yield from (f"$JS.API.CONSUMER.LIST.{stream}", f"$JS.API.CONSUMER.INFO.{stream}.*")
        for stream in self.begin:
            yield from (f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "INFO"))


def processes() -> tuple[str, ...]:
    """The processes of every mine; its gateways (`gateway-<name>`) come to them."""
    return tuple(process for process in access.document()["processes"] if process != GATEWAY)


def of_process(code: str, process: str) -> Permissions:
    """What a process may do, `gateway-<name>` under its own name only. Raises KeyError for one that is none."""
    kind, _, name = process.partition("-")
    return _task(kind).permissions(code, process, name)


def of_person(code: str, may: Iterable[str]) -> Permissions:
    """What one who has these permissions hears at the mine `code`. People publish nothing."""
    opened = access.document()["permissions"]
    heard = dict.fromkeys(each for permission in sorted(may) for each in opened[permission].get("hear", ()))
    return Permissions(publish=(), subscribe=_of_mine(code, heard, ""))


def of_device(user: str) -> Permissions:
    """What a client of MQTT may do, in the devices' account."""
    found: Mapping[str, list[str]] = access.document()["devices"][user]
    return Permissions(tuple(found["publish"]), (*found["hear"], *MQTT_DELIVERY))


def of_leaf(code: str, edge: str, gateways: Iterable[str]) -> Permissions:
    """What an edge's server may send to the mine's ("publish") and is sent by it ("subscribe").

    Up: live values and heartbeats of the edge's own gateways, answers to those who ask gateways, and what the
    mine's streams source. Down: commands and questions to these gateways, the live values of others that
    their linkages look at, the site's versions that they ask for, and the sourcing itself.
    """
    domain = subjects.domain_of(edge, code)
    names = tuple(gateways)
    task = _task(GATEWAY)
    asked = {subject.partition(".")[0] for subject in task.hear} & REQUESTS
    asking = [name for name in processes() if any(said.partition(".")[0] in asked for said in _task(name).publish)]
    passing = [subject for subject in task.publish if subject.partition(".")[0] not in subjects.KEPT]
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
            *(subject for name in names for subject in _of_mine(code, passing, name)),
            *(f"{subjects.inbox_of(process)}.>" for process in asking),
            *_reads(f"$JS.{subjects.domain_of(MINE, code)}.API", task.read_mine),
            f"{subjects.delivery_of(edge, code)}.>",
            "$JSC.>",
            "_R_.>",
            "_GR_.>",
        ),
        subscribe=(
            *(subject for name in names for subject in _of_mine(code, task.hear, name)),
            *(f"{subjects.inbox_of(f'{GATEWAY}-{name}')}.>" for name in names),
            *sourcing,
            "_GR_.>",
        ),
    )


def _task(kind: str) -> Task:
    said = access.document()["processes"][kind]
    fields: dict[str, Any] = {word: tuple(each) if isinstance(each, list) else each for word, each in said.items()}
    return Task(**fields)


def _of_mine(code: str, found: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(subjects.of(code, each.replace("{name}", name)) for each in found)


def _reads(api: str, streams: Iterable[str]) -> Iterable[str]:
    for stream in streams:
        yield from (f"{api}.STREAM.INFO.{stream}", f"{api}.STREAM.MSG.GET.{stream}")


def _consumes(durables: Iterable[str]) -> Iterable[str]:
    names = tuple(durables)
    for stream in STREAMS:
        yield f"$JS.API.STREAM.INFO.{stream}"
        for durable in names:
            yield from (
                f"$JS.API.CONSUMER.CREATE.{stream}.{durable}",
                f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
                f"$JS.ACK.{stream}.{durable}.>",
                f"$JS.ACK.*.*.{stream}.{durable}.>",
            )
