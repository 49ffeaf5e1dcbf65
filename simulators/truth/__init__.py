"""What really happened: every value that a device showed, and what the machines did, from their own state.

`<home>/truth/` holds both: see `log` for what was shown, `intervals` and `records` for what was done.
"""

from simulators.truth.log import SCHEMA, TruthLog, read_truth

__all__ = ["SCHEMA", "TruthLog", "read_truth"]
