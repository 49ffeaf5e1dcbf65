"""Who may hear the bus, brought from the relational store to the bus server that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from bus.credentials import Person
from bus.errors import BusError
from sevenones.relational import place_of

LOOK_S = 2.0
"""How often it is looked: a credential, its end, a change of role, scope or policy holds within this and a moment."""

_log = structlog.get_logger("bus")


async def follow(home: Path, code: str, let_in: Callable[[list[Person]], None]) -> None:
    """Call `let_in` with the people of the mine `code` whenever they are others than before, for ever.

    When it cannot be known who they are, nobody is let in.
    """
    held: list[Person] = []
    said = ""
    while True:
        wrong = ""
        try:
            found = await asyncio.to_thread(_people, home, code)
        except Exception as error:
            found, wrong = [], f"无法得知谁可收听总线 · it cannot be read who may hear the bus: {error}"
        if found != held:
            try:
                let_in(found)
                held = found
                _log.info("总线收听者 · people on the bus", people=sorted({person.name for person in held}))
            except BusError as error:
                wrong = str(error)
        if wrong and wrong != said:
            _log.error(wrong)
        said = wrong
        await asyncio.sleep(LOOK_S)


def _people(home: Path, code: str) -> list[Person]:
    place = place_of(home)
    if place == home and not (home / "platform.db").exists():
        return []
    from middleplatform.access.bus_keys import people

    return people(place, code)
