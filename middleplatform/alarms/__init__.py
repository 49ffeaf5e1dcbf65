"""Alarms: what is wrong now, what happened to each alarm, and who did what about it."""
