"""python -m tools.mines            write simulators/mines/{low,middle,high}
python -m tools.mines --check    say which file is not what the descriptions say, and end with 1
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tools.mines.description import MINES, read
from tools.mines.folder import files

ROOT = Path(__file__).resolve().parents[2] / "simulators" / "mines"


def stale(name: str) -> list[str]:
    """Files of a mine's folder that are missing, other, or too many."""
    wanted = files(read(name))
    there = {path.relative_to(ROOT / name).as_posix() for path in (ROOT / name).rglob("*") if path.is_file()}
    wrong = [
        file
        for file, text in wanted.items()
        if file not in there or (ROOT / name / file).read_bytes() != text.encode("utf-8")
    ]
    return sorted({*wrong, *(there - set(wanted))})


def write(name: str) -> None:
    """Write a mine's folder. What it should not have is left alone, for a person to remove."""
    for file, text in files(read(name)).items():
        path = ROOT / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def main(arguments: Sequence[str]) -> int:
    found = {name: stale(name) for name in MINES}
    if "--check" in arguments:
        for name, names in found.items():
            for file in names:
                print(f"simulators/mines/{name}/{file}: run python -m tools.mines")
        return 1 if any(found.values()) else 0
    for name, names in found.items():
        write(name)
        print(f"simulators/mines/{name}: {len(names)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
