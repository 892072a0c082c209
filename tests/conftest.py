"""Every test has a cache of its own and cannot reach beyond this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _data() -> Path:
    return Path(os.environ.get("COMPOSE_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A per-user folder of the test's own, no keys, no data but what a test asks for."""
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path_factory.mktemp("user")))
    monkeypatch.delenv("COMPOSE_DATA", raising=False)
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections and look-ups that leave this machine fail the test."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None):
            _allow(address[0])
        connect(self, address)

    def looked_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _allow(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    yield


def _allow(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if not name.startswith(_LOOPBACK):
        raise AssertionError(f"a test tried to reach {name}")


@pytest.fixture
def data() -> Path:
    """The folder of public data sets; the test is skipped where it is absent."""
    folder = _data()
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not at {folder}")
    return folder
