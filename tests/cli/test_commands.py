"""Each command does its work, for people and, with `--json`, for programs."""

from __future__ import annotations

import asyncio
import json
import os
import re
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml

import compose as c
from compose.cli.main import COMMANDS
from compose.testing.server import FakeServer, Reply
from compose.types import Json
from tests.cli.commandline import Run, right_on_even, sums


@pytest.fixture
def pipeline_file(work: Path) -> Path:
    """A pipeline of two steps."""
    return (c.generate("local/smollm2-135m", n=3) >> c.vote()).save(work / "p.yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_tells_their_first_lines(name: str) -> None:
    command: click.Command = import_module(f"compose.cli.{name}").command
    assert command.name == name
    assert (command.help or "").partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_the_common_options(name: str, compose: Run) -> None:
    command: click.Command = import_module(f"compose.cli.{name}").command
    ends = list(command.commands.items()) if isinstance(command, click.Group) else [("", command)]
    for end, _ in ends:
        shown = compose(name, *([end] if end else []), "--help")
        assert shown.status == 0
        for word in ("--json", "--seed", "--quiet", "Example:", f"compose {name}"):
            assert word in shown.out
        about = shown.out.partition("Options:\n")[0]
        assert not re.search(r"\S {2,}\S", about), "a run of spaces inside a sentence"
        example = [line for line in about.splitlines() if line.startswith("      ")]
        assert len(example) == 1, "the example is one line, and nothing else is set in"
        assert example[0].strip().startswith(f"compose {name}")
        assert len(example[0]) <= 100


def test_no_arguments_show_the_help(compose: Run) -> None:
    shown = compose()
    assert shown.status == 0
    assert "Commands:" in shown.out


@pytest.mark.parametrize("name", ["models", "cache"])
def test_a_group_without_a_command_shows_its_help(name: str, compose: Run) -> None:
    shown = compose(name)
    assert (shown.status, shown.err) == (0, "")
    assert "Commands:" in shown.out


@pytest.mark.parametrize(
    "line",
    [
        "doctor",
        "cache info",
        "cache prune --all",
        "benchmarks arith",
        "benchmarks",
        "techniques fuse",
        "techniques",
        "models list",
        "schema",
        "plan",
        "init",
    ],
)
def test_json_is_one_object_that_says_its_schema_first(line: str, compose: Run) -> None:
    row = compose(*line.split(), "--json").json
    assert next(iter(row)) == "schema"
    assert row["schema"] == f"compose.{line.split()[0]}/1"


def test_version(compose: Run) -> None:
    assert c.__version__ in compose("--version").out


async def test_run(compose: Run) -> None:
    async with FakeServer(script=["Paris", "Rome"]) as server:
        done = await asyncio.to_thread(compose, "run", server.id(), "Capital?", "--json")
        row = done.ok("compose.run/1")
        piped = await asyncio.to_thread(compose, "run", server.id(), "--trace", stdin="And of Italy?\n")
    assert row["text"] == "Paris"
    assert (row["calls"], row["cached"], row["usd"]) == (1, 0, None)
    assert [event["node"] for event in row["trace"]] == ["generate"]
    assert {"answer", "usd_spent", "seconds", "candidates", "verdict"} <= row.keys()
    assert piped.out == "Rome\n"
    assert "generate: 1 calls" in piped.err


async def test_run_streams_json_lines(compose: Run) -> None:
    async with FakeServer(script=["one two three"]) as server:
        done = await asyncio.to_thread(compose, "run", server.id(), "Count", "--stream", "--json")
    *pieces, last = [json.loads(line) for line in done.out.splitlines()]
    assert "".join(p["text"] for p in pieces) == "one two three"
    assert last["schema"] == "compose.run/1"
    assert last["text"] == "one two three"
    assert last["calls"] == 1


async def test_eval(compose: Run, work: Path) -> None:
    file = sums(work)
    async with FakeServer(answer=right_on_even) as server:
        line = ("eval", server.id(), "--benchmark", file, "--scorer", "number", "--split", "all")
        row = (await asyncio.to_thread(compose, *line, "--json")).ok("compose.eval/1")
        again = (await asyncio.to_thread(compose, *line, "--json")).ok("compose.eval/1")
        shown = await asyncio.to_thread(compose, *line)
    assert row["quality"]["mean"] == 0.5
    assert row["quality"]["low"] < 0.5 < row["quality"]["high"]
    assert (row["n"], row["calls"], row["cached"], row["errors"]) == (8, 8, 0, [])
    assert (row["usd"], row["usd_per_item"]) == (None, None)
    assert again["cached"] == 8
    assert "50.0%" in shown.out
    assert "unknown" in shown.out


async def test_compare_and_record(compose: Run, work: Path) -> None:
    file = sums(work)
    async with FakeServer(answer=right_on_even) as server:
        more = ("--benchmark", file, "--scorer", "number", "--split", "all", "--json")
        a, b = server.id("a"), server.id("b")
        row = (await asyncio.to_thread(compose, "compare", a, b, *more)).ok("compose.compare/1")
        kept = (await asyncio.to_thread(compose, "record", a, "--as", "mine", *more)).ok("compose.record/1")
    assert row["n"] == 8
    assert [(d["diff"]["mean"], d["p"], d["better"]) for d in row["diffs"]] == [(0.0, 1.0, None)]
    assert kept["n"] == 8
    (model,) = kept["models"]
    replayed = (await asyncio.to_thread(compose, "eval", model, *more)).ok("compose.eval/1")
    assert replayed["quality"]["mean"] == 0.5


def test_plan(compose: Run) -> None:
    row = compose("plan", "--benchmark", "arith", "--gain", "0.1", "--json").ok("compose.plan/1")
    assert row["items"] > 50
    assert row["usd"] > 0
    assert 0 < row["power"] <= 1


def test_plan_says_what_there_is_and_what_can_be_paid(compose: Run, work: Path) -> None:
    price = "price = { input = 0.0, output = 1000.0 }\nparams = { max_tokens = 10 }"
    (work / "c.toml").write_text(f'[models.dear]\nid = "http://127.0.0.1:9/v1#m"\n{price}\n')
    line = ("plan", "-b", sums(work, 20), "-m", "dear", "--config", "c.toml", "--gain", "0.1", "--disagree", "0.3")
    rich, poor, broke = (
        compose(*line, "--budget", budget, "--json").ok("compose.plan/1") for budget in ("100", "1", "0")
    )
    assert rich["items"] > 10 == rich["available"] == rich["affordable"]
    assert 0 < poor["affordable"] < 10
    assert 0 == broke["power"] == broke["affordable"] < poor["power"] < rich["power"] < 0.8
    shown = compose(*line, "--budget", "1").out.splitlines()[-1]
    n = poor["affordable"]
    assert shown.startswith(f"sums has 10 test items, {n} within $1: the chance on {n} of them is")


def test_search_report_and_replay(compose: Run, work: Path, data: Path) -> None:
    out = work / "out"
    line = ("search", "--benchmark", "zeroeval_gsm", "--data", data, "--limit", "40", "--trials", "14", "--out", out)
    row = compose(*line, "--json", "--quiet").ok("compose.search/1")
    assert row["evaluated"] == 14
    assert (row["dev"]["n"], row["test"]["n"]) == (20, 20)
    assert row["best_single"]["model"].startswith("replay/zeroeval_gsm/")
    assert (out / "winner.yaml").is_file()
    assert c.load(out / "winner.yaml").to_data() == row["winner"]["pipeline"]
    page = compose("report", out, "--json").ok("compose.report/1")
    assert Path(page["report"]).read_text().startswith("<!doctype html>")
    again = compose("replay", out / "run.record.jsonl.gz", "--json").ok("compose.replay/1")
    assert again["winner"] == row["winner"]
    assert again["front"] == row["front"]
    shown = compose(*line, "--resume")
    assert shown.status == 0
    assert "winner.yaml" in shown.out


def test_search_dry_run_calls_nothing(compose: Run, data: Path) -> None:
    row = compose("search", "--benchmark", "zeroeval_gsm", "--data", data, "--dry-run", "--json").ok("compose.search/1")
    assert row["calls"]["made"] == 0
    assert row["estimate"]["calls"] > 0


def test_explain_and_draw(compose: Run, pipeline_file: Path) -> None:
    row = compose("explain", pipeline_file, "What?", "--json").ok("compose.explain/1")
    assert row["calls"] == {"low": 3.0, "expected": 3.0, "high": 3.0}
    assert [step["use"] for step in row["steps"]] == ["generate", "vote"]
    assert "flowchart" in compose("draw", pipeline_file, "--json").ok("compose.draw/1")["text"]
    assert "<svg" in compose("draw", pipeline_file, "--svg").out


def test_techniques(compose: Run) -> None:
    rows = compose("techniques", "--json").ok("compose.techniques/1")["techniques"]
    assert {"generate", "vote", "fuse", "cascade"} <= {r["name"] for r in rows}
    for row in rows:
        assert row["calls"], f"{row['name']} does not say what it calls"
        assert row["name"] == "node" or row["settings"]
        for name, setting in row["settings"].items():
            assert setting["description"], f"{row['name']}.{name} is not described"
    assert "agree" in compose("techniques", "cascade").out


def test_benchmarks(compose: Run, data: Path) -> None:
    rows = {
        r["name"]: r for r in compose("benchmarks", "--data", data, "--json").ok("compose.benchmarks/1")["benchmarks"]
    }
    assert rows["zeroeval_gsm"]["n"] == 1119
    assert rows["arith"]["splits"]["dev"] > 0
    assert rows["arith"]["groups"]


def test_benchmarks_say_what_is_missing(compose: Run) -> None:
    rows = {r["name"]: r for r in compose("benchmarks", "--json").ok("compose.benchmarks/1")["benchmarks"]}
    assert rows["gsm8k"]["n"] is None
    assert rows["gsm8k"]["note"]


def test_schema_describes_what_files_hold(compose: Run, pipeline_file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(compose("schema").out)
    data = yaml.safe_load(pipeline_file.read_text())
    jsonschema.validate(data, schema)
    data["steps"][0]["nn"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_init_and_trust(compose: Run, work: Path) -> None:
    assert compose("init", ".", "--json").ok("compose.init/1")["file"] == "compose.toml"
    assert c.load_config(work).models == {}
    compose("init", ".", "--json").refused(2, "--force")
    (work / "compose.toml").write_text('[models.mine]\nid = "gpt-4o-mini"\napi_key_env = "MINE"\n')
    compose("models", "list", "--json").refused(2, "compose trust")
    compose("trust", ".", "--json").ok("compose.trust/1")
    rows = compose("models", "list", "--json").ok("compose.models/1")["models"]
    assert "mine" in {row["id"] for row in rows}


def test_init_replaces_a_link_and_not_what_it_leads_to(compose: Run, work: Path) -> None:
    (work / "precious").write_text("mine")
    link = work / "compose.toml"
    for target in ("precious", "nowhere"):
        link.symlink_to(target)
        compose("init", ".", "--json").refused(2, "--force")
        compose("init", ".", "--force", "--json").ok("compose.init/1")
        assert not link.is_symlink()
        assert link.stat().st_mode & 0o777 == 0o666 & ~_umask()
        link.unlink()
    assert [path.name for path in work.iterdir()] == ["precious"]
    assert (work / "precious").read_text() == "mine"


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_models_list(compose: Run, data: Path) -> None:
    rows = compose("models", "list", "--data", data, "--json").ok("compose.models/1")["models"]
    by_id = {row["id"]: row for row in rows}
    assert by_id["replay/zeroeval_gsm/gpt-4o-2024-08-06"]["usd_per_mtok_in"] == 2.5
    assert {"id", "kind", "usd_per_mtok_in", "usd_per_mtok_out", "context", "available"} <= rows[0].keys()


async def test_models_check(compose: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real call each, with keys cleaned, one row a model, and no help from fallbacks."""

    def by_name(asked: Json) -> Reply:
        return Reply(text="OK") if asked["model"] == "good" else Reply(status=401, error="wrong key sk-very-secret")

    async with FakeServer(answer=by_name) as server:
        good, bad = server.id("good"), server.id("bad")
        (work / "c.toml").write_text(f'[models.covered]\nid = "{bad}"\nfallbacks = ["{good}"]\n')
        line = ("models", "check", good, "covered", "gpt-4o-minu", "--config", "c.toml")
        monkeypatch.setenv("MINE_API_KEY", "sk-very-secret")
        done = await asyncio.to_thread(compose, *line, "--json")
        shown = await asyncio.to_thread(compose, *line)
        alone = await asyncio.to_thread(compose, "models", "check", good, "--json")
    rows = done.json["checks"]
    assert done.status == 3
    assert [(row["id"], row["ok"]) for row in rows] == [(good, True), ("covered", False), ("gpt-4o-minu", False)]
    assert rows[0]["text"] == "OK"
    assert rows[0]["seconds"] > 0
    assert [row["error"]["kind"] for row in rows[1:]] == ["AuthError", "UnknownName"]
    assert "secret" not in done.out + shown.out
    assert shown.out.count("FAILED") == 2
    alone.ok("compose.models/1")


async def test_models_check_tries_again(compose: Run) -> None:
    async with FakeServer(script=[Reply(status=500, retry_after="0"), "OK"]) as server:
        again = await asyncio.to_thread(compose, "models", "check", server.id(), "--json")
    assert again.ok("compose.models/1")["checks"][0]["ok"]


@pytest.mark.parametrize(("id", "status"), [("http://127.0.0.1:9/v1#m", 3), ("gpt-4o-minu", 2)])
def test_models_check_says_who_must_act(id: str, status: int, compose: Run) -> None:
    assert compose("models", "check", id, "--json").status == status


def test_models_check_only_looks_a_recorded_model_up(compose: Run, data: Path) -> None:
    line = ("models", "check", "replay/zeroeval_gsm/gpt-4o-2024-08-06", "--data", data)
    assert compose(*line, "--json").ok("compose.models/1")["checks"][0]["seconds"] is None
    assert compose(*line).out.endswith(": ok, recorded\n")


async def test_cache(compose: Run) -> None:
    async with FakeServer() as server:
        await asyncio.to_thread(compose, "run", server.id(), "Hello")
    info = compose("cache", "info", "--json").ok("compose.cache/1")
    assert info["answers"] == 1
    compose("cache", "prune", "--json").refused(2, "--older-than")
    assert compose("cache", "prune", "--all", "--json").ok("compose.cache/1")["pruned"] == 1


def test_doctor(compose: Run) -> None:
    done = compose("doctor", "--json")
    names = {check["name"] for check in done.json["checks"]}
    assert {"compose", "compose.toml", "per-user folder", "store of calls", "embedded model"} <= names
