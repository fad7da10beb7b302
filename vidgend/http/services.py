"""What the handlers use. One object, reached through one AppKey."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from aiohttp import web

from vidgend.http.fetch_media import MediaFetcher
from vidgend.http.keyring import Keyring
from vidgend.http.limits import Limits
from vidgend.http.watch import Watch
from vidgend.http.webhook_tester import WebhookTester
from vidgend.http.wire import Defaults
from vidgend.models import Brief, JobState, PrefetchBrief
from vidgend.observer import NOBODY, Observer
from vidgend.pipeline.budget.accounts import Accounts
from vidgend.pipeline.file_to_upload import Intake
from vidgend.pipeline.foresee import Reuse
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.voice_catalogue import Listed
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.jobs import JobStore
from vidgend.store.ledger import LedgerReads
from vidgend.store.storyboards import StoryboardStore, Version
from vidgend.store.uploads import UploadStore


class Jobs(Protocol):
    """The part of the worker that the routes need."""

    draining: bool

    def wake(self) -> None: ...

    def progress(self, job_id: str) -> Progress | None: ...

    def has_space(self) -> bool: ...

    @property
    def lacking_bytes(self) -> int: ...

    async def check_room(self, brief: Brief | PrefetchBrief, owner: str) -> None: ...

    async def within_quota(self, owner: str) -> bool: ...

    async def cancel(self, job_id: str) -> JobState: ...

    async def delete(self, job_id: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """`check_voice` raises UnknownVoice or LanguageUnsupported, `check_font` UnknownFont. An empty `public_url` means:
    the way that each request came."""

    database: Database
    jobs: JobStore
    storyboards: StoryboardStore
    worker: Jobs
    assets: AssetStore
    uploads: UploadStore
    ledger: LedgerReads
    accounts: Accounts
    intake: Intake
    fetcher: MediaFetcher
    webhook_tester: WebhookTester
    defaults: Defaults
    public_url: str
    keyring: Keyring
    limits: Limits
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    cors_origins: tuple[str, ...]
    webhooks_enabled: bool
    allow_networks: tuple[IPv4Network | IPv6Network, ...]
    """Private networks that a callback_url may lead into."""
    voices: tuple[Listed, ...]
    sample: Callable[[str], Awaitable[str]]
    """The digest of a sample of a voice: see `VoiceSamples.make`."""
    check_voice: Callable[[str, str | None], None]
    check_font: Callable[[str], None]
    check_money: Callable[[str], Awaitable[None]]
    """Raises BudgetSpent when the language model may not be asked any more, or not on account of this owner."""
    foresee: Callable[[str, Version, Brief], Awaitable[Reuse]]
    """Which segments of a version of a job's storyboard are there already, if the brief is rendered."""
    recogniser_hint: str
    """How to get a transcriber where there is none."""
    wake_webhooks: Callable[[], None]
    version: str
    presign: bool
    """Whether results in a store that can sign its own links are linked to there."""
    url_key: bytes
    """Signs the links to assets where keys are asked for."""
    transcriber: Transcriber | None = None
    """Who writes down what is said in a voice-over."""
    can_translate: bool = False
    """Whether there is a language model that can put a narration into another language."""
    observer: Observer = NOBODY
    scrape: Callable[[str, bool], Awaitable[tuple[bytes, str]]] | None = None
    """The metrics in the form that an Accept asks for, with its content type, given whether /readyz says yes."""
    watch: Watch | None = None
    """What is looked at now and then for /readyz."""


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
