"""Faults on demand: what can go wrong in a mine, and how it is made to."""
