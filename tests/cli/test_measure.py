"""What eval, record and compare say of money, failures, time, and a budget that ends."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from compose.config import user_dir
from compose.testing.server import FakeServer, Reply
from compose.types import Json
from tests.cli.commandline import Run, right_on_even, sums


def pupil_and_judge(asked: Json) -> str:
    return "Mark: 10" if asked["model"] == "judge" else right_on_even(asked)


def priced(work: Path, server: FakeServer, *names: str) -> tuple[str, ...]:
    """Models that cost 1 cent a call at most, by their own names; the options that tell of them."""
    price = "price = { input = 0.0, output = 1000.0 }\nparams = { max_tokens = 10 }\nconcurrency = 1\n"
    tables = (f'[models.{name}]\nid = "{server.id(name)}"\n{price}' for name in names)
    (work / "c.toml").write_text("".join(tables))
    return ("--config", "c.toml", "--benchmark", str(sums(work)), "--split", "all")


async def test_what_judges_cost_is_spent_and_told_apart(compose: Run, work: Path) -> None:
    async with FakeServer(answer=pupil_and_judge) as server:
        more = (*priced(work, server, "pupil", "other", "judge"), "--scorer", "judge:judge")
        row = (await asyncio.to_thread(compose, "eval", "pupil", *more, "--json")).ok("compose.eval/1")
        shown = await asyncio.to_thread(compose, "eval", "pupil", *more)
        kept = await asyncio.to_thread(compose, "record", "pupil", *more, "--cache", "off", "--as", "mine", "--json")
        both = await asyncio.to_thread(compose, "compare", "pupil", "other", *more, "--cache", "off", "--json")
    assert (row["calls"], row["judging"]["calls"]) == (8, 8)
    assert row["judging"]["usd"] > 0
    assert row["usd_spent"] == pytest.approx(row["usd"] + row["judging"]["usd"])
    assert "judging 8 calls" in shown.out
    for told in (kept.ok("compose.record/1"), *both.ok("compose.compare/1")["systems"]):
        assert told["judging"]["calls"] == 8
        assert told["usd_spent"] == pytest.approx(row["usd_spent"])


async def test_a_recording_holds_what_the_pipeline_asked_and_not_its_judge(compose: Run, work: Path) -> None:
    async with FakeServer(answer=pupil_and_judge) as server:
        more = (*priced(work, server, "pupil", "judge"), "--scorer", "judge:judge")
        kept = (await asyncio.to_thread(compose, "record", "pupil", *more, "--as", "mine", "--json")).ok(
            "compose.record/1"
        )
        asked = server.count
        again = await asyncio.to_thread(compose, "record", "pupil", *more, "--cache", "off", "--as", "mine", "--json")
        again.refused(2, "'mine'", "--replace")
        assert server.count == asked
    lines = gzip.decompress((Path(kept["folder"]) / "records.jsonl.gz").read_bytes()).splitlines()
    assert {json.loads(line)["model"] for line in lines} == {"pupil"}
    assert len(lines) == 8
    assert kept["models"] == ["replay/mine/pupil"]


async def test_compare_tells_of_items_that_failed(compose: Run, work: Path) -> None:
    def b_is_ill(asked: Json) -> Reply | str:
        return Reply(status=400, error="no") if asked["model"] == "b" and "3 + 1" in str(asked) else "Answer: 4"

    async with FakeServer(answer=b_is_ill) as server:
        line = ("compare", "a", "b", *priced(work, server, "a", "b"), "--scorer", "number")
        row = (await asyncio.to_thread(compose, *line, "--json")).ok("compose.compare/1")
        shown = await asyncio.to_thread(compose, *line)
    assert [len(s["errors"]) for s in row["systems"]] == [0, 1]
    assert row["systems"][1]["errors"][0]["item"] == "q3"
    assert "b: 1 of 8 items failed and count as wrong; the first: " in shown.err


async def test_compare_keeps_what_was_finished_when_the_budget_ends(compose: Run, work: Path) -> None:
    async with FakeServer(answer=right_on_even) as server:
        line = ("compare", "a", "b", "c", *priced(work, server, "a", "b", "c"), "--scorer", "number", "--json")
        done = await asyncio.to_thread(compose, *line, "--budget", "0.06")
        nothing = await asyncio.to_thread(compose, *line, "--cache", "off", "--budget", "0.001")
    assert done.status == 4, done.err
    assert [(s["system"], s["n"] > 0) for s in done.json["systems"]] == [("a", True), ("b", True)]
    a, b = (s["n"] for s in done.json["systems"])
    assert a == 8 > b
    assert [(d["a"], d["b"], d["n"]) for d in done.json["diffs"]] == [("a", "b", b)]
    assert "budget" in done.err
    assert f"finished: a (8 of 8 items), b ({b} of 8 items)" in done.err
    nothing.refused(4, "budget")


def recorded(**times: Any) -> Path:
    """A set of the user's own with one answer, timed or not."""
    folder = user_dir() / "recordings" / "mine"
    folder.mkdir(parents=True)
    item = {"id": "q0", "prompt": "What is 0 + 1?"}
    (folder / "items.jsonl.gz").write_bytes(gzip.compress(json.dumps(item).encode()))
    record = {"id": "q0", "model": "m", "output": "Answer: 1", **times}
    (folder / "records.jsonl.gz").write_bytes(gzip.compress(json.dumps(record).encode()))
    return folder


@pytest.mark.parametrize(("times", "expected"), [({}, None), ({"seconds": 2.5}, 2.5)])
def test_a_recorded_model_takes_the_time_that_was_recorded(
    times: Json, expected: float | None, compose: Run, work: Path
) -> None:
    recorded(**times)
    line = ("eval", "replay/mine/m", "--benchmark", sums(work, 1), "--split", "all")
    assert compose(*line, "--json").ok("compose.eval/1")["latency_s"] == {"p50": expected, "p95": expected}
    assert ("latency unknown\n" if expected is None else "2.50 s an item (median)") in compose(*line).out
