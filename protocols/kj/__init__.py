"""Exchange files of monitoring systems, from a watched folder."""

from protocols.kj.adapter import Kj

__all__ = ["Kj"]
