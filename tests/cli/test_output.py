"""What is written for people cannot command their terminal; what is written for programs is left as it is."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from pathlib import Path

import pytest

from compose.cli.output import printable, progress, say, table
from compose.testing.server import FakeServer
from tests.cli.commandline import Run, command, environment

TITLE = "\x1b]0;owned\x07"
EVIL = f"{TITLE}a\x9b31mb\u202ec"


def test_control_characters_are_spelt_out() -> None:
    assert printable(EVIL) == r"\x1b]0;owned\x07a\x9b31mb\u202ec"
    assert printable("over\rwritten\x7f \udc80") == r"over\rwritten\x7f \udc80"
    assert printable("café\tüber\r\nשלום 🎲") == "café\tüber\r\nשלום 🎲"


def test_remarks_and_tables_are_made_safe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.cli.output._Lines.every", 0.0)
    say(EVIL)
    table(["a"], [[EVIL]], title=EVIL)
    with progress(EVIL) as advance:
        advance(1)
        advance(2, text=EVIL)
    captured = capsys.readouterr()
    for text, times in ((captured.out, 2), (captured.err, 3)):
        assert text.count(r"\x1b]0;owned\x07") == times
        assert "\x1b]0" not in text


def test_an_error_is_made_safe(compose: Run) -> None:
    done = compose("eval", "local/smollm2-135m", "--benchmark", f"{TITLE}.jsonl")
    assert done.status == 2
    assert done.err.startswith(r"error: \x1b]0;owned\x07.jsonl: cannot read")


async def test_an_answer_is_made_safe_on_a_terminal_only(compose: Run, work: Path) -> None:
    async with FakeServer(answer=lambda _: TITLE) as server:
        piped = await asyncio.to_thread(compose, "run", server.id(), "hi")
        shown = await asyncio.to_thread(_on_a_terminal, work, "run", server.id(), "hi")
    assert piped.out == f"{TITLE}\n"
    assert shown == b"\\x1b]0;owned\\x07\r\n"


def _on_a_terminal(folder: Path, *line: str) -> bytes:
    """Standard output of a command whose standard output is a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "wb") as terminal, os.fdopen(ours, "rb", buffering=0) as reader:
        subprocess.run(
            [*command(), *line],
            stdout=terminal,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment(),
            timeout=30,
            check=True,
        )
        return reader.read(4096)
