"""The recorded sets: their published accuracies come out, their forms are read."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from compose.errors import ConfigError, DataError
from compose.evals.benchmark import load_benchmark
from compose.evals.evaluate import evaluate
from compose.evals.zeroeval_release import import_release
from compose.models.call import Caller
from compose.pipeline.answer import equal, extract
from compose.pipeline.graph import Pipeline
from compose.techniques.generate import Generate

SETS = {"zeroeval_gsm": 0, "zeroeval_crux": 0, "zeroeval_math_l5": 2}
"""Records on which the recorded mark and ours differ: one states its answer outside JSON, one names it only as a step."""


def records(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", SETS)
def test_every_record_is_marked_as_recorded(data: Path, name: str) -> None:
    benchmark = load_benchmark(name, data=data)
    targets = {item.id: item.target for item in benchmark.items()}
    kind = benchmark.answer
    differ: list[str] = []
    for record in records(data / name / "records.jsonl.gz"):
        answer = extract(record["output"], kind)
        right = answer is not None and equal(answer, targets[record["id"]], kind)
        if right != bool(record["correct"]):
            differ.append(f"{record['id']} {record['model']}")
    assert len(differ) <= SETS[name], differ


def test_every_re_reading_is_marked_as_recorded(data: Path) -> None:
    targets = {item["id"]: item["target"] for item in records(data / "re2_gsm8k" / "items.jsonl.gz")}
    differ = 0
    for record in records(data / "re2_gsm8k" / "records.jsonl.gz"):
        answer = extract(record["output"] or "", "number")
        differ += (answer is not None and equal(answer, targets[record["id"]], "number")) != bool(record["correct"])
    assert differ == 0


def published(readme: str) -> dict[str, float]:
    """The accuracy column of a README's table of models."""
    return {m[1]: float(m[2]) for m in re.finditer(r"^\| ([\w.-]+) \| (\d+\.\d+) \|", readme, re.MULTILINE)}


async def test_a_replayed_model_has_its_published_accuracy_and_cost(data: Path) -> None:
    benchmark = load_benchmark("zeroeval_crux", data=data)
    expected = published((data / "zeroeval_crux" / "README.md").read_text(encoding="utf-8"))
    assert {id.rpartition("/")[2] for id in benchmark.models()} == set(expected)
    async with Caller(cache="off", data=data) as caller:
        for id in benchmark.models()[:3]:
            found = await evaluate(Pipeline.of(Generate(model=id)), benchmark, benchmark.items(), caller)
            assert 100 * found.quality.mean == pytest.approx(expected[id.rpartition("/")[2]], abs=0.1)
            assert not found.errors


def test_the_published_parts_of_gsm8k_are_its_split(data: Path) -> None:
    benchmark = load_benchmark("gsm8k", data=data)
    assert len(benchmark.split("dev")) == 7473
    test = benchmark.split("test")
    assert len(test) == 1319
    assert next(i for i in test if i.id == "test-749").meta["gold_fault"] == "wrong, right is 6"
    assert all(extract(f"#### {i.target}", "number") for i in test)


def session(id: str, output: str, *, prompt: str = "1 + 1?") -> dict[str, Any]:
    return {
        "session_id": id,
        "chat_history": [prompt],
        "output": [output],
        "answer": "# 2",
        "question": prompt,
        "dataset": "gsm",
    }


def release(folder: Path, **models: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True)
    for name, sessions in models.items():
        (folder / f"{name}.json").write_text(json.dumps(sessions), encoding="utf-8")
    return folder


async def test_a_release_is_read_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path / "user"))
    release(tmp_path / "gsm", small=[session("q0", '{"answer": "2"}')], large=[session("q0", '{"answer": "3"}')])
    benchmark = load_benchmark("zeroeval_gsm", data=tmp_path)
    assert [(i.id, i.target, i.prompt) for i in benchmark.items()] == [("q0", "2", "1 + 1?")]
    assert benchmark.models() == ["replay/zeroeval_gsm/large", "replay/zeroeval_gsm/small"]
    async with Caller(cache="off", data=tmp_path) as caller:
        marks = [
            (await evaluate(Pipeline.of(Generate(model=id)), benchmark, benchmark.items(), caller))
            for id in benchmark.models()
        ]
    assert [m.scores for m in marks] == [{"q0": 0.0}, {"q0": 1.0}]
    assert marks[0].usd_total is None


def test_a_release_whose_prompts_differ_or_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "gsm", a=[session("q0", "2")], b=[session("q0", "2", prompt="2 + 2?")])
    with pytest.raises(DataError, match="not the one of the other models"):
        import_release(folder, tmp_path / "out")
    with pytest.raises(DataError, match=r"a.json: not a file of a ZeroEval release"):
        import_release(release(tmp_path / "bad", a=[{"x": 1}]), tmp_path / "out")
    with pytest.raises(DataError, match="no results"):
        import_release(release(tmp_path / "empty"), tmp_path / "out")


def test_a_missing_or_broken_set_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPOSE_DATA", raising=False)
    with pytest.raises(ConfigError, match="zeroeval_gsm"):
        load_benchmark("zeroeval_gsm", data=tmp_path).items()
    (tmp_path / "zeroeval_gsm").mkdir()
    (tmp_path / "zeroeval_gsm" / "items.jsonl.gz").write_bytes(
        gzip.compress(b'{"id": "a", "prompt": "x", "target": 3}\n')
    )
    with pytest.raises(DataError, match=r"items.jsonl.gz:1: field `target`: expected a string, got 3"):
        load_benchmark("zeroeval_gsm", data=tmp_path).items()
    with pytest.raises(DataError, match=r"models.json"):
        load_benchmark("zeroeval_gsm", data=tmp_path).models()
