"""Fetches a weights file from the hub: whole, verified, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from compose.config import user_dir
from compose.errors import BadResponse, ConfigError, ModelError, ServerError, Unreachable
from compose.models.weights import Weights

if TYPE_CHECKING:
    import aiohttp

HUB = "https://huggingface.co"
"""Where weights come from; `COMPOSE_HUB` names a mirror."""
CHUNK = 1 << 20

Progress = Callable[[int, int], None]


async def fetch(weights: Weights, *, progress: Progress | None = None) -> Path:
    """Download, check the digest, and put the file in its place in one step.

    No key is sent. A broken download leaves nothing behind.
    """
    target = user_dir() / "models" / weights.file
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = await _download(weights, part, progress)
        if digest != weights.sha256:
            raise BadResponse(
                f"the file's SHA-256 is {digest[:12]}…, not {weights.sha256[:12]}…",
                model=weights.name,
                hint="the download was not kept; try again, or another mirror",
            )
        part.replace(target)
    except OSError as error:
        raise ConfigError(f"{target}: {error.strerror}", hint="COMPOSE_CACHE moves the folder") from error
    finally:
        if part.exists():
            part.unlink()
    return target


async def _download(weights: Weights, part: Path, progress: Progress | None) -> str:
    """Write the file beside its place; returns its SHA-256."""
    import aiohttp

    url = f"{os.environ.get('COMPOSE_HUB', HUB).rstrip('/')}/{weights.hub}"
    limits = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
    try:
        async with aiohttp.ClientSession(timeout=limits) as session, session.get(url) as reply:
            if reply.status != 200:
                raise _refused(weights, url, reply.status)
            return await _save(reply, weights, part, progress)
    except aiohttp.ClientPayloadError as error:
        raise BadResponse("the download broke off", model=weights.name, hint="try again") from error
    except (TimeoutError, aiohttp.ClientError) as error:
        raise Unreachable(f"no connection to {url}", model=weights.name, hint="COMPOSE_HUB names a mirror") from error


async def _save(reply: aiohttp.ClientResponse, weights: Weights, part: Path, progress: Progress | None) -> str:
    digest, done = hashlib.sha256(), 0
    with part.open("wb") as file:
        async for chunk in reply.content.iter_chunked(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > weights.bytes:
                raise BadResponse(f"more than {weights.bytes} bytes came", model=weights.name)
            if progress is not None:
                progress(done, weights.bytes)
    return digest.hexdigest()


def _refused(weights: Weights, url: str, status: int) -> ModelError:
    if status >= 500:
        return ServerError(f"{url} answered with status {status}", model=weights.name, status=status)
    return ModelError(f"{url} answered with status {status}", model=weights.name, hint="COMPOSE_HUB names a mirror")
