"""Run inside a mount namespace: a small tmpfs is mounted at argv[1], filled, and a real database works on it, or
starts on it (argv[2]).

Says on stdout what happened, one JSON object; the test judges.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from vidgend.errors import StorageFull
from vidgend.store.ballast import Ballast
from vidgend.store.database import Database, DataDir

BALLAST_BYTES = 2**20


def _fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        for block_bytes in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(block_bytes))
            except OSError:
                pass


def _add(number: int, size_bytes: int = 200) -> Callable[[sqlite3.Connection], None]:
    def transaction(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES (?, ?)", (number, bytes(size_bytes)))

    return transaction


_DIE = """
import asyncio, os, sys
from pathlib import Path
from vidgend.store.database import Database, DataDir
async def main(folder):
    DataDir(folder).acquire()
    database = await Database.open(folder / "db")
    await database.write(lambda c: c.execute("INSERT INTO boots (boot_id, started_at) VALUES ('first', 1)").fetchall())
    os._exit(0)
asyncio.run(main(Path(sys.argv[1])))
"""
"""Leaves its log behind, as a daemon does that was killed."""


async def _start(folder: Path, ballast: Ballast) -> str:
    """What a start does to its database before it works. Answers how it ended."""
    data_dir = DataDir(folder)
    data_dir.acquire(ballast.drop)
    try:
        database = await Database.open(folder / "db", on_full=ballast.drop)
        try:
            await database.write(
                lambda c: c.execute("INSERT INTO boots (boot_id, started_at) VALUES (?, 2)", (data_dir.boot_id,))
            )
            rows = await database.read("SELECT count(*) FROM boots")
            return f"started after {rows[0][0] - 1}"
        finally:
            await database.close()
    except StorageFull:
        return "StorageFull"
    finally:
        data_dir.release()


async def start(folder: Path) -> dict[str, object]:
    said: dict[str, object] = {}
    ballast = Ballast(folder / "ballast", BALLAST_BYTES)
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _DIE, str(folder)], check=True)
    pid = (folder / "vidgend.lock").read_text()
    said["log_left_behind"] = (folder / "db-wal").stat().st_size > 0
    (folder / "db-shm").unlink()  # as after a restart of the machine with a full disk
    filler = folder / "video.part"
    _fill(filler)
    said["without_ballast"] = await _start(folder, ballast)
    said["lock_kept"] = (folder / "vidgend.lock").read_text() in (pid, f"{os.getpid()}\n")
    (folder / "vidgend.lock").unlink()  # a new one has no room for its number
    _fill(filler)
    said["without_lock"] = await _start(folder, ballast)
    os.truncate(filler, filler.stat().st_size - 2 * BALLAST_BYTES)
    said["made"] = ballast.ensure(0)
    _fill(filler)
    said["full_before"] = os.statvfs(folder).f_bavail == 0
    said["with_ballast"] = await _start(folder, ballast)
    said["dropped"] = not ballast.present
    return said


async def main(folder: Path) -> dict[str, object]:
    ballast = Ballast(folder / "ballast", BALLAST_BYTES)
    database = await Database.open(folder / "db", on_full=ballast.drop)
    await database.write(lambda c: c.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB)").fetchall())
    said: dict[str, object] = {}
    done: set[int] = set()
    filler = folder / "video.part"

    said["refused_where_space_is_short"] = not ballast.ensure(os.statvfs(folder).f_bavail * 4096)
    said["made"] = ballast.ensure(0) and (folder / "ballast").stat().st_blocks * 512 >= BALLAST_BYTES
    _fill(filler)
    said["full_before"] = os.statvfs(folder).f_bavail == 0

    # Many at once: they share commits. All of them fit into what the ballast gives back, but one is too big for it.
    outcomes = await asyncio.gather(
        *(database.write(_add(number)) for number in range(50)),
        database.write(_add(9999, 6 * BALLAST_BYTES)),
        *(database.write(_add(number)) for number in range(50, 100)),
        return_exceptions=True,
    )
    small = outcomes[:50] + outcomes[51:]
    said["small_failed"] = [repr(outcome) for outcome in small if outcome is not None]
    said["too_big"] = type(outcomes[50]).__name__
    said["dropped"] = not ballast.present
    done |= set(range(100))

    # Now really full, and nothing left to give.
    _fill(filler)
    refused = 0
    for number in range(100, 3000):
        try:
            await database.write(_add(number))
            done.add(number)
        except StorageFull:
            refused += 1
            if refused == 3:
                break
    said["refused_when_nothing_is_left"] = refused
    said["reads_work"] = {row[0] for row in await database.read("SELECT id FROM note")} == done
    said["no_ballast_while_full"] = not ballast.ensure(0)

    filler.unlink()
    await database.write(_add(5000))
    done.add(5000)
    said["goes_on"] = {row[0] for row in await database.read("SELECT id FROM note")} == done
    said["made_again"] = ballast.ensure(0)
    await database.close()
    connection = sqlite3.connect(folder / "db")
    said["integrity"] = connection.execute("PRAGMA integrity_check").fetchone()[0]
    said["kept"] = {row[0] for row in connection.execute("SELECT id FROM note")} == done
    connection.close()
    return said


if __name__ == "__main__":
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", sys.argv[1]], check=True)
    run = start if sys.argv[2:] == ["start"] else main
    print(json.dumps(asyncio.run(run(Path(sys.argv[1])))))
