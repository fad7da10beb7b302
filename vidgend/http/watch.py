"""What takes too long to find out while somebody waits for a probe is looked at now and then."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from vidgend.errors import VidgendError

_log = logging.getLogger(__name__)
EVERY_S = 60.0
_PATIENCE_S = 45.0
_NO_DIGEST = "0" * 64

Look = Callable[[], Awaitable[object]]


class Watch:
    """Run `run` as a task. `ffmpeg_missing` and `assets_away` are None before the first look; what was wrong is in the
    log. `find_ffmpeg` looks for it, `has_asset` asks the store. `lag_s` and `ballast_missing` are asked at once."""

    def __init__(
        self,
        *,
        find_ffmpeg: Look,
        has_asset: Callable[[str], Awaitable[bool]],
        lag_s: Callable[[], float] = lambda: 0.0,
        ballast_missing: Callable[[], bool] = lambda: False,
        every_s: float = EVERY_S,
    ) -> None:
        self._find_ffmpeg = find_ffmpeg
        self._has_asset = has_asset
        self.lag_s = lag_s
        self.ballast_missing = ballast_missing
        self._every_s = every_s
        self.ffmpeg_missing: bool | None = None
        self.assets_away: bool | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.ffmpeg_missing = _told("ffmpeg_missing", await _trouble(self._find_ffmpeg), self.ffmpeg_missing)
            trouble = await _trouble(lambda: self._has_asset(_NO_DIGEST))
            self.assets_away = _told("assets_unreachable", trouble, self.assets_away)
            await asyncio.sleep(self._every_s)


def _told(event: str, trouble: str, before: bool | None) -> bool:
    """Whether there is trouble; in the log it is said once, and once that it is over."""
    if trouble and not before:
        _log.warning(event, extra={"reason": trouble})
    if before and not trouble:
        _log.info(f"{event}_no_more")
    return bool(trouble)


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
