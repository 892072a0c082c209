"""A user's own files: what is read, and what a broken line says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from compose.config import trust
from compose.errors import DataError, UnknownName
from compose.evals.benchmark import Item, load_benchmark
from compose.evals.jsonl import FileBenchmark, from_frame
from compose.types import Message

ROWS = [
    {"id": "a", "prompt": "2 + 2?", "target": "4", "groups": {"level": 1}, "source": "school"},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "3 + 3?"}], "target": 6},
]


def written(path: Path, *rows: object) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["own.jsonl", "own.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    benchmark = load_benchmark(str(written(tmp_path / name, ROWS[0], "", ROWS[1])))
    assert benchmark.name == "own"
    assert benchmark.items() == [
        Item("a", (Message("user", "2 + 2?"),), "4", {"level": "1"}, {"source": "school"}),
        Item("3", (Message("system", "Be brief."), Message("user", "3 + 3?")), 6),
    ]
    assert benchmark.models() == ["local/smollm2-135m"]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('id,prompt,target,group.level\na,"2 + 2,\nwhat?",4,1\nb,3 + 3?,6,2\n', encoding="utf-8")
    items = load_benchmark(str(path)).items()
    assert [(i.id, i.prompt, i.target, i.groups) for i in items] == [
        ("a", "2 + 2,\nwhat?", "4", {"level": "1"}),
        ("b", "3 + 3?", "6", {"level": "2"}),
    ]


def test_a_pandas_frame() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"prompt": ["a?", "b?"], "target": ["1", None], "group.level": [1, 2]})
    benchmark = from_frame(frame, scorer="number")
    assert [(i.id, i.target, i.groups) for i in benchmark.items()] == [
        ("1", "1", {"level": "1"}),
        ("2", None, {"level": "2"}),
    ]
    assert benchmark.answer == "number"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "x"', r":2: not JSON"),
        ("[1]", r":2: expected an object, got list"),
        ('{"target": 1}', r":2: field `prompt`: an item needs either"),
        ('{"prompt": "x", "messages": []}', r":2: field `prompt`: an item needs either"),
        ('{"prompt": 5}', r":2: field `prompt`: expected a text, got 5"),
        ('{"prompt": " "}', r":2: field `prompt`: expected a text"),
        ('{"messages": []}', r":2: field `messages`: no messages"),
        ('{"messages": [{"role": "robot", "content": "x"}]}', r":2: field `messages`: .*robot"),
        ('{"prompt": "x", "groups": [1]}', r":2: field `groups`"),
        ('{"prompt": "x", "meta": 1}', r":2: field `meta`"),
        ('{"prompt": "x", "id": {}}', r":2: field `id`"),
        ('{"prompt": "x", "id": true}', r":2: field `id`"),
        ('{"prompt": "x", "id": "a"}', r":2: field `id`: the id 'a' is that of line 1 already"),
        ('{"prompt": "\\ud800"}', r":2: field `prompt`: half a surrogate pair"),
        ('{"messages": [{"role": "user", "content": "\\udfff"}]}', r":2: field `messages`: half a surrogate pair"),
        ('{"prompt": "x", "\\ud800": 1}', r":2: field `.ud800`: half a surrogate pair"),
        ('{"prompt": "x", "target": NaN}', r":2: field `target`: nan is no number"),
        ('{"prompt": "x", "target": [1e999]}', r":2: field `target`: inf is no number"),
        ('{"prompt": "x", "target": ' + "9" * 5000 + "}", r":2: not JSON"),
        ('{"prompt": "x", "meta": ' + "[" * 3000 + "]" * 3000 + "}", r":2: not JSON"),
        ('{"prompt": "x"} tail', r":2: not JSON: Extra data \(character 17\)"),
        ('{"messages": {"role": "user", "content": "x"}}', r":2: field `messages`: Expected `array`"),
        ('{"messages": ["x"]}', r":2: field `messages`: Expected `object`"),
        ('{"messages": [{"content": "x"}]}', r":2: field `messages`: .*role"),
        ('{"messages": "[x"}', r":2: field `messages`: not JSON"),
    ],
)
def test_a_broken_line_names_file_line_and_field(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path / "own.jsonl", ROWS[0], line)
    with pytest.raises(DataError, match=f"own.jsonl{message}") as caught:
        load_benchmark(str(path)).items()
    assert caught.value.file == str(path)
    assert caught.value.line == 2
    assert caught.value.exit_status == 2


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        load_benchmark(str(tmp_path / "none.jsonl")).items()
    (tmp_path / "bad.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "x"}' * 1000)[:-20])
    with pytest.raises(DataError, match=r"bad.jsonl.gz"):
        load_benchmark(str(tmp_path / "bad.jsonl.gz")).items()
    (tmp_path / "latin.jsonl").write_bytes('{"prompt": "é"}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"latin.jsonl:1: not UTF-8"):
        load_benchmark(str(tmp_path / "latin.jsonl")).items()
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match=r"folder.jsonl: cannot read: Is a directory"):
        load_benchmark(str(tmp_path / "folder.jsonl")).items()
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match=r"empty.jsonl: no items"):
        load_benchmark(str(tmp_path / "empty.jsonl")).items()
    packed = bytearray(gzip.compress(b'{"prompt": "x"}\n' * 1000))
    packed[15:25] = b"0123456789"
    (tmp_path / "torn.jsonl.gz").write_bytes(packed)
    with pytest.raises(DataError, match=r"torn.jsonl.gz: cannot read"):
        load_benchmark(str(tmp_path / "torn.jsonl.gz")).items()


def test_a_mark_of_order_and_other_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "a", "id": 7}\r\n\r\n{"prompt": "b"}\r\n')
    assert [(i.id, i.prompt) for i in load_benchmark(str(path)).items()] == [("7", "a"), ("3", "b")]


def test_a_line_of_any_sane_length_is_read_and_no_longer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "own.jsonl", {"prompt": "x" * 2_000_000}, {"prompt": "y" * 3_000_000})
    assert len(load_benchmark(str(path)).items()) == 2
    monkeypatch.setattr("compose.evals.jsonl.LONGEST_LINE", 2 << 20)
    with pytest.raises(DataError, match=r"own.jsonl:2: longer than 2 MiB"):
        load_benchmark(str(path)).items()


def test_a_target_that_is_no_expression_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "own.jsonl", {"prompt": "x", "target": "a.c"}, {"prompt": "y", "target": ["b", "(c"]})
    assert len(load_benchmark(str(path)).items()) == 2
    with pytest.raises(DataError, match=r"own.jsonl:2: field `target`: '\(c' is no regular expression"):
        load_benchmark(str(path), scorer="regex").items()


def test_a_csv_line_that_spans_several_is_known_by_its_first(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('prompt,target\n"a\nb\nc",1\nd,2\n', encoding="utf-8")
    assert [i.id for i in load_benchmark(str(path)).items()] == ["2", "5"]
    path.write_text('prompt,target\nx,1\n"' + "y" * 200_000 + '",1\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"own.csv:3: not CSV: field larger than field limit"):
        load_benchmark(str(path)).items()


def test_a_short_csv_line_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,prompt,target\na,x\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"own.csv:2: .*number of fields"):
        load_benchmark(str(path)).items()


def test_the_scorer_is_the_option_then_the_files_then_exact(tmp_path: Path) -> None:
    path = written(tmp_path / "own.jsonl", {**ROWS[0], "scorer": "choice"})
    assert load_benchmark(str(path)).answer == "choice"
    assert load_benchmark(str(path), scorer="literal").answer == "literal"
    assert FileBenchmark(written(tmp_path / "plain.jsonl", ROWS[0])).answer == "auto"
    with pytest.raises(UnknownName) as caught:
        _ = load_benchmark(str(path), scorer="numbre").scorer
    assert caught.value.nearest == "number"
    with pytest.raises(UnknownName, match="setting of scorer `judge` 'modell'"):
        _ = FileBenchmark(path, scorer="judge", settings={"modell": "m"}).scorer


def test_a_file_names_no_judge_until_its_folder_is_trusted(tmp_path: Path) -> None:
    path = written(tmp_path / "theirs.jsonl", {**ROWS[0], "scorer": "judge:http://10.0.0.1/v1#m"})
    with pytest.raises(DataError, match="asks a model") as caught:
        _ = load_benchmark(str(path)).scorer
    assert "--scorer judge:http://10.0.0.1/v1#m" in (caught.value.hint or "")
    assert load_benchmark(str(path), scorer="judge:gpt-4o").scorer
    trust(tmp_path)
    assert load_benchmark(str(path)).scorer
