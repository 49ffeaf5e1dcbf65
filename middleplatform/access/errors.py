"""What goes wrong with users, tokens and roles."""


class AccessError(Exception):
    """A user, token or role cannot be made, changed or found: what is wrong and what to do."""
