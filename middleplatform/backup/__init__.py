"""Backups of all that a home holds – both stores and the configuration – taken while it runs, and their way back."""

from middleplatform.backup.archive import BackupError
from middleplatform.backup.restore import restore
from middleplatform.backup.take import take

__all__ = ["BackupError", "restore", "take"]
