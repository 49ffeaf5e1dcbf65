"""Why a broker cannot be reached or does not let us in, in words for the engineer.

Numbers of verification are OpenSSL's (X509_V_ERR_*); names of alerts are TLS's (RFC 8446, section 6).
"""

from __future__ import annotations

import ssl
import time
from collections import deque

from protocols.adapter import LinkLost, SignInRefused

_EXPIRED, _NOT_YET, _OTHER_NAMES = 10, 9, (62, 64)
_UNSIGNED = (18, 19, 20, 21)
_OURS_MISSING = ("CERTIFICATE_REQUIRED",)
_OURS_REFUSED = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "CERTIFICATE_UNKNOWN")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_EOF", "PACKET_LENGTH_TOO_LONG")

_WINDOW_S = 120.0
_OFTEN = 3
"""This many sudden ends within so many seconds are hardly the broker's own."""


def of_certificate(where: str, host: str, error: ssl.SSLCertVerificationError) -> SignInRefused:
    """The broker's certificate was not accepted."""
    code, shown = error.verify_code, f"the certificate of {where}"
    if code == _EXPIRED:
        return SignInRefused(f"{shown} has expired: renew it, or set this machine's clock right")
    if code == _NOT_YET:
        return SignInRefused(f"{shown} is not valid yet: set the clock right, of this machine or of who made it")
    if code in _OTHER_NAMES:
        return SignInRefused(f"{shown} is not for '{host}': connect by a name that is in the certificate")
    if code in _UNSIGNED:
        return SignInRefused(f"{shown} is signed by nobody whom tls.ca names: give its authority's file as tls.ca")
    return SignInRefused(f"{shown} is not accepted: {error.verify_message}")


def of_tls(where: str, words: str, *, own: bool) -> LinkLost | None:
    """What a fault of TLS says, by its text; None when it says nothing that we know. `own`: we have shown
    a certificate."""
    if any(name in words for name in _OURS_MISSING):
        return SignInRefused(f"{where} wants a certificate from us: give tls.cert and tls.key")
    if any(name in words for name in _OURS_REFUSED) or ("HANDSHAKE_FAILURE" in words and own):
        return SignInRefused(f"{where} does not accept our certificate {'(tls.cert)' if own else ''}: {words}")
    if "HANDSHAKE_FAILURE" in words:
        return SignInRefused(f"{where} ended the handshake: it may want a certificate from us (tls.cert, tls.key)")
    if any(name in words for name in _NO_TLS):
        return LinkLost(f"{where} broke the handshake off: it speaks no TLS on this port, which is mostly 8883")
    return None


def of_refusal(where: str, user: str, reason: str) -> LinkLost:
    """The broker's answer to our sign-in."""
    who = user or "(none)"
    if reason in ("Bad user name or password", "Bad authentication method"):
        return SignInRefused(f"{where} refused the user '{who}' or the password: {reason}")
    if reason == "Not authorized":
        return SignInRefused(
            f"{where} refused the user '{who}' or the password, or knows them and does not authorise them to connect: "
            f"{reason}. mosquitto gives this one answer to all three: its log says which"
        )
    if reason == "Banned":
        return SignInRefused(f"{where} has banned this client or user '{who}': {reason}")
    if reason in ("Client identifier not valid", "Identifier rejected"):
        return LinkLost(f"{where} does not take our client_id: {reason}")
    if reason == "Unsupported protocol version":
        return LinkLost(f"{where} does not speak this version of MQTT: set protocol to the other one")
    return LinkLost(f"{where} refused the connection: {reason}")


class Endings:
    """Remembers, over the lives of a connection, how often its broker ended it without a word."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int, str], deque[float]] = {}

    def lost(self, where: str, key: tuple[str, int, str], reason: str) -> LinkLost:
        """Words for a connection that was up and is not any more. `key`: host, port and client_id."""
        stolen = f"another client signed in with our client_id '{key[2]}'"
        if reason == "Session taken over":
            return LinkLost(f"{where}: {stolen}: give each connection and each gateway its own")
        if reason != "Unspecified error":
            return LinkLost(f"{where}: the connection is lost: {reason}")
        now = time.monotonic()
        times = self._times.setdefault(key, deque(maxlen=_OFTEN))
        times.append(now)
        if len(times) == _OFTEN and now - times[0] <= _WINDOW_S:
            often = f"{_OFTEN} times within {now - times[0]:.0f} s"
            return LinkLost(
                f"{where} ended the connection {often} without a word: most likely {stolen}, and each throws the "
                "other out: give each connection and each gateway its own"
            )
        return LinkLost(
            f"{where} ended the connection without a word, the connection is lost: it was stopped, or {stolen}"
        )


ENDINGS = Endings()
"""Those of this process: an adapter lives for one connection only, and the third time tells more than the first."""
