"""`compose models`: what can be called and at what price, fetching weights, trying a model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from compose.cli.options import command as declare
from compose.cli.output import dollars, emit, progress, say, show, table
from compose.errors import ComposeError

if TYPE_CHECKING:
    from compose.models.call import Caller

PATIENCE, RETRIES = 60.0, 1
"""Seconds for an attempt of a trial call, and how often it is tried again."""


class Told(msgspec.Struct, frozen=True):
    """Why a model did not answer."""

    kind: str
    message: str
    hint: str | None
    exit_status: int


class Checked(msgspec.Struct, frozen=True):
    """What came of a trial call."""

    id: str
    ok: bool
    seconds: float | None = None
    usd: float | None = None
    text: str = ""
    error: Told | None = None


@click.group("models")
def command() -> None:
    """List, fetch and check models.

    An id is local/NAME, local/PATH.gguf, http://host:port/v1#model, provider/model,
    a well-known name, replay/SET/MODEL, or a name in compose.toml.
    """


@declare("list", "data", "config")
def list_(data: Path | None, config: Path | None, as_json: bool) -> None:
    """List the models known by name, with their prices.

    In USD per million tokens. Makes no call and asks no server.

    Example:

        compose models list
    """
    from compose.config import load_config
    from compose.models.catalogue import list_models

    found = list_models(load_config(explicit=config), data)
    if as_json:
        emit("models", {"models": [msgspec.to_builtins(m) for m in found]})
        return
    table(
        ["id", "kind", "USD in", "USD out", "context", "", "note"],
        [
            (m.id, m.kind, m.usd_per_mtok_in, m.usd_per_mtok_out, m.context, "" if m.available else "absent", m.note)
            for m in found
        ],
    )


@declare("pull")
@click.argument("name")
@click.option("--force", is_flag=True, help="Fetch it even where it is here already.")
def pull(name: str, force: bool, as_json: bool, quiet: bool) -> None:
    """Fetch a local model's weights and verify them by digest.

    Example:

        compose models pull smollm2-135m
    """
    from compose.models.catalogue import pull as fetch

    with progress(f"fetching {name}", quiet=quiet) as advance:
        path = asyncio.run(fetch(name, progress=lambda done, total: advance(done, total), force=force))
    if as_json:
        emit("models", {"name": name, "file": str(path), "bytes": path.stat().st_size})
    else:
        say(f"{name}: {path}", quiet=quiet)


@declare("check", "data", "config")
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
def check(ids: tuple[str, ...], data: Path | None, config: Path | None, as_json: bool, quiet: bool) -> int:
    """Ask each model for a few tokens and say how that went.

    A recorded model is only looked up, a fallback is not asked. Exit status 3 if
    a model did not answer, 2 if an id stands for nothing.

    Example:

        compose models check local/smollm2-135m
    """
    with progress("asking", quiet=quiet):
        rows = asyncio.run(_checks(dict.fromkeys(ids), data, config))
    if as_json:
        emit("models", {"checks": rows})
    else:
        for row in rows:
            _show(row)
    return max(row.error.exit_status if row.error else 0 for row in rows)


async def _checks(ids: Iterable[str], data: Path | None, config: Path | None) -> list[Checked]:
    """One real call to each, side by side, within the limits and with the patience of any other."""
    from compose.config import load_config
    from compose.models.call import Caller

    settings = load_config(explicit=config)
    alone = {name: msgspec.structs.replace(model, fallbacks=()) for name, model in settings.models.items()}
    settings = msgspec.structs.replace(settings, models=alone)
    async with Caller(settings, cache="off", data=data, timeout=PATIENCE, retries=RETRIES) as caller:
        return await asyncio.gather(*(_check(id, caller) for id in ids))


async def _check(id: str, caller: Caller) -> Checked:
    from compose.models.ledger import Ledger
    from compose.types import Message, Params, Request

    try:
        if caller.model(id).stored:
            return Checked(id, True, text="recorded")
        ledger = Ledger()
        request = Request(id, (Message("user", "Say OK."),), Params(max_tokens=16))
        response = await caller.call(request, ledger)
        return Checked(id, True, response.seconds, ledger.usd_spent, response.text)
    except ComposeError as error:
        return Checked(id, False, error=Told(error.kind, error.message, error.hint, error.exit_status))


def _show(row: Checked) -> None:
    if row.error:
        show(f"{row.id}: FAILED: {row.error.message}" + (f"\nhint: {row.error.hint}" if row.error.hint else ""))
    else:
        show(f"{row.id}: ok, {row.text if row.seconds is None else f'{row.seconds:.2f} s, {dollars(row.usd)}'}")


command.add_command(list_)
command.add_command(pull)
command.add_command(check)
