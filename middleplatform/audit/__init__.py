"""The audit log: who did what, when, from where; each entry bound to the one before, the newest told to the bus."""
