"""Which protocols there are: the entry points of the group `sevenones.protocols`.

A protocol from outside this tree is one installed package that names its Adapter there.
"""

from importlib.metadata import entry_points
from typing import Any

from protocols.adapter import Adapter

GROUP = "sevenones.protocols"


class UnknownProtocol(LookupError):
    """A site names an adapter that no installed package brings."""


def names() -> tuple[str, ...]:
    """The names of all installed protocols, sorted. Loads none of them."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def adapter(name: str) -> type[Adapter[Any, Any]]:
    """The adapter class of that name. Raises UnknownProtocol, naming those that there are."""
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        raise UnknownProtocol(
            f"此处没有协议 '{name}'，已安装 {', '.join(names()) or '（无）'} · "
            f"there is no protocol '{name}' here; installed are {', '.join(names()) or 'none'}"
        )
    loaded = found[0].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Adapter)):
        raise UnknownProtocol(
            f"入口 '{name}'（{found[0].value}）不是 Adapter · "
            f"the entry point '{name}' ({found[0].value}) is not an Adapter"
        )
    return loaded
