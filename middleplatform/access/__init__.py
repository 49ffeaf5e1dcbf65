"""Who may come in: users, passwords and tokens."""
