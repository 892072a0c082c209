"""Splits, names, options: what holds for every benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.errors import ConfigError, DataError, UnknownName
from compose.evals.benchmark import Benchmark, Item, halves, load_benchmark
from compose.types import Message


def items(n: int, *, groups: int = 1, same: int = 1) -> list[Item]:
    return [Item(str(i), (Message("user", f"q{i // same}"),), "", {"g": str(i % groups)}) for i in range(n)]


class Given(Benchmark):
    name = "given"

    def __init__(self, given: list[Item]) -> None:
        super().__init__()
        self.given = given

    def read(self) -> list[Item]:
        return self.given


def test_halves_are_disjoint_whole_and_of_equal_size() -> None:
    given = items(101)
    dev, test = halves(given, seed=0)
    assert {i.id for i in dev} & {i.id for i in test} == set()
    assert {i.id for i in dev} | {i.id for i in test} == {i.id for i in given}
    assert abs(len(dev) - len(test)) <= 1


def test_the_seed_fixes_the_split_whatever_the_order() -> None:
    given = items(50)
    assert halves(given, seed=3) == halves(given[::-1], seed=3)
    assert halves(given, seed=3) != halves(given, seed=4)


def test_items_with_the_same_question_stay_together() -> None:
    given = items(40, same=2)
    for seed in range(20):
        dev, test = halves(given, seed=seed)
        assert not {i.prompt for i in dev} & {i.prompt for i in test}


def test_groups_are_balanced_in_halves_and_prefixes() -> None:
    dev, test = halves(items(120, groups=4), seed=1)
    for half in (dev, test):
        for part in (half, half[:20]):
            counts = [sum(i.groups["g"] == str(g) for i in part) for g in range(4)]
            assert max(counts) - min(counts) <= 2


def test_a_group_per_item_still_gives_two_halves() -> None:
    dev, test = halves(items(60, groups=60), seed=0)
    assert len(dev) == len(test) == 30


def test_dev_share_moves_the_border() -> None:
    dev, test = halves(items(100), seed=0, dev_share=0.2)
    assert (len(dev), len(test)) == (20, 80)


def test_limit_keeps_a_prefix() -> None:
    benchmark = Given(items(30))
    assert benchmark.split("dev", limit=5) == benchmark.split("dev")[:5]
    assert benchmark.split("dev", limit=0) == []
    assert len(benchmark.split("all")) == 30


def test_a_repeated_id_and_no_items_are_refused() -> None:
    with pytest.raises(DataError, match="'1' twice"):
        Given([*items(2), items(2)[1]]).items()
    with pytest.raises(DataError, match="no items"):
        Given([]).items()


def test_an_unknown_benchmark_split_or_option_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        load_benchmark("zeroeval_gms")
    assert caught.value.nearest == "zeroeval_gsm"
    with pytest.raises(UnknownName, match="split 'tset'"):
        Given(items(2)).split("tset")  # pyright: ignore[reportArgumentType]  # what a user may type
    with pytest.raises(UnknownName, match="benchmark `arith`: unknown option 'level'") as caught:
        load_benchmark("arith", level=(1,))
    assert caught.value.nearest == "levels"


def test_a_file_of_another_kind_says_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("[]")
    with pytest.raises(UnknownName) as caught:
        load_benchmark(str(tmp_path / "own.json"))
    assert caught.value.hint == "a file of yours ends in .jsonl, .jsonl.gz or .csv"


def test_a_missing_data_folder_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPOSE_DATA", raising=False)
    with pytest.raises(ConfigError, match="no data folder") as caught:
        load_benchmark("gsm8k").items()
    assert caught.value.hint and "--data" in caught.value.hint
    with pytest.raises(ConfigError, match=str(tmp_path)):
        load_benchmark("gsm8k", data=tmp_path).items()


def test_groups_lists_values_in_order() -> None:
    assert load_benchmark("arith", n=12).groups() == {"level": ["1", "2", "3", "4", "5", "6"]}


def test_one_question_in_two_groups_falls_into_one_half() -> None:
    asked = [Item(f"a{i}", (Message("user", f"q{i}"),), groups={"g": "a"}) for i in range(20)]
    again = [Item(f"b{i}", (Message("user", f"q{i}"),), groups={"g": "b"}) for i in range(7)]
    for seed in range(10):
        dev, test = halves([*asked, *again], seed=seed)
        assert {i.messages for i in dev}.isdisjoint(i.messages for i in test)
