"""Whatever ends a command early becomes one line, one hint and an exit status.

0 done · 1 a bug of ours · 2 usage, configuration or data · 3 a model or server ·
4 budget reached · 5 blocked by a guard · 130 interrupted.
"""

from __future__ import annotations

import errno
import sys
import traceback
from typing import cast

import click
import msgspec

from compose import __version__
from compose.cli.output import emit, say, show
from compose.errors import ComposeError

REPORT_BUG = "this is a bug in compose: please report it with the lines above, the command line and `compose doctor`"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Failure(msgspec.Struct, frozen=True):
    """What a person is told, and what the shell is."""

    kind: str
    message: str
    hint: str | None
    status: int


class Interrupted(BaseException):
    """Ctrl-C at a point where something is kept; `hint` says how to go on.

    No `KeyboardInterrupt`, which click would replace by an error without a hint.
    """

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.hint = hint


def describe(error: BaseException) -> Failure:
    """What an error means to the person at the terminal.

    >>> describe(ComposeError("no", hint="yes")).status
    2
    """
    error = _first(error)
    if isinstance(error, ComposeError):
        return Failure(error.kind, _line(error.message), error.hint, error.exit_status)
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt | Interrupted):
        hint = error.hint if isinstance(error, Interrupted) else "finished calls are kept; run the command again"
        return Failure("Interrupted", "interrupted", hint, 130)
    if isinstance(error, click.ClickException):
        return Failure("UsageError", _line(error.format_message()), _usage_hint(error), 2)
    return _of_the_machine(error) or Failure("Bug", _line(f"{type(error).__name__}: {error}"), REPORT_BUG, 1)


def report(error: BaseException, *, as_json: bool) -> int:
    """Tell what went wrong, as one line or one JSON object; return the exit status."""
    if isinstance(error, SystemExit):  # how click ends when whoever read our output has left (`| head`)
        return 0
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        show(error.format_message())
        return 0
    failure = describe(error)
    if failure.status == 1:
        say("".join(traceback.format_exception(error)).rstrip())
        say(f"compose {__version__}, Python {sys.version.split()[0]}, {sys.platform}")
    say(f"{'' if failure.status == 130 else 'error: '}{failure.message}")
    if failure.hint:
        say(f"hint: {failure.hint}")
    if as_json:
        emit("error", {"kind": failure.kind, "message": failure.message, "hint": failure.hint})
    return failure.status


def _first(error: BaseException) -> BaseException:
    """The error to tell of: in a group, the first one raised on purpose."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    leaves = [_first(e) for e in group.exceptions]
    return next((e for e in leaves if isinstance(e, ComposeError)), leaves[0])


def _line(message: str) -> str:
    """One line, whatever names and texts stand in it."""
    return " ".join(message.splitlines())


def _usage_hint(error: click.ClickException) -> str | None:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{ctx.command_path} --help`" if ctx else None


def _of_the_machine(error: BaseException) -> Failure | None:
    """Files, disks and permissions: nothing wrong with the program."""
    if isinstance(error, OSError) and (error.errno in _FULL or error.filename is not None):
        what = f"{error.filename}: " if error.filename is not None else ""
        hint = "free some space; what was finished is kept" if error.errno in _FULL else None
        return Failure("FileError", _line(f"{what}{error.strerror or error}"), hint, 2)
    return None
