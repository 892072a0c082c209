"""Whose files may name servers, and how a stream ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import compose as c
from compose.testing.server import FakeServer
from tests.cli.commandline import Run

THEIRS = "version: 1\nsteps:\n  - {{use: generate, model: {model}}}\n"


@pytest.fixture
def theirs(work: Path) -> Path:
    """A folder that somebody else filled."""
    folder = work / "theirs"
    folder.mkdir()
    return folder


async def test_a_file_that_is_named_may_name_servers(compose: Run, theirs: Path) -> None:
    file = theirs / "p.yaml"
    async with FakeServer(script=["Paris"]) as server:
        file.write_text(THEIRS.format(model=f'"{server.id()}"'))
        done = await asyncio.to_thread(compose, "run", file, "Capital?", "--json")
        assert "authorization" not in {name.lower() for name in server.requests[0].headers}
    assert done.ok("compose.run/1")["text"] == "Paris"
    assert "sends questions" not in done.err


def test_a_file_that_is_named_may_name_a_model_file(compose: Run, theirs: Path) -> None:
    (theirs / "p.yaml").write_text(THEIRS.format(model="local//nowhere/m.gguf"))
    compose("run", theirs / "p.yaml", "Capital?", "--json").refused(2, "/nowhere/m.gguf")


def test_a_file_in_a_strange_folder_says_where_questions_go(compose: Run, theirs: Path, work: Path) -> None:
    file = theirs / "p.yaml"
    file.write_text(THEIRS.format(model='"http://10.0.0.1/v1#m"'))
    mine = work / "mine.yaml"
    mine.symlink_to(file)
    compose("trust", work / "mine.yaml", "--json").refused(2)
    for shown in (file, mine):
        told = compose("explain", shown)
        assert told.status == 0
        assert "sends questions to 10.0.0.1" in told.err
        assert f"compose trust {theirs}" in told.err
    (theirs / "space.yaml").write_text('models: ["http://10.0.0.1/v1#m"]\nshapes: {single: {}}\n')
    planned = compose("search", "--space", theirs / "space.yaml", "--dry-run")
    assert planned.status == 0
    assert "sends questions to 10.0.0.1" in planned.err
    compose("trust", theirs)
    assert "sends questions" not in compose("explain", file).err


def test_trusted_folders_are_listed_and_taken_back(compose: Run, theirs: Path, work: Path) -> None:
    for folder in (work, theirs):
        compose("trust", folder)
    assert compose("trust", "--list", "--json").ok("compose.trust/1")["folders"] == [str(work), str(theirs)]
    assert compose("trust", "--list").out == f"{work}\n{theirs}\n"
    assert "still trusted" in compose("trust", "--remove", theirs).err
    theirs.rmdir()
    compose("trust", "--remove", theirs, "--json").refused(2, str(theirs), "compose trust --list")
    assert "no longer trusted" in compose("trust", "--remove", work).err
    assert compose("trust", "--list", "--json").ok("compose.trust/1")["folders"] == []


@pytest.mark.parametrize("line", [[], ["--remove"], ["--list", "."], ["--list", "--remove"]])
def test_trust_wants_a_folder_or_list(line: list[str], compose: Run) -> None:
    assert compose("trust", *line, "--json").refused(2)["kind"] == "UsageError"


@pytest.mark.parametrize("samples", [1, 2])
async def test_a_stream_of_json_lines_ends_with_all_of_the_result(samples: int, compose: Run, work: Path) -> None:
    async with FakeServer(answer=lambda _: "one two three") as server:
        compose("trust", work)
        (c.generate(server.id(), n=samples) >> c.critique(server.id())).save(work / "p.yaml")
        done = await asyncio.to_thread(compose, "run", "p.yaml", "Count", "--stream", "--json")
        once = await asyncio.to_thread(compose, "run", "p.yaml", "Count", "--json")
    *pieces, last = [json.loads(line) for line in done.out.splitlines()]
    assert [p["schema"] for p in pieces] == ["compose.run.delta/1"]
    assert list(last) == list(once.ok("compose.run/1"))
    assert len(last["candidates"]) == samples
    assert [event["node"] for event in last["trace"]] == ["generate", "critique"]
    assert (last["text"], last["calls"]) == ("one two three", 2 * samples)


async def test_a_stream_shows_the_trace_after_the_answer(compose: Run) -> None:
    async with FakeServer(answer=lambda _: "one two three") as server:
        done = await asyncio.to_thread(compose, "run", server.id(), "Count", "--stream", "--trace")
    assert done.out == "one two three\n"
    assert "generate: 1 calls" in done.err


async def test_a_stream_cannot_command_the_terminal(compose: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    async with FakeServer(answer=lambda _: "red \x1b[31mor dead") as server:
        done = await asyncio.to_thread(compose, "run", server.id(), "Colour?", "--stream")
    assert done.out == "red \\x1b[31mor dead\n"
