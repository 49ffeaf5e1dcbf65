"""Sparkplug B: births, deaths and data of edge nodes and their devices, as a host application sees them."""

from protocols.sparkplug.adapter import Sparkplug

__all__ = ["Sparkplug"]
