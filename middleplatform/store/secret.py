"""A file that only its owner may read."""

import os
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write it whole or not at all, mode 0600."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)
