"""A disk that fails to sync: strace makes fsync and fdatasync answer EIO in a real process with a real database."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
WRITES = 40
STRACE = ("strace", "-f", "--seccomp-bpf")
"""Stops only at the calls that are asked for: several times faster."""

# One write after the other, and then as many at once: these share commits. The bodies are large, so that the log is
# copied into the database file in between.
_CHILD = f"""
import asyncio, sys
from pathlib import Path
from vidgend.store.database import Database

async def main():
    try:
        database = await Database.open(Path(sys.argv[1]))
        await database.write(lambda c: c.execute("CREATE TABLE note (id INTEGER, body BLOB)").fetchall())
    except Exception as error:
        print("unopened", error, flush=True)
        return
    print("opened", flush=True)

    async def write(number):
        try:
            await database.write(lambda c: c.execute("INSERT INTO note VALUES (?, zeroblob(150000))", (number,)).fetchall())
        except Exception as error:
            print("failed", number, database.trouble is not None, error, flush=True)
        else:
            print("done", number, flush=True)

    for number in range({WRITES}):
        await write(number)
    await asyncio.gather(*(write(number) for number in range({WRITES}, {2 * WRITES})))
    print("healthy", database.trouble is None, flush=True)
    await database.close()

asyncio.run(main())
"""


@dataclass
class Outcome:
    lines: list[str]
    injected: int
    syncs: int
    """Syncs of the thread that did most of them."""

    def numbers(self, word: str) -> list[int]:
        return [int(line.split()[1]) for line in self.lines if line.startswith(f"{word} ")]


def run(folder: Path, when: str | None) -> Outcome:
    """Run the child; its `when`-th sync (of each thread) fails, or all from there on if it ends in "+"."""
    folder.mkdir()
    inject = [] if when is None else ["-e", f"inject=fsync,fdatasync:error=EIO:when={when}"]
    trace = folder / "trace"
    strace = [*STRACE, "-qq", "-o", str(trace), "-e", "trace=fsync,fdatasync", *inject]
    child = subprocess.run(
        [*strace, sys.executable, "-c", _CHILD, str(folder / "db")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr
    calls = re.findall(r"^(\d+) +f(?:data)?sync\(.*$", trace.read_text(), re.MULTILINE)
    return Outcome(
        lines=child.stdout.splitlines(),
        injected=trace.read_text().count("(INJECTED)"),
        syncs=max((calls.count(thread) for thread in set(calls)), default=0),
    )


def kept(path: Path) -> set[int]:
    """What a later process finds, in a file that has to be sound."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'note'").fetchone():
            return set()
        return {row[0] for row in connection.execute("SELECT id FROM note")}
    finally:
        connection.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """How it goes without a fault."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run([*STRACE, "-o", "/dev/null", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()}")
    outcome = run(tmp_path_factory.mktemp("io") / "undisturbed", None)
    assert sorted(outcome.numbers("done")) == list(range(2 * WRITES))
    assert outcome.injected == 0 and outcome.syncs > WRITES
    return outcome


def test_a_sync_that_fails_once_is_answered_with_an_error_and_loses_nothing(
    undisturbed: Outcome, tmp_path: Path
) -> None:
    answered_with_an_error = 0
    moments = sorted({round(undisturbed.syncs * part / 12) for part in range(1, 12)} | {1, 3})
    for when in moments:
        folder = tmp_path / str(when)
        outcome = run(folder, str(when))
        assert outcome.injected > 0, "no sync failed"
        done, failed = outcome.numbers("done"), outcome.numbers("failed")
        assert set(done) <= kept(folder / "db"), f"acknowledged and lost after EIO at sync {when}"
        if outcome.lines[0] == "opened":
            assert sorted(done + failed) == list(range(2 * WRITES))
            assert "healthy True" in outcome.lines, "it did not get over one error"
            assert len(done) > WRITES
        answered_with_an_error += bool(failed)
    assert answered_with_an_error >= 3, "the faults hit nobody who waited"


def test_a_disk_that_never_syncs_again_acknowledges_nothing_more(undisturbed: Outcome, tmp_path: Path) -> None:
    hit = 0
    for part in (4, 2):
        folder = tmp_path / str(part)
        outcome = run(folder, f"{undisturbed.syncs // part}+")
        assert outcome.injected > 0, "no sync failed"
        done, failed = outcome.numbers("done"), outcome.numbers("failed")
        assert set(done) <= kept(folder / "db")
        assert outcome.lines[0] == "opened" and failed
        assert max(done) < min(failed), "something was acknowledged on a disk that is broken"
        assert "healthy False" in outcome.lines
        assert all(line.split()[2] == "True" for line in outcome.lines if line.startswith("failed"))
        hit += len(failed)
    assert hit > WRITES
