"""What a connection of the adapter `opcua` may set."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from protocols.adapter import Settings, SignInRefused
from protocols.opcua.address import parse_address


class EventSettings(Settings):
    """Which of a server's events are taken, and to which equipment they belong."""

    node: str = Field("i=2253", description="the node that notifies; i=2253 is the server itself")
    equipment: str = Field("", description="the equipment of the site that the events belong to")
    sources: dict[str, str] = Field(
        default_factory=dict, description="equipment by the events' SourceName, where it is not that of `equipment`"
    )
    min_severity: int = Field(0, ge=0, le=1000, description="events and alarms below this are left out")
    queue_size: int = Field(1000, ge=1, le=100_000, description="events that the server keeps for us")

    @field_validator("node")
    @classmethod
    def _address(cls, node: str) -> str:
        parse_address(node)
        return node


class OpcUaSettings(Settings):
    """One server, one session."""

    url: str = Field(description="the server's endpoint, opc.tcp://host:port/path")
    security: Literal["basic256sha256", "aes128sha256rsaoaep", "aes256sha256rsapss", "none"] = Field(
        "basic256sha256", description="the security policy; none: in the clear, the password too, only where it must be"
    )
    mode: Literal["sign_and_encrypt", "sign"] = Field(
        "sign_and_encrypt", description="sign: nobody can change what is said, but anybody on the wire can read it"
    )
    user: str = Field("", description="the user at the server; empty: anonymous")
    password: SecretStr = Field(SecretStr(""), description="the user's password")
    password_file: str = Field("", description="a file that holds the password, instead of `password`")
    user_certificate: str = Field(
        "", description="sign in with this certificate, PEM or DER, instead of a user and password"
    )
    user_key: str = Field("", description="the user certificate's key, PEM or DER, without a pass phrase")
    certificate: str = Field("", description="our certificate, PEM or DER; empty: one is made in certificate_dir")
    private_key: str = Field("", description="our certificate's key, PEM or DER")
    certificate_dir: str = Field(
        ".sevenones/opcua", description="where our own certificate and those of trusted servers are kept"
    )
    server_certificate: str = Field(
        "", description="the server's certificate, PEM or DER; empty: the first one seen is trusted from then on"
    )
    trust: Literal["first", "explicit"] = Field(
        "first", description="explicit: no certificate is trusted at first sight, only by `sevenones opcua trust`"
    )
    accept: frozenset[Literal["expired", "not_yet_valid", "host_name", "application_uri"]] = Field(
        frozenset(), description="faults of the server's certificate that are known and accepted"
    )
    timeout_s: float = Field(5.0, gt=0, le=120, description="the longest wait for an answer, s")
    watchdog_s: float = Field(10.0, ge=1, le=3600, description="after this without data the link counts as lost, s")
    sampling_ms: float | None = Field(
        None, ge=0, le=3_600_000, description="how often the server looks at a value, ms; without it the group's period"
    )
    publishing_ms: float = Field(500, ge=10, le=3_600_000, description="how often the server sends changes, ms")
    queue_size: int = Field(20, ge=1, le=100_000, description="changes of one value that the server keeps for us")
    max_items_per_subscription: int = Field(
        1000, ge=1, le=100_000, description="more values than this are spread over several subscriptions"
    )
    max_items_per_call: int = Field(500, ge=1, le=10_000, description="values named in one request to the server")
    poll: bool = Field(False, description="ask for the values at their groups' periods instead of subscribing")
    retry_s: float = Field(
        5.0,
        ge=0.1,
        le=300,
        description="after this a value that the server refused is asked for again, then ever later, s",
    )
    history_h: float = Field(
        24.0,
        ge=0,
        le=8760,
        description="after an outage, read at most so much from the server's history, h; 0: nothing",
    )
    events: EventSettings | None = Field(None, description="take the server's alarms and events; {} for all of them")

    @field_validator("url")
    @classmethod
    def _opc_tcp(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            right = parts.scheme == "opc.tcp" and bool(parts.hostname) and "@" not in parts.netloc
            parts.port  # noqa: B018  raises when it is none
        except ValueError:
            right = False
        if not right:
            raise ValueError(
                "url 应为 opc.tcp://host:port/path，其中不写用户和密码 · "
                "the url must be opc.tcp://host:port/path, without user or password in it"
            )
        return url

    @model_validator(mode="after")
    def _fit(self) -> OpcUaSettings:
        if self.password_file and self.password.get_secret_value():
            raise ValueError("password 与 password_file 请只写其一 · give password or password_file, not both")
        if (self.password_file or self.password.get_secret_value()) and not self.user:
            raise ValueError("有密码就需要 user · a password needs a user")
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError(
                "certificate 与 private_key 须同时给出或都不写 · "
                "certificate and private_key belong together: give both or neither"
            )
        if bool(self.user_certificate) != bool(self.user_key):
            raise ValueError(
                "user_certificate 与 user_key 须同时给出或都不写 · "
                "user_certificate and user_key belong together: give both or neither"
            )
        if self.user_certificate and self.user:
            raise ValueError(
                "user 和 password 与 user_certificate 和 user_key 请只写其一 · "
                "give user and password, or user_certificate and user_key, not both"
            )
        if self.user_certificate and self.security == "none":
            raise ValueError(
                "用户证书需要加密通道：security 不能是 none · "
                "a user certificate needs a secured channel: give another security than none"
            )
        if self.sampling_ms and self.queue_size * self.sampling_ms < 2 * self.publishing_ms:
            raise ValueError(
                f"queue_size {self.queue_size} 存 {self.queue_size * self.sampling_ms:g} 毫秒的变化，"
                f"少于两个 {self.publishing_ms:g} 毫秒的发布周期："
                "服务器会丢弃变化 · "
                f"queue_size {self.queue_size} holds {self.queue_size * self.sampling_ms:g} ms of changes, less than "
                f"two publishing intervals of {self.publishing_ms:g} ms: the server would drop changes"
            )
        if self.watchdog_s * 1000 < 3 * self.publishing_ms:
            raise ValueError(
                f"watchdog_s {self.watchdog_s:g} 短于三个发布周期，会误报 · "
                f"watchdog_s {self.watchdog_s:g} is less than three publishing intervals: it would bark idly"
            )
        return self

    def secret(self) -> str:
        """The password. Raises SignInRefused when its file cannot be read."""
        if not self.password_file:
            return self.password.get_secret_value()
        try:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SignInRefused(
                f"密码文件 {self.password_file} 无法读取：{error} · "
                f"the password file {self.password_file} cannot be read: {error}"
            ) from None
