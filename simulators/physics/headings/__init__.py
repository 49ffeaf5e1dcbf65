"""Heading faces at the level of events: cut, load, bolt, go on."""
