"""Answers on disk: one SQLite file per user, shared by every process, private to the user.

Kept in WAL mode with `synchronous=NORMAL`: a commit survives the death of the
process (also `kill -9`); only a power cut can lose the last ones. The file and
its two companions have mode 0600, since prompts and answers are private. The
key is a digest of model, messages, parameters and sample index; secrets are no
part of a request and so never get here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import msgspec

from compose.config import user_dir
from compose.errors import CacheError
from compose.types import Request, Response

VERSION = 1
BUSY_SECONDS = 30.0
"""How long another process may hold the file before that is an error."""
DAY = 86_400.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers(
    key BLOB NOT NULL PRIMARY KEY, model TEXT NOT NULL, created REAL NOT NULL, answer BLOB NOT NULL
);
"""
_GET = "SELECT answer, created FROM answers WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)"

Row = tuple[bytes, str, float, bytes]

_encode_key = msgspec.msgpack.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Response).decode


class CacheStats(msgspec.Struct, frozen=True):
    """What the cache holds: answers, bytes on disk, answers by model, age of the oldest in days."""

    path: str
    answers: int
    bytes: int
    models: dict[str, int]
    oldest_days: float | None


def key_of(request: Request, identity: str = "") -> bytes:
    """The 20-byte name of an answer: model, messages, parameters and sample index.

    `identity` says more about the model than its id does (a file's digest, a server).

    >>> from compose.types import Message
    >>> ask = Request("m", (Message("user", "hi"),))
    >>> key_of(ask) == key_of(msgspec.structs.replace(ask, sample=1))
    False
    """
    return blake2b(_encode_key((VERSION, identity, request)), digest_size=20).digest()


class Cache:
    """Finished calls, found again by what was asked.

    `mode` is `on`, `read` (nothing is written) or `off`. Answers older than
    `ttl_days` are not found, and go at the next `prune`. Nothing is opened
    before the first use. Every method raises `CacheError` when the disk is full,
    the file is broken or another process keeps it locked.
    """

    def __init__(
        self, path: Path | None = None, mode: Literal["on", "read", "off"] = "on", ttl_days: float | None = None
    ) -> None:
        self._path = path
        self.mode = mode
        self.ttl_days = ttl_days
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        self._batch: _Batch | None = None

    @property
    def path(self) -> Path:
        """The file, by default `calls.sqlite` in the per-user folder."""
        if self._path is None:
            self._path = user_dir() / "calls.sqlite"
        return self._path

    def get(self, request: Request, identity: str = "") -> Response | None:
        """The stored answer to a request, marked `cached`, or `None`."""
        return self.find(key_of(request, identity))

    def find(self, key: bytes) -> Response | None:
        """The stored answer under a key of `key_of`, marked `cached`, or `None`."""
        if self.mode == "off":
            return None
        with self._lock, self._failing():
            row = self._open().execute(_GET, (key,)).fetchone()
        if row is None or (self.ttl_days is not None and time.time() - row[1] > self.ttl_days * DAY):
            return None
        try:
            return _decode(row[0])
        except msgspec.DecodeError as error:
            raise self._broken(f"an answer in it cannot be read ({error})") from error

    def put(self, request: Request, response: Response, identity: str = "") -> None:
        """Store an answer; it is durable when this returns."""
        if self.mode == "on":
            self.write([_row(key_of(request, identity), response)])

    async def store(self, key: bytes, response: Response) -> None:
        """Store an answer; those of one tick of the event loop share a commit."""
        if self.mode != "on":
            return
        batch = self._batch
        loop = asyncio.get_running_loop()
        if batch is None or batch.loop is not loop:
            batch = self._batch = _Batch(self, loop)
        await batch.add(_row(key, response))

    def write(self, rows: list[Row], *, wait: float = BUSY_SECONDS) -> None:
        """Commit rows at once, waiting up to `wait` seconds for another process."""
        with self._lock, self._failing():
            connection = self._open()
            connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}") if wait != BUSY_SECONDS else None
            try:
                if len(rows) == 1:
                    connection.execute(_PUT, rows[0])
                    return
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.executemany(_PUT, rows)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            finally:
                if wait != BUSY_SECONDS:
                    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def stats(self) -> CacheStats:
        """What is stored."""
        if not self.path.exists():
            return CacheStats(str(self.path), 0, 0, {}, None)
        with self._lock, self._failing():
            connection = self._open()
            models = dict(connection.execute("SELECT model, count(*) FROM answers GROUP BY model ORDER BY 2 DESC"))
            (oldest,) = connection.execute("SELECT min(created) FROM answers").fetchone()
        size = sum(file.stat().st_size for file in self._files() if file.exists())
        age = None if oldest is None else max(0.0, (time.time() - oldest) / DAY)
        return CacheStats(str(self.path), sum(models.values()), size, models, age)

    def prune(
        self, older_than: float | None = None, model: str | None = None, key: str | bytes | None = None
    ) -> int:
        """Delete what matches every condition given and return how many answers went.

        `older_than` is in days, `key` a digest or its leading hexadecimal digits.
        Without any condition, what outlived `ttl_days` goes. The space returns to the disk.
        """
        if older_than is None and model is None and key is None:
            if self.ttl_days is None:
                return 0
            older_than = self.ttl_days
        where: list[str] = []
        values: list[object] = []
        if older_than is not None:
            where.append("created < ?")
            values.append(time.time() - older_than * DAY)
        if model is not None:
            where.append("model = ?")
            values.append(model)
        if key is not None:
            where.append("hex(key) LIKE ? || '%'")
            values.append((key.hex() if isinstance(key, bytes) else key).upper())
        with self._lock, self._failing():
            connection = self._open()
            gone = connection.execute(f"DELETE FROM answers WHERE {' AND '.join(where)}", values).rowcount
            if gone:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(self.path)
        return self._connection

    def _files(self) -> tuple[Path, ...]:
        return tuple(self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm"))

    @contextlib.contextmanager
    def _failing(self) -> Generator[None]:
        """Turn SQLite's and the disk's complaints into one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except OSError as error:
            raise CacheError(
                f"cannot be opened ({error.strerror})", file=str(self.path), hint="set COMPOSE_CACHE or use cache = off"
            ) from error

    def _explained(self, error: sqlite3.Error) -> CacheError:
        code = getattr(error, "sqlite_errorcode", None)
        code = code & 0xFF if isinstance(code, int) else None
        if code == sqlite3.SQLITE_FULL:
            return CacheError("the disk is full", file=str(self.path), hint="free space; what was finished is kept")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return CacheError(
                "another process keeps it locked", file=str(self.path), hint="wait for it, or set COMPOSE_CACHE"
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._broken(f"not a readable database ({error})")
        hint = "check the folder's rights and space; what was finished is kept"
        return CacheError(str(error), file=str(self.path), hint=hint)

    def _broken(self, message: str) -> CacheError:
        return CacheError(message, file=str(self.path), hint=f"move the file away: {self.path}")


class _Batch:
    """Rows of one event loop that wait for the commit at the end of its tick."""

    def __init__(self, cache: Cache, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._cache = cache
        self._rows: list[Row] = []
        self._done: asyncio.Future[None] | None = None
        self._deadline = 0.0

    async def add(self, row: Row) -> None:
        self._rows.append(row)
        if self._done is None:
            self._done = self.loop.create_future()
            self._deadline = self.loop.time() + BUSY_SECONDS
            self.loop.call_soon(self._commit)
        await asyncio.shield(self._done)

    def _commit(self) -> None:
        """Write all rows; while another process writes, come back instead of holding the loop."""
        done = self._done
        assert done is not None
        try:
            self._cache.write(self._rows, wait=0.02)
        except CacheError as error:
            busy = isinstance(error.__cause__, sqlite3.OperationalError) and "locked" in str(error.__cause__)
            if busy and self.loop.time() < self._deadline:
                self.loop.call_later(0.02, self._commit)
                return
            done.set_exception(error)
            done.exception()  # Seen, even if every waiter was cancelled.
        else:
            done.set_result(None)
        self._rows, self._done = [], None


def _row(key: bytes, response: Response) -> Row:
    return key, public_id(response.model), time.time(), _encode(msgspec.structs.replace(response, cached=True))


def public_id(model: str) -> str:
    """A model id without what a URL may hide: user, password and query.

    >>> public_id("http://me:secret@host/v1?key=1#m")
    'http://host/v1#m'
    """
    if "://" not in model or not ("@" in model or "?" in model):
        return model
    scheme, _, rest = model.partition("://")
    address, mark, name = rest.partition("#")
    return f"{scheme}://{address.partition('?')[0].rpartition('@')[2]}{mark}{name}"


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite gives -wal and -shm the mode of the main file, so it is made first.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            _create(connection, path, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection, path: Path, version: int) -> None:
    if version > VERSION:
        raise CacheError(f"written by a newer compose (version {version})", file=str(path), hint="update compose-llm")
    connection.execute("BEGIN IMMEDIATE")
    for statement in filter(str.strip, _SCHEMA.split(";")):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
