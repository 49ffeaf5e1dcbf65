"""A site: a folder of plain files, loaded whole or refused with every mistake named."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.site.loader import Report, examine, load
    from models.site.problems import Problem, SiteErrors

__all__ = ["Problem", "Report", "SiteErrors", "examine", "load"]


def __getattr__(name: str) -> Any:
    """The loader is imported when it is asked for: whoever wants only the shapes of `models.site.model`
    pays for no pydantic and no YAML, and `models.thing` may stand on those shapes."""
    if name in ("Report", "examine", "load"):
        from models.site import loader

        return getattr(loader, name)
    if name in ("Problem", "SiteErrors"):
        from models.site import problems

        return getattr(problems, name)
    raise AttributeError(f"module 'models.site' has no attribute '{name}'")
