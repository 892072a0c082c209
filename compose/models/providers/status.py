"""An HTTP status becomes the error that says who must act."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from compose.errors import AuthError, CallTimeout, ContextOverflow, ModelError, RateLimited, ServerError
from compose.models.providers.chat import error_text, too_long


def error_for(
    status: int, headers: Mapping[str, str], raw: bytes, model: str, key_env: str | None = None
) -> ModelError:
    """The error for a reply that is not 200; a key that the server echoes is struck out."""
    said = _hide(_message(raw), key_env)
    text = f"status {status}: {said}" if said else f"status {status}"
    if status in (401, 403):
        hint = (
            f"check the key in {key_env}"
            if key_env
            else "name the key's environment variable as api_key_env in compose.toml"
        )
        return AuthError(text, model=model, hint=hint)
    if status == 429:
        return RateLimited(text, model=model, retry_after=retry_after(headers.get("Retry-After")))
    if status == 408:
        return CallTimeout(text, model=model)
    if status >= 500:
        return ServerError(text, model=model, status=status, retry_after=retry_after(headers.get("Retry-After")))
    if status in (400, 413, 422) and too_long(said):
        return ContextOverflow(text, model=model, hint="shorten the prompt, or choose a model with a longer context")
    return ModelError(text, model=model)


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
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = raw.decode("utf-8", "replace")
    return error_text(found) if found else ""


def _hide(text: str, key_env: str | None) -> str:
    key = os.environ.get(key_env, "") if key_env else ""
    return text.replace(key, "***") if len(key) >= 4 else text
