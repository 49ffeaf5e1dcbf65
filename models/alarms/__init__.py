"""Alarms as pure words: what is watched for, by which rule, and the judge that finds it in samples.

No clock and no socket: times come with the samples and with `now`. What people do about an alarm, and what is kept of
it, is the middle platform's.
"""

from models.alarms.engine import Engine
from models.alarms.finding import Act, Finding, Kind
from models.alarms.rule import Rule
from models.alarms.rules import Rules

__all__ = ["Act", "Engine", "Finding", "Kind", "Rule", "Rules"]
