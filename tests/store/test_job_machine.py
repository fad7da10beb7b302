"""The whole store under random use, beside a model of what it promises: nothing acknowledged is lost, nothing that is
done is done twice, and whoever lost a claim changes nothing.

LONG_TESTS=1 looks at thousands of random histories instead of the same few dozen each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from job_model import Model
from store_life import MAX_QUEUED, pick_one
from store_promises import Promises

from vidgend.errors import IdempotencyMismatch, QueueFull, StepPoisoned
from vidgend.models import Brief, PrefetchBrief
from vidgend.store.doomed import work_off
from vidgend.store.outbox import LONGEST_WAIT_S
from vidgend.store.retention import Rules, collect
from vidgend.store.steps import MAX_CRASHES

LONG = os.environ.get("LONG_TESTS") == "1"
EXAMPLES = 3000 if LONG else 80
OWNERS = ("a", "b", "c")
STEP_KEYS = ("k0", "k1", "k2", "k3")
CONTENTS = tuple(bytes([number]) * number for number in range(1, 6))
BRIEFS: dict[str, Brief | PrefetchBrief] = {
    "video": Brief(prompt="the sea"),
    "prefetch": PrefetchBrief(queries=("sea",), per_query=1, width_px=16, height_px=16),
}
picks = st.integers(0, 11)
counts = st.integers(1, 3)
clock_sets = st.sampled_from((0.0, 0.0, -7200.0, 7200.0))
owners = st.sampled_from(OWNERS)
contents = st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=2)
step_ends = st.sampled_from(("finish", "finish", "finish", "fail", "release", "later", "later"))


def having(what: Callable[[Model], object]) -> Callable[[Any], Any]:
    """The rule makes sense only while the model has something of this."""
    return precondition(lambda machine: bool(what(machine.model)))


class StoreMachine(Promises, RuleBasedStateMachine):
    # --- clients -------------------------------------------------------------------------------------------------

    @initialize(
        jobs=st.lists(st.tuples(owners, st.integers(0, 2), st.booleans()), min_size=3, max_size=7), count=counts
    )
    def a_busy_start(self, jobs: list[tuple[str, int, bool]], count: int) -> None:
        for owner, priority, callback in jobs:
            self.submit(owner, "video", priority, callback, None, "body")
        self.claim(count)

    @rule(
        owner=owners,
        kind=st.sampled_from(sorted(BRIEFS)),
        priority=st.integers(-1, 3),
        callback=st.booleans(),
        key=st.sampled_from((None, None, "k1", "k2")),
        body=st.sampled_from(("body", "body", "other")),
    )
    def submit(self, owner: str, kind: str, priority: int, callback: bool, key: str | None, body: str) -> None:
        work = self.jobs.submit(
            BRIEFS[kind],
            priority=priority,
            callback_url=f"https://{owner}.example/" if callback else None,
            idempotency_key=key,
            body_sha256=body,
            owner=owner,
        )
        known = self.model.keys.get((owner, key)) if key is not None else None
        if known is not None and known[0] != body:
            with pytest.raises(IdempotencyMismatch):
                self.run(work)
        elif known is not None:
            assert self.run(work) == (known[1], False)
        elif len(self.model.queued()) >= MAX_QUEUED:
            with pytest.raises(QueueFull):
                self.run(work)
        else:
            job_id, new = self.run(work)
            assert new and job_id not in self.model.jobs
            self.model.submit(job_id, owner=owner, kind=kind, priority=priority, callback=callback, now=self.now)
            if key is not None:
                self.model.keys[owner, key] = (body, job_id)

    @having(lambda model: model.jobs)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        job = pick_one(self.model.jobs.values(), pick)
        if job.state == "queued":
            self.model.end(job, "cancelled", self.now)
        elif job.running:
            job.cancel_requested = True
        assert self.run(self.jobs.request_cancel(job.id)) == job.state

    @having(lambda model: model.jobs)
    @rule(pick=picks, how=st.sampled_from(("retry", "retry", "delete")))
    def retry_or_delete(self, pick: int, how: str) -> None:
        """Mostly one that has ended; the others must refuse."""
        jobs = list(self.model.jobs.values()) if pick % 4 == 0 else self.model.ended()
        job = pick_one(jobs or self.model.jobs.values(), pick)
        if how == "retry":
            self.retry(job)
        else:
            self.delete(job)

    @rule(paused=st.sampled_from((True, False, False)))
    def pause_or_resume(self, paused: bool) -> None:
        self.run(self.jobs.pause("holiday") if paused else self.jobs.resume())
        self.model.paused = paused

    # --- the worker ----------------------------------------------------------------------------------------------

    @rule(count=counts)
    def claim(self, count: int) -> None:
        for _ in range(count):
            self.claim_one()

    @having(lambda model: not model.running())
    @rule()
    def turns_are_fair(self) -> None:
        """Every owner who has something to run is served within as many claims as there are such owners."""
        if not self.model.paused:
            self.model.wake(self.now)
        waiting = {job.owner for job in self.model.queued() if job.ready and not self.model.paused}
        served = set()
        for _ in waiting:
            job = self.claim_one()
            assert job is not None
            served.add(job.owner)
            self.complete_job(job, ())
        assert served == waiting

    @having(Model.running)
    @rule(pick=picks, state=st.sampled_from(("retrieving", "narrating", "rendering", "publishing")))
    def move(self, pick: int, state: Any) -> None:
        job = pick_one(self.model.running(), pick)
        assert job.claim is not None
        self.run(self.jobs.move(job.claim, state, progress=50, line=state))
        job.state = state

    @having(Model.running)
    @rule(
        pick=picks,
        how=st.sampled_from(("complete", "complete", "fail", "park", "park", "cancel")),
        files=st.integers(0, 3),
        wait_s=st.sampled_from((0.0, 40.0, 3000.0)),
        counts=st.booleans(),
        took_s=st.sampled_from((0.0, 60.0, 7200.0)),
        asked=st.booleans(),
        next_one=st.booleans(),
    )
    def end_run(
        self, pick: int, how: str, files: int, wait_s: float, counts: bool, took_s: float, asked: bool, next_one: bool
    ) -> None:
        """`asked`: it was to be cancelled, but was faster."""
        self.tick(took_s)
        job = pick_one(self.model.running(), pick)
        if asked or how == "cancel":
            assert self.run(self.jobs.request_cancel(job.id)) == job.state
            job.cancel_requested = True
        if how == "complete":
            self.complete_job(job, sorted(self.model.used.keys() - self.model.damaged)[:files])
        elif how == "fail":
            self.fail(job)
        elif how == "park":
            self.park(job, wait_s, counts)
        else:
            self.run(self.jobs.finish_cancel(job.id))
            self.claim_lost(job)
            self.model.end(job, "cancelled", self.now)
        if next_one:
            self.claim_one()

    # --- steps ---------------------------------------------------------------------------------------------------

    @having(Model.running)
    @rule(pick=picks, key=st.sampled_from(STEP_KEYS), how=step_ends, contents=contents, join=st.booleans())
    def work(self, pick: int, key: str, how: str, contents: list[bytes], join: bool) -> None:
        """A running job wants a step: finds it done, joins another that is at it, or runs it."""
        job = pick_one(self.model.running(), pick)
        if self.output_of(key, job) is not None:
            return
        if join and key in self.model.leased():
            self.steps.join(key, job.id)
            job.keys.add(key)
            return
        self.lease_lost(key)
        known = self.model.steps.get(key)
        if known is not None and known.crashes >= MAX_CRASHES:
            with pytest.raises(StepPoisoned):
                self.run(self.steps.begin(key, kind="k", label="io", job_id=job.id))
            return
        self.model.begin(key, job, self.run(self.steps.begin(key, kind="k", label="io", job_id=job.id)))
        self.end_step(key, how, contents)

    @having(Model.leased)
    @rule(pick=picks, how=step_ends, contents=contents)
    def go_on(self, pick: int, how: str, contents: list[bytes]) -> None:
        self.end_step(pick_one(self.model.leased(), pick), how, contents)

    @rule(content=st.sampled_from(CONTENTS))
    def put(self, content: bytes) -> None:
        self.stored(content)

    # --- bad luck ------------------------------------------------------------------------------------------------

    @rule(count=counts, set_s=clock_sets)
    def crash(self, count: int, set_s: float) -> None:
        """Those that were at work do not know that they are dead: they go on to write."""
        for job in self.model.running():
            self.claim_lost(job)
        for key in self.model.steps:
            self.lease_lost(key)
        self.old_stores.append(self.jobs)
        self.now += set_s  # as a computer does when it starts
        self.start(clean=False)
        self.claim(count)

    @rule(steps_too=st.booleans(), count=counts, set_s=clock_sets)
    def stop_and_start(self, steps_too: bool, count: int, set_s: float) -> None:
        for key in self.model.leased():
            self.lease_lost(key)
            lease = self.model.steps[key].lease
            if steps_too and lease is not None:
                self.run(self.steps.release(lease))
                self.model.release_step(key)
        for job in self.model.running():
            self.claim_lost(job)
        assert self.run(self.jobs.release("stopping")) == self.model.stop(self.now)
        self.run(self.jobs.mark_clean_stop())
        self.old_stores.append(self.jobs)
        self.now += set_s
        self.start()
        self.claim(count)

    @precondition(lambda self: self.lost_claims or self.lost_leases)
    @rule(
        pick=picks,
        how=st.sampled_from(("move", "complete", "fail", "park", "release")),
        of_step=st.sampled_from((False, False, True)),
    )
    def who_lost_the_claim_changes_nothing(self, pick: int, how: str, of_step: bool) -> None:
        before = self.dump()
        if how == "release" and self.old_stores and not of_step:
            assert self.run(pick_one(self.old_stores[::-1], pick).release("late")) == 0
        elif self.lost_leases and (of_step or not self.lost_claims):
            self.late_in_a_step(pick, how)
        elif self.lost_claims:
            self.late_in_a_job(pick, how)
        assert self.dump() == before

    @rule(seconds=st.sampled_from((5.0, 60.0, 700.0, 3600.0)))
    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.lived_s += seconds

    @rule(seconds=st.sampled_from((-7200.0, 7200.0)))
    def clock_is_set(self, seconds: float) -> None:
        self.now += seconds
        for job in self.model.running():
            job.began = min(job.began, self.now)
        self.claim_one()  # the worker looks twice a minute

    @having(lambda model: model.used)
    @rule(pick=picks)
    def bytes_are_lost(self, pick: int) -> None:
        digest = pick_one(sorted(self.model.used), pick)
        self.run(self.blobs.delete(digest))
        self.model.damaged.add(digest)

    # --- tidying up, webhooks ------------------------------------------------------------------------------------

    @rule(
        ttl_s=st.sampled_from((0.0, 3600.0, 1e6)),
        cache_max_bytes=st.sampled_from((0, 5, 1000)),
        max_age_s=st.sampled_from((0.0, 0.0, 3600.0)),
        max_bytes=st.sampled_from((0, 0, 4)),
        low=st.booleans(),
    )
    def collect(self, ttl_s: float, cache_max_bytes: int, max_age_s: float, max_bytes: int, low: bool) -> None:
        self.tick(90.0)
        running = self.model.running()
        used_since = min((job.began for job in running), default=self.now)
        rules = Rules(
            ttl_s=ttl_s, cache_max_bytes=cache_max_bytes, results_max_age_s=max_age_s, results_max_bytes=max_bytes
        )  # fmt: skip
        lacking_bytes = 2**60 if low else 0
        self.run(collect(self.database, self.assets, rules, used_since=used_since, lacking_bytes=lacking_bytes))
        self.run(work_off(self.database, self.assets))
        since_lived_s = min((job.began_lived_s for job in running), default=float("inf"))
        self.only_what_nobody_needs_was_deleted(rules, low=low, used_since=used_since, since_lived_s=since_lived_s)

    @rule(how=st.sampled_from(("delivered", "failed", "failed", "gone")))
    def deliver(self, how: str) -> None:
        due, next_s = self.run(self.outbox.due())
        assert next_s is None or next_s <= LONGEST_WAIT_S
        pending = self.rows("SELECT id FROM outbox WHERE state = 'pending' AND next_at <= ?", (self.now,))
        assert {delivery.id for delivery in due} == {message_id for (message_id,) in pending} or len(pending) > 16
        if due and how == "delivered":
            self.run(self.outbox.delivered(due[0]))
        elif due:
            self.run(self.outbox.failed(due[0], "503", gone=how == "gone"))

    # --- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def promises_are_kept(self) -> None:
        self.jobs_are_what_the_model_says()
        self.suspects_run_alone_and_not_for_ever()
        self.what_has_ended_stays_as_it_is()
        self.every_end_has_one_event()
        self.steps_are_what_the_model_says()


TestStore = pytest.mark.timeout(0 if LONG else 600)(StoreMachine.TestCase)  # making a failure small takes minutes
TestStore.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    derandomize=not LONG,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
