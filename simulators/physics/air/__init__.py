"""Air in a mine: what gives gas off, how it mixes and travels, and the fans that move it."""
