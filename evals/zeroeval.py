"""The three recorded ZeroEval sets: one greedy answer of twelve models to every item.

Source: github.com/WildEval/ZeroEval (Apache-2.0). The prompts are as sent, so
`replay/<set>/<model>` answers each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from compose.errors import DataError
from compose.evals.benchmark import Benchmark, Item, data_folder
from compose.evals.jsonl import read_lines
from compose.types import Message


class ZeroEval(Benchmark):
    """A folder with `items.jsonl.gz`, `records.jsonl.gz` and `models.json`."""

    licence = "Apache-2.0 (ZeroEval)"
    recorded = True

    def read(self) -> Iterable[Item]:
        """Yield the recorded items with the prompts that were sent."""
        path = data_folder(self.name, self.data) / "items.jsonl.gz"
        for line, row in read_lines(path):
            for field in ("id", "prompt", "target"):
                if not isinstance(row.get(field), str):
                    raise DataError(f"expected a string, got {row.get(field)!r}", file=str(path), line=line, field=field)
            yield Item(row["id"], (Message("user", row["prompt"]),), row["target"], {}, {"question": row.get("question")})

    def models(self) -> list[str]:
        """The recorded models, in the order of `models.json`."""
        path = data_folder(self.name, self.data) / "models.json"
        try:
            table = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read the recorded models: {error}", file=str(path)) from error
        return [f"replay/{self.name}/{model}" for model in table]


class ZeroEvalGsm(ZeroEval):
    """GSM8K test questions; the answer is a number."""

    name = "zeroeval_gsm"
    answer = "number"
    scoring = "number"
    licence = "MIT (GSM8K), Apache-2.0 (ZeroEval)"


class ZeroEvalCrux(ZeroEval):
    """CRUXEval output prediction; the answer is a Python literal."""

    name = "zeroeval_crux"
    answer = "literal"
    scoring = "literal"
    licence = "MIT (CRUXEval), Apache-2.0 (ZeroEval)"


class ZeroEvalMath(ZeroEval):
    """MATH level 5 with integer answers; the whole answer must equal the target."""

    name = "zeroeval_math_l5"
    answer = "auto"
    scoring = "exact"
    licence = "MIT (MATH), Apache-2.0 (ZeroEval)"
