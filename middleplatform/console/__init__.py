"""The page that the platform serves at `/`."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
