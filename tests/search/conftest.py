"""A small recorded set with a cheap, a middling and a dear model, and what tests do with it."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.evals.benchmark import Benchmark, Item
from compose.types import Message

MODELS = {
    "small": (0.80, 0.1),
    "other": (0.80, 0.12),
    "middle": (0.88, 1.0),
    "large": (0.96, 10.0),
}
"""Accuracy, and USD per million tokens in and out."""
ITEMS = 220


class Toy(Benchmark):
    """Sums whose answers four imagined models gave."""

    name = "toy"
    answer = "number"
    scoring = "number"
    licence = "made up"
    recorded = True

    def read(self) -> Iterator[Item]:
        """The prompts as they were recorded."""
        for i in range(ITEMS):
            yield Item(f"toy-{i}", (Message("user", f"What is {i} + 1?"),), str(i + 1))

    def models(self) -> list[str]:
        """All four."""
        return [f"replay/toy/{model}" for model in MODELS]


def write_set(folder: Path) -> None:
    """Write the recordings; hard items are hard for every model, as in life."""
    folder.mkdir(parents=True)
    rng = random.Random(0)
    with gzip.open(folder / "items.jsonl.gz", "wt") as items, gzip.open(folder / "records.jsonl.gz", "wt") as records:
        for i in range(ITEMS):
            items.write(json.dumps({"id": f"toy-{i}", "prompt": f"What is {i} + 1?", "target": str(i + 1)}) + "\n")
            hard = rng.random()
            for model, (accuracy, _) in MODELS.items():
                right = 0.5 * hard + 0.5 * rng.random() > _threshold(accuracy)
                said = i + 1 if right else i + 1 + rng.randint(2, 50)
                record = {
                    "id": f"toy-{i}",
                    "model": model,
                    "output": f"The answer is {said}.",
                    "answer": str(said),
                    "correct": int(right),
                    "prompt_tokens": 20,
                    "completion_tokens": 100,
                }
                records.write(json.dumps(record) + "\n")
    prices = {
        model: {"input_usd_per_mtok": price, "output_usd_per_mtok": price, "price_source": "made up"}
        for model, (_, price) in MODELS.items()
    }
    (folder / "models.json").write_text(json.dumps(prices))


def _threshold(accuracy: float) -> float:
    """Where the mean of two uniform draws lies above with this chance."""
    miss = 1 - accuracy
    return (miss / 2) ** 0.5


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the set `toy`."""
    data = tmp_path_factory.mktemp("data")
    write_set(data / "toy")
    return data


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path / "user"))
