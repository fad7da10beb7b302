"""Who is let in, and how often: a key, a signed link, or nothing where none is asked for. All before a body is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from vidgend.errors import ForbiddenScope, Unauthorized
from vidgend.http.auth import SIGNED_PATHS, link_owner
from vidgend.http.caller import ANYBODY, LINK, NOBODY, Caller, Scope
from vidgend.http.keyring import Keyring
from vidgend.http.limits import WRONG_KEY_COST, Limits, address_name
from vidgend.http.problems import SignatureInvalid
from vidgend.http.proxied import Networks, client_address
from vidgend.store.keys import KEY_FORM


class Admission:
    """`scopes` has what each handler asks for; None is open to everybody, and not counted either: probes of a machine's
    health come from the address of a proxy that others come from too. What is not in it only asks for a key, but not
    where only the method is wrong of a path that is open (`open_paths`)."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        limits: Limits,
        url_key: bytes,
        trusted: Networks,
        scopes: Mapping[Handler, Scope | None],
        open_paths: Collection[str] = (),
    ) -> None:
        self._keyring = keyring
        self._limits = limits
        self._url_key = url_key
        self._trusted = trusted
        self._scopes = scopes
        self._open_paths = frozenset(open_paths)

    async def admit(self, request: web.Request) -> Caller:
        """Raises: Unauthorized, SignatureInvalid, ForbiddenScope, RateLimited."""
        handler = request.match_info.handler
        scope = self._scopes.get(handler)
        if scope is None and (handler in self._scopes or request.path in self._open_paths):
            return NOBODY
        caller = await self._caller(request)
        if scope is not None and scope not in caller.scopes:
            raise ForbiddenScope(f"the key lacks the scope {scope}")
        return caller

    async def _caller(self, request: web.Request) -> Caller:
        sent = request.headers.get("Authorization")
        token = _bearer(sent or "")
        asked = await self._keyring.required()
        # A key that was made this very moment counts, even if it is not known yet that one is asked for.
        if not asked and KEY_FORM.fullmatch(token) is None:
            return ANYBODY
        forwarded = request.headers.getall("X-Forwarded-For", [])
        address = address_name(client_address(request.remote, forwarded, self._trusted))
        if sent is not None:
            return await self._by_key(token, address, asked=asked)
        if request.method in ("GET", "HEAD") and "sig" in request.query and SIGNED_PATHS.fullmatch(request.path):
            return self._by_link(request, address)
        self._limits.anonymous.take(address)
        raise Unauthorized("no key was sent")

    async def _by_key(self, token: str, address: str, *, asked: bool) -> Caller:
        if not self._keyring.remembers(token):
            self._limits.anonymous.check(address)
        try:
            caller = await self._keyring.authenticate(token)
        except Unauthorized:
            if not asked:
                return ANYBODY
            self._limits.anonymous.charge(address, WRONG_KEY_COST)
            raise
        self._limits.keys.take(caller.key_id)
        return caller

    def _by_link(self, request: web.Request, address: str) -> Caller:
        self._limits.anonymous.check(address)
        try:
            owner = link_owner(request, self._url_key)
        except SignatureInvalid:
            self._limits.anonymous.charge(address, WRONG_KEY_COST)
            raise
        self._limits.links.take(address)
        return Caller(owner=owner, key_id=LINK, scopes=frozenset({"read"}))


def _bearer(header: str) -> str:
    """The key in an Authorization header; "" if there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
