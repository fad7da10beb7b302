"""Run inside a mount namespace: a small tmpfs is mounted at argv[1], filled, and a real database works on it.

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
from vidgend.store.database import Database

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
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
