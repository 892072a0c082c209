"""An id becomes the right model, or an error with the nearest name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from compose.config import Config, ModelConfig
from compose.errors import AuthError, ConfigError, UnknownName
from compose.models.hosted import is_hosted
from compose.models.model import Model
from compose.models.resolve import lookup, provider_of, resolve
from compose.testing.server import FakeServer
from compose.types import Message, Params, Price, Request

IDS = [
    ("http://127.0.0.1:1/v1#m", "http"),
    ("https://example.org/v1#m", "http"),
    ("local/smollm2-135m", "local"),
    ("local//some/where.gguf", "local"),
    ("tiny/xs", "tiny"),
    ("replay/set/model", "replay"),
    ("gpt-4o-mini", "litellm"),
    ("claude-haiku-4-5", "litellm"),
    ("openai/gpt-4o-mini", "litellm"),
    ("openrouter/meta/llama#1", "litellm"),
]


@pytest.mark.parametrize(("id", "provider"), IDS)
def test_the_provider_of_an_id(id: str, provider: str) -> None:
    assert provider_of(id) == provider


@pytest.mark.parametrize("id", ["", "nonsense", "nowhere/model", "local/", "litellm/gpt-4o", "http/x", "openai/"])
def test_what_no_provider_knows_is_unknown(id: str) -> None:
    with pytest.raises(UnknownName, match="unknown model"):
        provider_of(id)


@pytest.mark.parametrize(
    ("id", "nearest"), [("gpt4o-mini", "gpt-4o-mini"), ("locl/smollm2-135m", "local/smollm2-135m"), ("qick", "quick")]
)
def test_the_nearest_id_is_named(id: str, nearest: str) -> None:
    config = Config(models={"quick": ModelConfig(id="gpt-4o-mini")})
    with pytest.raises(UnknownName) as caught:
        resolve(id, config)
    assert caught.value.nearest == nearest
    assert f"did you mean `{nearest}`?" in (caught.value.hint or "")


def test_unknown_local_and_shipped_names_have_a_hint() -> None:
    with pytest.raises(UnknownName, match="unknown local model 'smollm'"):
        resolve("local/smollm", Config())
    with pytest.raises(UnknownName, match="shipped model"):
        resolve("tiny/nothing", Config())
    with pytest.raises(ConfigError, match="there is no file"):
        resolve("local/not/there.gguf", Config())


def test_an_alias_is_its_target_and_its_settings_win() -> None:
    price = Price(input=1.0, output=2.0)
    target = "http://127.0.0.1:1/v1#m"
    config = Config(models={"quick": ModelConfig(id=target, price=price)})
    model = resolve("quick", config)
    assert (model.id, model.price) == (target, price)


def test_aliases_of_aliases_and_circles() -> None:
    target = "http://127.0.0.1:1/v1#m"
    models = {"a": ModelConfig(id="b"), "b": ModelConfig(id=target, price=Price(input=1.0))}
    assert resolve("a", Config(models=models)).id == target
    assert resolve("a", Config(models=models)).price == Price(input=1.0)
    circle = {"a": ModelConfig(id="b"), "b": ModelConfig(id="a")}
    with pytest.raises(ConfigError, match="a -> b -> a"):
        resolve("a", Config(models=circle))


def test_what_an_alias_leaves_open_is_as_its_target_says() -> None:
    below = ModelConfig(
        rpm=5, tpm=9, concurrency=2, timeout=3, fallbacks=("b",), api_key_env="K", params=Params(seed=1)
    )
    models = {"gpt-4o": below, "quick": ModelConfig(id="gpt-4o", rpm=7, params=Params(temperature=0.5))}
    target, found = lookup("quick", Config(models=models))
    assert target == "gpt-4o"
    assert found == msgspec.structs.replace(below, id="gpt-4o", rpm=7, params=Params(temperature=0.5, seed=1))


def test_a_key_stays_with_the_server_that_it_is_named_for() -> None:
    below = ModelConfig(id="gpt-4o", api_key_env="WORK_KEY", rpm=5)
    models = {"work": below, "mine": ModelConfig(id="work", base_url="http://127.0.0.1:1/v1")}
    _, found = lookup("mine", Config(models=models))
    assert (found.api_key_env, found.base_url, found.rpm) == (None, "http://127.0.0.1:1/v1", 5)


def test_a_server_wins_over_that_of_the_target() -> None:
    models = {
        "mine": ModelConfig(id="http://127.0.0.1:1/v1#m", base_url="http://127.0.0.1:2/v1/"),
        "http://127.0.0.1:1/v1#m": ModelConfig(api_key_env="ONE_KEY"),
        "http://127.0.0.1:2/v1#m": ModelConfig(api_key_env="TWO_KEY"),
    }
    target, found = lookup("mine", Config(models=models))
    assert (target, found.api_key_env) == ("http://127.0.0.1:2/v1#m", "TWO_KEY")


def test_a_name_with_a_server_has_the_settings_of_that_servers_model() -> None:
    url = "http://127.0.0.1:1/v1"
    models = {"mine": ModelConfig(base_url=url), f"{url}#mine": ModelConfig(rpm=5, api_key_env="K")}
    assert lookup("mine", Config(models=models)) == (
        f"{url}#mine",
        ModelConfig(id=f"{url}#mine", rpm=5, api_key_env="K"),
    )


@pytest.mark.parametrize("settings", [ModelConfig(id="quik"), ModelConfig(rpm=5)])
def test_a_name_that_stands_for_itself_is_said_to(settings: ModelConfig) -> None:
    models = {"quik": settings, "quick": ModelConfig(id="gpt-4o"), "again": ModelConfig(id="quik")}
    for id in ("quik", "again"):
        with pytest.raises(ConfigError, match=r"model .quik. in .* stands for itself") as caught:
            resolve(id, Config(models=models))
        assert "did you mean `quick`?" in (caught.value.hint or "")
    assert resolve("gpt-4o", Config(models={"gpt-4o": ModelConfig(id="gpt-4o")})).id == "gpt-4o"


async def test_a_name_with_a_server_is_a_model_of_that_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeServer() as server:
        config = Config(models={"mine": ModelConfig(base_url=server.url, api_key_env="MINE_KEY")})
        model = resolve("mine", config)
        assert model.id == server.id("mine")
        request = Request(model.id, (Message("user", "hi"),), Params())
        with pytest.raises(AuthError, match="MINE_KEY is not set"):
            await model.complete(request)
        monkeypatch.setenv("MINE_KEY", "secret-key")
        await model.complete(request)
        assert server.requests[0].headers["Authorization"] == "Bearer secret-key"
        await model.aclose()


def test_models_are_models() -> None:
    assert isinstance(resolve("http://127.0.0.1:1/v1#m", Config()), Model)


def test_hosted_names_are_told_without_importing_litellm() -> None:
    assert is_hosted("gpt-4o-mini")
    code = (
        "import sys; from compose.models.catalogue import list_models; from compose.config import Config;"
        "from compose.models.resolve import resolve; resolve('gpt-4o-mini', Config()); assert list_models(Config());"
        "heavy = {'litellm', 'aiohttp', 'xllamacpp', 'openai'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "settings", [ModelConfig(id="openai/gpt-4o"), ModelConfig(fallbacks=("openai/gpt-4o",))], ids=["id", "fallback"]
)
def test_a_file_that_was_merely_found_sends_no_id_elsewhere(settings: ModelConfig) -> None:
    mine = {"local/smollm2-135m": settings, "fast": ModelConfig(id="gpt-4o-mini", fallbacks=("gpt-4o",))}
    theirs = Config(models=mine, trusted=False, path=Path("/theirs/compose.toml"))
    with pytest.raises(ConfigError, match="another model") as caught:
        lookup("local/smollm2-135m", theirs)
    assert caught.value.hint == "compose trust /theirs"
    assert lookup("fast", theirs)[0] == "gpt-4o-mini"
    assert lookup("local/smollm2-135m", Config(models=mine))[0] == (settings.id or "local/smollm2-135m")
