"""The one policy (`policy.yaml`): what roles may do over the API, and what people and processes may on the bus.

It lies on the ground floor because the bus and the middle platform both read it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent / "policy.yaml"


@cache
def document() -> dict[str, Any]:
    """The file as it stands, by the words at its top. To be read, never changed."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found
