"""An order (命令): what a person wants of a gateway, signed. `Envelope` is its form on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.command import COMMAND_ID, Command, CommandError, Value, value_of
from models.control.canonical import canonical, to_bytes, to_text
from models.control.credential import SIGNATURE_BYTES, Authority, Credential, verify
from models.control.reading import maybe, text, whole

ORDER = b"sevenones order 1\n"
MOST_SIGNATURES = 2


class Act(StrEnum):
    """What an order asks for."""

    SELECT = "select"
    """选择: may this be done? Answered with a one-use nonce."""
    EXECUTE = "execute"
    """执行"""
    RESTORE = "restore"
    """复电: lift a linkage's latch."""
    TAG = "tag"
    """挂牌"""
    UNTAG = "untag"
    """摘牌: `nonce` is the tag's id."""
    TAKE = "take"
    """接管控制权"""
    HAND = "hand"
    """移交控制权: to the person that `to` names, or to whoever comes."""
    SETTLE = "settle"
    """处置: a record of tags that cannot be read counts no more. It is about the gateway, all of it."""


OF_EQUIPMENT = frozenset({Act.RESTORE, Act.TAG, Act.UNTAG, Act.TAKE, Act.HAND})
_FIELDS = frozenset(
    ("id", "act", "site", "gateway", "serial", "deadline", "point", "equipment", "value", "unit", "nonce", "mode", "to",
     "reason", "dry")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """`serial`: of the credential by which it is given. `point`: MINE/EQUIPMENT/KEY, or "" and `equipment` is the
    machine's id (of a restore: what the linkage calls it). `mode`: the control mode that the person saw, "" for any.
    `dry`: only say what would happen. `deadline`: µs UTC."""

    id: str
    act: Act
    site: str
    gateway: str
    serial: str
    deadline: int
    point: str = ""
    equipment: str = ""
    value: Value | None = None
    unit: str = ""
    nonce: str = ""
    mode: str = ""
    to: str = ""
    reason: str = ""
    dry: bool = False

    def machine(self) -> str:
        """The id of the equipment that it is about."""
        parts = self.point.split("/")
        return parts[1] if len(parts) == 3 else self.equipment

    @staticmethod
    def of_command(command: Command, gateway: str) -> Order:
        """The execute that asks for what a command asks for; whoever signs it is who gives it."""
        return Order(
            id=command.id,
            act=Act.EXECUTE,
            site=command.point.split("/", 1)[0],
            gateway=gateway,
            serial="",
            deadline=command.deadline,
            point=command.point,
            value=command.value,
            unit=command.unit or "",
        )

    def as_json(self) -> dict[str, Any]:
        """What is not given is left out."""
        found: dict[str, Any] = {
            "id": self.id,
            "act": str(self.act),
            "site": self.site,
            "gateway": self.gateway,
            "serial": self.serial,
            "deadline": self.deadline,
        }
        for name in ("point", "equipment", "unit", "nonce", "mode", "to", "reason", "dry"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        return found if self.value is None else {**found, "value": self.value}

    @staticmethod
    def of_json(found: Any) -> Order:
        """Raises ValueError, and nothing else."""
        if not isinstance(found, Mapping):
            raise ValueError("an order is a JSON object")
        if strange := found.keys() - _FIELDS:
            raise ValueError(f"an order has no '{str(sorted(map(str, strange))[0])[:40]}'")
        try:
            act = Act(text(found, "act", 16))
        except ValueError:
            raise ValueError(f"'act' is none of {', '.join(Act)}") from None
        name = text(found, "id", 64)
        if not COMMAND_ID.fullmatch(name):
            raise ValueError("'id' is not 1 to 64 of letters, digits, _ and -")
        dry = found.get("dry", False)
        if not isinstance(dry, bool):
            raise ValueError("'dry' is neither true nor false")
        try:
            value = None if found.get("value") is None else value_of(found["value"], "value")
        except CommandError as error:
            raise ValueError(str(error)) from None
        order = Order(
            id=name,
            act=act,
            site=text(found, "site", 12),
            gateway=text(found, "gateway", 40),
            serial=text(found, "serial", 32),
            deadline=whole(found, "deadline"),
            point=maybe(found, "point", 160),
            equipment=maybe(found, "equipment", 160),
            value=value,
            unit=maybe(found, "unit", 32),
            nonce=maybe(found, "nonce", 64),
            mode=maybe(found, "mode", 16),
            to=maybe(found, "to", 40),
            reason=maybe(found, "reason", 256),
            dry=dry,
        )
        if act in (Act.SELECT, Act.EXECUTE) and (not order.point or order.value is None):
            raise ValueError(f"'{act}' needs 'point' and 'value'")
        if act in OF_EQUIPMENT and (not order.equipment or order.point):
            raise ValueError(f"'{act}' needs 'equipment', not 'point'")
        if act is Act.SETTLE and (order.equipment or order.point):
            raise ValueError("'settle' is about a gateway: no 'equipment', no 'point'")
        if act in (Act.TAG, Act.RESTORE, Act.SETTLE) and not order.reason:
            raise ValueError(f"'{act}' needs a 'reason'")
        if act is Act.UNTAG and not order.nonce:
            raise ValueError("'untag' needs the tag's id as 'nonce'")
        return order


@dataclass(frozen=True, slots=True)
class Signature:
    """`credential`: signed by the authority, as JSON holds it, not yet believed."""

    credential: Any
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """An order with one or two signatures, of which none has been checked. `order` is the JSON that was signed."""

    order: Mapping[str, Any]
    signatures: tuple[Signature, ...]

    @staticmethod
    def of_json(found: Any) -> Envelope:
        """Raises ValueError, and nothing else."""
        if not isinstance(found, Mapping) or found.keys() != {"order", "signatures"}:
            raise ValueError("a signed order is {order, signatures}")
        listed = found["signatures"]
        if not isinstance(found["order"], Mapping):
            raise ValueError("an order is a JSON object")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_SIGNATURES:
            raise ValueError(f"an order has 1 to {MOST_SIGNATURES} signatures")
        signatures = []
        for each in listed:
            if not isinstance(each, Mapping) or each.keys() != {"credential", "signature"}:
                raise ValueError("a signature is {credential, signature}")
            signatures.append(Signature(each["credential"], to_bytes(each["signature"], SIGNATURE_BYTES)))
        return Envelope(found["order"], tuple(signatures))

    def as_json(self) -> dict[str, Any]:
        return {
            "order": dict(self.order),
            "signatures": [
                {"credential": each.credential, "signature": to_text(each.signature)} for each in self.signatures
            ],
        }

    def encode(self) -> bytes:
        """The bytes for the wire."""
        return canonical(self.as_json())

    def persons(self, authority: Authority) -> tuple[Credential, ...]:
        """Whose signatures these are, in their order. Raises ValueError when one of them, or its credential's, is
        wrong, or the order names another credential than its first signature's."""
        data = ORDER + canonical(self.order)
        found = []
        for each in self.signatures:
            credential = authority.credential(each.credential)
            verify(credential.key, each.signature, data)
            found.append(credential)
        if found[0].serial != self.order.get("serial"):
            raise ValueError("the order was not made for the credential that signed it first")
        return tuple(found)


def others(persons: Sequence[Credential]) -> tuple[Credential, ...]:
    """Those who signed beside the first and are not the same person: another name, another key, another lineage."""
    first = persons[0]
    return tuple(
        each
        for each in persons[1:]
        if each.name != first.name and each.key != first.key and each.person != first.person
    )
