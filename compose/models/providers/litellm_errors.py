"""LiteLLM's exceptions become ours, by their class names: nothing is imported to read an error."""

from __future__ import annotations

import re
from typing import Any

from compose.errors import (
    AuthError,
    BadResponse,
    CallTimeout,
    ComposeError,
    ConfigError,
    ContextOverflow,
    ModelError,
    RateLimited,
    ServerError,
    Unreachable,
)
from compose.models.providers.status import error_text, retry_after, too_long

_CHATTER = re.compile(r"\s*(?:Traceback \(most recent|This looks like a bug in LiteLLM|Received Model Group)")
"""Where the part of a message ends that is about the error."""
_NO_KEY = re.compile(
    r"api_key client option must be set|missing credentials|api[_ ]key is (?:missing|required)", re.IGNORECASE
)
"""A key that is not there is a server's error to LiteLLM."""
_AUTH = {"AuthenticationError", "PermissionDeniedError"}
_TIMEOUT = {"Timeout", "APITimeoutError"}
_BAD = {"APIResponseValidationError", "JSONSchemaValidationError"}


def is_theirs(error: Exception) -> bool:
    """Whether an exception is LiteLLM's or of a client below it."""
    return type(error).__module__.partition(".")[0] in ("litellm", "openai", "httpx", "aiohttp", "json")


def translate(error: Any, model: str) -> ComposeError:
    """The error that says who must act."""
    error = getattr(error, "original_exception", None) or error
    names = {kind.__name__ for kind in type(error).__mro__}
    text = _text(error)
    status = error.status_code if isinstance(getattr(error, "status_code", None), int) else None
    if names & _AUTH or status in (401, 403) or _NO_KEY.search(text):
        return AuthError(text, model=model, hint="set the provider's key, or name its variable as api_key_env")
    if "RateLimitError" in names or status == 429:
        return RateLimited(text, model=model, retry_after=_wait(error))
    if names & _TIMEOUT or status == 408:
        return CallTimeout(text, model=model)
    if "ContextWindowExceededError" in names or too_long(text):
        return ContextOverflow(text, model=model, hint="shorten the prompt, or choose a model with a longer context")
    if "UnsupportedParamsError" in names:
        return ConfigError(f"{model}: {text}", hint="leave the parameter out, or choose a model that takes it")
    return _by_status(error, names, status, text, model)


def _by_status(error: Any, names: set[str], status: int | None, text: str, model: str) -> ModelError:
    if _no_connection(error):
        return Unreachable(text, model=model)
    if names & _BAD or "JSONDecodeError" in names:
        return BadResponse(text, model=model)
    if status is not None and 400 <= status < 500:
        return ModelError(text, model=model)
    return ServerError(text, model=model, status=status, retry_after=_wait(error))


def _no_connection(error: BaseException | None) -> bool:
    """Whether the chain of causes ends at a connection that was never made."""
    seen = 0
    while error is not None and seen < 12:
        if type(error).__name__ in ("ConnectError", "ClientConnectorError", "ConnectionRefusedError"):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _wait(error: Any) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or getattr(
        error, "litellm_response_headers", None
    )
    return retry_after(headers.get("retry-after")) if headers else None


def _text(error: Any) -> str:
    text = str(getattr(error, "message", None) or error or type(error).__name__)
    text = error_text(_CHATTER.split(text, maxsplit=1)[0])
    while text.startswith("litellm."):
        text = text.partition(": ")[2] or text.removeprefix("litellm.")
    return text
