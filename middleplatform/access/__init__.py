"""Who may come in: users and tokens, in the relational store."""
