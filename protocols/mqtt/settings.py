"""What a connection of the adapter `mqtt` may set."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from protocols.adapter import Settings, SignInRefused
from protocols.mqtt.topic import check_pattern


class Tls(Settings):
    """TLS to the broker. Its certificate's host name and chain are always checked."""

    ca: str = Field("", description="PEM file of those who may sign the broker's certificate; empty: the system's own")
    cert: str = Field("", description="PEM file of our certificate, where the broker wants one")
    key: str = Field("", description="PEM file of our certificate's key")

    def context(self) -> ssl.SSLContext:
        """The context that these files make. Raises OSError."""
        context = ssl.create_default_context(cafile=self.ca or None)
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return context


class BrokerSettings(Settings):
    """One broker, one persistent session."""

    host: str = Field(min_length=1, description="the broker's name or address")
    client_id: str = Field(
        min_length=1,
        max_length=128,
        description="the name under which the broker keeps what is not acknowledged: fixed, this connection's own",
    )
    port: int = Field(1883, ge=1, le=65535, description="the broker's TCP port; with TLS mostly 8883")
    user: str = Field("", description="the user at the broker; empty: none")
    password: SecretStr = Field(SecretStr(""), description="the user's password")
    password_file: str = Field("", description="a file that holds the password, instead of `password`")
    protocol: Literal["3.1.1", "5"] = Field("3.1.1", description="the version of MQTT")
    keepalive_s: int = Field(10, ge=2, le=3600, description="a silent broker is given up after twice this, s")
    timeout_s: float = Field(5.0, gt=0, le=120, description="the longest wait for an answer, s")
    max_queued: int = Field(
        10_000, ge=1, le=1_000_000, description="messages held unread; with more, the socket is not read and they wait"
    )
    session_expiry_s: int = Field(
        259_200, ge=60, le=0xFFFFFFFE, description="MQTT 5: how long the broker keeps the session while we are away, s"
    )
    tls: Tls | None = Field(None, description="TLS to the broker; without it passwords and data travel in the clear")

    @model_validator(mode="after")
    def _one_password(self) -> BrokerSettings:
        if self.password_file and self.password.get_secret_value():
            raise ValueError("password 与 password_file 请只写其一 · give password or password_file, not both")
        if (self.password_file or self.password.get_secret_value()) and not self.user:
            raise ValueError("有密码就需要 user · a password needs a user")
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


class MqttSettings(BrokerSettings):
    """And what is looked at there beside the points."""

    discover: tuple[str, ...] = Field(
        (),
        max_length=100,
        description="topic patterns to listen to beyond the points' own: what no point takes there becomes a finding",
    )
    browse_s: float = Field(3.0, gt=0, le=60, description="how long browsing listens, s")

    @field_validator("discover")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            check_pattern(pattern)
        return patterns
