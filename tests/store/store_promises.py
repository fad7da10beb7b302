"""What holds of the store at any time. For test_job_machine.py."""

from __future__ import annotations

from collections import Counter
from typing import Any

from job_model import ALONE_FROM, MAX_SUSPICION
from store_life import Life

from vidgend.store.assets.filesystem import FilesystemBlobs
from vidgend.store.retention import Rules


class Promises(Life):
    def __init__(self) -> None:
        super().__init__()
        self.final: dict[str, tuple[Any, ...]] = {}
        """Rows of ended jobs as they were when they ended."""
        self.bodies: dict[str, bytes] = {}

    def jobs_are_what_the_model_says(self) -> None:
        rows = {row[0]: row[1:] for row in self.rows(
            "SELECT id, state, attempt, failures, crashes, refunds, suspicion, cancel_requested, token, boot_id FROM jobs"
        )}  # fmt: skip
        assert rows.keys() == self.model.jobs.keys(), "an acknowledged job is lost, or a deleted one is back"
        for job in self.model.jobs.values():
            state, *counters, cancel_requested, token, boot_id = rows[job.id]
            assert (state, tuple(counters)) == (job.state, job.counters)
            if not job.ended:
                assert bool(cancel_requested) == job.cancel_requested
            held = (job.claim.token, f"boot-{self.boots}") if job.claim is not None else (None, None)
            assert (token, boot_id) == held, "the claim has another holder"
        assert dict(self.rows("SELECT state, sum(jobs) FROM job_counts GROUP BY state")) == Counter(
            job.state for job in self.model.jobs.values()
        )

    def suspects_run_alone_and_not_for_ever(self) -> None:
        running = self.model.running()
        assert len(running) <= 1 or max(job.suspicion for job in running) < ALONE_FROM
        assert all(job.suspicion <= MAX_SUSPICION for job in self.model.jobs.values())

    def what_has_ended_stays_as_it_is(self) -> None:
        # But for the size of its files, which retention may delete.
        columns = [name for _, name, *_ in self.rows("PRAGMA table_info(jobs)") if name != "published_bytes"]
        rows = self.rows(f"SELECT {', '.join(columns)} FROM jobs WHERE state IN ('completed', 'failed', 'cancelled')")
        # Those that were sent again or deleted have left.
        self.final = {row[0]: self.final.get(row[0], row) for row in rows}
        assert self.final == {row[0]: row for row in rows}

    def every_end_has_one_event(self) -> None:
        events: dict[str, list[str]] = {job_id: [] for job_id in self.model.jobs}
        for message_id, job_id, event, body in self.rows("SELECT id, job_id, event, body FROM outbox ORDER BY rowid"):
            events[job_id].append(event)
            assert self.bodies.setdefault(message_id, body) == body
        assert events == {job.id: job.ends for job in self.model.jobs.values()}

    def steps_are_what_the_model_says(self) -> None:
        counters = "SELECT key, state, attempt, failures, crashes, refunds FROM steps"
        steps = {key: tuple(values) for key, *values in self.rows(counters)}
        assert steps == {key: step.counters for key, step in self.model.steps.items()}
        links = set(self.rows("SELECT job_id, key FROM job_steps"))
        for job in self.model.jobs.values():
            kept = {key for key in job.keys if (job.id, key) in links}
            assert job.ended or kept == job.keys, "a step that a job needs is not known to be needed"
            job.keys = kept
        assert links == {(job.id, key) for job in self.model.jobs.values() for key in job.keys}

    def only_what_nobody_needs_was_deleted(
        self, rules: Rules, *, low: bool, used_since: float, since_lived_s: float
    ) -> None:
        """After a collection; the model then forgets what has gone."""
        model = self.model
        shown: dict[str, set[str]] = {}
        for job_id, digest in self.rows("SELECT job_id, digest FROM published"):
            shown.setdefault(job_id, set()).add(digest)
        for job in model.jobs.values():
            if job.id not in shown and job.files:
                assert job.ended and (
                    rules.results_max_bytes
                    or (rules.results_max_age_s and job.ended_at < self.now - rules.results_max_age_s)
                )
                job.files = set()
            assert shown.get(job.id, set()) == job.files
        if rules.results_max_bytes:
            assert self.rows("SELECT coalesce(sum(s), 0) <= ? FROM (SELECT max(size_bytes) AS s FROM published GROUP BY digest)", (rules.results_max_bytes,)) == [(1,)]  # fmt: skip
        needed = model.needed(since_lived_s)
        there = {digest for digest, _ in self.run(_everything(self.blobs))}
        assert needed <= there, "something that is needed was deleted"
        model.used = {digest: lived_s for digest, lived_s in model.used.items() if digest in there}
        model.damaged -= there
        known = self.rows("SELECT digest, size_bytes, used_at FROM assets")
        assert {digest for digest, _, _ in known} - model.damaged == there
        spare = [size for digest, size, used_at in known if digest not in needed and used_at < used_since]
        assert sum(spare) <= (0 if low else rules.cache_max_bytes) or model.damaged
        self.adopt_steps(lambda key, step: not model.in_use(key) or bool(model.damaged & set(step.digests)))
        links = set(self.rows("SELECT job_id, key FROM job_steps"))
        for job in model.jobs.values():
            kept = {key for key in job.keys if (job.id, key) in links}
            assert job.ended or kept == job.keys
            job.keys = kept


async def _everything(blobs: FilesystemBlobs) -> list[tuple[str, int]]:
    return [entry async for entry in blobs.list()]
