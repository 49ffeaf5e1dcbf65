"""The client library: a platform's API from Python.

`Client` gives what the API says, with the standard library only; `Platform` gives Arrow tables or data frames.

from sevenones.client import Platform
platform = Platform("http://127.0.0.1:8700", token)
platform.history(["140525000001/belt_101/speed"], start="-10m")
"""

from sevenones.client.client import Client, ClientError
from sevenones.client.platform import Platform

__all__ = ["Client", "ClientError", "Platform"]
