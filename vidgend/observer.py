"""Who is told what happens, so that it can be counted and traced. Those who tell know neither metrics nor traces.

Every method is called where the thing happens, from whichever thread that is, and must neither wait nor raise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vidgend.request_context import Trace


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestEnd:
    """`route` is the pattern of the path, "" where none fits. `stream`: it was to last as long as the client liked."""

    route: str
    method: str
    status: int
    seconds: float
    stream: bool = False
    trace: Trace | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepEnd:
    """`outcome` is done, found (it was done before), stale (an old output had to do), failed or cancelled. Of an
    encode: which encoder made how many frames, and how many of them are a second."""

    key: str
    kind: str
    label: str
    job_id: str
    outcome: str
    seconds: float = 0.0
    waited_s: float = 0.0
    attempt: int = 0
    code: str = ""
    encoder: str = ""
    frames: int = 0
    fps: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEnd:
    """The end of one run of a job. `state` is what it came to: a terminal state, `awaiting_review`, `parked` (to be
    tried again) or `stopped` (the daemon was). `code` is that of its error. `stages` are seconds of work in each."""

    job_id: str
    kind: str
    state: str
    seconds: float
    waited_s: float
    attempt: int
    steps_run: int
    steps_found: int
    code: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    video_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderCall:
    """`status` None: no answer came."""

    service: str
    operation: str
    status: int | None
    seconds: float
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """`transactions` that went to the disk together; the first of them waited `waited_s` for the writer."""

    transactions: int
    waited_s: float
    run_s: float
    commit_s: float


class Observer:
    """Nobody is told anything; those who want to know say so for the methods that they need."""

    tracing = False
    """Whether requests that bring no trace are to begin one."""

    def request_began(self, route: str, method: str) -> None: ...

    def request_ended(self, end: RequestEnd) -> None: ...

    def job_accepted(self, job_id: str, kind: str) -> None: ...

    def job_began(self, job_id: str) -> None: ...

    def job_ended(self, end: JobEnd) -> None: ...

    def step_began(self, key: str) -> None:
        """In the context in which the step does its work."""

    def step_ended(self, end: StepEnd) -> None: ...

    def provider_called(self, call: ProviderCall) -> None: ...

    def webhook_tried(self, outcome: str, seconds: float) -> None:
        """`outcome` is delivered, failed (to be tried again) or given_up."""

    def committed(self, commit: Commit) -> None: ...

    def commit_failed(self) -> None: ...

    def has_read(self, seconds: float) -> None:
        """The database was read; the time includes that of the wait for the reader."""

    def loop_lagged(self, seconds: float) -> None: ...


NOBODY = Observer()


class Observers(Observer):
    """Several, told one after the other."""

    def __init__(self, *observers: Observer) -> None:
        self._all = observers
        self.tracing = any(one.tracing for one in observers)

    def request_began(self, route: str, method: str) -> None:
        for one in self._all:
            one.request_began(route, method)

    def request_ended(self, end: RequestEnd) -> None:
        for one in self._all:
            one.request_ended(end)

    def job_accepted(self, job_id: str, kind: str) -> None:
        for one in self._all:
            one.job_accepted(job_id, kind)

    def job_began(self, job_id: str) -> None:
        for one in self._all:
            one.job_began(job_id)

    def job_ended(self, end: JobEnd) -> None:
        for one in self._all:
            one.job_ended(end)

    def step_began(self, key: str) -> None:
        for one in self._all:
            one.step_began(key)

    def step_ended(self, end: StepEnd) -> None:
        for one in self._all:
            one.step_ended(end)

    def provider_called(self, call: ProviderCall) -> None:
        for one in self._all:
            one.provider_called(call)

    def webhook_tried(self, outcome: str, seconds: float) -> None:
        for one in self._all:
            one.webhook_tried(outcome, seconds)

    def committed(self, commit: Commit) -> None:
        for one in self._all:
            one.committed(commit)

    def commit_failed(self) -> None:
        for one in self._all:
            one.commit_failed()

    def has_read(self, seconds: float) -> None:
        for one in self._all:
            one.has_read(seconds)

    def loop_lagged(self, seconds: float) -> None:
        for one in self._all:
            one.loop_lagged(seconds)
