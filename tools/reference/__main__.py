"""Writes docs/templates.md, docs/adapters.md and docs/field-faults.md: the library, the adapters' sheets, and which
test shows which fault of the field.

python -m tools.reference            write the pages
python -m tools.reference --check    say which page is not what the code says, and end with 1
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tools.reference import adapters, faults, templates

ROOT = adapters.ROOT


def pages() -> dict[str, str]:
    """Each page's name under docs/ and its text."""
    return {"templates.md": templates.page(), "adapters.md": adapters.page(), "field-faults.md": faults.page()}


def main(arguments: Sequence[str]) -> int:
    stale = []
    for name, text in pages().items():
        path = ROOT / "docs" / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name}")
    if stale and "--check" in arguments:
        print(f"not what the code says: {', '.join(stale)}; run python -m tools.reference")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
