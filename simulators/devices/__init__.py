"""Virtual devices: what a mine's devices would answer, over the real protocols."""
