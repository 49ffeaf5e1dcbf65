"""A whole mine: its parts, built from a design and wired to each other, on one engine."""

from simulators.plant.plant import Plant

__all__ = ["Plant"]
