"""Every error that `compose` raises on purpose, split by who must act.

    ComposeError(message, hint)
    ├─ ConfigError                    the user: a setting, a file, a command line
    │  └─ UnknownName                 a name that nothing is known by
    ├─ DataError(file, line, field)   the owner of a data file
    ├─ CacheError(file)               the disk: the cache is full, locked or broken
    ├─ ModelError(model)              a model or the server in front of it
    │  ├─ AuthError                   a key is missing or refused
    │  ├─ RateLimited(retry_after)    too many requests (retried)
    │  ├─ CallTimeout                 no answer in time (retried)
    │  ├─ ServerError(status)         the server failed (retried)
    │  ├─ BadResponse                 an answer that is no answer (retried)
    │  ├─ ContextOverflow             the prompt is too long for the model
    │  └─ Unreachable                 no connection (retried)
    ├─ BudgetExceeded(spent, budget)  the money is used up
    ├─ Blocked(verdict)               a guard said no
    └─ SolverError(program_line, sentence)
       └─ ParseError · GroundingError · Unsatisfiable · SolveTimeout

A message is one line: what came, what is allowed. The hint says what to do next.
`exit_status` is what the command line returns, `kind` what its JSON says, and
`retryable` is the only thing that decides whether a call is tried again.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar


class ComposeError(Exception):
    """Base of all errors raised on purpose.

    >>> str(ComposeError("no answer", hint="ask again"))
    'no answer'
    """

    exit_status: ClassVar[int] = 2
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def kind(self) -> str:
        """The class name, as `compose.error/1` reports it."""
        return type(self).__name__


class ConfigError(ComposeError):
    """A setting, a pipeline file or a command line that cannot be used."""


class UnknownName(ConfigError):
    """A name that nothing is known by; names the nearest one that is.

    >>> UnknownName("technique", "fuze", ["fuse", "rank"]).hint
    'did you mean `fuse`?'
    """

    def __init__(
        self, what: str, name: str, known: Iterable[str] = (), *, where: str = "", hint: str | None = None
    ) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        self.what = what
        self.name = name
        self.nearest = near[0] if near else None
        if hint is None:
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names[:12])}" if names else None
        super().__init__(f"{where}unknown {what} {name!r}", hint=hint)


class DataError(ComposeError):
    """A data file that cannot be read as what it claims to be."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (file, line) if part is not None)
        field_text = f"field `{field}`: " if field else ""
        super().__init__(f"{place + ': ' if place else ''}{field_text}{message}", hint=hint)
        self.file = file
        self.line = line
        self.field = field


class CacheError(ComposeError):
    """The cache cannot be read or written: a full disk, a lock, a broken file."""

    def __init__(self, message: str, *, file: str, hint: str | None = None) -> None:
        super().__init__(f"cache {file}: {message}", hint=hint)
        self.file = file


class ModelError(ComposeError):
    """A model, or the server in front of it, did not do its part."""

    exit_status = 3

    def __init__(self, message: str, *, model: str, hint: str | None = None) -> None:
        super().__init__(f"{model}: {message}", hint=hint)
        self.model = model


class AuthError(ModelError):
    """The key is missing or refused."""


class RateLimited(ModelError):
    """Too many requests; `retry_after` is the server's wish in seconds, if it has one."""

    retryable = True

    def __init__(self, message: str, *, model: str, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, model=model, hint=hint)
        self.retry_after = retry_after


class CallTimeout(ModelError):
    """No answer within the time allowed."""

    retryable = True


class ServerError(ModelError):
    """The server answered with a status of 500 or above."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        model: str,
        status: int | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, model=model, hint=hint)
        self.status = status
        self.retry_after = retry_after


class BadResponse(ModelError):
    """The server answered, but not with a completion."""

    retryable = True


class ContextOverflow(ModelError):
    """The prompt and the answer do not fit the model's context."""


class Unreachable(ModelError):
    """No connection to the server."""

    retryable = True


class BudgetExceeded(ComposeError):
    """The next call could pass the budget, so it was not made."""

    exit_status = 4

    def __init__(self, *, spent: float, budget: float, hint: str | None = None) -> None:
        super().__init__(
            f"budget of ${budget:.4g} reached: ${spent:.4g} spent or reserved",
            hint=hint or "raise --budget; what was finished is kept",
        )
        self.spent = spent
        self.budget = budget


class Blocked(ComposeError):
    """A guard refused the input; `verdict` says why."""

    exit_status = 5

    def __init__(self, message: str, *, verdict: Any, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.verdict = verdict


class SolverError(ComposeError):
    """An answer-set program failed; names the line and the sentence it came from."""

    exit_status = 3

    def __init__(
        self, message: str, *, program_line: str | None = None, sentence: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.program_line = program_line
        self.sentence = sentence


class ParseError(SolverError):
    """The program is not valid ASP."""


class GroundingError(SolverError):
    """The program cannot be grounded."""


class Unsatisfiable(SolverError):
    """The program has no answer set."""


class SolveTimeout(SolverError):
    """The solver did not finish in time."""


def missing_extra(package: str, extra: str, needed_by: str) -> ConfigError:
    """The one line for a package that an extra would bring.

    >>> missing_extra("xllamacpp", "local", "local models").hint
    "pip install 'compose-llm[local]'"
    """
    return ConfigError(f"{needed_by} needs the package {package!r}", hint=f"pip install 'compose-llm[{extra}]'")
