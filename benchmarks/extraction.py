"""Hold answer extraction against every recorded mark; write benchmarks/results/extraction.json.

For each set: the share of records on which our mark equals the recorded one, the
records where it does not, the accuracy of each model under our marks beside the
recorded one, the time an answer takes to read, and as a peer the share of
answers that `json.loads` on the outermost braces loses.

    python benchmarks/extraction.py --data DIR
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import record

sys.path.insert(0, str(record.ROOT))

from compose.pipeline.answer import equal, extract  # found through the path above

Row = dict[str, Any]
KINDS = {"zeroeval_gsm": "number", "zeroeval_crux": "literal", "zeroeval_math_l5": "auto", "re2_gsm8k": "number",
         "routellm_gsm8k": "number"}  # fmt: skip
TARGET = 0.999
VERDICTS = {
    "mathl5-278 o1-mini-2024-09-12": "ours: it states `**Answer**: 28` outside JSON, and the gold is 28",
    "mathl5-505 llama-3.1-8b-instruct": "ours: its answer ends in `= 188`, the gold is 233",
    "gsm8k-test-856 mixtral-8x7b": "ours: `#### 7 packs and 2 extra glue sticks`, the gold is 7; the last number was taken",
    "gsm8k-test-1001 mixtral-8x7b": "ours: `#### 2:00 pm`, the gold is 2; the last number was taken",
    "gsm8k-test-1159 mixtral-8x7b": "ours: `#### 50% or 1/2`, the gold is 50; the last number was taken",
    "gsm8k-test-1218 mixtral-8x7b": "ours: `#### 225 minutes or 3 hours and 45 minutes`, the gold is 225",
}
"""Who is right where the marks differ, decided by reading the output."""


class Marked(NamedTuple):
    """One recorded output, its target and its recorded mark."""

    id: str
    model: str
    output: str
    target: str
    correct: bool


def main() -> None:
    """Measure, print, write."""
    folder = record.parsed(record.options(__doc__, data=True)).data
    figures = {name: measure(name, list(outputs(name, folder / name))) for name in KINDS}
    for name, f in figures.items():
        print(
            f"{name:18} n={f['n']:6}  agreement {f['agreement']:.5f}  {f['microseconds']:6.1f} us  strict {f['strict_json_lost']}"
        )
    record.write("extraction", figures, target=TARGET)


def lines(path: Path) -> Iterator[Row]:
    """The rows of a compressed file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def outputs(name: str, folder: Path) -> Iterator[Marked]:
    """The recorded outputs of a set."""
    if name == "routellm_gsm8k":
        for row in lines(folder / "prompts.jsonl.gz"):
            for model, output in row["response"].items():
                yield Marked(row["id"], model, output, row["target"], bool(row["regraded"][model]))
    else:
        targets = {row["id"]: row["target"] for row in lines(folder / "items.jsonl.gz")}
        for row in lines(folder / "records.jsonl.gz"):
            yield Marked(row["id"], row["model"], row["output"] or "", targets[row["id"]], bool(row["correct"]))


def measure(name: str, rows: list[Marked]) -> Row:
    """The figures of a set."""
    kind = KINDS[name]
    started = time.perf_counter()
    answers = [extract(row.output, kind) for row in rows]
    seconds = time.perf_counter() - started
    marks = [answer is not None and equal(answer, row.target, kind) for answer, row in zip(answers, rows, strict=True)]
    differ = [(row, mark) for row, mark in zip(rows, marks, strict=True) if mark != row.correct]
    return {
        "n": len(rows),
        "agreement": 1 - len(differ) / len(rows),
        "disagreements": [
            {
                "record": f"{row.id} {row.model}",
                "ours": int(mark),
                "recorded": int(row.correct),
                "right": VERDICTS.get(f"{row.id} {row.model}", "not decided"),
            }
            for row, mark in differ
        ],
        "microseconds": 1e6 * seconds / len(rows),
        "accuracy": accuracies(rows, marks),
        "strict_json_lost": strict_json(rows) if name.startswith("zeroeval") else None,
    }


def accuracies(rows: list[Marked], marks: list[bool]) -> dict[str, dict[str, float]]:
    """Per model: the share right under our marks, and as recorded."""
    ours: dict[str, list[bool]] = defaultdict(list)
    recorded: dict[str, list[bool]] = defaultdict(list)
    for row, mark in zip(rows, marks, strict=True):
        ours[row.model].append(mark)
        recorded[row.model].append(row.correct)
    return {m: {"ours": sum(v) / len(v), "recorded": sum(recorded[m]) / len(v)} for m, v in ours.items()}


def strict_json(rows: list[Marked]) -> dict[str, float]:
    """Per model: the share of outputs whose outermost braces `json.loads` cannot read, or that lack an answer."""
    lost: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        lost[row.model].append(not strictly_read(row.output))
    return {model: round(sum(v) / len(v), 4) for model, v in lost.items()}


def strictly_read(output: str) -> bool:
    """Whether strict parsing finds an answer."""
    try:
        found = json.loads(output[output.index("{") : output.rindex("}") + 1])
    except ValueError:
        return False
    return isinstance(found, dict) and "answer" in found


if __name__ == "__main__":
    main()
