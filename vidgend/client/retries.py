"""When a call is worth another try."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vidgend.errors import DaemonUnreachable, VidgendError

_T = TypeVar("_T")
_NOT_NOW = (429, 503)


def passing(error: Exception) -> bool:
    """Whether what only looks may work a little later: nobody answers just now, or the daemon put it off."""
    return isinstance(error, DaemonUnreachable) or (isinstance(error, VidgendError) and error.status in _NOT_NOW)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """`tries` for one call, with waits of at most `wait_s` seconds in all. The wait is what the daemon asks for
    (Retry-After), or `first_wait_s`, twice that, and so on."""

    tries: int = 4
    wait_s: float = 60.0
    first_wait_s: float = 0.5


def patiently(call: Callable[[], _T], patience: Patience, *, repeatable: bool) -> _T:
    """What `call` gives. One that the daemon put off (429 or 503 with Retry-After) is made again in any case, one whose
    answer may only have got lost if it is `repeatable`. Raises: what the last try did."""
    waited_s = 0.0
    for tried in range(1, patience.tries + 1):
        try:
            return call()
        except VidgendError as error:
            wait_s = patience.first_wait_s * 2 ** (tried - 1)
            if error.status in _NOT_NOW and error.retry_after_s is not None:
                wait_s = error.retry_after_s
            elif not (repeatable and isinstance(error, DaemonUnreachable)):
                raise
            waited_s += wait_s
            if tried == patience.tries or waited_s > patience.wait_s:
                raise
            time.sleep(wait_s)
    raise ValueError("patience.tries must be 1 or more")
