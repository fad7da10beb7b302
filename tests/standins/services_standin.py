"""The services of the web application over a real store, with a worker that runs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nobodys import NobodysJobs, NobodysUploads
from ready_database import ready

from vidgend.errors import LanguageUnsupported, StorageFull, UnknownVoice, VoiceUnavailable
from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.keyring import Keyring
from vidgend.http.limits import Limits, Rate
from vidgend.http.services import Services
from vidgend.http.webhook_signing import Signer, new_secret
from vidgend.http.webhook_tester import WebhookTester
from vidgend.http.wire import Defaults
from vidgend.models import Brief, JobState, MediaCredit, PrefetchBrief, Published, Result, Substitution
from vidgend.pipeline.aligner.select import recogniser_hint
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.pipeline.budget.metered import Metered
from vidgend.pipeline.captions.fonts import machine_fonts
from vidgend.pipeline.executor.slots import Slots
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.file_to_upload import Intake
from vidgend.pipeline.foresee import Piece, Reuse
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.speech.port import Voice
from vidgend.pipeline.voice_catalogue import Listed
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.jobs import Job, JobStore
from vidgend.store.keys import KeyStore, create_key
from vidgend.store.ledger import Ledger
from vidgend.store.space import Space
from vidgend.store.storyboards import StoryboardStore, Version

KEY = "vg_0123456789abcdef_secret"
UNLIMITED = Rate(per_s=0, burst=1)
VIDEO = bytes(range(256)) * 20
VOICE = Voice(id="af_heart", engine="kokoro", language="en-US", gender="female", tags=("en-US-neutral",))
JAPANESE = Listed(
    voice=Voice(id="jf_alpha", engine="kokoro", language="ja-JP", gender="female"),
    usable=False, reason="what reads ja-JP is not installed", get="pip install it",
)  # fmt: skip


class FakeWorker:
    """Takes jobs when it is told to, and says what it is told to say."""

    def __init__(self, jobs: JobStore) -> None:
        self.draining = False
        self.space = True
        self.woken = 0
        self.live: dict[str, Progress] = {}
        self._jobs = jobs

    @property
    def lacking_bytes(self) -> int:
        return 0 if self.space else 5_000_000

    def wake(self) -> None:
        self.woken += 1

    def progress(self, job_id: str) -> Progress | None:
        return self.live.get(job_id)

    def has_space(self) -> bool:
        return self.space

    async def check_room(self, brief: Brief | PrefetchBrief, owner: str = "") -> None:
        if not self.space:
            raise StorageFull("there is too little free disk space")

    async def within_quota(self, owner: str = "") -> bool:
        return True

    async def delete(self, job_id: str) -> None:
        await self._jobs.delete(job_id)

    async def cancel(self, job_id: str) -> JobState:
        state = await self._jobs.request_cancel(job_id)
        if state not in ("queued", "completed", "failed", "cancelled"):
            await self._jobs.finish_cancel(job_id)
            state = "cancelled"
        return state


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything behind the routes. `folder` is free for the test's own files."""

    services: Services
    worker: FakeWorker
    jobs: JobStore
    storyboards: StoryboardStore
    assets: AssetStore
    database: Database
    folder: Path

    def with_services(self, **changes: Any) -> World:
        return replace(self, services=replace(self.services, **changes))

    def with_api_key(self, key: str = KEY) -> World:
        """Where the settings have this key."""
        return self.with_services(keyring=Keyring(KeyStore(self.database), api_key=key))

    async def key(self, name: str, **more: Any) -> dict[str, str]:
        """The headers of a client with a new key, whose owner is `name`."""
        now = self.database.clock()
        _, text = await self.database.write(lambda connection: create_key(connection, name=name, now=now, **more))
        return {"Authorization": f"Bearer {text}"}

    async def running(self, **submit: Any) -> Job:
        """A job that was claimed."""
        brief = submit.pop("brief", Brief(prompt="The sea at dawn"))
        await self.jobs.submit(brief, **submit)
        job = await self.jobs.claim()
        assert job is not None
        return job

    async def store(self, content: bytes) -> str:
        path = self.folder / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        return await self.assets.put(path)

    async def completed(self, **submit: Any) -> tuple[Job, Result]:
        """A job with a published video, thumbnail and subtitles."""
        return await self.finish(await self.running(**submit))

    async def finish(self, job: Job) -> tuple[Job, Result]:
        """Complete a claimed job."""
        files = {}
        for role, name, content_type, content in (
            ("video", "output.mp4", "video/mp4", VIDEO),
            ("thumbnail", "thumbnail.jpg", "image/jpeg", b"\xff\xd8jpeg"),
            ("srt", "output.srt", "application/x-subrip", b"1\n"),
            ("vtt", "output.vtt", "text/vtt", b"WEBVTT\n"),
            ("words", "words.json", "application/json", b"{}"),
            ("credits", "credits.json", "application/json", b"[]"),
            ("description", "description.txt", "text/plain; charset=utf-8", b"The sea\n"),
        ):
            digest = await self.store(content)
            uri = await self.assets.publish(digest, job.id, name, content_type)
            files[role] = Published(
                name=name, digest=digest, content_type=content_type, size_bytes=len(content), uri=uri
            )
        result = Result(
            files=files,
            width_px=1920,
            height_px=1080,
            duration_s=12.5,
            credits=(MediaCredit(provider="pexels", kind="video", author="Ada", page_url="https://pexels.com/1"),),
            degraded=(Substitution(stage="retrieving", wanted="pexels", used="generated", reason="no key", scene=2),),
            timings={"rendering": 3.2},
            report={"loudness_lufs": -16.0},
        )
        assert await self.jobs.complete(job, result, scenes=2, line="completed", event={})
        return await self.jobs.get(job.id), result


def _check_voice(voice: str, language: str | None) -> None:
    if voice not in (VOICE.id, *VOICE.tags):
        raise UnknownVoice(f"no voice {voice!r}")
    if language is not None and not language.startswith("en"):
        raise LanguageUnsupported(f"no engine speaks {language}")


async def _foresee(job_id: str, version: Version, brief: Brief) -> Reuse:
    return Reuse(reused=(), rebuilt=tuple(Piece(kind="scene", scene=s.index + 1) for s in version.storyboard.scenes))


async def _no_sample(name: str) -> str:
    raise VoiceUnavailable("no speech engine is installed")


async def _no_cache(lacking_bytes: int) -> None:
    """There is nothing that could be given up."""


@asynccontextmanager
async def open_world(folder: Path, *, max_queued: int = 100_000) -> AsyncIterator[World]:
    database = await Database.open(ready(folder / "vidgend.db"))
    try:
        jobs = NobodysJobs(database, boot_id="boot", max_queued=max_queued)
        await jobs.recover()
        assets = await open_filesystem_assets(database, folder / "assets")
        worker = FakeWorker(jobs)
        ledger = Ledger(database)
        accounts = await Accounts.read(ledger, quotas={}, money=Money(), now=database.clock())
        uploads = NobodysUploads(database, assets)
        intake = Intake(
            uploads=uploads,
            assets=assets,
            space=Space(data_dir=folder, assets_free_bytes=assets.free_bytes, ballast=None, min_free_bytes=0),
            ffmpeg=FfmpegTool(),
            kept_bytes=jobs.kept_bytes,
            slot=Slots(2).hold,
            make_room=_no_cache,
            max_bytes=2_000_000_000,
        )
        services = Services(
            database=database,
            jobs=jobs,
            storyboards=StoryboardStore(database),
            worker=worker,
            assets=assets,
            uploads=uploads,
            ledger=ledger,
            accounts=accounts,
            check_money=Metered(ledger, accounts, wait_s=0).check_money_of,
            intake=intake,
            fetcher=MediaFetcher(intake=intake),
            webhook_tester=WebhookTester(signer=Signer(database, new_secret())),
            defaults=Defaults(width_px=1920, height_px=1080, fps="30", voice="en-US-neutral"),
            public_url="http://videos.example:8080",
            keyring=Keyring(KeyStore(database)),
            limits=Limits(keyed=UNLIMITED, anonymous=UNLIMITED),
            allowed_hosts=("vidgend.lan",),
            trusted_proxies=(),
            cors_origins=(),
            webhooks_enabled=True,
            allow_networks=(),
            voices=(Listed(voice=VOICE), JAPANESE),
            sample=_no_sample,
            check_voice=_check_voice,
            check_font=machine_fonts().find,
            foresee=_foresee,
            recogniser_hint=recogniser_hint("auto"),
            wake_webhooks=lambda: None,
            version="1.2.3",
            presign=True,
            url_key=b"k" * 32,
        )
        yield World(
            services=services,
            worker=worker,
            jobs=jobs,
            storyboards=services.storyboards,
            assets=assets,
            database=database,
            folder=folder,
        )
    finally:
        await database.close()
