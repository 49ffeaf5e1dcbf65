"""Tickets: exclusions, maintenance and what has to be approved."""
