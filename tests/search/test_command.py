"""`compose search` and what reads its files: one JSON object whatever happens, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from compose.cli.main import run
from compose.testing.server import FakeServer, Reply
from tests.search.processes import answer, write_inputs

Told = tuple[int, dict[str, object], str]


@pytest.fixture
def compose(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Told]:
    """Run a command line with `--json` in an empty folder; stdout has to be one object."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPOSE_DATA", str(recordings))
    rows = [{"id": f"q{i}", "prompt": f"What is {i} + 1?", "target": str(i + 1)} for i in range(40)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "broken.jsonl").write_text('{"id": "a", "prompt": \n')
    (tmp_path / "space.yaml").write_text("models: [replay/toy/large]\nshapes: {cascade: {lenght: [2]}}\n")
    (tmp_path / "file").write_text("")

    def call(*line: str | Path) -> Told:
        status = run([*(str(part) for part in line), "--json"])
        said = capsys.readouterr()
        return status, json.loads(said.out), said.err

    return call


SUMS = ("--benchmark", "sums.jsonl", "--scorer", "number", "--model", "replay/toy/large", "--model", "replay/toy/small")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["search", "--benchmark", "arit"], ["unknown benchmark 'arit'", "`arith`"]),
        (["search", "--benchmark", "no.jsonl"], ["no.jsonl"]),
        (["search", "--benchmark", "broken.jsonl"], ["broken.jsonl:1"]),
        (["search", "--model", "replay/toy/larg"], ["'larg'", "`large`"]),
        (["search", "--model", "replay/tpy/large"], ["'tpy'", "`toy`"]),
        (["search", *SUMS, "--exclude-model", "larg"], ["unknown model to exclude 'larg'", "`large`"]),
        (["search", *SUMS, "--exclude-model", "large", "--exclude-model", "small"], ["no model is left", "--model"]),
        (["search", *SUMS, "--limit", "1"], ["at least 2 items"]),
        (["search", *SUMS, "--sampler", "tpee"], ["'tpee'", "'tpe'"]),
        (["search", *SUMS, "--space", "none.yaml"], ["none.yaml", "No such file"]),
        (["search", *SUMS, "--space", "space.yaml"], ["shape `cascade`: unknown option 'lenght'", "`length`"]),
        (["search", *SUMS, "--config", "none.toml"], ["none.toml"]),
        (["search", *SUMS, "--out", "file"], ["file"]),
        (["search", *SUMS, "--resume"], ["--out DIR"]),
        (["search", *SUMS, "--trials", "0"], ["--trials"]),
        (["replay", "file"], ["file: an empty search record"]),
        (["replay", "none.gz"], ["none.gz", "no search record"]),
        (["report", "."], ["no search record"]),
        (["explain", "none.yaml"], ["none.yaml"]),
        (["draw", "none.yaml"], ["none.yaml"]),
    ],
)
def test_a_wrong_line_is_one_object_and_one_line(
    line: list[str], words: list[str], compose: Callable[..., Told]
) -> None:
    status, error, err = compose(*line)
    assert status == 2
    assert list(error) == ["schema", "kind", "message", "hint"]
    assert err.count("\n") == (2 if error["hint"] else 1)
    told = f"{error['message']} {error['hint']}"
    assert "  " not in told
    for word in words:
        assert word in told


def test_a_search_its_replay_and_its_report_are_one_object_each(compose: Callable[..., Told], tmp_path: Path) -> None:
    line = ("search", *SUMS, "--trials", "4", "--out", "run")
    status, plan, _ = compose(*line, "--dry-run")
    assert (status, plan["schema"], plan["end"]) == (0, "compose.search/1", "dry_run")
    status, found, _ = compose(*line)
    assert (status, found["schema"], found["end"]) == (0, "compose.search/1", "done")
    status, error, _ = compose(*line)
    assert (status, error["kind"]) == (2, "ConfigError")
    status, again, _ = compose("replay", "run/run.record.jsonl.gz", "--out", "again")
    assert (status, again["schema"]) == (0, "compose.replay/1")
    assert again["winner"] == found["winner"]
    assert (tmp_path / "again" / "winner.yaml").read_text() == (tmp_path / "run" / "winner.yaml").read_text()
    status, page, _ = compose("report", "run", "--to", "page.html")
    assert (status, page["report"]) == (0, "page.html")
    status, error, _ = compose("report", "run", "--to", "nowhere/page.html")
    assert (status, error["schema"]) == (2, "compose.error/1")


def test_a_used_up_budget_is_status_4_and_the_result(compose: Callable[..., Told]) -> None:
    status, found, _ = compose("search", *SUMS, "--trials", "4", "--out", "run", "--budget", "0.01")
    assert (status, found["schema"], found["end"]) == (4, "compose.search/1", "budget")


@pytest.mark.parametrize("reply", [Reply(status=401, error="no key"), Reply(status=400, error="no such model")])
async def test_a_search_in_which_no_model_works_is_status_3(
    reply: Reply, compose: Callable[..., Told], tmp_path: Path
) -> None:
    async with FakeServer(answer=lambda _: reply) as server:
        line = ("search", "--benchmark", "sums.jsonl", "--scorer", "number", "--model", server.id(), "--out", "run")
        for more in ((), ("--resume",)):
            status, error, _ = await asyncio.to_thread(compose, *line, *more)
            assert status == 3
            assert error["schema"] == "compose.error/1"
            assert server.id() in str(error["message"])


async def test_a_search_in_which_some_models_fail_is_status_0_and_lists_them(
    compose: Callable[..., Told], tmp_path: Path
) -> None:
    async with FakeServer(answer=answer) as server:
        write_inputs(tmp_path, server)
        models = [part for name in ("good", "dead") for part in ("--model", name)]
        line = ("search", "--benchmark", "sums.jsonl", "--scorer", "number", *models, "--config", "c.toml")
        status, found, _ = await asyncio.to_thread(compose, *line, "--trials", "3", "--out", "run")
    assert status == 0
    (error,) = cast("list[dict[str, str]]", found["errors"])
    assert error["message"].endswith("no such model")


def test_help_has_no_runs_of_spaces(compose: Callable[..., Told], capsys: pytest.CaptureFixture[str]) -> None:
    import click

    from compose.cli import draw, explain, replay, report, search

    for module in (draw, explain, replay, report, search):
        command: click.Command = module.command
        for parameter in command.params:
            assert "  " not in (getattr(parameter, "help", None) or "")
