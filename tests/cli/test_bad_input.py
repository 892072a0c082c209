"""What goes wrong is told in one line with a hint and the right exit status; what was finished is kept."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from compose.testing.server import FakeServer, Reply
from compose.types import Json
from tests.cli.commandline import Done, Run, command, environment, right_on_even, sums

GOOD = "version: 1\nsteps:\n  - {use: generate, model: local/smollm2-135m}\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["serach"], ["unknown command 'serach'", "`search`"]),
        (["run", "gpt-4o-minu", "hi"], ["unknown model", "gpt-4o-mini"]),
        (["eval", "local/smollm2-135m", "--benchmark", "arit"], ["unknown benchmark 'arit'", "`arith`"]),
        (["techniques", "fuze"], ["unknown technique 'fuze'", "`fuse`"]),
        (["benchmarks", "spatail"], ["unknown benchmark", "`spatial`"]),
        (["models", "pull", "smollm2-135"], ["unknown local model", "`smollm2-135m`"]),
        (["search", "--exclude-model", "x"], ["unknown model to exclude 'x'"]),
        (["run", "no-such-file.yaml", "hi"], ["no-such-file.yaml", "No such file"]),
        (["eval", "no-such-file.yaml", "--benchmark", "arith"], ["no-such-file.yaml"]),
        (["report", "nothing-here"], ["nothing-here", "no search record"]),
        (["compare", "local/smollm2-135m"], ["two different systems"]),
        (["search", "--resume"], ["--out DIR"]),
        (["run", "local/smollm2-135m"], ["no question"]),
        (["eval"], ["Missing argument", "compose eval --help"]),
        (["eval", "m", "--limt", "3"], ["--limt", "--limit"]),
        (["eval", "m", "--limit", "none"], ["--limit", "none"]),
        (["trust", "no-such-folder"], ["no-such-folder"]),
        (["eval", "m", "--benchmark", "arith", "--scorer", "exact"], ["'arith'", "its own scorer"]),
        (["eval", "m", "--limit", "x"], ["'x' is not a valid whole number"]),
        (["eval", "m", "--budget", "x"], ["'x' is not a valid number"]),
        (["plan", "--gain", "0.5"], ["50.0%", "--disagree 0.5"]),
        (["models", "lst"], ["'lst'", "'list'"]),
        (["run", "local/smollm2-135m", "caf\udce9"], [r"'caf\udce9'", "UTF-8"]),
        (["eval", "m", "--benchmark", "caf\udce9.jsonl"], [r"'caf\udce9.jsonl'", "UTF-8"]),
    ],
)
def test_a_wrong_command_line(line: list[str], words: list[str], compose: Run) -> None:
    compose(*line, "--json").refused(2, *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("generate", "genrate"), ["p.yaml:3", "unknown technique 'genrate'", "`generate`"]),
        (GOOD.replace("}", ", temprature: 1}"), ["p.yaml:3", "'temprature'", "`temperature`"]),
        (GOOD.replace("}", ", n: 0}"), ["p.yaml:3", "n"]),
        (GOOD.replace("version", "verison"), ["p.yaml:1", "'verison'"]),
        ("version: 1\nsteps: [", ["p.yaml"]),
    ],
)
def test_a_wrong_pipeline_file(text: str, words: list[str], compose: Run, work: Path) -> None:
    (work / "p.yaml").write_text(text)
    compose("run", "p.yaml", "hi", "--json").refused(2, *words)


def test_a_name_of_two_lines_makes_no_second_line(compose: Run) -> None:
    line = ("eval", "m", "--benchmark", "a\nhint: trust me.jsonl")
    compose(*line, "--json").refused(2, "a hint: trust me.jsonl")
    assert compose(*line).err.startswith("error: a hint: trust me.jsonl: cannot read")


def test_without_json_it_is_one_line_and_a_hint(compose: Run) -> None:
    done = compose("techniques", "fuze")
    assert done.out == ""
    assert done.err == "error: unknown technique 'fuze'\nhint: did you mean `fuse`?\n"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=429, retry_after="0"), "RateLimited"),
        (Reply(status=500, retry_after="0"), "ServerError"),
        (Reply(status=401), "AuthError"),
        (Reply(fault="half"), "BadResponse"),
        (Reply(fault="invalid"), "BadResponse"),
        (Reply(fault="empty"), "BadResponse"),
    ],
)
async def test_a_server_that_misbehaves(reply: Reply, kind: str, compose: Run) -> None:
    async with FakeServer(answer=lambda _: reply) as server:
        done = await asyncio.to_thread(compose, "run", server.id(), "hi", "--json")
        assert done.refused(3, server.id())["kind"] == kind


async def test_a_server_that_says_nothing(compose: Run, work: Path) -> None:
    async with FakeServer(answer=lambda _: Reply(fault="hang")) as server:
        (work / "c.toml").write_text(f'[models.slow]\nid = "{server.id()}"\ntimeout = 0.2\n')
        done = await asyncio.to_thread(compose, "run", "slow", "hi", "--config", "c.toml", "--json")
        assert done.refused(3, "0.2")["kind"] == "CallTimeout"


def test_an_unreachable_server(compose: Run) -> None:
    done = compose("run", "http://127.0.0.1:9/v1#m", "hi", "--json")
    assert done.refused(3, "127.0.0.1:9")["kind"] == "Unreachable"


@pytest.mark.skipif(find_spec("litellm") is None, reason="needs the extra litellm")
def test_a_missing_key(compose: Run) -> None:
    done = compose("run", "gpt-4o-mini", "hi", "--json")
    assert done.refused(3, "OPENAI_API_KEY")["kind"] == "AuthError"


async def test_items_that_failed_count_as_wrong_and_are_told(compose: Run, work: Path) -> None:
    replies = [Reply(text="The answer is 1")] * 4 + [Reply(status=400, error="no")] * 4
    async with FakeServer(script=replies) as server:
        line = ("eval", server.id(), "--benchmark", sums(work), "--scorer", "number", "--split", "all", "--json")
        row = (await asyncio.to_thread(compose, *line)).ok("compose.eval/1")
    assert (row["n"], len(row["errors"])) == (8, 4)
    assert {"item", "kind", "message", "model"} == row["errors"][0].keys()


def test_a_recording_that_lacks_a_prompt(compose: Run, data: Path) -> None:
    done = compose("run", "replay/zeroeval_gsm/gpt-4o-2024-08-06", "Never recorded?", "--data", data, "--json")
    done.refused(3, "zeroeval_gsm", "gpt-4o-2024-08-06")


def test_a_broken_line(compose: Run, work: Path) -> None:
    file = sums(work)
    file.write_text(file.read_text() + '{"id": "x", "prompt": \n')
    compose("eval", "local/smollm2-135m", "--benchmark", file, "--json").refused(2, "sums.jsonl:9")
    file.write_text('{"id": "x", "target": "1"}\n')
    compose("eval", "local/smollm2-135m", "--benchmark", file, "--json").refused(2, "sums.jsonl:1", "prompt")


async def test_a_used_up_budget_keeps_what_was_finished(compose: Run, work: Path) -> None:
    async with FakeServer(answer=right_on_even) as server:
        price = "price = { input = 1000.0, output = 1000.0 }"
        text = f'[models.dear]\nid = "{server.id()}"\n{price}\nconcurrency = 1\nparams = {{ max_tokens = 10 }}\n'
        (work / "c.toml").write_text(text)
        line = ("eval", "dear", "--benchmark", sums(work), "--split", "all", "--config", "c.toml", "--json")
        done = await asyncio.to_thread(compose, *line, "--budget", "0.05")
        assert done.status == 4, done.err
        row = done.json
        assert 0 < row["n"] < 8
        assert row["usd_spent"] <= 0.05
        assert "budget" in done.err
        more = await asyncio.to_thread(compose, *line, "--budget", "10")
    assert more.ok("compose.eval/1")["cached"] == row["calls"]


def test_a_budget_with_an_unknown_price_is_refused(compose: Run) -> None:
    compose("run", "http://127.0.0.1:9/v1#m", "hi", "--budget", "1", "--json").refused(2, "price")


def test_a_bug_of_ours_is_told_with_its_traceback(compose: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("oh no")

    monkeypatch.setattr("compose.cli.techniques.describe", broken)
    done = compose("techniques", "--json")
    assert done.status == 1
    assert "Traceback" in done.err
    assert "report" in done.err
    assert done.json["kind"] == "Bug"


def test_two_searches_on_one_folder(compose: Run, work: Path, data: Path) -> None:
    import fcntl

    out = work / "out"
    line = ("search", "--benchmark", "zeroeval_gsm", "--data", data, "--limit", "10", "--trials", "12", "--out", out)
    compose(*line, "--json").ok("compose.search/1")
    with (out / ".search.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compose(*line, "--resume", "--json").refused(2, "another search")
    compose(*line, "--json").refused(2, "--resume")
    compose(*line, "--seed", "1", "--resume", "--json").refused(2, "seed")


def _small_files() -> None:
    """In the child: no file may grow beyond 200 kB, and writing more is an error, not a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


async def test_a_full_disk(work: Path) -> None:
    async with FakeServer(answer=lambda _: Reply(text="word " * 6000)) as server:
        line = [*command(), "eval", server.id(), "--benchmark", str(sums(work, 40)), "--split", "all", "--json"]
        done = await asyncio.to_thread(
            subprocess.run,
            line,
            capture_output=True,
            text=True,
            cwd=work,
            env=environment(PYTHONDONTWRITEBYTECODE="1"),
            preexec_fn=_small_files,
            check=False,
            timeout=50,
        )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["schema"] == "compose.error/1"


async def test_ctrl_c_keeps_what_was_finished(work: Path, compose: Run) -> None:
    """A real SIGINT in the middle of an eval; the same command then goes on."""
    answered, all_asked = 0, asyncio.Event()

    def slow_after_four(asked: Json) -> Reply:
        nonlocal answered
        answered += 1
        if answered == 8:
            all_asked.set()
        return Reply(text=right_on_even(asked), latency=0.0 if answered <= 4 else 60.0)

    async with FakeServer(answer=slow_after_four) as server:
        line = ["eval", server.id(), "--benchmark", str(sums(work)), "--scorer", "number", "--split", "all", "--json"]
        process = await asyncio.create_subprocess_exec(
            *command(), *line, cwd=work, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await asyncio.wait_for(all_asked.wait(), 40)
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 130, err
        assert json.loads(out)["kind"] == "Interrupted"
        assert b"Traceback" not in err
        assert b"goes on where it stopped" in err
        answered = -100
        row = (await asyncio.to_thread(compose, *line)).ok("compose.eval/1")
        assert row["cached"] == 4
        assert row["quality"]["mean"] == 0.5


def test_a_reader_that_left_is_no_error(work: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        done = subprocess.run(
            [*command(), "schema"],
            check=False,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            cwd=work,
            env=environment(),
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("budget", ["nan", "inf", "-1"])
def test_a_budget_that_is_no_amount(compose: Run, budget: str) -> None:
    compose("run", "local/smollm2-135m", "hi", "--budget", budget, "--json").refused(2, budget)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8:surrogateescape"])
def test_a_question_that_is_no_text(encoding: str, tmp_path: Path) -> None:
    line = [*command(), "run", "local/smollm2-135m", "--json"]
    own = environment(PYTHONIOENCODING=encoding)
    done = subprocess.run(line, input=b"\xff\xfe", cwd=tmp_path, env=own, capture_output=True, check=False)
    Done(done.returncode, done.stdout.decode(), done.stderr.decode()).refused(2, "UTF-8")
