"""compose.toml: found, read, refused with a line that helps, and trusted only when told."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.config import Config, is_trusted, load_config, trust, user_dir
from compose.errors import ConfigError, UnknownName
from compose.types import Params, Price

FULL = """
cache = "read"
cache_ttl_days = 30

[models.fast]
id = "gpt-4o-mini"
price = {input = 0.15, output = 0.6}
rpm = 500
tpm = 200_000
concurrency = 8
timeout = 30
fallbacks = ["gpt-4o"]
params = {temperature = 0.2, stop = ["END"]}
"""
SERVER = '[models.mine]\nid = "m"\nbase_url = "http://10.0.0.1/v1"\napi_key_env = "MINE_KEY"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A per-user folder of its own."""
    monkeypatch.setenv("COMPOSE_CACHE", str(tmp_path / "user"))
    return tmp_path / "user"


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "compose.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()


def test_every_field_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "p", FULL)
    config = load_config(explicit=file)
    fast = config.models["fast"]
    assert (config.cache, config.cache_ttl_days, config.path, config.trusted) == ("read", 30, file, True)
    assert (fast.id, fast.rpm, fast.tpm, fast.concurrency, fast.timeout) == ("gpt-4o-mini", 500, 200_000, 8, 30)
    assert fast.price == Price(input=0.15, output=0.6)
    assert fast.fallbacks == ("gpt-4o",)
    assert fast.params == Params(temperature=0.2, stop=("END",))


def test_the_nearest_file_upwards_counts_and_then_the_users(tmp_path: Path, home: Path) -> None:
    write(home, 'cache = "off"\n')
    assert load_config(tmp_path / "p").cache == "off"
    write(tmp_path / "p", 'cache = "read"\n')
    (tmp_path / "p" / "deep" / "deeper").mkdir(parents=True)
    assert load_config(tmp_path / "p" / "deep" / "deeper").cache == "read"


@pytest.mark.parametrize(
    "text",
    [
        SERVER,
        '[models.mine]\nid = "http://10.0.0.1/v1#m"\n',
        '[models."http://10.0.0.1/v1#m"]\nrpm = 5\n',
        '[models.mine]\nid = "m"\nfallbacks = ["https://10.0.0.1/v1#m"]\n',
        '[models.mine]\nid = "m"\napi_key_env = "AWS_SECRET"\n',
        '[models.mine]\nid = "m"\nprice = { input = 0.0, output = 0.0 }\n',
    ],
)
def test_a_found_file_names_no_servers_no_variables_and_no_prices_until_trusted(tmp_path: Path, text: str) -> None:
    file = write(tmp_path / "p", text)
    with pytest.raises(ConfigError, match="not trusted") as caught:
        load_config(tmp_path / "p")
    assert caught.value.hint == f"compose trust {tmp_path / 'p'}"
    assert load_config(explicit=file).trusted
    trust(tmp_path / "p")
    assert load_config(tmp_path / "p").trusted


def test_the_error_of_an_untrusted_file_names_the_line(tmp_path: Path) -> None:
    file = write(tmp_path, SERVER)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value).startswith(f"{file}:4: model 'mine' names an environment variable (MINE_KEY)")


def test_trust_covers_what_is_below_and_nothing_beside(tmp_path: Path) -> None:
    for name in ("a/b", "ab"):
        (tmp_path / name).mkdir(parents=True)
    trust(tmp_path / "a")
    assert is_trusted(tmp_path / "a" / "b")
    assert not is_trusted(tmp_path / "ab")
    assert not is_trusted(tmp_path)


def test_a_link_into_a_trusted_folder_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    trust(tmp_path / "mine")
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "theirs")
    assert not is_trusted(tmp_path / "mine" / "link")


def test_the_users_own_file_is_trusted(home: Path, tmp_path: Path) -> None:
    write(home, SERVER)
    assert load_config(tmp_path).models["mine"].api_key_env == "MINE_KEY"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("cash = 'on'\n", 1, "did you mean `cache`?"),
        ("[models.a]\n# tineout\ntineout = 3\n", 3, "did you mean `timeout`?"),
        ("[models.a]\nparams = {temprature = 1.0}\n", 2, "did you mean `temperature`?"),
        ("[models.a]\nprice = {inputs = 1.0}\n", 2, "did you mean `input`?"),
    ],
)
def test_an_unknown_setting_is_refused_with_line_and_nearest_name(
    tmp_path: Path, text: str, line: int, hint: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UnknownName) as caught:
        load_config(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: unknown ")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "text",
    ["cache = 'maybe'\n", "[models.a]\nrpm = -1\n", "[models.a]\nconcurrency = 0\n", "models = 3\n", "[[", "x = \xff"],
)
def test_a_wrong_value_gives_one_line_with_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "compose.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("price = {input = -1.0}", "price.input", "-1.0"),
        ("price = {output = nan}", "price.output", "nan"),
        ("price = {per_call = inf}", "price.per_call", "inf"),
        ("price = {batch = -0.5}", "price.batch", "-0.5"),
        ("rpm = inf", "rpm", "inf"),
        ("timeout = nan", "timeout", "nan"),
        ("params = {temperature = nan}", "params.temperature", "nan"),
    ],
)
def test_an_amount_that_is_none_is_refused_by_file_key_and_value(
    tmp_path: Path, text: str, key: str, value: str
) -> None:
    file = write(tmp_path, f"[models.other]\nid = 'm'\n[models.a]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value).startswith(f"{file}: models.a.{key} is {value}, not ")


def test_a_price_made_in_python_is_checked_too() -> None:
    with pytest.raises(ValueError, match="output is -1"):
        Price(input=1.0, output=-1)


def test_a_missing_explicit_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(explicit=tmp_path / "none.toml")


def test_a_broken_trust_file_is_an_error_and_not_trust(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (home / "trusted.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"trusted\.json"):
        is_trusted(tmp_path)


def test_only_a_folder_can_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a folder"):
        trust(tmp_path / "nowhere")


def test_compose_cache_moves_the_users_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_dir() == home
    monkeypatch.delenv("COMPOSE_CACHE")
    assert user_dir() != home


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "[models.m]\nrpm = " + "9" * 10_000])
def test_what_no_parser_takes_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError, match=f"{file}: not valid TOML"):
        load_config(tmp_path)
