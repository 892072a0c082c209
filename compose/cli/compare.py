"""`compose compare`: systems on the same items, with paired tests."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import click

from compose.cli.measure import OPTIONS, Job, figures, measure
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, percent, seconds, table
from compose.errors import ConfigError

if TYPE_CHECKING:
    from compose.evals.evaluate import Evaluation


@declare("compare", *OPTIONS)
@click.argument("systems", metavar="P Q…", nargs=-1, required=True)
def command(systems: tuple[str, ...], as_json: bool, seed: int, quiet: bool, **options: Any) -> int:
    """Compare systems on the same items of a benchmark.

    Every pair is tested on the items that both finished, two-sided; p is Holm's,
    over all pairs. A used-up budget keeps what was finished.

    Example:

        compose compare local/smollm2-135m winner.yaml --benchmark arith --limit 8
    """
    if len(set(systems)) < 2:
        raise ConfigError("compare needs two different systems", hint="compose compare P Q --benchmark B")
    done = measure(systems, Job(seed=seed, quiet=quiet, **options))
    rows = {
        "n": len(done.items),
        "systems": [{"system": name, **figures(e, done.items)} for name, e in done.evaluations.items()],
        "diffs": _diffs(done.evaluations),
    }
    if as_json:
        emit("compare", {"benchmark": done.benchmark.name, "split": done.job.split, **rows})
    else:
        _show(rows)
    return done.close()


def _diffs(evaluations: dict[str, Evaluation]) -> list[dict[str, Any]]:
    """Every pair of systems that have finished items in common."""
    from compose.evals.statistics import holm, paired_difference

    pairs = [
        (a, b, shared)
        for a, b in combinations(evaluations, 2)
        if (shared := [id for id in evaluations[a].scores if id in evaluations[b].scores])
    ]
    tests = [
        paired_difference(*([evaluations[name].scores[id] for id in shared] for name in (a, b)))
        for a, b, shared in pairs
    ]
    adjusted = holm([t.p for t in tests])
    return [
        {"a": a, "b": b, "n": t.n, "diff": t.diff, "p": p, "better": None if p > 0.05 else a if t.diff.mean > 0 else b}
        for (a, b, _), t, p in zip(pairs, tests, adjusted, strict=True)
    ]


def _show(rows: dict[str, Any]) -> None:
    table(
        ["system", "items", "failed", "quality", "low", "high", "USD an item", "seconds"],
        [
            (
                s["system"],
                s["n"],
                len(s["errors"]),
                *(percent(getattr(s["quality"], k)) for k in ("mean", "low", "high")),
                dollars(s["usd_per_item"]),
                seconds(s["latency_s"]["p50"]),
            )
            for s in rows["systems"]
        ],
    )
    table(
        ["a", "b", "items", "a - b", "low", "high", "p", "better"],
        [
            (
                d["a"],
                d["b"],
                d["n"],
                *(f"{100 * getattr(d['diff'], k):+.1f}" for k in ("mean", "low", "high")),
                f"{d['p']:.3f}",
                d["better"] or "neither",
            )
            for d in rows["diffs"]
        ],
    )
