"""`compose doctor`: what is wrong here, and what is merely not installed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Generator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from compose import __version__
from compose.cli.options import command as declare
from compose.cli.output import emit, table
from compose.errors import ComposeError

EXTRAS = {"xllamacpp": "local", "litellm": "litellm", "optuna": "search"}


class Check(msgspec.Struct, frozen=True):
    """One thing looked at; `ok` is None where it is only absent."""

    name: str
    ok: bool | None
    note: str


@declare("doctor", "config")
def command(config: Path | None, as_json: bool) -> int:
    """Say what is wrong with this installation.

    Exit status 2 if something is. Calls nothing over the network.

    Example:

        compose doctor
    """
    checks = list(_checks(config))
    if as_json:
        emit("doctor", {"ok": all(c.ok is not False for c in checks), "checks": checks})
    else:
        words = {True: "ok", False: "WRONG", None: "absent"}
        table(["what", "", "note"], [(c.name, words[c.ok], c.note) for c in checks])
    return 0 if all(c.ok is not False for c in checks) else 2


def _checks(config: Path | None) -> Generator[Check]:
    yield Check("compose", True, f"{__version__}, Python {platform.python_version()}, {sys.platform}")
    for package, extra in EXTRAS.items():
        yield _package(package, extra)
    yield _try("compose.toml", lambda: _config(config))
    yield _try("per-user folder", _user_folder)
    yield _try("store of calls", _store)
    yield _try("embedded model", _embedded)


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except ComposeError as error:
        return Check(name, False, f"{error.message}. {error.hint or ''}".strip())
    except OSError as error:
        return Check(name, False, str(error))


def _package(package: str, extra: str) -> Check:
    try:
        return Check(package, True, version(package))
    except PackageNotFoundError:
        return Check(package, None, f"pip install 'compose-llm[{extra}]'")


def _config(explicit: Path | None) -> str:
    from compose.config import load_config

    config = load_config(explicit=explicit)
    if config.path is None:
        return "none; `compose init` writes one"
    return f"{config.path}, {len(config.models)} models, {'trusted' if config.trusted else 'not trusted'}"


def _user_folder() -> str:
    import tempfile

    from compose.config import user_dir

    folder = user_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"compose")
    return f"{folder}, writable"


def _store() -> str:
    from compose.models.cache import Cache

    stats = Cache().stats()
    return f"{stats.answers} answers, {stats.bytes / 1e6:.1f} MB"


def _embedded() -> str:
    from compose.config import Config
    from compose.evals.benchmark import EMBEDDED_MODEL
    from compose.models.resolve import resolve

    model = resolve(EMBEDDED_MODEL, Config())
    return f"{model.id} can be called"
