"""GSM8K in its published files: grade-school word problems, questions only.

Paper: Cobbe et al., 2021, arXiv:2110.14168. The training file is dev, the test
file is test. Golds known to be wrong stay as published and are named in the
item's `meta["gold_fault"]`; together they are about 1 % of the test file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from compose.errors import DataError, UnknownName
from compose.evals.benchmark import Benchmark, Item, Split, data_folder, halves
from compose.evals.jsonl import read_lines
from compose.types import Message

INSTRUCTION = "Think step by step, then finish with `Answer: N`, where N is the number."
WRONG_GOLDS = {454: "240", 749: "6", 1309: "2180"}
DISPUTED_GOLDS = frozenset({368, 649, 675, 782, 823, 952, 962, 984, 1016, 1161})


class Gsm8k(Benchmark):
    """The 7,473 training and 1,319 test problems; the answer is a number."""

    name = "gsm8k"
    answer = "number"
    scoring = "number"
    licence = "MIT (GSM8K)"

    def read(self) -> Iterable[Item]:
        """Yield the training problems, then the test problems."""
        folder = data_folder(self.name, self.data)
        for part in ("train", "test"):
            for path in (folder / f"{part}.jsonl.gz", folder / f"{part}.jsonl"):
                if path.exists():
                    yield from _part(path, part)
                    break
            else:
                raise DataError(f"{part}.jsonl is not there", file=str(folder))

    def split(
        self, which: Split = "all", *, seed: int = 0, limit: int | None = None, dev_share: float = 0.5
    ) -> list[Item]:
        """The published parts: train is dev, test is test; the seed sets the order, `dev_share` plays no part."""
        if which not in ("dev", "test", "all"):
            raise UnknownName("split", which, ("dev", "test", "all"))
        parts = [p for p, name in (("train", "dev"), ("test", "test")) if which in (name, "all")]
        chosen: list[Item] = []
        for part in parts:
            chosen += halves([i for i in self.items() if i.meta["part"] == part], seed=seed, dev_share=1.0)[0]
        return chosen if limit is None else chosen[: max(limit, 0)]


def _part(path: Path, part: Literal["train", "test"] | str) -> Iterable[Item]:
    for line, row in read_lines(path):
        question, solution = row.get("question"), row.get("answer")
        for field, value in (("question", question), ("answer", solution)):
            if not isinstance(value, str):
                raise DataError(f"expected a string, got {value!r}", file=str(path), line=line, field=field)
        before, mark, gold = str(solution).rpartition("####")
        if not mark:
            raise DataError("a solution ends with `#### number`", file=str(path), line=line, field="answer")
        index = line - 1
        meta: dict[str, Any] = {"part": part, "question": question, "solution": before.strip()}
        if part == "test" and index in WRONG_GOLDS:
            meta["gold_fault"] = f"wrong, right is {WRONG_GOLDS[index]}"
        elif part == "test" and index in DISPUTED_GOLDS:
            meta["gold_fault"] = "disputed"
        target = gold.strip().replace(",", "")
        yield Item(f"{part}-{index}", (Message("user", f"{question}\n\n{INSTRUCTION}"),), target, {}, meta)
