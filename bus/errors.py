"""What can go wrong on the bus, by what the caller can do about it."""


class BusError(Exception):
    """Anything the bus refuses or cannot do now."""


class BusUnavailable(BusError):
    """No connection, no answer in time, or no stream: the same call may succeed later."""


class NobodyListens(BusUnavailable):
    """The server knows that nobody hears this subject now: what was said has reached no one."""


class PublishRefused(BusError):
    """The server answered and did not take the message."""


class StreamFull(PublishRefused):
    """The stream's limit or the disk is reached; it takes new messages once old ones have aged out."""


class MessageTooBig(PublishRefused):
    """The message is larger than the server or the stream takes: sending it again cannot help."""


class NotPermitted(PublishRefused):
    """The credential does not allow this subject, or the server does not know the credential."""


class ServerError(BusError):
    """The bus server cannot be started: what is in the way and what to do."""


class CredentialError(BusError):
    """A credential file is missing or is not one."""
