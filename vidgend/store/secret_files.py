"""The secrets of a data directory: made once and kept, readable by their owner only, whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

SECRETS = ("webhook.secret", "url.key")


def write_secret(path: Path, content: bytes) -> None:
    """Durable when this returns, but for the name: that is when the folder has been synced."""
    part = path.with_name(f"{path.name}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
    part.replace(path)
