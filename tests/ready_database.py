"""A database file with the newest schema, which costs a copy: the scripts that make it run once in a process."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from vidgend.store import schema


def ready(path: Path) -> Path:
    """The path, with such a file there unless there is one already; for `Database.open`."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_content())
    return path


@cache
def _content() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vidgend.db"
        connection = schema.connect(path)
        schema.prepare(connection, path, check_s=1)
        connection.close()
        return path.read_bytes()
