"""Who a bearer key belongs to. Looked up in the database, remembered for a second."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from vidgend.errors import Unauthorized
from vidgend.http.caller import ALL_SCOPES, LINK, SETTINGS_KEY, Caller, Scope
from vidgend.store.keys import KEY_FORM, Key, KeyStore, digest_of

REMEMBERED_S = 1.0
"""How long what the database says is believed: a revoked key works no longer than that."""
TOUCH_EVERY_S = 60.0
"""How exact it is noted when a key was used last."""
_MOST = 4096
_NOBODY = bytes(32)


class Keyring:
    """`api_key` is the one of the settings. Where it has the form of a key of `vidgend keys`, it is one of those: it is
    then what the commands of this machine send. `always` asks for a key even where there is none.

    `clock` tells the time that keys expire by, `turns` the one that things are remembered by.
    """

    def __init__(
        self,
        keys: KeyStore,
        *,
        api_key: str = "",
        always: bool = False,
        clock: Callable[[], float] = time.time,
        turns: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._own = digest_of(api_key) if api_key and not KEY_FORM.fullmatch(api_key) else None
        self._always = always or bool(api_key)
        self._clock = clock
        self._turns = turns
        self._known: OrderedDict[str, tuple[float, Key | None]] = OrderedDict()
        self._asked_for: tuple[float, bool] = (float("-inf"), False)
        self._touched: dict[str, float] = {}

    async def required(self) -> bool:
        """Whether a request needs a key: one is set, or one was ever made. That all have ended opens nothing."""
        if self._always:
            return True
        at, any_key = self._asked_for
        if not 0 <= self._turns() - at < REMEMBERED_S:
            any_key = await self._keys.any()
            self._asked_for = (self._turns(), any_key)
        return any_key

    async def authenticate(self, token: str) -> Caller:
        """The same work and the same words for an unknown key and one whose secret is wrong.

        Raises: Unauthorized.
        """
        given = digest_of(token)
        if self._own is not None and hmac.compare_digest(given, self._own):
            return Caller(owner="", key_id=SETTINGS_KEY, scopes=ALL_SCOPES)
        form = KEY_FORM.fullmatch(token)
        if form is None:
            raise Unauthorized("the key is not right")
        key = await self._find(form[1])
        right = hmac.compare_digest(digest_of(form[2]), key.secret_sha256 if key is not None else _NOBODY)
        if key is None or not right:
            raise Unauthorized("the key is not right")
        state = key.state(self._clock())
        if state != "live":
            raise Unauthorized(f"the key {'has expired' if state == 'expired' else 'was revoked'}")
        self._touch(key.id)
        return Caller(owner=key.owner, key_id=key.id, scopes=frozenset(cast(tuple[Scope, ...], key.scopes)))

    def remembers(self, token: str) -> bool:
        """Whether this was a right key of `vidgend keys` not long ago that has not ended. Asks nobody; a guess has
        nothing to gain here, while those who have a key are not held up by others at their address who guess."""
        form = KEY_FORM.fullmatch(token)
        _, key = self._known.get(form[1], (0.0, None)) if form is not None else (0.0, None)
        if form is None or key is None or key.state(self._clock()) != "live":
            return False
        return hmac.compare_digest(digest_of(form[2]), key.secret_sha256)

    async def holds(self, key_id: str) -> bool:
        """Whether whoever was let in as this (`Caller.key_id`) would be let in again: without a key, until there is
        one. Links and the key of the settings do not end while vidgend runs."""
        if not key_id:
            return not await self.required()
        if key_id in (SETTINGS_KEY, LINK):
            return True
        key = await self._find(key_id)
        return key is not None and key.state(self._clock()) == "live"

    async def _find(self, identity: str) -> Key | None:
        at, key = self._known.get(identity, (float("-inf"), None))
        if not 0 <= self._turns() - at < REMEMBERED_S:
            key = await self._keys.find(identity)
            self._known[identity] = (self._turns(), key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(identity)
        return key

    def _touch(self, identity: str) -> None:
        now = self._turns()
        if now - self._touched.get(identity, float("-inf")) >= TOUCH_EVERY_S:
            self._touched[identity] = now
            self._keys.touch(identity, at=self._clock())
