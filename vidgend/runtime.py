"""The composition root: settings -> store, pipeline and worker, all of vidgend but its server.

`vidgend generate` without a daemon runs a job on it in its own process; daemon.py puts the server over it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vidgend.egress import Network
from vidgend.http.accept import accept_generate, accept_prefetch
from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.wire import Defaults, GenerateBody, PrefetchBody
from vidgend.models import Brief, Result
from vidgend.observe.looked_up import LookedUp, Places, Slot
from vidgend.observer import NOBODY, Observer
from vidgend.parts import Parts, build_parts, read_accounts
from vidgend.pipeline.aligner.select import recogniser_hint
from vidgend.pipeline.budget.metered import Metered
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.file_to_upload import Intake
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.foresee import Reuse, foresee
from vidgend.pipeline.past_rates import rates_of
from vidgend.pipeline.run import key_with, salt_of
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.select import probe
from vidgend.pipeline.speech.voices import resolve
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.voice_catalogue import Listed, catalogue
from vidgend.pipeline.voice_to_sample import VoiceSamples
from vidgend.setting_types import parse_resolution
from vidgend.settings import Settings
from vidgend.store.assets.port import BlobStore
from vidgend.store.assets.select import select_blobs
from vidgend.store.assets.store import AssetStore
from vidgend.store.ballast import Ballast
from vidgend.store.database import Database, DataDir
from vidgend.store.filesystem_kind import refuse_network
from vidgend.store.jobs import JobStore
from vidgend.store.ledger import Ledger, OwnerLimits
from vidgend.store.outbox import Outbox
from vidgend.store.past_steps import past_steps
from vidgend.store.restore import refuse_half_restored
from vidgend.store.retention import Rules
from vidgend.store.space import Space
from vidgend.store.steps import StepStore
from vidgend.store.storyboards import StoryboardStore, Version
from vidgend.store.uploads import UploadStore
from vidgend.worker.attempt import Attempts
from vidgend.worker.upkeep import Upkeep
from vidgend.worker.worker import NOT_RECORDED, Worker

_log = logging.getLogger(__name__)


class BuildParts(Protocol):
    """What makes the parts of the pipeline; tests give another one."""

    def __call__(
        self, settings: Settings, assets: AssetStore, steps: StepStore, *, work: Path, budget: Budget
    ) -> Parts: ...


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A running vidgend without its server."""

    settings: Settings
    defaults: Defaults
    data_dir: DataDir
    database: Database
    jobs: JobStore
    storyboards: StoryboardStore
    steps: StepStore
    outbox: Outbox
    assets: AssetStore
    uploads: UploadStore
    intake: Intake
    fetcher: MediaFetcher
    samples: VoiceSamples
    ledger: Ledger
    budget: Metered
    parts: Parts
    worker: Worker
    webhook_wake: asyncio.Event
    observer: Observer
    space: Space
    ballast: Ballast

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        *,
        only_own: bool = False,
        build: BuildParts = build_parts,
        observer: Observer = NOBODY,
    ) -> AsyncIterator[Runtime]:
        """Lock the data directory, open the store, take up what was left, start working; undo it all at the end.

        `only_own` works on what is submitted here and leaves the rest of the queue for the daemon.

        Raises: DataDirLocked, NetworkFilesystem, SchemaTooNew, DatabaseDamaged, StorageFull, OSError.
        """
        data_dir = DataDir(settings.data_dir)
        ballast = Ballast(settings.data_dir / "ballast", settings.store.ballast_bytes)
        await asyncio.to_thread(data_dir.acquire, ballast.drop)
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(data_dir.release)
            await asyncio.to_thread(refuse_network, settings.data_dir, allow=settings.store.allow_network_filesystem)
            work = settings.data_dir / "work"
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
            await asyncio.to_thread(refuse_half_restored, settings.data_dir)
            made = await asyncio.to_thread(ballast.ensure, settings.store.min_free_bytes)
            if not made and settings.store.ballast_bytes:
                _log.warning("no_ballast", extra={"reason": "there is too little free disk space"})
            database = await Database.open(settings.data_dir / "vidgend.db", on_full=ballast.drop, observer=observer)
            undo.push_async_callback(database.close)
            assets = AssetStore(database, open_blobs(settings))
            undo.push_async_callback(assets.aclose)
            await assets.prepare()
            jobs = JobStore(
                database,
                boot_id=data_dir.boot_id,
                max_queued=settings.queue.max_queued,
                queued_per_owner=settings.limits.queued_per_owner,
                observer=observer,
            )
            recovered = await jobs.recover()
            if recovered.requeued or recovered.given_up:
                _log.info("jobs_recovered", extra={"requeued": recovered.requeued, "given_up": recovered.given_up})
            storyboards = StoryboardStore(database)
            steps = StepStore(database, assets, boot_id=data_dir.boot_id)
            ledger = Ledger(database, owner_limits(settings))
            accounts = await read_accounts(settings, ledger)
            budget = Metered(
                ledger, accounts, wait_s=settings.footage.quota_wait_s, clock=database.clock, observer=observer
            )
            parts = build(settings, assets, steps, work=work, budget=budget)
            parts.executor.observer = observer
            undo.push_async_callback(parts.aclose)
            webhook_wake = asyncio.Event()
            uploads = UploadStore(database, assets)
            space = Space(
                data_dir=settings.data_dir,
                assets_free_bytes=assets.free_bytes,
                ballast=ballast if settings.store.ballast_bytes else None,
                min_free_bytes=settings.store.min_free_bytes,
            )
            upkeep = Upkeep(
                database=database,
                jobs=jobs,
                assets=assets,
                space=space,
                rules=retention_rules(settings),
                quota_bytes=settings.assets.quota_bytes,
            )
            worker = Worker(
                jobs=jobs,
                attempts=Attempts(
                    jobs=jobs,
                    storyboards=storyboards,
                    producer=parts.producer,
                    executor=parts.executor,
                    share_steps=settings.cache.enabled,
                    job_timeout_s=settings.queue.job_timeout_s,
                    result_event=_result_event(settings.base_url),
                    clock=database.clock,
                    observer=observer,
                ),
                upkeep=upkeep,
                forecast=Forecast(
                    parts.executor.slots,
                    rates=rates_of(await past_steps(database), parts.producer.render),
                    unloaded=lambda: parts.executor.models_unloaded,
                ),
                max_jobs=settings.queue.max_concurrent_jobs,
                on_ended=webhook_wake.set,
            )
            intake = Intake(
                uploads=uploads,
                assets=assets,
                space=space,
                ffmpeg=parts.producer.ffmpeg,
                kept_bytes=jobs.kept_bytes,
                slot=partial(parts.executor.slot, "io"),
                make_room=upkeep.make_room,
                max_bytes=settings.assets.max_upload_bytes,
                quota_bytes=settings.assets.quota_bytes,
            )
            width_px, height_px = parse_resolution(settings.render.resolution)
            runtime = cls(
                settings=settings,
                defaults=Defaults(
                    width_px=width_px,
                    height_px=height_px,
                    fps=settings.render.fps,
                    voice=settings.speech.voice,
                    music=settings.music.enabled,
                    credits_card=settings.credits.card,
                ),
                data_dir=data_dir,
                database=database,
                jobs=jobs,
                storyboards=storyboards,
                steps=steps,
                outbox=Outbox(database),
                assets=assets,
                uploads=uploads,
                intake=intake,
                fetcher=MediaFetcher(
                    intake=intake,
                    allow_networks=settings.egress.for_media,
                    timeout_s=settings.assets.fetch_timeout_s,
                ),
                samples=VoiceSamples(
                    engines=parts.producer.engines,
                    executor=parts.executor,
                    is_done=steps.is_done,
                    speed=settings.speech.speed,
                ),
                ledger=ledger,
                budget=budget,
                parts=parts,
                worker=worker,
                webhook_wake=webhook_wake,
                observer=observer,
                space=space,
                ballast=ballast,
            )
            undo.push_async_callback(runtime.samples.aclose)
            if only_own:
                worker.only = set()
            worker.start()
            try:
                yield runtime
            finally:
                await worker.stop()
                with contextlib.suppress(*NOT_RECORDED):  # the next start takes it for a crash
                    await jobs.mark_clean_stop()

    def check_voice(self, voice: str, language: str | None) -> None:
        """Raises: UnknownVoice, LanguageUnsupported."""
        resolve(voice, language, self.parts.producer.engines)

    def check_font(self, family: str) -> None:
        """Reads font files. Raises: UnknownFont."""
        self.parts.producer.fonts.find(family)

    def voices(self) -> tuple[Listed, ...]:
        """All there are. Looks for packages and files."""
        speech = self.settings.speech
        models_dir = self.settings.data_dir / "models"
        probed = probe(models_dir=models_dir, hub_dir=default_hub_dir(), server=speech.server)
        return catalogue(self.parts.producer.engines, probed, speech.engine)

    @property
    def webhooks_enabled(self) -> bool:
        return self.settings.webhooks.enabled

    @property
    def allow_networks(self) -> tuple[Network, ...]:
        return self.settings.egress.for_webhooks

    @property
    def can_translate(self) -> bool:
        return self.parts.producer.translator is not None

    async def check_money(self, owner: str) -> None:
        """Raises: BudgetSpent if the language model may not be asked any more this month, or not for this owner."""
        await self.budget.check_money_of(owner)

    def looked_up(self) -> LookedUp:
        """What the metrics are looked up in."""
        executor, worker = self.parts.executor, self.worker

        def slots() -> dict[str, Slot]:
            used, waiting = executor.places_used, executor.waiting
            return {
                label: Slot(places=count, used=used[label], waiting=waiting[label])
                for label, count in executor.slots.items()
            }

        return LookedUp(
            database=self.database,
            places=Places(
                database=self.database.path, data_dir=self.settings.data_dir, assets=self.settings.assets_dir
            ),
            slots=slots,
            accounts=self.budget.accounts,
            draining=lambda: worker.draining,
            lacking_bytes=lambda: worker.lacking_bytes,
            evictable_bytes=lambda: self.space.evictable_bytes,
        )

    @property
    def transcriber(self) -> Transcriber | None:
        return self.parts.producer.transcriber

    @property
    def recogniser_hint(self) -> str:
        return recogniser_hint(self.settings.aligner.engine)

    async def submit_generate(self, body: GenerateBody) -> str:
        """Accept a video job, as one that comes without a key. Raises: BadInput and its kin, QueueFull, StorageFull."""
        return self._begin(*await accept_generate(self, body, owner=""))

    async def submit_prefetch(self, body: PrefetchBody) -> str:
        return self._begin(*await accept_prefetch(self, body, owner=""))

    def _begin(self, job_id: str, _: bool) -> str:
        if self.worker.only is not None:
            self.worker.only.add(job_id)
        self.worker.wake()
        return job_id

    async def foresee(self, job_id: str, version: Version, brief: Brief) -> Reuse:
        """Which segments of a version are there already. Raises: Unavailable without an ffmpeg that answers."""
        producer = self.parts.producer
        ffmpeg = await producer.ffmpeg.get_for_request()
        return await foresee(
            brief,
            version.storyboard,
            key_of=partial(key_with, salt_of(job_id, share_steps=self.settings.cache.enabled)),
            is_done=self.steps.is_done,
            settings=await producer.render_settings(brief),
            ffmpeg=ffmpeg,
            fonts=producer.fonts,
        )


def open_blobs(settings: Settings) -> BlobStore:
    """Where the settings want assets to lie. Raises: ToolMissing."""
    return select_blobs(
        settings.assets.url,
        root=settings.assets_dir,
        endpoint=settings.assets.endpoint,
        region=settings.assets.region,
        access_key=settings.assets.access_key,
        secret_key=settings.assets.secret_key.get_secret_value(),
        cache_bytes=settings.cache.max_bytes,
    )


def retention_rules(settings: Settings) -> Rules:
    return Rules(
        ttl_s=settings.cache.ttl_s,
        cache_max_bytes=settings.cache.max_bytes,
        results_max_age_s=settings.assets.max_age_s,
        results_max_bytes=settings.assets.max_bytes,
    )


def owner_limits(settings: Settings) -> OwnerLimits:
    limits = settings.limits
    return OwnerLimits(calls_per_day=limits.provider_calls_per_day, cost_per_month=limits.cost_per_month)


def _result_event(base_url: str) -> Any:
    def event(job_id: str, result: Result) -> dict[str, Any]:
        return {
            "result_url": f"{base_url}/mcp/result/{job_id}",
            "duration": result.duration_s,
            "degraded": len(result.degraded),
        }

    return event
