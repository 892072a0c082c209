"""`Cache`: finished calls, found again by what was asked."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal

import msgspec

from compose.config import user_dir
from compose.errors import CacheError, ConfigError
from compose.models.cache.batch import Batch, Row
from compose.models.cache.database import Database, transaction
from compose.models.cache.key import key_of, public_id
from compose.types import Request, Response

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

DAY = 86_400.0
_GET = "SELECT answer, created FROM answers WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Response).decode
_replace = msgspec.structs.replace


class CacheStats(msgspec.Struct, frozen=True):
    """What the cache holds: answers in all and by model, bytes on disk, age of the oldest in days."""

    path: str
    answers: int
    bytes: int
    models: dict[str, int]
    oldest_days: float | None


class Cache:
    """Finished calls on disk, found again by what was asked.

    `mode` is `on`, `read` (nothing is written) or `off`. Answers older than
    `ttl_days` are not found, and go at the next `prune`. Safe for several
    processes and threads. Nothing is opened before the first use. Every method
    raises `CacheError` when the disk is full, the file is broken or another
    process keeps it locked.

        cache = Cache(Path("calls.sqlite"))
        cache.put(request, response)
        cache.get(request)
    """

    def __init__(
        self, path: Path | None = None, mode: Literal["on", "read", "off"] = "on", ttl_days: float | None = None
    ) -> None:
        self._path = path
        self.mode = mode
        self.ttl_days = ttl_days
        self._opened: Database | None = None
        self._batch: Batch | None = None

    @property
    def path(self) -> Path:
        """The file, by default `calls.sqlite` in the per-user folder."""
        return self._path or user_dir() / "calls.sqlite"

    def get(self, request: Request, identity: str = "") -> Response | None:
        """The stored answer to a request, marked `cached`, or `None`."""
        return self.find(key_of(request, identity))

    def find(self, key: bytes) -> Response | None:
        """The stored answer under a key of `key_of`, marked `cached`, or `None`."""
        if self.mode == "off":
            return None
        row = self._database.patiently(lambda connection: connection.execute(_GET, (key,)).fetchone())
        if row is None:
            return None
        if self.ttl_days is not None and time.time() - row[1] > self.ttl_days * DAY:
            return None
        try:
            return _decode(row[0])
        except msgspec.DecodeError as error:
            message = f"an answer in it cannot be read ({error})"
            raise CacheError(message, file=str(self.path), hint=f"move the file away: {self.path}") from error

    def put(self, request: Request, response: Response, identity: str = "") -> None:
        """Store an answer; it is durable when this returns."""
        self.put_key(key_of(request, identity), response)

    def put_key(self, key: bytes, response: Response) -> None:
        """Store an answer under a key of `key_of`; it is durable when this returns."""
        if self.mode == "on":
            row = _row(key, response)
            self._database.patiently(lambda connection: connection.execute(_PUT, row))

    async def store(self, key: bytes, response: Response, *, under_way: int | None = None) -> None:
        """Store an answer; it is durable when this returns, with one commit for those that arrive together.

        `under_way` is how many calls are not yet done, this one included: the
        commit waits a moment for them (see `Batch`).
        """
        if self.mode != "on":
            return
        loop = asyncio.get_running_loop()
        batch = self._batch
        if batch is None or batch.loop is not loop:
            batch = self._batch = Batch(loop, self._write)
        done = batch.add(_row(key, response), under_way)
        try:
            await done
        except asyncio.CancelledError:
            batch.flush()
            raise

    def stats(self) -> CacheStats:
        """What is stored."""
        path = self.path
        if not path.exists():
            return CacheStats(str(path), 0, 0, {}, None)
        count = "SELECT model, count(*) FROM answers GROUP BY model ORDER BY 2 DESC, 1"
        models: dict[str, int] = dict(self._database.patiently(lambda c: c.execute(count).fetchall()))
        (oldest,) = self._database.patiently(lambda c: c.execute("SELECT min(created) FROM answers").fetchone())
        age = None if oldest is None else max(0.0, (time.time() - oldest) / DAY)
        return CacheStats(str(path), sum(models.values()), self._database.size(), models, age)

    def prune(self, older_than: float | None = None, model: str | None = None, key: str | bytes | None = None) -> int:
        """Delete what matches every condition given and return how many answers went.

        `older_than` is in days, `key` a key or its leading hexadecimal digits.
        Without a condition, what outlived `ttl_days` goes. The space returns to the disk.
        """
        if older_than is None and model is None and key is None:
            older_than = self.ttl_days
        conditions: list[tuple[str, float | str]] = []
        if older_than is not None:
            conditions.append(("created < ?", time.time() - older_than * DAY))
        if model is not None:
            conditions.append(("model = ?", public_id(model)))
        if key is not None:
            digits = key.hex() if isinstance(key, bytes) else key
            if set(digits.lower()) - set("0123456789abcdef"):
                raise ConfigError(f"{key!r} is no cache key", hint="a key is hexadecimal digits, or the first of them")
            conditions.append(("hex(key) GLOB ? || '*'", digits.upper()))
        if not conditions or not self.path.exists():
            return 0
        return self._delete(conditions)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _database(self) -> Database:
        if self._opened is None:
            self._opened = Database(self.path)
        return self._opened

    def _write(self, rows: list[Row]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            if len(rows) == 1:
                connection.execute(_PUT, rows[0])
                return
            with transaction(connection):
                connection.executemany(_PUT, rows)

        self._database.once(write)

    def _delete(self, conditions: list[tuple[str, float | str]]) -> int:
        sql = "DELETE FROM answers WHERE " + " AND ".join(text for text, _ in conditions)
        values = [value for _, value in conditions]

        def shrink(connection: sqlite3.Connection) -> None:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        gone = self._database.patiently(lambda connection: connection.execute(sql, values).rowcount)
        if gone:
            self._database.patiently(shrink)
        return gone


def _row(key: bytes, response: Response) -> Row:
    kept = response if response.cached else _replace(response, cached=True)
    return key, public_id(response.model), time.time(), _encode(kept)
