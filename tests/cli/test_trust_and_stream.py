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


async def test_a_server_in_a_file_is_asked_only_when_its_folder_is_trusted(compose: Run, theirs: Path) -> None:
    file = theirs / "p.yaml"
    async with FakeServer(script=["Paris"]) as server:
        file.write_text(THEIRS.format(model=f'"{server.id()}"'))
        refused = await asyncio.to_thread(compose, "run", file, "Capital?", "--json")
        assert server.count == 0
        compose("trust", theirs, "--json").ok("compose.trust/1")
        done = await asyncio.to_thread(compose, "run", file, "Capital?", "--json")
        assert compose("trust", theirs, "--remove", "--json").ok("compose.trust/1")["trusted"] is False
        again = await asyncio.to_thread(compose, "run", file, "Capital?", "--json")
        assert server.count == 1
    told = refused.refused(2, f"{file}:3", server.id(), f"compose trust {theirs}")
    assert told == again.refused(2)
    assert done.ok("compose.run/1")["text"] == "Paris"


@pytest.mark.parametrize(
    "line", [["run"], ["eval", "-b", "arith"], ["compare", "local/smollm2-135m", "-b", "arith"], ["explain"]]
)
@pytest.mark.parametrize("model", ["local//tmp/m.gguf", "local/../m.gguf", "local/m.gguf", "tiny/../m", "tiny//tmp/m"])
def test_a_model_file_in_a_file_is_refused_likewise(line: list[str], model: str, compose: Run, theirs: Path) -> None:
    (theirs / "p.yaml").write_text(THEIRS.format(model=model))
    compose(*line, "theirs/p.yaml", "--json").refused(2, model, f"compose trust {theirs}")


def test_a_link_to_a_file_is_judged_by_where_it_leads(compose: Run, theirs: Path, work: Path) -> None:
    (theirs / "p.yaml").write_text(THEIRS.format(model="local/m.gguf"))
    mine = work / "mine"
    mine.mkdir()
    (mine / "p.yaml").symlink_to(theirs / "p.yaml")
    compose("trust", mine, "--json").ok("compose.trust/1")
    compose("run", mine / "p.yaml", "hi", "--json").refused(2, f"compose trust {theirs}")


@pytest.mark.parametrize("model", ["http://10.0.0.1/v1#m", "local/../m.gguf"])
def test_a_space_is_held_to_the_same(model: str, compose: Run, theirs: Path) -> None:
    file = theirs / "space.yaml"
    file.write_text(f'models: ["{model}"]\nshapes: {{single: {{}}}}\n')
    compose("search", "--space", file, "--json").refused(2, f"{file}:1", model, f"compose trust {theirs}")


def test_python_loads_what_it_is_told_to(theirs: Path) -> None:
    file = theirs / "p.yaml"
    file.write_text(THEIRS.format(model="http://10.0.0.1/v1#m"))
    assert c.load(file).models() == ("http://10.0.0.1/v1#m",)
    with pytest.raises(c.ConfigError, match="not trusted"):
        c.load(file, trusted=False)


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
