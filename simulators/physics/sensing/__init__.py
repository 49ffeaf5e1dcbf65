"""Safety sensors, what they transmit, and the mine's own hard-wired cut-off."""
