"""What a command writes: its result on stdout, everything else on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click
import msgspec

_UNPRINTABLE = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (ESC, C1 and all else but newline and tab), bidi embeddings and overrides, halves of surrogates."""


def printable(text: str) -> str:
    r"""Text that cannot command a terminal: newline and tab stay, other control characters are spelt out.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def emit(command: str, payload: Mapping[str, Any], *, line: bool = False) -> None:
    """Write one JSON object, `"schema": "compose.<command>/1"` first; `line` keeps it on one line."""
    raw = msgspec.json.encode({"schema": f"compose.{command}/1", **payload}, enc_hook=_plain)
    click.echo(raw if line else msgspec.json.format(raw, indent=2))


def say(text: str, *, quiet: bool = False) -> None:
    """Write a line for the person to stderr."""
    if not quiet:
        click.echo(printable(text), err=True)


def show(text: str, *, end: str = "\n") -> None:
    """Write a result to stdout, as it is unless that is a terminal."""
    click.echo((printable(text) if sys.stdout.isatty() else text) + end, nl=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """Write a table to stdout; numbers to the right, as wide as the terminal allows."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    lines = [list(row) for row in rows]
    grid = Table(title=printable(title or "") or None, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for i, name in enumerate(columns):
        numeric = all(isinstance(row[i], int | float) or str(row[i])[:1] in "-+$0123456789" for row in lines)
        grid.add_column(name, justify="right" if lines and numeric else "left", overflow="fold")
    for row in lines:
        grid.add_row(*("-" if cell is None else printable(str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 160
    Console(width=width, markup=False, highlight=False).print(grid)


def dollars(amount: float | None) -> str:
    """An amount for a person; unknown is said, never shown as 0.

    >>> dollars(None), dollars(0.0123456)
    ('unknown', '$0.01235')
    """
    return "unknown" if amount is None else f"${amount:.4g}"


def percent(share: float | None) -> str:
    """A fraction for a person.

    >>> percent(0.974)
    '97.4%'
    """
    return "-" if share is None else f"{100 * share:.1f}%"


def seconds(amount: float | None) -> str:
    """A time for a person.

    >>> seconds(None), seconds(1.234)
    ('unknown', '1.23 s')
    """
    return "unknown" if amount is None else f"{amount:.2f} s"


class Progress(Protocol):
    """Call with what is done, and the total once it is known."""

    def __call__(self, done: float, total: float | None = None, text: str | None = None) -> None: ...


@contextmanager
def progress(label: str, *, total: float | None = None, quiet: bool = False) -> Generator[Progress]:
    """A progress bar on stderr; without a terminal, a line every ten seconds."""
    if quiet:
        yield lambda done, total=None, text=None: None
        return
    if not sys.stderr.isatty():
        yield _Lines(label, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(label), total=total)

        def advance(done: float, total: float | None = None, text: str | None = None) -> None:
            changes: dict[str, Any] = {"total": total} if total is not None else {}
            bar.update(task, completed=done, description=printable(text or label), **changes)

        yield advance


class _Lines:
    """Progress where there is no terminal: rare, plain lines."""

    every = 10.0

    def __init__(self, label: str, total: float | None) -> None:
        import time

        self._label, self._total, self._clock = label, total, time.monotonic
        self._next = self._clock() + self.every

    def __call__(self, done: float, total: float | None = None, text: str | None = None) -> None:
        self._total = total if total is not None else self._total
        if self._clock() >= self._next:
            self._next = self._clock() + self.every
            say(f"{text or self._label}: {done:g}" + (f"/{self._total:g}" if self._total else ""))


def _plain(value: Any) -> Any:
    """What the JSON encoder does not know: numpy numbers; all else as text."""
    return value.item() if hasattr(value, "item") else str(value)
