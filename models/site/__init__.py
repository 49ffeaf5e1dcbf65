"""A site: a folder of plain files, loaded whole or refused with every mistake named."""

from models.site.loader import Report, examine, load
from models.site.problems import Problem, SiteErrors

__all__ = ["Problem", "Report", "SiteErrors", "examine", "load"]
