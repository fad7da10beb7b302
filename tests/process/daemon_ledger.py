"""What the database of a daemon says each time that the daemon has been killed, and what it must not say."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon_load import CountingPexels


@contextmanager
def copied(database: Path, into: Path) -> Iterator[sqlite3.Connection]:
    """The database of a dead daemon: a copy, so that reading it tidies nothing up that the next one should find."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    for path in (database, database.with_name(f"{database.name}-wal")):
        if path.exists():
            shutil.copyfile(path, into / path.name)
    connection = sqlite3.connect(into / database.name)
    try:
        yield connection
    finally:
        connection.close()


class Ledger:
    """Look after every kill. `broken` is what must not have been found, in words."""

    def __init__(self, folder: Path, database: Path, pexels: CountingPexels) -> None:
        self.broken: list[str] = []
        self.kills = 0
        self.kills_in_steps = 0
        self.in_flight: Counter[str] = Counter()
        """By kind of step: how often one was running when its daemon was killed."""
        self.killed: Counter[str] = Counter()
        """The same by key."""
        self.suspects = 0
        """Jobs that the next crash would condemn, as they were under way in the last two."""
        self._folder = folder
        self._database = database
        self._pexels = pexels
        self._done: dict[str, int] = {}
        self._boots: set[str] = set()
        self._asked: Counter[str] = Counter()
        self._served: Counter[int] = Counter()
        self._found: set[str] = set()
        self._fetched: set[int] = set()
        self._clips = {
            hashlib.sha256(clip.path.read_bytes()).hexdigest(): number for number, clip in pexels._by_id().items()
        }
        self._queries = {number: clip.words for number, clip in pexels._by_id().items()}

    def would_condemn(self) -> bool:
        """Whether a crash of the daemon that runs would be the third for a job or for a step."""
        connection = sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)
        try:
            (count,) = connection.execute(
                "SELECT (SELECT count(*) FROM jobs WHERE suspicion >= 2 AND finished_at IS NULL)"
                " + (SELECT count(*) FROM steps WHERE crashes >= 2 AND state = 'running')"
            ).fetchone()
            return bool(count)
        finally:
            connection.close()

    def look(self, *, was_ready: bool) -> None:
        """After a kill. `was_ready`: the daemon that was killed had said READY."""
        self.kills += 1
        if not self._database.exists():
            return
        with copied(self._database, self._folder / "look") as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return
            check = connection.execute("PRAGMA quick_check").fetchone()[0]
            if check != "ok":
                self.broken.append(f"after kill {self.kills}: {check}")
            self._look_for_crashed(connection, was_ready=was_ready)
            self._look_for_repeats(connection)
            self.suspects = connection.execute(
                "SELECT count(*) FROM jobs WHERE suspicion + (boot_id IS NOT NULL) >= 2 AND finished_at IS NULL"
            ).fetchone()[0]

    def _look_for_crashed(self, connection: sqlite3.Connection, *, was_ready: bool) -> None:
        newest = connection.execute("SELECT boot_id FROM boots ORDER BY rowid DESC LIMIT 1").fetchone()
        running = connection.execute("SELECT key, kind, boot_id FROM steps WHERE state = 'running'").fetchall()
        held = connection.execute("SELECT id, boot_id FROM jobs WHERE boot_id IS NOT NULL").fetchall()
        if newest is None or newest[0] in self._boots:
            return  # killed before it took anything up
        if was_ready and (old := [row for row in (*running, *held) if row[-1] != newest[0]]):
            self.broken.append(f"after kill {self.kills}: READY was said before these were put back: {old}")
        self._boots.add(newest[0])
        crashed = [(key, kind) for key, kind, boot_id in running if boot_id == newest[0]]
        self.kills_in_steps += bool(crashed)
        for key, kind in crashed:
            self.in_flight[kind] += 1
            self.killed[key] += 1

    def _look_for_repeats(self, connection: sqlite3.Connection) -> None:
        """What was done is done, and nobody was asked for it again."""
        now = dict(connection.execute("SELECT key, attempt FROM steps WHERE state = 'done'").fetchall())
        again = {key: (attempt, now.get(key)) for key, attempt in self._done.items() if now.get(key) != attempt}
        if again:
            self.broken.append(f"after kill {self.kills}: finished steps did not stay as they were: {again}")
        self._done = now
        asked, served = self._pexels.asked.copy(), self._pexels.served.copy()
        if repeated := {query for query in self._found if asked[query] > self._asked[query]}:
            self.broken.append(f"after kill {self.kills}: asked again for {repeated}")
        if repeated_clips := {clip for clip in self._fetched if served[clip] > self._served[clip]}:
            self.broken.append(f"after kill {self.kills}: fetched again {repeated_clips}")
        self._asked, self._served = asked, served
        self._found = {self._queries[number] for number in self._searched(connection)}
        self._fetched = {self._clips[digest] for digest in self._digests(connection)}

    @staticmethod
    def _searched(connection: sqlite3.Connection) -> Iterator[int]:
        """The clip that each finished search found; every word finds one alone."""
        for (output,) in connection.execute("SELECT output FROM steps WHERE kind = 'search' AND state = 'done'"):
            for candidate in json.loads(output)["candidates"]:
                if candidate["provider"] == "pexels":
                    yield int(candidate["id"])

    @staticmethod
    def _digests(connection: sqlite3.Connection) -> Iterator[str]:
        for (output,) in connection.execute("SELECT output FROM steps WHERE kind = 'fetch' AND state = 'done'"):
            yield json.loads(output)["digest"]

    def settle(self, connection: sqlite3.Connection) -> dict[str, Any]:
        """In the end: every run of a step is accounted for by its one success, a kill, or a cancel that gave it back."""
        rows = connection.execute("SELECT key, kind, state, attempt, failures, refunds FROM steps").fetchall()
        for key, kind, state, attempt, failures, _ in rows:
            if attempt > (state == "done") + self.killed[key] + failures:
                self.broken.append(
                    f"{kind} {key[:8]} is {state} after {attempt} runs, {self.killed[key]} kills, {failures} failures"
                )
        runs = {kind: sum(row[3] + row[5] for row in rows if row[1] == kind) for kind in ("search", "fetch")}
        calls = {"search": self._pexels.asked.total(), "fetch": self._pexels.served.total()}
        for kind, count in calls.items():
            if count > runs[kind]:
                self.broken.append(f"{count} calls for {runs[kind]} runs of {kind}")
        return {
            "steps": len(rows),
            "done": sum(row[2] == "done" for row in rows),
            "runs": sum(row[3] for row in rows),
            "failures": sum(row[4] for row in rows),
            "searches": (len(self._pexels.asked), calls["search"]),
            "downloads": (len(self._pexels.served), calls["fetch"]),
        }
