"""The text files that monitoring systems exchange: their grammar, and what their codes mean.

What differs from one family of files to another, and every dictionary, is in data files beside this.
"""

from models.exchange.encode import encode
from models.exchange.parse import Problem, Records, Refused, Why, parse
from models.exchange.profile import FileName, Profile, profile, profiles

__all__ = ["FileName", "Problem", "Profile", "Records", "Refused", "Why", "encode", "parse", "profile", "profiles"]
