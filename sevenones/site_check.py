"""The whole check of a site folder: what models.site finds, and what the adapters say of settings and addresses."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.site import Report
    from models.site.model import Connection, Point
    from protocols.adapter import Adapter, Tag


@cache
def _adapter(name: str) -> type[Adapter[Any, Any]] | str:
    """The adapter of that name, or why there is none."""
    from protocols.registry import UnknownProtocol, adapter

    try:
        return adapter(name)
    except UnknownProtocol as error:
        return str(error)
    except (ImportError, AttributeError) as error:
        return f"the protocol '{name}' cannot be loaded here: {error}"


def _tag(point: Point) -> Tag:
    from protocols.adapter import Tag

    return Tag(0, point.path, point.address, point.type, point.order, point.options)


def check_settings(connection: Connection) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """The mistakes in a connection's adapter and settings: (path below the connection, what is wrong)."""
    from pydantic import ValidationError

    from models.site.schema import plain_words

    found = _adapter(connection.adapter)
    if isinstance(found, str):
        yield ("adapter",), found
        return
    try:
        found.Settings.model_validate(dict(connection.settings))
    except ValidationError as errors:
        for error in errors.errors(include_url=False):
            yield ("settings", *error["loc"]), plain_words(error, found.Settings)


def check_tag(connection: Connection, point: Point) -> None:
    """Raises ValueError when the connection's adapter cannot read such a point. An adapter that is not
    there was named with its connection, once, and not for each of its points."""
    found = _adapter(connection.adapter)
    if isinstance(found, str):
        return
    try:
        found.check(_tag(point))
    except ValueError:
        raise
    except Exception as error:  # an adapter from outside the tree must not hide the other mistakes
        raise ValueError(f"the adapter '{connection.adapter}' failed on '{point.address}': {error!r}") from error


def span_of(connection: Connection, point: Point) -> tuple[Hashable, int, int] | None:
    """Where in the device a point's value lies; None where its adapter does not say."""
    found = _adapter(connection.adapter)
    return None if isinstance(found, str) else found.span(_tag(point))


def range_of(connection: Connection, point: Point) -> tuple[float, float] | None:
    """The raw numbers that a point can have, from … to; None where its adapter does not say or refuses it."""
    found = _adapter(connection.adapter)
    if isinstance(found, str):
        return None
    try:
        return found.raw_range(_tag(point))
    except ValueError:
        return None


def examine(site: Path, *, require_environment: bool = False, environment: Mapping[str, str] | None = None) -> Report:
    """The report of a folder; without `environment`, variables are this process's."""
    from models import site as sites

    return sites.examine(
        site,
        check_tag=check_tag,
        check_settings=check_settings,
        span_of=span_of,
        range_of=range_of,
        environment=os.environ if environment is None else environment,
        require_environment=require_environment,
    )
