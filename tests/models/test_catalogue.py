"""What is listed and fetched; downloads come from a loopback hub."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from compose.config import Config, ModelConfig, user_dir
from compose.errors import (
    BadResponse,
    ConfigError,
    ModelError,
    ServerError,
    UnknownName,
    Unreachable,
)
from compose.models import weights as shelf
from compose.models.catalogue import list_models, pull
from compose.types import Price

CONTENT = b"GGUF" + bytes(range(256)) * 9000


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> shelf.Weights:
    """Weights that only a loopback hub has."""
    made = shelf.Weights(
        name="toy",
        file="toy.gguf",
        hub="org/toy/resolve/main/toy.gguf",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
        parameters=1.5,
        licence="none",
    )
    monkeypatch.setitem(shelf.KNOWN, "toy", made)
    return made


@asynccontextmanager
async def hub(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[web.Request], web.StreamResponse]
) -> AsyncGenerator[list[str]]:
    """A hub on loopback; yields the paths that were asked for."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        assert "Authorization" not in request.headers
        return answer(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("COMPOSE_HUB", f"http://127.0.0.1:{runner.addresses[0][1]}/")
    try:
        yield asked
    finally:
        await runner.cleanup()


def left_over() -> list[Path]:
    return list((user_dir() / "models").glob("*"))


async def test_pulls_verifies_and_finds_it_again(toy: shelf.Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    async with hub(monkeypatch, lambda _: web.Response(body=CONTENT)) as asked:
        path = await pull("local/toy", progress=lambda done, whole: steps.append((done, whole)))
        assert await pull("toy") == path
    assert asked == [f"/{toy.hub}"]
    assert path.read_bytes() == CONTENT
    assert left_over() == [path]
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert shelf.find_weights("local/toy") == path


BAD_HUBS: list[tuple[Callable[[web.Request], web.StreamResponse], type[Exception]]] = [
    (lambda _: web.Response(body=CONTENT[:-1] + b"x"), BadResponse),
    (lambda _: web.Response(body=CONTENT[:1000]), BadResponse),
    (lambda _: web.Response(body=CONTENT * 2), BadResponse),
    (lambda _: web.Response(status=404), ModelError),
    (lambda _: web.Response(status=503), ServerError),
]


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(("answer", "kind"), BAD_HUBS)
async def test_a_bad_download_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[web.Request], web.StreamResponse], kind: type[Exception]
) -> None:
    async with hub(monkeypatch, answer):
        with pytest.raises(kind):
            await pull("toy")
    assert left_over() == []


@pytest.mark.usefixtures("toy")
async def test_no_hub_and_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hub(monkeypatch, lambda _: web.Response()):
        pass
    with pytest.raises(Unreachable, match="no connection"):
        await pull("toy")
    with pytest.raises(UnknownName) as caught:
        await pull("tooy")
    assert caught.value.nearest == "toy"


@pytest.mark.usefixtures("toy")
async def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path / "file"))
    async with hub(monkeypatch, lambda _: web.Response(body=CONTENT)):
        with pytest.raises(ConfigError, match=r"toy\.gguf") as caught:
            await pull("toy")
    assert "COMPOSE_CACHE" in (caught.value.hint or "")


@pytest.mark.usefixtures("toy")
def test_what_is_missing_says_how_to_get_it() -> None:
    with pytest.raises(ConfigError) as caught:
        shelf.find_weights("local/toy")
    assert caught.value.hint == "compose models pull toy"
    (listed,) = [info for info in list_models(Config()) if info.id == "local/toy"]
    assert (listed.available, listed.note) == (False, "compose models pull toy")
    assert listed.usd_per_mtok_in == pytest.approx(1.5 * shelf.USD_PER_MTOK_PER_BILLION)


def test_configured_models_come_first_and_broken_ones_say_why() -> None:
    good = ModelConfig(id="http://127.0.0.1:1/v1#m", price=Price(input=1.0, output=2.0))
    first, second, *_ = list_models(Config(models={"good": good, "bad": ModelConfig(id="nonsense")}))
    assert (first.id, first.kind, first.usd_per_mtok_in, first.available) == ("good", "http", 1.0, True)
    assert (second.id, second.available) == ("bad", False)
    assert "unknown model" in second.note


def test_recorded_models_are_listed_with_prices_or_none(data: Path) -> None:
    found = {info.id: info for info in list_models(Config(), data)}
    mini = found["replay/zeroeval_gsm/gpt-4o-mini-2024-07-18"]
    assert (mini.usd_per_mtok_in, mini.samples) == (0.15, None)
    assert found["replay/alpaca_eval/gemma-2b-it"].usd_per_mtok_in is None
    assert found["replay/mot_cascade/gpt-3.5-turbo/cot1/n40"].samples == 40
    assert not any(id.startswith("replay/mmlu_pro/") for id in found)
    msgspec.json.encode(list(found.values()))
