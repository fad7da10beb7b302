"""Who calls: whose things the call may see and make, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from aiohttp import web

Scope = Literal["read", "write", "admin"]
"""read: look at one's own things. write: make, change and delete them. admin: what concerns everybody, such as pausing
the queue and the metrics."""
ALL_SCOPES: frozenset[Scope] = frozenset(get_args(Scope))


@dataclass(frozen=True, kw_only=True)
class Caller:
    """`owner` is whose jobs, uploads and calls are seen; "" owns what is made without a key and with http.api_key.
    `key_id` is the public part of the key that was sent, or SETTINGS_KEY or LINK; "" where none is asked for."""

    owner: str
    key_id: str = ""
    scopes: frozenset[Scope] = ALL_SCOPES

    @property
    def sees(self) -> str | None:
        """Whose numbers are told where they are summed up: those of its owner; None, with admin, of everybody."""
        return None if "admin" in self.scopes else self.owner

    @property
    def keyed(self) -> bool:
        """Whether a key is asked for: what this caller is given is private, and its links must be signed."""
        return bool(self.key_id)


ANYBODY = Caller(owner="")
"""Where no key is asked for."""
NOBODY = Caller(owner="", scopes=frozenset())
"""Where something is open to everybody: who calls was not looked at."""
SETTINGS_KEY = "settings"
LINK = "link"
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
"""Set by the guard on every request that got past it."""
