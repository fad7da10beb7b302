"""What takes too long to find out while somebody waits for a probe is looked at now and then."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from vidgend.errors import VidgendError

EVERY_S = 60.0
_PATIENCE_S = 45.0
_NO_DIGEST = "0" * 64

Look = Callable[[], Awaitable[object]]


class Watch:
    """Run `run` as a task. `ffmpeg` and `assets` are what was wrong with them at the last look, "" if nothing was;
    None before there was one. `ffmpeg` is looked for by `find_ffmpeg`; `has_asset` asks the store."""

    def __init__(
        self, *, find_ffmpeg: Look, has_asset: Callable[[str], Awaitable[bool]], every_s: float = EVERY_S
    ) -> None:
        self._find_ffmpeg = find_ffmpeg
        self._has_asset = has_asset
        self._every_s = every_s
        self.ffmpeg: str | None = None
        self.assets: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.ffmpeg = await _trouble(self._find_ffmpeg)
            self.assets = await _trouble(lambda: self._has_asset(_NO_DIGEST))
            await asyncio.sleep(self._every_s)


async def _trouble(look: Look) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await look()
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:g} s"
    except VidgendError as error:
        return error.detail
    except (OSError, sqlite3.Error) as error:
        return str(error)
    return ""
