"""The templates that a site can use: the library's, and those of its own `templates/` folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from models.site.files import Folder
from models.site.problems import Problems, nearest
from models.site.schema import validate
from models.site.yamlfile import Document, parse
from models.thing import Template

LIBRARY = Path(__file__).resolve().parent.parent / "library"


class Library:
    """Templates by id, each read when it is first asked for, so that only what is used enters the
    site's version."""

    def __init__(self, folder: Folder, problems: Problems) -> None:
        self.folder = folder
        self.problems = problems
        self._loaded: dict[str, Template | None] = {}
        self._files = {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}
        for path in folder.list("templates", (".yaml",)):
            if path.stem in self._files:
                problems.add(
                    folder.name(path),
                    "",
                    f"模板库已有模板 '{path.stem}'：请给它另起名称 · "
                    f"the library has a template '{path.stem}': give this one another name",
                )
            else:
                self._files[path.stem] = path
                self.get(path.stem)

    def ids(self) -> list[str]:
        return sorted(self._files)

    def get(self, name: str) -> Template | None:
        """The template, or None when its own file is wrong (which is then among the problems).
        Raises KeyError, its argument a hint, when there is none of that name."""
        if name in self._loaded:
            return self._loaded[name]
        if name not in self._files:
            raise KeyError(nearest(name, self._files))
        self._loaded[name] = self._read(self._files[name])
        return self._loaded[name]

    def digest(self, name: str) -> str:
        """The digest of a template's file, once the template was asked for."""
        return self.folder.digest(self._files[name])

    def _read(self, path: Path) -> Template | None:
        file = self.folder.name(path)
        text = self.folder.read_text(path)
        document = parse(text, file, self.problems) if text is not None else None
        if document is None:
            return None
        template = validate(Template, document.data, document, (), self.problems)
        if template is not None and template.id != path.stem:
            self.problems.add(
                file,
                document.line(("id",)),
                f"标识 '{template.id}' 须与文件名 '{path.stem}' 相同 · "
                f"the id '{template.id}' must be the file's name, '{path.stem}'",
            )
            return None
        if template is not None and path.parent != LIBRARY:
            self._note_slips(template, document)
        return template

    def _note_slips(self, template: Template, document: Document) -> None:
        """A site may bring roles of its own, but one that is nearly the house's is likelier a slip, and
        nothing that binds to the house's would find the point."""
        from models import vocabulary

        for key, point in template.points.items():
            if point.role not in vocabulary.roles():
                near = difflib.get_close_matches(point.role, vocabulary.roles(), n=1, cutoff=0.85)
                if near:
                    message = (
                        f"角色 '{point.role}' 不在词汇表中；是否指 '{near[0]}'？ · "
                        f"the role '{point.role}' is not in the vocabulary; did you mean '{near[0]}'?"
                    )
                    self.problems.note(document.file, document.line(("points", key, "role")), message)
