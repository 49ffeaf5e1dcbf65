"""Fills the store with the past of a simulated mine, as if its gateways had collected it.

    simulate (a process of its own)  →  what the devices hold  →  guards, normalisation, exception report  →  store

All but the first are the programs' own code, in columns: `lanes` says when a point is read and what the gateway makes
of it, `intake` how it comes to disk. A range that is filled again is replaced sample by sample; an interruption
leaves what was written so far. Points derived from others are not filled, nor are texts.
"""

from __future__ import annotations

from sevenones.backfill.fill import Filled, fill, read_points
from sevenones.backfill.span import BackfillError, Span, span

__all__ = ["BackfillError", "Filled", "Span", "fill", "read_points", "span"]
