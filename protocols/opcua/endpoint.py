"""Which of a server's endpoints is used, and a server's refusals in words for an engineer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.crypto import security_policies

from protocols.adapter import LinkLost, SignInRefused
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import words

POLICIES: dict[str, Any] = {
    "none": security_policies.SecurityPolicyNone,
    "basic256sha256": security_policies.SecurityPolicyBasic256Sha256,
    "aes128sha256rsaoaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "aes256sha256rsapss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_MODES = {
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
    "sign": ua.MessageSecurityMode.Sign,
}
_TOKENS = {
    ua.UserTokenType.Anonymous: "an anonymous user",
    ua.UserTokenType.UserName: "user and password",
    ua.UserTokenType.Certificate: "a user certificate",
    ua.UserTokenType.IssuedToken: "a token of another service",
}


def mode_of(settings: OpcUaSettings) -> Any:
    """The message security mode that the settings ask for."""
    return ua.MessageSecurityMode.None_ if settings.security == "none" else _MODES[settings.mode]


def choose(settings: OpcUaSettings, where: str, offered: Sequence[Any]) -> Any:
    """The endpoint that fits the settings. Raises SignInRefused, which names those that the server has."""
    policy, mode = POLICIES[settings.security], mode_of(settings)
    binary = [e for e in offered if e.EndpointUrl and e.EndpointUrl.startswith("opc.tcp")]
    fitting = [e for e in binary if e.SecurityPolicyUri == policy.URI and e.SecurityMode == mode]
    if not fitting:
        names = sorted({f"{e.SecurityPolicyUri.rpartition('#')[2]}/{e.SecurityMode.name.rstrip('_')}" for e in binary})
        raise SignInRefused(
            f"{where} does not offer {policy.URI.rpartition('#')[2]} with {mode.name.rstrip('_')}; it offers "
            f"{', '.join(names) or 'nothing'}"
        )
    wanted = _token(settings)
    for endpoint in fitting:
        # One that names no tokens at all is asked, and may say no.
        if not endpoint.UserIdentityTokens or any(t.TokenType == wanted for t in endpoint.UserIdentityTokens):
            return endpoint
    takes = {_TOKENS.get(token.TokenType, str(token.TokenType)) for e in fitting for token in e.UserIdentityTokens}
    raise SignInRefused(f"{where} does not take {_TOKENS[wanted]}; it takes {' or '.join(sorted(takes))}")


def _token(settings: OpcUaSettings) -> Any:
    if settings.user_certificate:
        return ua.UserTokenType.Certificate
    return ua.UserTokenType.UserName if settings.user else ua.UserTokenType.Anonymous


_USER = ("BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid", "BadUserSignatureInvalid")
_POLICY = ("BadSecurityPolicyRejected", "BadSecurityModeRejected", "BadSecurityModeInsufficient")


def codes(names: Sequence[str]) -> frozenset[int]:
    """The status codes of these names that the library knows."""
    return frozenset(getattr(ua.StatusCodes, name) for name in names if hasattr(ua.StatusCodes, name))


_USER_CODES, _POLICY_CODES = codes(_USER), codes(_POLICY)
_CERTIFICATE_CODES = frozenset(
    code for name, code in vars(ua.StatusCodes).items() if name.startswith(("BadCertificate", "BadSecurityChecks"))
)
_OURS = {
    ua.StatusCodes.BadCertificateTimeInvalid: "says that our certificate {ours} is not valid now: compare the clocks",
    ua.StatusCodes.BadCertificateUriInvalid: "says that our certificate {ours} is for another application than ours",
    ua.StatusCodes.BadCertificateHostNameInvalid: "says that our certificate {ours} is for another host",
    ua.StatusCodes.BadCertificateUseNotAllowed: "says that our certificate {ours} is not for this use",
    ua.StatusCodes.BadCertificateRevoked: "says that our certificate {ours} was revoked",
}


def refusal(settings: OpcUaSettings, where: str, status: int) -> LinkLost:
    """What a status that ended the sign-in means, and what to do."""
    if status in _USER_CODES:
        who = "an anonymous user: give user and password"
        if settings.user_certificate:
            who = f"the user certificate {settings.user_certificate}: let the server trust it as a user's"
        elif settings.user:
            who = f"the user '{settings.user}' or the password"
        return SignInRefused(f"{where} refuses {who} ({words(status)})")
    if status in _CERTIFICATE_CODES:
        ours = settings.certificate or f"{settings.certificate_dir}/own.der"
        told = _OURS.get(status, "refuses our certificate: let the server trust {ours}").format(ours=ours)
        return SignInRefused(f"{where} {told} ({words(status)})")
    if status in _POLICY_CODES:
        return SignInRefused(f"{where} refuses the security '{settings.security}' ({words(status)})")
    return LinkLost(f"{where} refuses the connection: {words(status)}")
