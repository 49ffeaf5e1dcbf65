"""What a connection of the adapter `kj` may set."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from models.exchange import profiles
from protocols.adapter import Settings


class KjSettings(Settings):
    """One folder into which one mine's system writes."""

    folder: str = Field(min_length=1, description="the folder into which the monitoring system writes its files")
    mine: str = Field(pattern=r"^[0-9A-Z]{9,20}$", description="the mine's code; files of another mine are refused")
    archive: str = Field("", description="where files go that were taken; empty: `archive` within the folder")
    error: str = Field("", description="where files go that were refused, each with the reason; empty: `error` within")
    profile: str = Field("nmsa", description="the family of files: nmsa (coal mines), nmsa-n (other mines)")
    encoding: Literal["auto", "utf-8", "gbk", "gb18030"] = Field(
        "auto", description="auto: UTF-8 if a file is that, else GB18030 (GBK is a part of it)"
    )
    time_zone: str = Field("Asia/Shanghai", description="the zone of the times in the files")
    equipment: str = Field("", description="the equipment to which exceptions of points belong that the site has not")
    poll_s: float = Field(1.0, ge=0.02, le=60, description="how often the folder is looked at, s")
    timeout_s: float = Field(10.0, gt=0, le=120, description="a folder that does not answer for so long is lost, s")
    quiet_s: float = Field(300.0, ge=1, le=86_400, description="after so long without a file the link is lost, s")
    incomplete_s: float = Field(600.0, ge=1, le=86_400, description="a file without its end is refused after this, s")
    future_s: float = Field(600.0, ge=0, le=86_400, description="a file from further in the future is refused, s")
    max_bytes: int = Field(16 << 20, ge=1024, le=64 << 20, description="the largest file that is taken, bytes")

    @field_validator("profile")
    @classmethod
    def _known(cls, profile: str) -> str:
        if profile not in profiles():
            raise ValueError(
                f"没有文件类别 '{profile}'，有 {', '.join(profiles())} · "
                f"there is no profile '{profile}'; there are {', '.join(profiles())}"
            )
        return profile

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

    def archive_folder(self) -> Path:
        return Path(self.archive or Path(self.folder) / "archive")

    def error_folder(self) -> Path:
        return Path(self.error or Path(self.folder) / "error")
