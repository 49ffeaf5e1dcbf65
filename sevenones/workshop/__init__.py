"""The tools of the engineer's workshop: protocols, the site's folder and the judge of linkages, for the API."""

from sevenones.workshop.tools import Workshop

__all__ = ["Workshop"]
