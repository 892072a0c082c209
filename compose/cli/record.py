"""`compose record`: keep a system's outputs on a benchmark as a set for `replay/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import click

from compose.cli.measure import OPTIONS, Job, judging, measure, told
from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, show
from compose.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from compose.models.call import Caller
    from compose.models.ledger import Ledger
    from compose.models.model import Delta
    from compose.types import Price, Request, Response


class Tape:
    """Stands before a caller and keeps what a pipeline asked, what was answered, and the prices.

    What a judge was asked is no output of the pipeline and is not kept.
    """

    def __init__(self) -> None:
        self._caller: Caller
        self.calls: list[tuple[Request, Response]] = []
        self.prices: dict[str, Price | None] = {}

    def before(self, caller: Caller) -> Self:
        """Stand before this caller."""
        self._caller = caller
        return self

    async def call(self, request: Request, ledger: Ledger, *, node: str = "") -> Response:
        """`Caller.call`, kept."""
        response = await self._caller.call(request, ledger, node=node)
        if node != "judge":
            self._keep(request, response)
        return response

    async def stream(self, request: Request, ledger: Ledger, *, node: str = "") -> AsyncGenerator[Delta]:
        """`Caller.stream`, kept."""
        async for delta in self._caller.stream(request, ledger, node=node):
            if delta.response is not None:
                self._keep(request, delta.response)
            yield delta

    def _keep(self, request: Request, response: Response) -> None:
        self.calls.append((request, response))
        self.prices[request.model] = self._caller.model(request.model).price


@declare("record", *OPTIONS)
@click.argument("p", metavar="P")
@click.option(
    "--as", "name", metavar="SET", required=True, help="Name of the set: replay/SET/MODEL will answer from it."
)
@click.option("--replace", is_flag=True, help="Replace a set of that name.")
def command(p: str, name: str, replace: bool, as_json: bool, seed: int, quiet: bool, **options: Any) -> int:
    """Keep a system's outputs on a benchmark as a set for `replay/`.

    Every call that P's models answered is kept, with prompts, in your own
    folder. A used-up budget keeps what was finished.

    Example:

        compose record local/smollm2-135m --benchmark arith --limit 4 --as mine
    """
    from compose.models.recording import recording_folder, write_recording

    recording_folder(name, replace=replace)  # before anything is spent
    tape = Tape()
    done = measure([p], Job(seed=seed, quiet=quiet, **options), through=tape.before)
    if not tape.calls:
        raise ConfigError(f"{p} asked no model, so there is nothing to record")
    targets = [(item.messages, item.target) for item in done.items]
    folder = write_recording(name, tape.calls, prices=tape.prices, targets=targets, replace=replace)
    evaluation, models = done.evaluations[p], [f"replay/{name}/{id}" for id in tape.prices]
    row = {
        "set": name,
        "folder": str(folder),
        "benchmark": done.benchmark.name,
        "n": len(evaluation.scores),
        "models": models,
        "calls": evaluation.ledger.calls,
        "usd_spent": evaluation.usd_spent,
        "judging": judging(evaluation),
        "errors": told(evaluation),
    }
    if as_json:
        emit("record", row)
    else:
        show(f"{row['n']} items, {row['calls']} calls, {dollars(evaluation.usd_spent)} spent; kept in {folder}")
        show(f"ask them again with {', '.join(models)}")
    return done.close()
