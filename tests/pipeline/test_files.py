"""Pipeline files: load, save, load is the identity; what is wrong is refused with its place."""

import json
from pathlib import Path

import pytest
import yaml

import compose as c
from compose.pipeline.files import load, parse

BAD = yaml.safe_load((Path(__file__).parents[1] / "fixtures/pipelines/bad.yaml").read_text())

PIPES = [
    c.generate("m"),
    c.generate("m", n=5, temperature=0.7) >> c.vote(answer="number"),
    (c.generate("a") | c.generate("b", n=2)) >> c.rank("j", keep=2) >> c.fuse("f"),
    ((c.generate("a") >> c.critique("b")) | c.ensemble(["x", "y"], n=3)) >> (c.verify("v") | c.best_of("j")),
    c.cascade(["a", "b", "c"], agree=2, answer="choice", final="last"),
    c.generate("m", response_format={"type": "json_schema", "json_schema": {"name": "x"}}, stop=("a", "b")),
]


@pytest.mark.parametrize("pipe", PIPES, ids=repr)
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_load_save_load_is_the_identity(pipe: c.Pipeline, suffix: str, tmp_path: Path) -> None:
    first = load(pipe.save(tmp_path / f"p{suffix}"))
    second = load(first.save(tmp_path / f"q{suffix}"))
    assert first == pipe == second
    assert (tmp_path / f"p{suffix}").read_text() == (tmp_path / f"q{suffix}").read_text()
    assert c.Pipeline.from_data(pipe.to_data()).key == pipe.key


@pytest.mark.parametrize("case", BAD, ids=[case["name"] for case in BAD])
def test_a_bad_file_is_refused_with_its_place(case: dict[str, str]) -> None:
    with pytest.raises(c.ConfigError) as caught:
        parse(case["file"], where="p.yaml")
    assert caught.value.message.startswith(case["message"]), caught.value.message
    assert "\n" not in caught.value.message
    if "hint" in case:
        assert caught.value.hint == case["hint"]
    assert caught.value.exit_status == 2


def test_an_unknown_technique_is_an_unknown_name() -> None:
    with pytest.raises(c.UnknownName) as caught:
        parse("version: 1\nsteps:\n  - {use: fuze}", where="p.yaml")
    assert (caught.value.name, caught.value.nearest) == ("fuze", "fuse")


def test_json_escapes_of_one_character_are_read_as_one(tmp_path: Path) -> None:
    data = c.generate("m", system="caf\u00e9 \U0001f642").to_data()
    (tmp_path / "p.json").write_text(json.dumps(data))
    assert load(tmp_path / "p.json").to_data() == data
    with pytest.raises(c.ConfigError, match="not a YAML text"):
        parse('{"version": 1, "steps": [{"use": "generate", "model": "\\ud83d"}]}')


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(c.ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


STEP = "  - {use: generate, model: m}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nsteps: " + "[" * 100_000, "p.yaml:2: nested more than 100 deep"),
        ("version: 1\nsteps:\n" + "".join(" " * i + "-\n" for i in range(1, 500)), "p.yaml:102: nested more than"),
        ("version: 1\nsteps: [" + "1," * 100_000 + "]", "p.yaml:2: more than 20000 values"),
        ("version: 1\nsteps:\n" + STEP * 1001, "p.yaml:1: 1001 steps; at most 1000"),
        ("version: 1\nsteps:\n  - parallel:\n" + f"  {STEP}" * 1001, "p.yaml:1: 1001 steps; at most 1000"),
        ("version: 1\nsteps:\n" + "#" * 300_000, "p.yaml: larger than 256 KiB"),
        ("version: 1\nsteps: !!" + "x" * 100_000, "p.yaml:2: could not determine a constructor"),
    ],
)
def test_a_file_that_was_made_to_be_slow_is_refused_at_once(text: str, message: str) -> None:
    with pytest.raises(c.ConfigError) as caught:
        parse(text, where="p.yaml")
    assert caught.value.message.startswith(message), caught.value.message[:200]
    assert len(caught.value.message) < 500


def test_no_more_of_a_file_is_read_than_one_may_have() -> None:
    with pytest.raises(c.ConfigError, match="/dev/zero: larger than 256 KiB"):
        load("/dev/zero")


def test_as_many_steps_as_are_allowed_are_read() -> None:
    assert len(parse("version: 1\nsteps:\n" + STEP * 1000).plan) == 1000


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(c.ConfigError, match="not UTF-8"):
        load(tmp_path / "p.yaml")
