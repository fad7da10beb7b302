"""The server's certificate, read anew when its files change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from pathlib import Path

from vidgend.errors import SettingsInvalid

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""How soon a renewed certificate is noticed where nobody sends SIGHUP."""


class Certificate:
    """`context` is for the next connection; those that are open keep theirs. Reads files."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises: SettingsInvalid."""
        self._cert, self._key = cert, key
        self._asked = asyncio.Event()
        self._seen = self._state()
        self.context = self._load()

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key, password=lambda: "")  # an encrypted key must not ask
        except ssl.SSLError as error:
            raise SettingsInvalid(
                f"http.tls_cert {self._cert} and http.tls_key {self._key} cannot be used: {error.reason or error}",
                hint="Both are PEM files, the certificate with its whole chain, the key unencrypted and its own.",
            ) from None
        except OSError as error:
            raise SettingsInvalid(
                f"http.tls_cert {self._cert} or http.tls_key {self._key} cannot be read: {error.strerror or error}"
            ) from None
        return context

    def renew(self) -> None:
        """Have `watch` read the files now."""
        self._asked.set()

    async def watch(self, every_s: float = LOOK_EVERY_S) -> None:
        """Take a new certificate when its files have changed, or when it is asked for, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await self._asked.wait()
            if self._asked.is_set() or await asyncio.to_thread(self._state) != self._seen:
                self._asked.clear()
                await asyncio.to_thread(self._reload)

    def _reload(self) -> None:
        """What cannot be used changes nothing."""
        self._seen = self._state()
        try:
            self.context = self._load()
        except SettingsInvalid as error:
            _log.error("tls_not_renewed", extra={"reason": error.detail})
        else:
            _log.info("tls_renewed")

    def _state(self) -> list[tuple[int, int, int] | None]:
        state: list[tuple[int, int, int] | None] = []
        for path in (self._cert, self._key):
            try:
                found = path.stat()
                state.append((found.st_ino, found.st_size, found.st_mtime_ns))
            except OSError:
                state.append(None)
        return state
