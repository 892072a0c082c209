"""How a search does over many dev and test halves, and how often it cries wolf.

Each recorded set is divided into halves 400 times, with and without o1-mini
(whose hidden tokens the recordings do not bill). On each, singles and portfolio
come from the search's own code on that dev half, the sampler's share is drawn
from a pool fixed per set; the search's own `conclude` picks on dev and measures
on test. Every distinct pipeline is run once on all items through the real
runner, and kept in the cache folder for the same commit, data and prices.

The rules in `compose.search.choice` were chosen on zeroeval_gsm. On the other
sets nothing was chosen; theirs are the figures that say how the rules hold.

The null swaps the marks of winner and best single at random per item: a test at
.05 may then call at most 5 % significant.

    python benchmarks/splits.py --data ../shared/data
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import record

from compose.config import user_dir
from compose.evals.benchmark import Benchmark, Item, load_benchmark
from compose.models.call import Caller
from compose.pipeline.graph import Pipeline
from compose.search import portfolio, setup
from compose.search.entry import compared
from compose.search.explore import SEEDED
from compose.search.picks import pick
from compose.search.racing import Track
from compose.search.record import Measured, Record, Setup, Trial
from compose.search.result import conclude
from compose.search.space import Space, derive

SETS = ("zeroeval_gsm", "zeroeval_crux", "zeroeval_math_l5")
CHOSEN_ON = ("zeroeval_gsm",)
"""Where the rules were chosen: figures of these flatter them."""
PROCESSES = 2
LOWER_BOUND = "o1-mini-2024-09-12"
TRIALS = 64
POOL = 60
Row = tuple[np.ndarray, np.ndarray]
Pool = list[tuple[str, dict[str, Any]]]


class Matrix:
    """Marks and dollars of every pipeline on every item, each pipeline run once."""

    def __init__(self, benchmark: Benchmark, caller: Caller, data: Path) -> None:
        self.items: list[Item] = benchmark.split("all")
        self._track = Track(benchmark, caller, seed=0, recorded=True)
        prices = {m: setup.price(caller, m) for m in benchmark.models()}
        self._file = _store(benchmark.name, data, prices)
        self._rows: dict[str, Row] = {}
        if self._file and self._file.is_file():
            with np.load(self._file) as stored:
                keys = json.loads(str(stored["keys"]))
                self._rows = {k: (s, c) for k, s, c in zip(keys, stored["scores"], stored["usd"], strict=True)}

    async def fill(self, wanted: dict[str, dict[str, Any]]) -> None:
        """Run what is missing of these pipelines, by key."""
        missing = [data for key, data in wanted.items() if key not in self._rows]
        for number, data in enumerate(missing, 1):
            measured = await self._track.measure(data, self.items)
            self._rows[measured.key] = (np.array(measured.scores, float), np.array(measured.usd, float))
            if number % 50 == 0 or number == len(missing):
                _say(f"  {number} of {len(missing)} pipelines run")
                self.save()

    def save(self) -> None:
        """Keep what was run."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scores, usd = (np.array([row[i] for row in self._rows.values()]) for i in (0, 1))
        np.savez_compressed(self._file, keys=json.dumps(list(self._rows)), scores=scores, usd=usd)

    def measured(self, key: str, data: dict[str, Any], rows: np.ndarray) -> Measured:
        """A pipeline on some of the items."""
        scores, usd = self._rows[key]
        return Measured(key=key, pipeline=data, scores=tuple(scores[rows].tolist()), usd=tuple(usd[rows].tolist()))

    def single(self, model: str, rows: np.ndarray) -> portfolio.Single:
        """A model alone on some of the items."""
        scores, usd = self._rows[_data_of(model)[0]]
        return portfolio.Single(float(scores[rows].mean()), float(usd[rows].mean()))


def _store(name: str, data: Path, prices: dict[str, Any]) -> Path | None:
    """Where marks of this commit on these files at these prices are kept; nowhere for a changed tree."""
    if record.changes():
        return None
    digest = hashlib.sha256(json.dumps([record.commit(), prices], sort_keys=True).encode())
    for file in sorted((data / name).iterdir()):
        digest.update(file.read_bytes())
    return user_dir() / "bench" / f"splits-{name}-{digest.hexdigest()[:16]}.npz"


def _data_of(model: str) -> tuple[str, dict[str, Any]]:
    data = {"version": 1, "steps": [{"use": "generate", "model": model}]}
    return Pipeline.from_data(data).key, data


def _keyed(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return Pipeline.from_data(data).key, data


def candidates(
    space: Space, matrix: Matrix, dev: np.ndarray, blind: Pool, rng: random.Random
) -> dict[str, dict[str, Any]]:
    """What a search of `TRIALS` pipelines would try on this dev half, by key."""
    known = {m: matrix.single(m, dev) for m in space.models}
    order = sorted(known, key=lambda m: known[m].cost)
    tried = dict(_data_of(m) for m in space.models)
    for params in portfolio.portfolio(space, known):
        if len(tried) >= SEEDED * TRIALS:
            break
        tried.update([_keyed(space.from_params(params, order=order))])
    for key, data in rng.sample(blind, POOL):
        if len(tried) >= TRIALS:
            break
        tried[key] = data
    return tried


def pool(space: Space) -> Pool:
    """Pipelines drawn blindly from the space, the same for every split; models by list order of price."""
    rng = random.Random(0)
    drawn: dict[str, dict[str, Any]] = {}
    while len(drawn) < POOL:
        drawn.update([_keyed(space.propose(lambda _, values: rng.choice(list(values))))])
    return list(drawn.items())


async def one_set(name: str, data: Path, exclude: str | None, splits: int) -> dict[str, Any]:
    """All splits of one set: mean differences, cost ratios, and the null."""
    benchmark = load_benchmark(name, data=data)
    async with Caller(data=data) as caller:
        matrix = Matrix(benchmark, caller, data)
        models = [m for m in benchmark.models() if exclude is None or not m.endswith("/" + exclude)]
        await matrix.fill(dict(_data_of(m) for m in models))
        everything = np.arange(len(matrix.items))
        models.sort(key=lambda m: matrix.single(m, everything).cost)
        space = derive(models=models, answer=benchmark.answer, recorded=models)
        blind = pool(space)
        plans: list[tuple[np.ndarray, np.ndarray, dict[str, dict[str, Any]]]] = []
        for split in range(splits):
            rows = np.random.default_rng(split).permutation(everything)
            dev, test = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            plans.append((dev, test, candidates(space, matrix, dev, blind, random.Random(split))))
        await matrix.fill({k: d for _, _, tried in plans for k, d in tried.items()})
    outcomes = [_outcome(matrix, space, benchmark, *plan, seed=i) for i, plan in enumerate(plans)]
    return {"rules_chosen_here": name in CHOSEN_ON, **_summary(outcomes, len(matrix.items))}


def _outcome(
    matrix: Matrix,
    space: Space,
    benchmark: Benchmark,
    dev: np.ndarray,
    test: np.ndarray,
    tried: dict[str, dict[str, Any]],
    *,
    seed: int,
) -> dict[str, Any]:
    trials = [
        Trial(number=i, params={}, measured=matrix.measured(key, data, dev))
        for i, (key, data) in enumerate(tried.items())
    ]
    picks = pick(trials, len(dev))
    if picks is None:
        raise RuntimeError("no model was measured")
    chosen = [picks.single, picks.winner]
    asked = Setup(
        benchmark=benchmark.name,
        answer=benchmark.answer,
        seed=seed,
        sampler="pool",
        models=space.models,
        space=msgspec.to_builtins(space),
        dev=tuple(matrix.items[int(i)].id for i in dev),
        test=tuple(matrix.items[int(i)].id for i in test),
        recorded=True,
        version="",
    )
    on_test = {t.measured.key: matrix.measured(t.measured.key, t.measured.pipeline, test) for t in chosen}
    result = conclude(Record(setup=asked, trials=trials, test=list(on_test.values()), wanted=TRIALS))
    if result.winner is None or result.best_single is None:
        raise RuntimeError("nothing was measured")
    same = picks.winner.measured.key == picks.single.measured.key
    other = _runner_up(trials, picks.single) if same else picks.winner
    single, rival = (matrix.measured(t.measured.key, t.measured.pipeline, test) for t in (picks.single, other))
    return {
        "difference": result.winner.quality - result.best_single.quality,
        "winner_usd": result.winner.usd_per_item,
        "single_usd": result.best_single.usd_per_item,
        "found": not same,
        "recommended": result.recommended == "winner",
        "significant": result.winner.significant,
        "single": result.best_single.model,
        "null": _null(rival, single, seed),
    }


def _runner_up(trials: list[Trial], single: Trial) -> Trial:
    return max((t for t in trials if t is not single), key=lambda t: t.measured.quality)


def _null(rival: Measured, single: Measured, seed: int) -> bool:
    """Whether the search's own test calls a difference significant that is there by chance alone."""
    rng = np.random.default_rng([seed, 1])
    swap = rng.random(len(single.scores)) < 0.5
    a = [y if s else x for x, y, s in zip(rival.scores, single.scores, swap, strict=True)]
    b = [x if s else y for x, y, s in zip(rival.scores, single.scores, swap, strict=True)]
    replace = msgspec.structs.replace
    return compared([replace(rival, scores=tuple(a))], replace(single, scores=tuple(b)), {})[0].significant


def _summary(outcomes: list[dict[str, Any]], items: int) -> dict[str, Any]:
    differences = np.array([o["difference"] for o in outcomes])
    ratios = np.array([o["winner_usd"] / o["single_usd"] for o in outcomes])
    low, high = np.quantile(differences, [0.025, 0.975])
    return {
        "items": items,
        "splits": len(outcomes),
        "difference_points": round(100 * float(differences.mean()), 3),
        "difference_points_95": [round(100 * float(low), 2), round(100 * float(high), 2)],
        "cost_ratio": round(float(ratios.mean()), 4),
        "found_other_than_single": float(np.mean([o["found"] for o in outcomes])),
        "recommended_winner": float(np.mean([o["recommended"] for o in outcomes])),
        "significant": float(np.mean([o["significant"] for o in outcomes])),
        "significant_under_null": float(np.mean([o["null"] for o in outcomes])),
        "best_singles": {m: sum(o["single"] == m for o in outcomes) for m in sorted({o["single"] for o in outcomes})},
    }


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def both(name: str, data: Path, splits: int) -> dict[str, Any]:
    """A set with and without the model whose price is a lower bound, by label."""
    figures: dict[str, Any] = {}
    for label, exclude in ((name, None), (f"{name} without o1-mini", LOWER_BOUND)):
        _say(label)
        figures[label] = asyncio.run(one_set(name, data, exclude, splits))
        _say(f"{label}: {json.dumps(figures[label])}")
    return figures


def main() -> None:
    """Run all sets and write the figures; of some sets only, they are shown and not written."""
    parser = record.options(__doc__, data=True)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--splits", type=int, default=400)
    given = record.parsed(parser)
    began = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as processes:
        parts = [processes.submit(both, name, given.data, given.splits) for name in given.sets]
        figures = {label: figure for part in parts for label, figure in part.result().items()}
    seconds = round(time.perf_counter() - began, 1)
    if given.sets == list(SETS):
        print(record.write("splits", figures, seed=0, trials=TRIALS, seconds=seconds))


if __name__ == "__main__":
    main()
