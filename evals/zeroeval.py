"""The three recorded ZeroEval sets: one greedy answer of twelve models to every item.

Source: github.com/WildEval/ZeroEval (Apache-2.0). The prompts are as sent, so
`replay/<set>/<model>` answers each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from compose.config import user_dir
from compose.errors import DataError
from compose.evals.benchmark import Benchmark, Item, data_folder
from compose.evals.jsonl import read_lines
from compose.evals.zeroeval_release import TASKS, import_release, release_files
from compose.types import Message


class ZeroEval(Benchmark):
    """A folder with `items.jsonl.gz`, `records.jsonl.gz` and `models.json`.

    `data` may also be ZeroEval's own `result_dirs`: its files are then turned
    into a recorded set among the user's recordings, once.
    """

    recorded = True

    def read(self) -> Iterable[Item]:
        """Yield the recorded items with the prompts that were sent."""
        path = self.folder() / "items.jsonl.gz"
        for line, row in read_lines(path):
            for field in ("id", "prompt", "target"):
                if not isinstance(row.get(field), str):
                    raise DataError(
                        f"expected a string, got {row.get(field)!r}", file=str(path), line=line, field=field
                    )
            yield Item(
                row["id"], (Message("user", row["prompt"]),), row["target"], {}, {"question": row.get("question")}
            )

    def models(self) -> list[str]:
        """The recorded models, in the order of `models.json`."""
        path = self.folder() / "models.json"
        try:
            table = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError) as error:
            raise DataError(f"cannot read the recorded models: {error}", file=str(path)) from error
        return [f"replay/{self.name}/{model}" for model in table]

    def folder(self) -> Path:
        """Where the set lies. Raises `ConfigError` where there is none."""
        task = self.data / TASKS[self.name] if self.data else None
        if self.data and task and not (self.data / self.name).is_dir() and release_files(task):
            return _imported(task, user_dir() / "recordings" / self.name)
        return data_folder(self.name, self.data)


def _imported(task: Path, out: Path) -> Path:
    """The recorded set of a release, made anew when a file of the release is newer."""
    made = out / "models.json"
    newest = max(path.stat().st_mtime for path in release_files(task))
    fresh = made.exists() and made.stat().st_mtime >= newest
    return out if fresh else import_release(task, out)


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
