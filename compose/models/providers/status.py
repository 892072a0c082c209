"""A status, of a reply or in the error that it holds, becomes the error that says who must act."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

import msgspec

from compose.errors import AuthError, CallTimeout, ContextOverflow, ModelError, RateLimited, ServerError
from compose.types import Json

_CODES = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
}
"""The status that OpenAI and Anthropic send with an error of this code or type."""
_NAME_KEY = "name the key's environment variable as api_key_env in compose.toml"
_OVERFLOW = (None, 400, 413, 422, 500)
"""What a prompt that does not fit is reported with; llama.cpp says 500."""


def error_for(
    status: int, headers: Mapping[str, str], raw: bytes, model: str, key_env: str | None = None
) -> ModelError:
    """The error for a reply that is not 200; a key that the server echoes is struck out."""
    said = _hide(_message(raw), key_env)
    text = f"status {status}: {said}" if said else f"status {status}"
    key = f"check the key in {key_env}" if key_env else _NAME_KEY
    return by_status(status, text, model, wait=retry_after(headers.get("Retry-After")), key=key)


def error_in(error: Any, model: str) -> ModelError:
    """The error that an error object in place of an answer means; one without a known code is the server's."""
    return by_status(_status_in(error), error_text(error), model)


def by_status(
    status: int | None, text: str, model: str, *, wait: float | None = None, key: str = "check the key"
) -> ModelError:
    """The error of a status, `None` where there is none; `wait` is what the server asked for, in seconds.

    `key` is the hint where the key is refused.
    """
    if status in (401, 403):
        return AuthError(text, model=model, hint=key)
    if status == 429:
        return RateLimited(text, model=model, retry_after=wait)
    if status == 408:
        return CallTimeout(text, model=model)
    if status in _OVERFLOW and too_long(text):
        return ContextOverflow(text, model=model, hint="shorten the prompt, or choose a model with a longer context")
    if status is None or status >= 500:
        return ServerError(text, model=model, status=status, retry_after=wait)
    return ModelError(text, model=model)


def _status_in(error: Any) -> int | None:
    """The status that an error object names by number or by a code that is known."""
    found = cast("Json", error) if isinstance(error, dict) else {}
    for code in (found.get("code"), found.get("type")):
        text = str(code)
        status = int(text) if text.isascii() and text.isdigit() and len(text) == 3 else _CODES.get(text)
        if status is not None and 400 <= status < 600:
            return status
    return None


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date; `None` where it is neither.

    >>> retry_after("1.5"), retry_after("soon")
    (1.5, None)
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _message(raw: bytes) -> str:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = raw.decode("utf-8", "replace")
    return error_text(found) if found else ""


def _hide(text: str, key_env: str | None) -> str:
    key = os.environ.get(key_env, "") if key_env else ""
    return text.replace(key, "***") if len(key) >= 4 else text


def error_text(error: Any) -> str:
    """The message in an error object, on one line of at most 300 characters."""
    while isinstance(error, dict):
        found = cast("Json", error)
        error = next((found[k] for k in ("message", "detail", "error", "type") if found.get(k)), "error")
    return " ".join(str(error).split())[:300]


_TOO_LONG = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)


def too_long(text: str) -> bool:
    """Whether a server's message says that the prompt does not fit."""
    low = text.lower()
    return any(mark in low for mark in _TOO_LONG)
