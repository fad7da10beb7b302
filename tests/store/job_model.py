"""What the store promises, in plain Python: the model that test_job_machine.py holds beside the real one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vidgend.models import TERMINAL_STATES
from vidgend.store.jobs import Job
from vidgend.store.steps import SUSPECT_FROM, Lease

MAX_SUSPICION = 3
ALONE_FROM = 2
AGEING_S = 600.0


@dataclass(kw_only=True, eq=False)
class ModelJob:
    """`claim` is the real claim under which it runs. `ends` are the events that it owes its callback."""

    id: str
    owner: str
    kind: str
    priority: int
    callback: bool
    rank: float
    order: int
    state: str = "queued"
    run_at: float | None = None
    wait_s: float = 0.0
    attempt: int = 0
    failures: int = 0
    crashes: int = 0
    refunds: int = 0
    suspicion: int = 0
    cancel_requested: bool = False
    claim: Job | None = None
    began: float = 0.0
    """The lowest time that the clock has shown since it was begun: what it uses is younger, however the clock is set."""
    began_lived_s: float = 0.0
    ended_at: float = 0.0
    keys: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    ends: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL_STATES

    @property
    def running(self) -> bool:
        return self.claim is not None

    @property
    def ready(self) -> bool:
        return self.run_at is None

    @property
    def counters(self) -> tuple[int, int, int, int, int]:
        return self.attempt, self.failures, self.crashes, self.refunds, self.suspicion


@dataclass(kw_only=True, eq=False)
class ModelStep:
    state: str = "ready"
    attempt: int = 0
    failures: int = 0
    crashes: int = 0
    refunds: int = 0
    lease: Lease | None = None
    output: dict[str, str] | None = None
    digests: tuple[str, ...] = ()

    @property
    def counters(self) -> tuple[str, int, int, int, int]:
        return self.state, self.attempt, self.failures, self.crashes, self.refunds


class Model:
    def __init__(self) -> None:
        self.jobs: dict[str, ModelJob] = {}
        self.steps: dict[str, ModelStep] = {}
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        """Idempotency: (owner, key) -> (body, job id)."""
        self.served: dict[str, int] = {}
        self.used: dict[str, float] = {}
        """When a digest was put or found last, by the clock that nobody sets."""
        self.damaged: set[str] = set()
        """Digests whose bytes somebody deleted behind the store's back."""
        self.paused = False
        self.submitted = 0

    # --- looking -------------------------------------------------------------------------------------------------

    def queued(self) -> list[ModelJob]:
        return [job for job in self.jobs.values() if job.state == "queued"]

    def running(self) -> list[ModelJob]:
        return [job for job in self.jobs.values() if job.running]

    def ended(self) -> list[ModelJob]:
        return [job for job in self.jobs.values() if job.ended]

    def next(self) -> ModelJob | None:
        """Whose turn it is now, given that parked jobs have been woken."""
        ready = [job for job in self.queued() if job.ready]
        running = self.running()
        if self.paused or not ready:
            return None
        *_, owner = min(
            (sum(other.owner == job.owner for other in running), self.served.get(job.owner, 0), job.owner)
            for job in ready
        )
        first = min((job for job in ready if job.owner == owner), key=lambda job: (job.rank, job.order))
        if running and max(job.suspicion for job in [first, *running]) >= ALONE_FROM:
            return None
        return first

    def leased(self) -> list[str]:
        """The keys of the steps that somebody runs."""
        return sorted(key for key, step in self.steps.items() if step.lease is not None)

    def needed(self, since_lived_s: float) -> set[str]:
        """Digests that no collection may take, of those whose bytes are there."""
        needed = {digest for job in self.jobs.values() for digest in job.files}
        needed |= {digest for digest, used in self.used.items() if used >= since_lived_s}
        for job in self.jobs.values():
            if not job.ended:
                needed |= {digest for key in job.keys if key in self.steps for digest in self.steps[key].digests}
        return needed - self.damaged

    def in_use(self, key: str) -> bool:
        return any(key in job.keys for job in self.jobs.values() if not job.ended)

    # --- jobs ----------------------------------------------------------------------------------------------------

    def submit(self, job_id: str, *, owner: str, kind: str, priority: int, callback: bool, now: float) -> None:
        self.submitted += 1
        self.jobs[job_id] = ModelJob(
            id=job_id, owner=owner, kind=kind, priority=priority, callback=callback,
            rank=now - AGEING_S * priority, order=self.submitted,
        )  # fmt: skip

    def mend_times(self, now: float) -> None:
        """The clock was set back: nobody waits longer than was meant."""
        for job in self.queued():
            if job.run_at is not None:
                job.run_at = min(job.run_at, now + job.wait_s)

    def wake(self, now: float) -> None:
        self.mend_times(now)
        for job in self.queued():
            if job.run_at is not None and job.run_at <= now:
                job.run_at = None

    def claim(self, job: ModelJob, claim: Job, *, now: float, lived_s: float) -> None:
        job.state = "planning" if job.kind == "video" else "retrieving"
        job.claim, job.began, job.began_lived_s = claim, now, lived_s
        job.attempt += 1
        self.served[job.owner] = max(self.served.values(), default=0) + 1

    def put_back(self, job: ModelJob) -> None:
        job.state, job.claim, job.run_at = "queued", None, None

    def end(self, job: ModelJob, state: str, now: float) -> None:
        job.state, job.claim, job.run_at, job.ended_at = state, None, None, now
        if state == "completed":
            job.suspicion = 0
        if job.callback:
            job.ends.append(f"job.{state}")

    def retry(self, job: ModelJob, now: float) -> None:
        self.put_back(job)
        job.rank = now - AGEING_S * job.priority
        job.failures = job.crashes = job.refunds = job.suspicion = 0
        job.cancel_requested = False
        for key in job.keys & self.steps.keys():
            if self.steps[key].state != "done":
                self.steps[key].crashes = self.steps[key].failures = 0

    def delete(self, job: ModelJob) -> None:
        del self.jobs[job.id]
        self.keys = {key: known for key, known in self.keys.items() if known[1] != job.id}

    def stop(self, now: float) -> int:
        """A clean stop puts back what runs. Returns how many."""
        running = self.running()
        for job in running:
            if job.cancel_requested:
                self.end(job, "cancelled", now)
            else:
                self.put_back(job)
                job.attempt -= 1
                job.refunds += 1
        return sum(not job.ended for job in running)

    def start(self, now: float, *, clean: bool) -> tuple[int, int]:
        """A start after a clean stop or a crash. Returns (requeued, given up)."""
        running = [step for step in self.steps.values() if step.state == "running"]
        for step in running:
            step.state, step.lease = "ready", None
            step.attempt -= clean
            step.refunds += clean
            if not clean and (len(running) == 1 or step.crashes < SUSPECT_FROM):
                step.crashes += 1
        requeued = given_up = 0
        for job in self.running():
            job.crashes += 1
            job.suspicion += 1
            if job.cancel_requested:
                self.end(job, "cancelled", now)
            elif job.suspicion >= MAX_SUSPICION:
                self.end(job, "failed", now)
                given_up += 1
            else:
                self.put_back(job)
                requeued += 1
        self.mend_times(now)
        return requeued, given_up

    # --- steps ---------------------------------------------------------------------------------------------------

    def begin(self, key: str, job: ModelJob, lease: Lease) -> None:
        step = self.steps.setdefault(key, ModelStep())
        step.state, step.lease, step.output, step.digests = "running", lease, None, ()
        step.attempt += 1
        job.keys.add(key)

    def finish(self, key: str, output: dict[str, str], digests: Iterable[str]) -> None:
        step = self.steps[key]
        step.state, step.lease, step.output, step.digests = "done", None, output, tuple(sorted(set(digests)))
        step.crashes = 0
        for job in self.jobs.values():
            crashed = any(self.steps[other].crashes for other in job.keys & self.steps.keys())
            if key in job.keys and not job.ended and not crashed:
                job.suspicion = 0

    def fail_step(self, key: str) -> None:
        step = self.steps[key]
        step.state, step.lease = "failed", None
        step.failures += 1

    def release_step(self, key: str) -> None:
        step = self.steps[key]
        step.state, step.lease = "ready", None
        step.attempt -= 1
        step.refunds += 1
