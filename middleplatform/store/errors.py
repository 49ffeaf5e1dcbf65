"""What can go wrong between the store and those who ask it."""


class StoreError(Exception):
    """The store refused or failed a request; the message says what and what to do."""


class StoreUnavailable(StoreError):
    """The store does not answer: it is not running, or it is starting."""


class StoreVersionError(StoreError):
    """The data on disk is of another format version than this program writes."""
