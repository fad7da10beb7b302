"""What is known about the files of the library: a SQLite file of its own, `<data_dir>/library.sqlite`.

It is a cache: all of it can be read from the folders again. So it may be deleted while vidgend does not run, is in no
backup, and is made anew if it is damaged or of another version. In the main database its rows would be synced with
every job's, migrated, checked and backed up. One thread works on it, in short transactions; a kill loses at most the
file that was being looked at. Commits are not synced (`synchronous=NORMAL`): a power cut may lose the last ones.

`files` are names with their stamps, `facts` what was found out about a content, by the hash of some of its parts
(`read_digest`). So a file that was renamed, moved or copied keeps its facts, and one that is on a disk which is not
mounted is only marked `away_s` and comes back with the disk. `words` is what a search looks in (FTS5): the stems of all
files that can be offered. There are no text embeddings: the ranking keeps those by text, whoever the provider is.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.pipeline.footage.library_files import FoundFile, Stamp
from vidgend.pipeline.footage.library_words import Caption
from vidgend.pipeline.vocabulary import stems_of
from vidgend.store.reading import open_read_only
from vidgend.store.schema import connect, is_damaged

VERSION = 1
"""Of the tables and of what `examine` finds; another one is made anew."""
AWAY_KEPT_S = 30 * 86_400.0
"""So long the facts about files that are gone are kept."""
RETRY_S = 86_400.0
"""After so long a file that could not be read, or not in time, is looked at again though it did not change."""
FOLDER_WEIGHT = 0.6
"""A folder's name, and what lies beside a file, says less about it than its own name."""
_ROUGH = 300
"""So many of the best by BM25 are put in order by the words that they share with the search."""
_MOST_STEMS = 32

_SCHEMA = f"""
CREATE TABLE files (
  id INTEGER PRIMARY KEY, folder TEXT NOT NULL, relative TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, side TEXT NOT NULL,
  text TEXT NOT NULL, tags TEXT NOT NULL, digest TEXT, away_s REAL, trouble TEXT, tried_s REAL,
  UNIQUE (folder, relative)
);
CREATE INDEX files_by_content ON files (digest);
CREATE INDEX files_by_size ON files (size_bytes, mtime_ns);
CREATE TABLE facts (digest TEXT PRIMARY KEY, problem TEXT, kind TEXT, told TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (name, more, tokenize = 'unicode61');
INSERT INTO words (words, rank) VALUES ('rank', 'bm25(1.0, {FOLDER_WEIGHT})');
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file that can be offered. `facts` None: nobody has looked into it yet. Their keys: kind, width_px, height_px,
    fps, duration_s, average_rgb, prints, shots (start and end in seconds, of the part that was looked at), text, tags.
    """

    folder: str
    relative: str
    size_bytes: int
    mtime_ns: int
    caption: Caption
    facts: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A file that is to be looked at."""

    id: int
    folder: str
    relative: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, kw_only=True)
class Counts:
    """`examined` and `waiting` can be offered; `unusable` were looked at in vain; `away` are not there now."""

    examined: int
    waiting: int
    unusable: int
    away: int
    bytes: int


class LibraryIndex:
    """Used by one thread at a time. `path` None keeps it in memory. Raises: sqlite3.Error, from every method."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._opened: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            try:
                self._opened = self._open()
            except sqlite3.Error as error:
                if not is_damaged(error):
                    raise
                self.discard()
                self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        else:
            connection = connect(self._path)
        try:
            connection.executescript(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            )
            connection.execute("PRAGMA trusted_schema = OFF")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                connection.close()
                self.discard()
                return self._open()
            if not version:
                connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection

    def discard(self) -> None:
        """Delete all of it."""
        self.close()
        if self._path is not None:
            for ending in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    # --- what a walk found -----------------------------------------------------------------------------------------

    def stamps(self) -> dict[tuple[str, str], Stamp]:
        """Of all files that are there as far as is known, by folder and name."""
        rows = self._db.execute(
            "SELECT folder, relative, size_bytes, mtime_ns, inode, side FROM files WHERE away_s IS NULL"
        )
        return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}

    def put(self, found: Iterable[tuple[FoundFile, Caption]]) -> None:
        """Files that are new, changed, or back."""
        with self._write() as db:
            for file, caption in found:
                self._put(db, file, caption)

    def _put(self, db: sqlite3.Connection, file: FoundFile, caption: Caption) -> None:
        size_bytes, mtime_ns, inode, side = file.stamp
        known = db.execute(
            "SELECT id, size_bytes, mtime_ns, inode FROM files WHERE folder = ? AND relative = ?", file.name
        ).fetchone()
        told = (caption.text, json.dumps(caption.tags))
        if known is not None and tuple(known[1:]) == (size_bytes, mtime_ns, inode):
            number = known[0]
            db.execute(
                "UPDATE files SET side = ?, text = ?, tags = ?, away_s = NULL WHERE id = ?", (side, *told, number)
            )
        else:  # the same content under another name, if it was renamed
            same = db.execute(
                "SELECT digest FROM files WHERE size_bytes = ? AND mtime_ns = ? AND inode = ? AND digest IS NOT NULL",
                (size_bytes, mtime_ns, inode),
            ).fetchone()
            (number,) = db.execute(
                "INSERT INTO files (folder, relative, size_bytes, mtime_ns, inode, side, text, tags, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder, relative) DO UPDATE SET"
                " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
                " side = excluded.side, text = excluded.text, tags = excluded.tags, digest = excluded.digest,"
                " away_s = NULL, trouble = NULL, tried_s = NULL RETURNING id",
                (*file.name, size_bytes, mtime_ns, inode, side, *told, same[0] if same else None),
            ).fetchone()
        self._put_words(db, number)

    def lose(self, names: Iterable[tuple[str, str]]) -> None:
        """Files that are not there now; what has been away for long is forgotten."""
        now = self._clock()
        with self._write() as db:
            for name in names:
                row = db.execute(
                    "UPDATE files SET away_s = ? WHERE folder = ? AND relative = ? RETURNING id", (now, *name)
                ).fetchone()
                if row is not None:
                    db.execute("DELETE FROM words WHERE rowid = ?", row)
            db.execute("DELETE FROM files WHERE away_s < ?", (now - AWAY_KEPT_S,))
            db.execute("DELETE FROM facts WHERE digest NOT IN (SELECT digest FROM files WHERE digest IS NOT NULL)")

    def _put_words(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM words WHERE rowid = ?", (number,))
        relative, text, tags, away_s, problem, told = db.execute(
            "SELECT relative, text, tags, away_s, problem, told FROM files LEFT JOIN facts USING (digest) WHERE id = ?",
            (number,),
        ).fetchone()
        if away_s is not None or problem is not None:
            return
        facts = json.loads(told) if told else {}
        name = stems_of(relative.rpartition("/")[2].rpartition(".")[0])
        others = " ".join([text, *json.loads(tags), facts.get("text", ""), *facts.get("tags", ())])
        more = [stem for stem in stems_of(others) if stem not in set(name)]
        db.execute("INSERT INTO words (rowid, name, more) VALUES (?, ?, ?)", (number, " ".join(name), " ".join(more)))

    # --- what was found in a file ----------------------------------------------------------------------------------

    def pending(self, after: int = 0) -> Pending | None:
        """The next file after the one of that id that nobody has looked into."""
        row = self._db.execute(
            "SELECT id, folder, relative, size_bytes, mtime_ns FROM files WHERE id > ? AND digest IS NULL"
            " AND away_s IS NULL AND (tried_s IS NULL OR tried_s NOT BETWEEN ? AND ?) ORDER BY id LIMIT 1",
            (after, (now := self._clock()) - RETRY_S, now),
        ).fetchone()
        if row is None:
            return None
        return Pending(id=row[0], folder=row[1], relative=row[2], size_bytes=row[3], mtime_ns=row[4])

    def adopt(self, file: Pending, digest: str) -> bool:
        """Take what is known about that content. False if nothing is."""
        with self._write() as db:
            if db.execute("SELECT 1 FROM facts WHERE digest = ?", (digest,)).fetchone() is None:
                return False
            self._point(db, file, digest)
        return True

    def record(self, file: Pending, digest: str, facts: Mapping[str, Any], *, problem: str | None = None) -> None:
        """What a look into a file found, or why it cannot be used. Nothing if the file has changed meanwhile."""
        with self._write() as db:
            db.execute(
                "INSERT INTO facts (digest, problem, kind, told) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET"
                " problem = excluded.problem, kind = excluded.kind, told = excluded.told",
                (digest, problem, facts.get("kind"), json.dumps(facts)),
            )
            self._point(db, file, digest)

    def _point(self, db: sqlite3.Connection, file: Pending, digest: str) -> None:
        done = db.execute(
            "UPDATE files SET digest = ?, trouble = NULL, tried_s = NULL"
            " WHERE id = ? AND size_bytes = ? AND mtime_ns = ?",
            (digest, file.id, file.size_bytes, file.mtime_ns),
        )
        if done.rowcount:
            self._put_words(db, file.id)

    def postpone(self, file: Pending, trouble: str) -> None:
        """It could not be looked into now: again after `RETRY_S`, or when it changes."""
        with self._write() as db:
            db.execute("UPDATE files SET trouble = ?, tried_s = ? WHERE id = ?", (trouble, self._clock(), file.id))

    # --- what is asked ---------------------------------------------------------------------------------------------

    def search(self, text: str, *, language: str = "en", most: int) -> list[Entry]:
        """Files that share a word with `text`, those that share most first, and of these the rarer words first."""
        wanted = stems_of(text, language=language)[:_MOST_STEMS]
        if not wanted:
            return []
        asked = " OR ".join('"' + stem.replace('"', '""') + '"' for stem in wanted)
        rough = self._db.execute(
            "SELECT rowid, name, more FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (asked, max(_ROUGH, most))
        ).fetchall()

        def shared(row: tuple[int, str, str]) -> float:
            return len(set(wanted) & set(row[1].split())) + FOLDER_WEIGHT * len(set(wanted) & set(row[2].split()))

        # Sorting keeps the order of equals, which is BM25's.
        best = sorted((row for row in rough if shared(row) > 0), key=shared, reverse=True)[:most]
        found = {number: entry for number, entry in self._entries([row[0] for row in best])}
        return [found[row[0]] for row in best if row[0] in found]

    def _entries(self, numbers: Sequence[int]) -> Iterator[tuple[int, Entry]]:
        for number in numbers:
            row = self._db.execute(f"{_ENTRY} WHERE id = ?", (number,)).fetchone()
            if row is not None:
                yield number, _entry(row)


_ENTRY = "SELECT folder, relative, size_bytes, mtime_ns, text, tags, told FROM files LEFT JOIN facts USING (digest)"


def _entry(row: tuple[Any, ...]) -> Entry:
    facts = json.loads(row[6]) if row[6] else None
    caption = Caption(text=row[4], tags=tuple(json.loads(row[5])))
    if facts is not None:
        caption += Caption(text=facts.get("text", ""), tags=tuple(facts.get("tags", ())))
    return Entry(
        folder=row[0], relative=row[1], size_bytes=row[2], mtime_ns=row[3], caption=caption, facts=facts
    )  # fmt: skip


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The index beside a daemon that may work on it, to read; None if there is none of this version.

    Raises: DatabaseDamaged, DatabaseUnavailable.
    """
    if not path.is_file():
        yield None
        return
    with contextlib.closing(open_read_only(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        yield connection if version == VERSION else None


def entries(db: sqlite3.Connection) -> Iterator[Entry]:
    """All that can be offered, by name."""
    rows = db.execute(f"{_ENTRY} WHERE away_s IS NULL AND problem IS NULL ORDER BY folder, relative")
    return (_entry(row) for row in rows)


def counts(db: sqlite3.Connection) -> Counts:
    row = db.execute(
        "SELECT count(*) FILTER (WHERE digest IS NOT NULL AND problem IS NULL),"
        " count(*) FILTER (WHERE digest IS NULL AND trouble IS NULL),"
        " count(*) FILTER (WHERE problem IS NOT NULL OR trouble IS NOT NULL), coalesce(sum(size_bytes), 0)"
        " FROM files LEFT JOIN facts USING (digest) WHERE away_s IS NULL"
    ).fetchone()
    (away,) = db.execute("SELECT count(*) FROM files WHERE away_s IS NOT NULL").fetchone()
    return Counts(examined=row[0], waiting=row[1], unusable=row[2], bytes=row[3], away=away)


def problems(db: sqlite3.Connection, most: int) -> list[tuple[str, str]]:
    """(path, reason) of files that cannot be used, by name."""
    rows = db.execute(
        "SELECT folder || '/' || relative, coalesce(problem, trouble) FROM files LEFT JOIN facts USING (digest)"
        " WHERE away_s IS NULL AND (problem IS NOT NULL OR trouble IS NOT NULL) ORDER BY folder, relative LIMIT ?",
        (most,),
    )
    return [(str(path), str(reason)) for path, reason in rows]
