"""Exports of any size: jobs that write raw samples to a file, chunk by chunk, in a disk space that is bounded.

Delivery: after a kill a job goes on from its last whole chunk (Parquet, whose index is at its end, begins anew).
"""

from middleplatform.export.exports import Exports
from middleplatform.export.job import ExportRefused, Job, Order, Owner

__all__ = ["ExportRefused", "Exports", "Job", "Order", "Owner"]
