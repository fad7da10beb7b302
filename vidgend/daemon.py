"""A daemon's life on one screen: the runtime, the web application over it, and what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from vidgend import __version__
from vidgend.errors import BadInput, SettingsInvalid
from vidgend.http.cors import ANY
from vidgend.http.listeners import Listener, open_listeners, refuse_open, who_else
from vidgend.http.tls import Certificate
from vidgend.http.webhook_signing import Signer, new_secret
from vidgend.logs import set_up_logging
from vidgend.observe.loop_lag import LoopLag
from vidgend.observe.scrape import Scrape
from vidgend.observe.select import build_watchers
from vidgend.runtime import Runtime
from vidgend.settings import Settings
from vidgend.store.assets.local_files import fsync
from vidgend.store.database import Database
from vidgend.store.keys import KeyStore, read_keys
from vidgend.store.secret_files import write_secret

_log = logging.getLogger(__name__)


def _secret(path: Path, make: bytes) -> bytes:
    """A secret that is made once and kept, readable by the owner only."""
    with contextlib.suppress(FileNotFoundError):
        kept = path.read_bytes()
        if len(kept) >= 32:
            return kept
        path.unlink()  # cut off by a crash; an empty key could be guessed
    write_secret(path, make)
    fsync(path.parent)
    return make


def _has_live_key(settings: Settings) -> bool:
    return any(key.state(time.time()) == "live" for key in read_keys(settings.data_dir / "vidgend.db"))


def webhook_secret(settings: Settings) -> str:
    """What signs for the receivers that have no secret of their own; made if there is none yet."""
    given = settings.webhooks.secret.get_secret_value()
    return given or _secret(settings.data_dir / "webhook.secret", new_secret().encode()).decode()


def _certificate(settings: Settings) -> Certificate | None:
    """Raises: SettingsInvalid."""
    cert, key = settings.http.tls_cert, settings.http.tls_key
    return Certificate(cert, key) if cert is not None and key is not None else None


@asynccontextmanager
async def _listening(settings: Settings) -> AsyncIterator[list[Listener]]:
    """Where the settings want it. Raises: SettingsInvalid."""
    http = settings.http
    listeners = await asyncio.to_thread(
        open_listeners,
        host=http.host,
        port=http.port,
        unix_socket=http.unix_socket,
        unix_mode=int(http.unix_socket_mode, 8),
    )
    try:
        has_key = bool(http.api_key.get_secret_value()) or await asyncio.to_thread(_has_live_key, settings)
        refuse_open(listeners, has_key=has_key, any_origin=ANY in http.cors_origins)
        yield listeners
    finally:
        for listener in listeners:
            await asyncio.to_thread(listener.close)


def notify_systemd(message: str) -> None:
    """Tell systemd (`READY=1`, `STOPPING=1`), if it asked to be told. Source: man sd_notify."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


async def feed_watchdog(database: Database) -> None:
    """Tell systemd that all is well while the loop turns and the database's writer answers, if it asked to be told.

    Source: man sd_watchdog_enabled; a third of the time it allows leaves room for a slow disk.
    """
    allowed_s = int(os.environ.get("WATCHDOG_USEC") or 0) / 1_000_000
    while allowed_s:
        async with asyncio.timeout(allowed_s):
            await database.write(lambda connection: None)
        notify_systemd("WATCHDOG=1")
        await asyncio.sleep(allowed_s / 3)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. A dead side task stops the daemon with its error.

    Raises: SettingsInvalid, DataDirLocked, SchemaTooNew, OSError (port in use).
    """
    from vidgend.http.app import make_app
    from vidgend.http.connections import Limits as ConnectionLimits
    from vidgend.http.keyring import Keyring
    from vidgend.http.limits import Limits, Rate
    from vidgend.http.server import Server, files_for
    from vidgend.http.services import Services
    from vidgend.http.watch import Watch
    from vidgend.http.webhook_tester import WebhookTester
    from vidgend.http.webhooks import WebhookSender
    from vidgend.mcp.here import add_own_mcp

    set_up_logging(settings.log.level, settings.log.format, settings.redactor())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        stop.set()
        if signals > 1:
            os._exit(1)  # the second signal means now; children die with us

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    certificate = await asyncio.to_thread(_certificate, settings)
    if certificate is not None:
        loop.add_signal_handler(signal.SIGHUP, certificate.renew)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it stays ignored
        loop.add_signal_handler(signal.SIGHUP, stop.set)  # a terminal that is closed may send it more than once
    async with contextlib.AsyncExitStack() as opened:
        listeners = await opened.enter_async_context(_listening(settings))
        port = next((listener.port for listener in listeners if listener.port), settings.http.port)
        settings = settings.model_copy(update={"http": settings.http.model_copy(update={"port": port})})
        watchers = await asyncio.to_thread(build_watchers, os.environ, __version__)
        runtime = await opened.enter_async_context(Runtime.open(settings, observer=watchers.observer))
        try:
            runtime.check_voice(settings.speech.voice, None)
        except BadInput as error:
            raise SettingsInvalid(f"speech.voice: {error.detail}", hint=error.hint) from None
        if settings.captions.font:
            await asyncio.to_thread(runtime.check_font, settings.captions.font)
        secret = await asyncio.to_thread(webhook_secret, settings)
        url_key = await asyncio.to_thread(_secret, settings.data_dir / "url.key", secrets.token_bytes(32))
        signer = Signer(runtime.database, secret)
        sender = WebhookSender(
            outbox=runtime.outbox,
            signer=signer,
            wake=runtime.webhook_wake,
            allow_networks=settings.egress.for_webhooks,
            observer=watchers.observer,
        )
        lag = LoopLag(watchers.observer)
        watch = Watch(
            find_ffmpeg=runtime.parts.producer.ffmpeg.get,
            has_asset=runtime.assets.blobs.has,
            lag_s=lambda: lag.typical_s,
            ballast_missing=lambda: bool(settings.store.ballast_bytes) and not runtime.ballast.present,
        )
        limits = settings.limits
        app = make_app(
            Services(
                database=runtime.database,
                jobs=runtime.jobs,
                storyboards=runtime.storyboards,
                worker=runtime.worker,
                assets=runtime.assets,
                uploads=runtime.uploads,
                intake=runtime.intake,
                fetcher=runtime.fetcher,
                webhook_tester=WebhookTester(signer=signer, allow_networks=settings.egress.for_webhooks),
                defaults=runtime.defaults,
                public_url=settings.http.public_url,
                keyring=Keyring(
                    KeyStore(runtime.database),
                    api_key=settings.http.api_key.get_secret_value(),
                    always=bool(who_else(listeners, any_origin=ANY in settings.http.cors_origins)),
                ),
                limits=Limits(
                    keyed=Rate(per_s=limits.requests_per_s, burst=limits.burst),
                    anonymous=Rate(per_s=limits.anonymous_per_s, burst=limits.anonymous_burst),
                ),
                allowed_hosts=(settings.http.host, *settings.http.allowed_hosts),
                trusted_proxies=settings.http.trusted_proxies,
                cors_origins=settings.http.cors_origins,
                webhooks_enabled=runtime.webhooks_enabled,
                allow_networks=runtime.allow_networks,
                voices=await asyncio.to_thread(runtime.voices),
                sample=runtime.samples.make,
                check_voice=runtime.check_voice,
                check_font=runtime.check_font,
                foresee=runtime.foresee,
                transcriber=runtime.transcriber,
                recogniser_hint=runtime.recogniser_hint,
                can_translate=runtime.can_translate,
                ledger=runtime.ledger,
                accounts=runtime.budget.accounts,
                check_money=runtime.check_money,
                wake_webhooks=runtime.webhook_wake.set,
                version=__version__,
                url_key=url_key,
                presign=settings.assets.presign,
                observer=watchers.observer,
                scrape=Scrape(registry=watchers.metrics.registry, looked_up=runtime.looked_up()),
                watch=watch,
            )
        )
        add_own_mcp(app)
        server = Server(
            app,
            limits=ConnectionLimits(
                total=files_for(settings.http.max_connections),
                per_address=settings.http.max_connections_per_address,
            ),
            trusted=settings.http.trusted_proxies,
            certificate=certificate,
        )
        try:
            await server.start(listeners)
            print(f"vidgend ready on {listeners[0].url(server.scheme)}", flush=True)
            notify_systemd("READY=1")
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.join(), name="server")
                side = [
                    tasks.create_task(sender.run(), name="webhooks"),
                    tasks.create_task(runtime.worker.join(), name="worker"),
                    tasks.create_task(feed_watchdog(runtime.database), name="watchdog"),
                    tasks.create_task(lag.run(), name="loop lag"),
                    tasks.create_task(watch.run(), name="watch"),
                ]
                if certificate is not None:
                    side.append(tasks.create_task(certificate.watch(), name="certificate"))
                if runtime.parts.watch is not None:
                    side.append(tasks.create_task(runtime.parts.watch.run(), name="library"))
                try:
                    await stop.wait()
                    notify_systemd("STOPPING=1")
                    _log.info("stopping")
                finally:
                    runtime.worker.draining = True
                    await server.end_streams()  # first: who listens is told, however long the others take to end
                for task in side:
                    task.cancel()
                await runtime.worker.stop()  # whoever comes meanwhile is told so, instead of finding nobody
                serving.cancel()
        finally:
            await server.stop()
            await asyncio.to_thread(watchers.close)
