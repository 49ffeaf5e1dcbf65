"""Writes the three simulated mines, simulators/mines/{low,middle,high}, from a short description of each.

What two thousand points have in common stands once: a maker's registers in `maps/*.csv`, what a mine has in
`plant.py`, where things lie in `geometry.py`, and what is a mine's own in `mines/*.yaml`. The folders are plain files
and committed; a test proves that they are what this writes.
"""
