"""What all parts of a mine have in common: channels, steps, blocks, and the engine that runs them."""
