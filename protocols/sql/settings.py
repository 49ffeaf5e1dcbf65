"""What a connection of the adapter `sql` may set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from protocols.adapter import LinkLost, Settings, SignInRefused

Column = Annotated[str, Field(max_length=128)]


class SqlSettings(Settings):
    """One view, or one query, of one database. Every row has a key that rises, and a time."""

    url: SecretStr = Field(
        SecretStr(""), description="the database, as SQLAlchemy writes it: postgresql://user@host/name"
    )
    url_env: str = Field("", description="the environment variable that holds the url, instead of `url`")
    password_file: str = Field("", description="a file that holds the password, instead of one in the url")
    view: str = Field("", max_length=256, description="the view or table, with its schema if need be: public.readings")
    query: str = Field("", max_length=20_000, description="a SELECT of your own, instead of `view`")
    key: Column = Field(min_length=1, description="the column by which rows are new: a number or time that rises")
    time: Column = Field(min_length=1, description="the column with the time of a row's values; may be the key")
    name: Column = Field("", description="the column with a point's name; empty: each point is a column of its own")
    value: Column = Field("", description="with `name`: the column with the value")
    quality: Column = Field("", description="the column with the value's quality; empty: what has a value is good")
    quality_map: dict[str, int] = Field(
        default_factory=dict, description="the quality's words to OPC bytes; empty: they are OPC bytes"
    )
    time_zone: str = Field("Asia/Shanghai", description="the zone of times that name none")
    start: Literal["newest", "beginning"] = Field("newest", description="where to begin when nothing was read before")
    overlap_rows: int = Field(
        1000, ge=0, le=100_000, description="so far behind the last key, if it is a number, late rows are looked for"
    )
    overlap_s: float = Field(
        60.0, ge=0, le=86_400, description="so far behind the last key, if it is a time, late rows are looked for, s"
    )
    future_s: float = Field(
        600.0, ge=0, le=86_400, description="rows whose key is a time further ahead have to wait, s"
    )
    poll_s: float = Field(5.0, ge=0.05, le=3600, description="how often it is asked for new rows, s")
    rows_per_poll: int = Field(5000, ge=10, le=50_000, description="the most rows of one answer")
    timeout_s: float = Field(10.0, ge=0.2, le=120, description="the longest wait for a connection or an answer, s")
    state_dir: str = Field(".sevenones/sql", description="where the last key that is in the bus is kept")

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"没有时区 '{zone}'，请写作 Asia/Shanghai 等 · "
                f"there is no time zone '{zone}': write one such as Asia/Shanghai"
            ) from None
        return zone

    @field_validator("quality_map")
    @classmethod
    def _bytes(cls, words: dict[str, int]) -> dict[str, int]:
        if wrong := [word for word, code in words.items() if not 0 <= code <= 255]:
            raise ValueError(
                f"'{wrong[0]}' 的质量不是 OPC 字节，应为 0 至 255 · "
                f"the quality of '{wrong[0]}' is no OPC byte, 0 to 255"
            )
        return words

    @model_validator(mode="after")
    def _fit(self) -> SqlSettings:
        if bool(self.url.get_secret_value()) == bool(self.url_env):
            raise ValueError("url 与 url_env 请写其一 · give url or url_env: one of them")
        if bool(self.view) == bool(self.query):
            raise ValueError("view 与 query 请写其一 · give view or query: one of them")
        if bool(self.name) != bool(self.value):
            raise ValueError(
                "name 与 value 须同时给出：都不写时，每个测点各占一列 · "
                "name and value belong together: without both, each point is a column of its own"
            )
        return self

    def where(self) -> str:
        """The url as it was given. Raises LinkLost when the environment does not have it."""
        if not self.url_env:
            return self.url.get_secret_value()
        found = os.environ.get(self.url_env, "")
        if not found:
            raise LinkLost(
                f"环境变量 {self.url_env} 应为数据库地址，未设置 · "
                f"the environment variable {self.url_env}, which should hold the database's url, is not set"
            )
        return found

    def secret(self) -> str | None:
        """The password in the file, None without one. Raises SignInRefused when it cannot be read."""
        if not self.password_file:
            return None
        try:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SignInRefused(
                f"密码文件 {self.password_file} 无法读取：{error} · "
                f"the password file {self.password_file} cannot be read: {error}"
            ) from None
