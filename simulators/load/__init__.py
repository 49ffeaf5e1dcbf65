"""Mines that only make load: as many points as one likes, each new every period, known by a formula."""

from __future__ import annotations

from simulators.load.folder import GATEWAY, MINE_CODE
from simulators.load.modbus import LoadMine
from simulators.load.wave import value_at, word_at

__all__ = ["GATEWAY", "MINE_CODE", "LoadMine", "value_at", "word_at"]
