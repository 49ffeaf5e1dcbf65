"""What a mine's simulation is made of: one file a room, bounded numbers, defaults that work."""
