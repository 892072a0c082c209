"""Pipeline files: load, save, load is the identity; what is wrong is refused with its place."""

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


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(c.ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_a_deep_file_is_refused_and_not_a_crash() -> None:
    with pytest.raises(c.ConfigError):
        parse("version: 1\nsteps: " + "[" * 5000, where="p.yaml")


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(c.ConfigError, match="not UTF-8"):
        load(tmp_path / "p.yaml")
