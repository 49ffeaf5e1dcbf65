"""Which of a server's endpoints is used, and a server's refusals in words for an engineer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.crypto import security_policies

from models.site.model import Name
from protocols.adapter import LinkLost, SignInRefused
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import name, words

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
    ua.UserTokenType.Anonymous: Name("匿名用户", "an anonymous user"),
    ua.UserTokenType.UserName: Name("用户和密码", "user and password"),
    ua.UserTokenType.Certificate: Name("用户证书", "a user certificate"),
    ua.UserTokenType.IssuedToken: Name("另一服务的令牌", "a token of another service"),
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
        asked = f"{policy.URI.rpartition('#')[2]}/{mode.name.rstrip('_')}"
        raise SignInRefused(
            f"{where} 不提供 {asked}，它提供 {'、'.join(names) or '（无）'} · "
            f"{where} does not offer {asked}; it offers {', '.join(names) or 'nothing'}"
        )
    wanted = _token(settings)
    for endpoint in fitting:
        # One that names no tokens at all is asked, and may say no.
        if not endpoint.UserIdentityTokens or any(t.TokenType == wanted for t in endpoint.UserIdentityTokens):
            return endpoint
    kinds = {token.TokenType for e in fitting for token in e.UserIdentityTokens}
    takes = sorted((_TOKENS.get(kind) or Name(str(kind), str(kind)) for kind in kinds), key=lambda each: each.en)
    raise SignInRefused(
        f"{where} 不接受{_TOKENS[wanted].zh}，它接受{'或'.join(each.zh for each in takes)} · "
        f"{where} does not take {_TOKENS[wanted].en}; it takes {' or '.join(each.en for each in takes)}"
    )


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
    ua.StatusCodes.BadCertificateTimeInvalid: Name(
        "称本方证书 {ours} 现在无效，请核对双方时钟",
        "says that our certificate {ours} is not valid now: compare the clocks",
    ),
    ua.StatusCodes.BadCertificateUriInvalid: Name(
        "称本方证书 {ours} 属于另一应用", "says that our certificate {ours} is for another application than ours"
    ),
    ua.StatusCodes.BadCertificateHostNameInvalid: Name(
        "称本方证书 {ours} 属于另一主机", "says that our certificate {ours} is for another host"
    ),
    ua.StatusCodes.BadCertificateUseNotAllowed: Name(
        "称本方证书 {ours} 不可用于此用途", "says that our certificate {ours} is not for this use"
    ),
    ua.StatusCodes.BadCertificateRevoked: Name(
        "称本方证书 {ours} 已被吊销", "says that our certificate {ours} was revoked"
    ),
}
_UNTRUSTED = Name("拒绝本方证书，请让服务器信任 {ours}", "refuses our certificate: let the server trust {ours}")


def refusal(settings: OpcUaSettings, where: str, status: int) -> LinkLost:
    """What a status that ended the sign-in means, and what to do."""
    if status in _USER_CODES:
        who = Name("匿名用户，请给出用户和密码", "an anonymous user: give user and password")
        if settings.user_certificate:
            own = settings.user_certificate
            who = Name(
                f"用户证书 {own}，请让服务器把它作为用户证书信任",
                f"the user certificate {own}: let the server trust it as a user's",
            )
        elif settings.user:
            who = Name(f"用户“{settings.user}”或其密码", f"the user '{settings.user}' or the password")
        return SignInRefused(f"{where} 拒绝{who.zh}（{name(status)}） · {where} refuses {who.en} ({words(status)})")
    if status in _CERTIFICATE_CODES:
        ours = settings.certificate or f"{settings.certificate_dir}/own.der"
        told = _OURS.get(status, _UNTRUSTED)
        zh, en = told.zh.format(ours=ours), told.en.format(ours=ours)
        return SignInRefused(f"{where}：服务器{zh}（{name(status)}） · {where} {en} ({words(status)})")
    if status in _POLICY_CODES:
        return SignInRefused(
            f"{where} 拒绝安全策略“{settings.security}”（{name(status)}） · "
            f"{where} refuses the security '{settings.security}' ({words(status)})"
        )
    return LinkLost(f"{where} 拒绝连接：{name(status)} · {where} refuses the connection: {words(status)}")
