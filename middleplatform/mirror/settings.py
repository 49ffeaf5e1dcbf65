"""What is mirrored, and where to: one YAML file.

    url: https://influx.example:8086
    org: mine
    bucket: mine
    points: ["belt1/*", "*/gas_*"]      # patterns of paths without the mine's code
    except: ["*/text_*"]
    measurement: samples

The token comes from the environment (SEVENONES_MIRROR_TOKEN), never from the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from models.site.model import Point

TOKEN = "SEVENONES_MIRROR_TOKEN"  # noqa: S105 - the variable's name
_KEYS = frozenset({"url", "org", "bucket", "points", "except", "measurement"})
_MEASUREMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
MAX_PATTERNS = 1_000
MAX_BYTES = 1 << 20


class MirrorError(Exception):
    """The mirror cannot run as it is set up: what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to, and which points. `token` is secret and stays out of logs and `repr`."""

    url: str
    org: str
    bucket: str
    points: tuple[str, ...]
    but: tuple[str, ...] = ()
    measurement: str = "samples"
    token: str = field(default="", repr=False)

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str]) -> Settings:
        """Read the file. Raises MirrorError naming the key that is wrong."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise MirrorError(f"{path} is larger than {MAX_BYTES} bytes")
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise MirrorError(f"{path} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise MirrorError(f"{path} must hold url, org, bucket and points")
        if strange := sorted(map(str, set(found) - _KEYS)):
            raise MirrorError(f"{path}: '{strange[0]}' is not one of {', '.join(sorted(_KEYS))}")
        settings = cls(
            *(_text(path, found, key) for key in ("url", "org", "bucket")),
            _patterns(path, found, "points"),
            _patterns(path, found, "except") if "except" in found else (),
            _text(path, found, "measurement") if "measurement" in found else "samples",
            environment.get(TOKEN, ""),
        )
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise MirrorError(f"{path}: url must be http://host:port or https://host:port, without a password")
        if settings.token and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise MirrorError(f"{path}: a token travels over https only, or to this machine; url is {settings.url}")
        if not _MEASUREMENT.fullmatch(settings.measurement):
            raise MirrorError(f"{path}: measurement must be letters, digits and _, got '{settings.measurement}'")
        return settings

    def takes(self, point: Point) -> bool:
        """Whether a point is mirrored."""
        path = point.path.partition("/")[2]
        return _any(path, self.points) and not _any(path, self.but)


def _any(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _text(path: Path, found: Mapping[str, object], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise MirrorError(f"{path}: '{key}' must be text")
    return value


def _patterns(path: Path, found: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = found.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise MirrorError(f"{path}: '{key}' must be a list of patterns of paths, such as [\"belt1/*\"]")
    if len(value) > MAX_PATTERNS:
        raise MirrorError(f"{path}: '{key}' has over {MAX_PATTERNS} patterns")
    return tuple(value)
