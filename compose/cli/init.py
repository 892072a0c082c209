"""`compose init`: a commented compose.toml to start from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, say
from compose.errors import ConfigError
from compose.whole import write_whole

TEMPLATE = """\
# compose.toml: which models there are, with whose keys, at what price and pace.
# `compose trust .` lets this file name environment variables, servers and prices.

# cache = "on"             # keep finished calls: "on", "read" (never write) or "off"
# cache_ttl_days = 90

# [models.cheap]           # `cheap` can now stand wherever a model id can
# id = "gpt-4o-mini"
# api_key_env = "OPENAI_API_KEY"     # the variable's name; the key itself never stands here
# rpm = 500                # requests and tokens per minute, calls in flight, seconds per attempt
# tpm = 200_000
# concurrency = 16
# timeout = 60
# fallbacks = ["local/smollm2-135m"]
# price = { input = 0.15, output = 0.60, source = "price list", date = "2026-01-01" }   # USD per million tokens
# params = { temperature = 0.7, max_tokens = 512 }

# [models.mine]            # an OpenAI-style server
# id = "http://127.0.0.1:8080/v1#qwen"
"""


@declare("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(folder: Path, force: bool, as_json: bool, quiet: bool) -> None:
    """Write a commented compose.toml into a folder.

    A file that is there stays, unless --force replaces it; a link is replaced
    itself, and what it leads to is left alone.

    Example:

        compose init .
    """
    path = folder / "compose.toml"
    if os.path.lexists(path) and not force:
        raise ConfigError(f"{path} is there already", hint="--force replaces it")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, TEMPLATE)
    if as_json:
        emit("init", {"file": str(path)})
    else:
        say(f"wrote {path}", quiet=quiet)
