"""`python -m tools.plots [FOLDER]`: writes the figures of docs/simulators.md, of one simulated shift."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.plots.figures import belts, face, gas
from tools.plots.shift import Deed, Shift

FAN = "aux_fan_1a"
STOPPED_S, BACK_S = 3 * 3600, 3 * 3600 + 1500


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs" / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    stop = [Deed(STOPPED_S, name, "aux_fan_stop", 1.0) for name in (FAN, "aux_fan_1b")]
    back = [Deed(BACK_S, name, "aux_fan_stop", 0.0) for name in (FAN, "aux_fan_1b")]
    shift = Shift("middle", [*stop, *back])
    for name, draw in (("belt_start", belts), ("face", face), ("gas", gas)):
        path = folder / f"{name}.png"
        draw(shift, path)
        print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
