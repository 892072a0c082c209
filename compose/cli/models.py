"""`compose models`: what can be called and at what price, fetching weights, trying a model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from compose.cli.options import command as declare
from compose.cli.output import emit, progress, say, show, table


@click.group("models")
def command() -> None:
    """List, fetch and check models.

    An id is local/NAME, local/PATH.gguf, http://host:port/v1#model, provider/model,
    a well-known name, replay/SET/MODEL, or a name in compose.toml.
    """


@declare("list", "data", "config")
def list_(data: Path | None, config: Path | None, as_json: bool) -> None:
    """List the models known by name, with prices in USD per million tokens.

    Makes no call and asks no server.

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
def check(ids: tuple[str, ...], data: Path | None, config: Path | None, as_json: bool) -> int:
    """Ask each model for a few tokens and say how that went.

    Exit status 3 if one did not answer. A recorded model is only looked up.

    Example:

        compose models check local/smollm2-135m
    """
    from compose.config import load_config
    from compose.models.catalogue import check as ask

    settings = load_config(explicit=config)

    async def work() -> list[dict[str, object]]:
        done = [await ask(id, settings, data=data) for id in ids]
        return [
            {
                "id": c.id,
                "ok": c.ok,
                "seconds": c.seconds,
                "text": c.text,
                "error": c.error and {"kind": c.error.kind, "message": c.error.message, "hint": c.error.hint},
            }
            for c in done
        ]

    rows = asyncio.run(work())
    if as_json:
        emit("models", {"checks": rows})
    else:
        for row in rows:
            _show(row)
    return 0 if all(row["ok"] for row in rows) else 3


def _show(row: dict[str, object]) -> None:
    error = row["error"]
    if isinstance(error, dict):
        show(f"{error['message']}" + (f"\nhint: {error['hint']}" if error["hint"] else ""))
    else:
        show(f"{row['id']}: ok in {row['seconds']:.2f} s")


command.add_command(list_)
command.add_command(pull)
command.add_command(check)
