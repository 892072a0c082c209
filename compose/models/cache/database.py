"""The SQLite file behind the cache: opening, patience with other processes, plain words for its errors.

In WAL mode with `synchronous=NORMAL` a commit survives the death of the process
(also `kill -9`); only a power cut can lose the last ones, never break the file.
The file and its two companions have mode 0600.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from compose.errors import CacheError

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

FORMAT = 1
"""`user_version` of the file."""
BUSY_SECONDS: Final = 30.0
"""How long other processes may keep the file locked before that is an error."""
NAP_SECONDS: Final = 0.02
CHECKPOINT_PAGES: Final = 4000
"""Pages (16 MB) of log before SQLite copies it into the file, which blocks for some milliseconds."""

# A table in order of arrival with an index beside it: half the CPU of one tree in the order of
# the keys, whose pages split under answers of a few kB (26 to 59 µs an answer of 2.4 kB in commits of 64).
_TABLE = """CREATE TABLE IF NOT EXISTS answers(
    key BLOB NOT NULL PRIMARY KEY, model TEXT NOT NULL, created REAL NOT NULL, answer BLOB NOT NULL
)"""


class Database:
    """One connection to one file, opened by its first use, usable from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    def once(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the connection; raises `CacheError`, also when others keep it locked."""
        try:
            with self._lock:
                return action(self._connection or self._open())
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except OSError as error:
            hint = "set COMPOSE_CACHE to another folder, or turn the cache off"
            raise CacheError(f"cannot be opened ({error.strerror})", file=str(self.path), hint=hint) from error

    def patiently(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Like `once`, but wait up to `BUSY_SECONDS` for other processes."""
        deadline: float | None = None
        while True:
            try:
                return self.once(action)
            except CacheError as error:
                now = time.monotonic()
                deadline = deadline or now + BUSY_SECONDS
                if not is_busy(error) or now > deadline:
                    raise
            time.sleep(NAP_SECONDS)

    def size(self) -> int:
        """Bytes on disk, the log included."""
        files = (self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        path = self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives -wal and -shm the mode of the main file, so that is made first.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=NAP_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > FORMAT:
            hint = "update compose-llm, or set COMPOSE_CACHE to another folder"
            raise CacheError(f"written by a newer version (format {found})", file=str(self.path), hint=hint)
        if found < FORMAT:
            with transaction(connection):
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {FORMAT}")


class transaction:
    """`with transaction(connection):` commits at the end, or takes all back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def is_busy(error: CacheError) -> bool:
    """Whether waiting may help: another process holds the file."""
    return _code(error.__cause__) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explained(error: sqlite3.Error, path: Path) -> CacheError:
    """SQLite's complaint in one line, with what to do."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        message, hint = "the disk is full", "free some space and run again; what was finished is kept"
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        message, hint = "another process keeps it locked", "wait for it, or set COMPOSE_CACHE to another folder"
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        message, hint = f"not a readable database ({error})", f"move the file away: {path}"
    else:
        message, hint = str(error), "check the space and the rights of its folder; what was finished is kept"
    return CacheError(message, file=str(path), hint=hint)


def _code(error: BaseException | None) -> int | None:
    """SQLite's primary error code."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
