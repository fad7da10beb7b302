"""Whether a job whose run failed is tried again, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from vidgend.errors import StepError, VidgendError
from vidgend.store.jobs import Job

RETRY_BASE_S = 2.0
RETRY_CAP_S = 600.0
LONGEST_PARK_S = 86_400.0
"""A job that would wait longer than this for a provider's quota has got a no."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try a job again in `wait_s`; `counts` says whether it failed, or only had to wait for something."""

    wait_s: float
    counts: bool


def again(error: VidgendError, job: Job, *, now: float) -> Again | None:
    """Whether a job that ended with `error` is tried again.

    Failures wait with full jitter: anything up to twice as much as the time before. Waiting for the asset store or for
    a provider's quota is nobody's failure; the first may take as long as it takes, the second a day.
    """
    exponential_s = min(RETRY_CAP_S, RETRY_BASE_S * 2 ** (job.failures + job.waits))
    if error.retryable and error.retry_after_s is not None and error.max_retries == 0:
        return Again(wait_s=max(error.retry_after_s, random.uniform(0, exponential_s)), counts=False)
    if error.retryable and error.retry_after_s is not None and isinstance(error, StepError):
        wait_s = max(error.retry_after_s, exponential_s) + random.uniform(0, 5)
        waited_s = now - (job.started_at or now)
        return Again(wait_s=wait_s, counts=False) if waited_s + wait_s <= LONGEST_PARK_S else None
    if job.failures >= error.max_retries:
        return None
    return Again(wait_s=random.uniform(0, exponential_s), counts=True)
