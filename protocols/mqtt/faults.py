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
    code, zh, shown = error.verify_code, f"{where} 的证书", f"the certificate of {where}"
    if code == _EXPIRED:
        return SignInRefused(
            f"{zh}已过期，请更换，或校准本机时钟 · {shown} has expired: renew it, or set this machine's clock right"
        )
    if code == _NOT_YET:
        return SignInRefused(
            f"{zh}尚未生效，请校准本机或签发方的时钟 · "
            f"{shown} is not valid yet: set the clock right, of this machine or of who made it"
        )
    if code in _OTHER_NAMES:
        return SignInRefused(
            f"{zh}不是签发给“{host}”的，请用证书中的名称连接 · "
            f"{shown} is not for '{host}': connect by a name that is in the certificate"
        )
    if code in _UNSIGNED:
        return SignInRefused(
            f"{zh}的签发者不在 tls.ca 中，请在 tls.ca 给出其签发机构的文件 · "
            f"{shown} is signed by nobody whom tls.ca names: give its authority's file as tls.ca"
        )
    return SignInRefused(f"{zh}不被接受：{error.verify_message} · {shown} is not accepted: {error.verify_message}")


def of_tls(where: str, words: str, *, own: bool) -> LinkLost | None:
    """What a fault of TLS says, by its text; None when it says nothing that we know. `own`: we have shown
    a certificate."""
    if any(name in words for name in _OURS_MISSING):
        return SignInRefused(
            f"{where} 要求本方出示证书，请设置 tls.cert 和 tls.key · "
            f"{where} wants a certificate from us: give tls.cert and tls.key"
        )
    if any(name in words for name in _OURS_REFUSED) or ("HANDSHAKE_FAILURE" in words and own):
        return SignInRefused(
            f"{where} 不接受本方证书{'（tls.cert）' if own else ''}：{words} · "
            f"{where} does not accept our certificate {'(tls.cert)' if own else ''}: {words}"
        )
    if "HANDSHAKE_FAILURE" in words:
        return SignInRefused(
            f"{where} 结束了握手，可能要求本方出示证书（tls.cert、tls.key） · "
            f"{where} ended the handshake: it may want a certificate from us (tls.cert, tls.key)"
        )
    if any(name in words for name in _NO_TLS):
        return LinkLost(
            f"{where} 中断了握手：此端口没有 TLS，TLS 多在 8883 端口 · "
            f"{where} broke the handshake off: it speaks no TLS on this port, which is mostly 8883"
        )
    return None


def of_refusal(where: str, user: str, reason: str) -> LinkLost:
    """The broker's answer to our sign-in."""
    who = user or "(none)"
    if reason in ("Bad user name or password", "Bad authentication method"):
        return SignInRefused(
            f"{where} 拒绝了用户“{who}”或其密码：{reason} · {where} refused the user '{who}' or the password: {reason}"
        )
    if reason == "Not authorized":
        return SignInRefused(
            f"{where} 拒绝了用户“{who}”或其密码，或未授权其连接：{reason}。"
            "mosquitto 对三者只有这一种答复，请看其日志 · "
            f"{where} refused the user '{who}' or the password, or knows them and does not authorise them to connect: "
            f"{reason}. mosquitto gives this one answer to all three: its log says which"
        )
    if reason == "Banned":
        return SignInRefused(
            f"{where} 已禁止此客户端或用户“{who}”：{reason} · {where} has banned this client or user '{who}': {reason}"
        )
    if reason in ("Client identifier not valid", "Identifier rejected"):
        return LinkLost(f"{where} 不接受本方的 client_id：{reason} · {where} does not take our client_id: {reason}")
    if reason == "Unsupported protocol version":
        return LinkLost(
            f"{where} 不支持此 MQTT 版本，请把 protocol 改为另一个 · "
            f"{where} does not speak this version of MQTT: set protocol to the other one"
        )
    return LinkLost(f"{where} 拒绝连接：{reason} · {where} refused the connection: {reason}")


class Endings:
    """Remembers, over the lives of a connection, how often its broker ended it without a word."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int, str], deque[float]] = {}

    def lost(self, where: str, key: tuple[str, int, str], reason: str) -> LinkLost:
        """Words for a connection that was up and is not any more. `key`: host, port and client_id."""
        taken = f"另一客户端用本方的 client_id“{key[2]}”登录了"
        stolen = f"another client signed in with our client_id '{key[2]}'"
        if reason == "Session taken over":
            return LinkLost(
                f"{where}：{taken}，请为每个连接和网关各设一个 · "
                f"{where}: {stolen}: give each connection and each gateway its own"
            )
        if reason != "Unspecified error":
            return LinkLost(f"{where}：连接已断：{reason} · {where}: the connection is lost: {reason}")
        now = time.monotonic()
        times = self._times.setdefault(key, deque(maxlen=_OFTEN))
        times.append(now)
        if len(times) == _OFTEN and now - times[0] <= _WINDOW_S:
            often = f"{_OFTEN} times within {now - times[0]:.0f} s"
            return LinkLost(
                f"{where} 在 {now - times[0]:.0f} 秒内 {_OFTEN} 次无故断开：多半是{taken}，"
                "两者互相挤掉，请为每个连接和网关各设一个 · "
                f"{where} ended the connection {often} without a word: most likely {stolen}, and each throws the "
                "other out: give each connection and each gateway its own"
            )
        return LinkLost(
            f"{where} 无故断开，连接已断：它被停止，或{taken} · "
            f"{where} ended the connection without a word, the connection is lost: it was stopped, or {stolen}"
        )


ENDINGS = Endings()
"""Those of this process: an adapter lives for one connection only, and the third time tells more than the first."""
