"""The commands: each module is one, typed as its user types it, and holds no domain logic."""
