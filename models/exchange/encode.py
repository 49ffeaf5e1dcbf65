"""Records to one exchange file's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.exchange.profile import Profile


def encode(
    profile: Profile, kind: str, header: Mapping[str, str], records: Sequence[Mapping[str, str]], encoding: str = ""
) -> bytes:
    """A file of the type `kind`. Fields that are not given are empty. Raises ValueError for a field that
    the layout has not, one that holds a separator or a line break, or what the encoding cannot say."""
    layout = profile.layouts[kind]

    def line(names: Sequence[str], given: Mapping[str, str]) -> str:
        if unknown := given.keys() - set(names):
            raise ValueError(f"{kind} has no field {', '.join(sorted(unknown))}")
        marks = (profile.field_end, profile.record_end, profile.file_end, "\r", "\n")
        for name, text in given.items():
            if held := [mark for mark in marks if mark in text]:
                raise ValueError(f"the field {name} holds {held[0]!r}, which separates")
        return profile.field_end.join(given.get(name, "") for name in names)

    top = line([column.name for column in layout.header], header)
    names = [column.name for column in layout.fields]
    lines = [top, *(line(names, record) for record in records)]
    text = "".join(one + profile.record_end for one in lines) + profile.file_end
    return text.encode(encoding or profile.encoding)
